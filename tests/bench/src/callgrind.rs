//! Instructions, counted by callgrind. They do not depend on the load of the machine.

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::authority::{Authority, KEY_VARIABLE};
use crate::measured::measured_answer;
use crate::{App, Request};

/// The argument of a program that runs under callgrind. It calls [`send_requests`] for each case.
pub const ARGUMENT: &str = "--under-callgrind";

/// The number of requests for each case.
const REQUESTS: u64 = 20;

/// Runs this program under callgrind, and returns the instructions per request of each case in turn. `None` without
/// valgrind.
///
/// # Panics
///
/// If the program does not count this many cases.
pub fn instructions(authority: &Authority, cases: usize) -> Option<Vec<u64>> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("valgrind is not there: no instructions (Debian has it as `valgrind`)\n");
        return None;
    }
    let folder = folder();
    // Only `measured_answer` and its callees are counted. The costs of each case are in a separate
    // file.
    let counted = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .arg("--toggle-collect=*measured_answer*")
        .arg("--zero-before=*case_begins*")
        .arg("--dump-before=*case_is_over*")
        .arg(format!("--callgrind-out-file={}/cost", folder.display()))
        .arg(std::env::current_exe().expect("this program"))
        .arg(ARGUMENT)
        .env(KEY_VARIABLE, authority.private_key())
        .stdout(Stdio::null())
        .output()
        .expect("valgrind is there");
    assert!(counted.status.success(), "{counted:?}");
    let costs = (1..=cases).map(|case| {
        let text = fs::read_to_string(folder.join(format!("cost.{case}"))).expect("a dump");
        let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
        let total: u64 = total.expect("a total").trim().parse().expect("a number");
        total / REQUESTS
    });
    let costs = costs.collect();
    let _ = fs::remove_dir_all(folder);
    Some(costs)
}

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("auth-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for what is written down only");
    folder
}

/// Sends the counted requests of a case.
pub fn send_requests(app: &App, request: impl Fn() -> Request) {
    let send = || {
        let requests: Vec<_> = (0..REQUESTS).map(|_| request()).collect();
        for request in requests {
            measured_answer(app, request);
        }
    };
    // One-time work is not counted.
    send();
    case_begins();
    send();
    case_is_over();
}

/// Known to callgrind by its name.
#[inline(never)]
fn case_begins() {
    black_box("begins");
}

/// Known to callgrind by its name.
#[inline(never)]
fn case_is_over() {
    black_box("over");
}
