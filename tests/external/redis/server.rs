//! A Redis server on loopback that can be stopped, paused and started again.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use auth_tests::ports::free_port;
use auth_tests::programs::install;

pub(crate) const PASSWORD: &str = "a-password-that-nobody-is-told";

/// The server. It ends when it is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    folder: PathBuf,
    arguments: Vec<String>,
    running: Option<Child>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(|port, _| vec!["--port".to_owned(), port.to_string()])
    }

    /// Starts a server with a port and a folder of its own.
    pub(crate) fn start_with(arguments: impl FnOnce(u16, &PathBuf) -> Vec<String>) -> Self {
        install("redis-server", "redis-server");
        let port = free_port();
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("redis-{port}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut server = Self {
            arguments: arguments(port, &folder),
            port,
            folder,
            running: None,
        };
        server.start_again();
        server
    }

    pub(crate) fn start_again(&mut self) {
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--requirepass", PASSWORD])
            .args(["--save", "", "--dir"])
            .arg(&self.folder)
            .args(&self.arguments)
            .stdout(Stdio::null());
        let running = command.spawn().expect("redis-server runs");
        let running = self.running.insert(running);
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = running.try_wait().expect("its state");
            assert!(ended.is_none(), "{command:?} ended: {ended:?}");
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "it does not start"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{}/", self.port)
    }

    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().expect("it can be ended");
            child.wait().expect("it ends");
        }
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.running.as_ref().expect("it runs").id().to_string();
        let kill = Command::new("kill").args(["-s", name, &id]).status();
        assert!(kill.expect("kill runs").success());
    }

    /// Returns the output of `redis-cli`.
    pub(crate) fn ask(&self, command: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string(), "--no-auth-warning"])
            .args(["-a", PASSWORD])
            .args(command)
            .output()
            .expect("redis-cli runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
