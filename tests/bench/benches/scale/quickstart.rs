//! The program in the README, unchanged: `examples/quickstart`, built in release mode.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::loopback::Client;

const QUICKSTART: [&str; 2] = ["--package", "auth-quickstart"];

/// The running program. It ends when it is dropped.
pub(crate) struct Quickstart {
    process: Child,
    address: SocketAddr,
    /// The value of `Authorization` of a caller that may read the reports.
    credentials: String,
}

/// Builds the program.
pub(crate) fn build() {
    let built = cargo()
        .args(["build", "--quiet", "--release"])
        .args(QUICKSTART)
        .status();
    assert!(built.expect("cargo is there").success());
}

fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo
}

impl Quickstart {
    pub(crate) fn start(workers: usize) -> Self {
        let mut process = cargo()
            .args(["run", "--quiet", "--release"])
            .args(QUICKSTART)
            .args(["--", "--port", "0"])
            .env("TOKIO_WORKER_THREADS", workers.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it was built");
        let lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let (mut credentials, mut address) = (None, None);
        let mut is_allowed = false;
        for line in lines.map(|line| line.expect("text")) {
            if let Some(rest) = line.strip_prefix("serving on http://") {
                let end = rest.find(';').expect("an end");
                address = Some(rest[..end].parse().expect("an address"));
                break;
            }
            if line.starts_with("# ") {
                is_allowed = line == "# rita: 200";
            }
            if is_allowed && line.ends_with("/reports") {
                credentials = line.split('\'').nth(1).map(str::to_owned);
            }
        }
        Self {
            process,
            address: address.expect("it says where it serves"),
            credentials: credentials.expect("it says who may read the reports"),
        }
    }

    /// The public page.
    pub(crate) fn public(&self) -> Client {
        Client::new(self.address, "/healthz", None, "ok\n")
    }

    /// The page behind an opaque token, which is looked up for each request.
    pub(crate) fn guarded(&self) -> Client {
        let page = "the reports, for rita\n";
        Client::new(self.address, "/reports", Some(&self.credentials), page)
    }
}

impl Drop for Quickstart {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
