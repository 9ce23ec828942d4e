//! A real Cerbos, from npm (`@cerbos/cerbos-linux-x64`).

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::ports::free_port;

/// The version that the tests are written for.
const PACKAGE: &str = "@cerbos/cerbos-linux-x64@0.55.0";

/// A server on loopback with a folder of its own. It ends when it is dropped.
pub(crate) struct Cerbos {
    program: &'static Path,
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Cerbos {
    /// Starts with these policies, each the name of a file and its text.
    pub(crate) fn start(files: &[(&str, &str)]) -> Self {
        static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
        let program = PROGRAM.get_or_init(install).as_path();
        let [port, grpc] = [(); 2].map(|()| free_port());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cerbos-{port}"));
        let policies = folder.join("policies");
        std::fs::create_dir_all(&policies).unwrap();
        for (name, text) in files {
            std::fs::write(policies.join(name), text).unwrap();
        }
        let configuration = format!(
            "server:\n  httpListenAddr: \"127.0.0.1:{port}\"\n  grpcListenAddr: \"127.0.0.1:{grpc}\"\n\
             telemetry:\n  disabled: true\n\
             storage:\n  driver: disk\n  disk:\n    directory: {policies:?}\n"
        );
        std::fs::write(folder.join("cerbos.yaml"), configuration).unwrap();
        let mut server = Self {
            program,
            folder,
            port,
            child: None,
        };
        server.start_again();
        server
    }

    pub(crate) fn start_again(&mut self) {
        let configuration = self.folder.join("cerbos.yaml");
        let mut command = Command::new(self.program);
        command.args(["server", "--config"]).arg(configuration);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = self.child.insert(command.spawn().unwrap());
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert_eq!(child.try_wait().unwrap(), None, "it ended");
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "it does not start"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Cerbos {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Returns the program, which is installed once.
fn install() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cerbos-0.55.0");
    let program = folder.join("package/cerbos-linux-x64");
    if program.exists() {
        return program;
    }
    // Unpacked elsewhere first, so that an interrupted installation is not used.
    let unpacked = folder.with_extension(std::process::id().to_string());
    std::fs::create_dir_all(&unpacked).unwrap();
    let script = format!("npm pack --silent {PACKAGE} && tar xzf *.tgz && rm *.tgz");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(&unpacked);
    let is_unpacked = shell.stdout(Stdio::null()).status();
    let is_unpacked = is_unpacked.is_ok_and(|status| status.success());
    assert!(is_unpacked, "npm cannot install {PACKAGE}");
    std::fs::rename(&unpacked, &folder).unwrap();
    program
}
