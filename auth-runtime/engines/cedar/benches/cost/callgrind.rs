//! Instructions, counted by callgrind.

use std::fs;
use std::hint::black_box;
use std::process::{Command, Stdio};

use crate::Case;

/// The argument of a program that runs under callgrind.
pub(crate) const ARGUMENT: &str = "--under-callgrind";

/// Returns the instructions of each case. `None` without valgrind.
pub(crate) fn instructions(cases: usize) -> Option<Vec<u64>> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("valgrind is not there: no instructions (Debian has it as `valgrind`)\n");
        return None;
    }
    let folder = std::env::temp_dir().join(format!("cedar-cost-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let counted = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .arg("--toggle-collect=*measured_case*")
        .arg("--zero-before=*case_begins*")
        .arg("--dump-before=*case_is_over*")
        .arg(format!("--callgrind-out-file={}/cost", folder.display()))
        .arg(std::env::current_exe().unwrap())
        .arg(ARGUMENT)
        .stdout(Stdio::null())
        .output()
        .unwrap();
    assert!(counted.status.success(), "{counted:?}");
    let counts = (1..=cases).map(|case| {
        let text = fs::read_to_string(folder.join(format!("cost.{case}"))).unwrap();
        let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
        total.unwrap().trim().parse().unwrap()
    });
    let counts = counts.collect();
    let _ = fs::remove_dir_all(folder);
    Some(counts)
}

/// Runs each case. The first run does work of which later ones need nothing, and is not counted.
pub(crate) fn run(cases: &[Case], run: impl Fn(&Case)) {
    for case in cases {
        run(case);
        case_begins();
        measured_case(case, &run);
        case_is_over();
    }
}

/// Known to callgrind by its name.
#[inline(never)]
fn measured_case(case: &Case, run: &dyn Fn(&Case)) {
    run(case);
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
