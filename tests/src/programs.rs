//! Programs for tests: those of the workspace, and others, which are installed if they are missing, and ended
//! with the test.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use serde_json::Value;

/// Builds the programs of the workspace with the features of `cargo test --workspace` and with `more`, and returns
/// their paths by name.
pub fn build(more: &[&str]) -> BTreeMap<String, PathBuf> {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--workspace", "--bins", "--examples"])
        .arg("--message-format=json")
        .args(more)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let messages = String::from_utf8(output.stdout).expect("JSON");
    let programs = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).expect("JSON");
        let name = message["target"]["name"].as_str()?;
        Some((name.to_owned(), message["executable"].as_str()?.into()))
    });
    programs.collect()
}

/// Held during an installation: package managers lock their files, and fail beside another one.
fn installing() -> MutexGuard<'static, ()> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    INSTALLING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a folder with the scripts of `clients/` and all their dependencies (see
/// `clients/setup.sh`).
pub fn set_up(folder: &Path) -> PathBuf {
    let _alone = installing();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    let set_up = Command::new("sh")
        .arg(sources.join("setup.sh"))
        .arg(folder)
        .status();
    assert!(
        set_up.expect("sh runs").success(),
        "the clients cannot be installed"
    );
    for script in std::fs::read_dir(&sources).expect("the scripts") {
        let script = script.expect("a script");
        std::fs::copy(script.path(), folder.join(script.file_name())).expect("a copy");
    }
    folder.to_owned()
}

/// Installs a Debian package, unless its program is there.
pub fn install(program: &str, package: &str) {
    static UPDATE: Once = Once::new();
    let _alone = installing();
    let shell = |script: &str| {
        let status = Command::new("sh").args(["-c", script]).status();
        assert!(status.expect("sh runs").success(), "{script}");
    };
    let found = Command::new(program).arg("--version").output();
    if found.is_err() {
        UPDATE.call_once(|| shell("apt-get update -qq"));
        shell(&format!(
            "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends {package}"
        ));
    }
}

/// A program that ends when it is dropped.
pub struct Program {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Program {
    /// Starts a server, and waits for the line with its address.
    pub fn start(
        command: &mut Command,
        address: impl Fn(&str) -> Option<String>,
    ) -> (Self, String) {
        let child = command.stdout(Stdio::piped()).stdin(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let input = child.stdin.take().expect("it is piped");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, lines) = channel();
        // A program that writes to a closed pipe would end.
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let program = Self {
            child,
            input,
            lines,
        };
        let found = program.lines.iter().find_map(|line| address(&line));
        let found = found.unwrap_or_else(|| panic!("{command:?} did not say where it is"));
        (program, found)
    }

    /// Sends an order to the program, and waits for its confirmation.
    pub fn order(&mut self, order: &str) {
        writeln!(self.input, "{order}").expect("it listens");
        let done = self.lines.iter().any(|line| line == order);
        assert!(done, "it ended, and did not {order}");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the output of a program, which has to succeed.
pub fn output_of(command: &mut Command) -> String {
    let output = finished(command);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Returns the output of a program that may fail, such as a client that is denied.
pub fn output_despite_failure(command: &mut Command) -> String {
    String::from_utf8_lossy(&finished(command).stdout).into_owned()
}

fn finished(command: &mut Command) -> Output {
    let output = command.output();
    output.unwrap_or_else(|error| panic!("{command:?}: {error}"))
}
