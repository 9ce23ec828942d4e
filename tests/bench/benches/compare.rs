//! The cost of a request, compared with the alternatives:
//! `cargo bench -p auth-bench --features peers`.
//!
//! Every contender receives the same requests in one run. callgrind counts instructions, in a
//! second process of this program. A third process counts allocations. Times are measured in turns,
//! so that other load on the machine affects all of them alike.

#[path = "compare/clock.rs"]
mod clock;
#[path = "compare/table.rs"]
mod table;

use std::process::Command;

use auth_bench::authority::{Authority, KEY_VARIABLE};
use auth_bench::{Contender, Outcome, callgrind, contenders};

/// A contender and one of its outcomes.
#[derive(Clone, Copy)]
struct Case<'c> {
    contender: &'c Contender,
    outcome: Outcome,
}

/// The measurements of a case.
struct Cost {
    /// `None` without valgrind.
    instructions: Option<u64>,
    allocations: u64,
    time: clock::Times,
}

fn main() {
    let authority = Authority::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    let contenders = runtime.block_on(contenders::all(&authority));
    let cases: Vec<Case<'_>> = contenders.iter().flat_map(cases_of).collect();
    if std::env::args().any(|argument| argument == callgrind::ARGUMENT) {
        for Case { contender, outcome } in cases {
            let ask = contender.ask(outcome).expect("a request");
            callgrind::send_requests(&contender.app, || contender.request(ask));
        }
        return;
    }
    if cfg!(not(feature = "peers")) {
        println!("(without `--features peers`: without what a user would pick instead)\n");
    }
    let instructions = callgrind::instructions(&authority, cases.len());
    let allocations = allocations(&authority);
    let times = clock::times(&cases);
    let costs: Vec<Cost> = times
        .into_iter()
        .enumerate()
        .map(|(index, time)| Cost {
            instructions: instructions.as_ref().map(|all| all[index]),
            allocations: allocations[index],
            time,
        })
        .collect();
    table::print(&cases, &costs);
}

fn cases_of(contender: &Contender) -> impl Iterator<Item = Case<'_>> {
    let outcomes = Outcome::ALL.into_iter();
    let outcomes = outcomes.filter(|outcome| contender.ask(*outcome).is_some());
    outcomes.map(move |outcome| Case { contender, outcome })
}

/// Returns the number of allocations per request of each case.
fn allocations(authority: &Authority) -> Vec<u64> {
    let output = Command::new(env!("CARGO_BIN_EXE_count_allocations"))
        .env(KEY_VARIABLE, authority.private_key())
        .output()
        .expect("it was built beside this one");
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).expect("numbers");
    lines
        .lines()
        .map(|line| line.parse().expect("a number"))
        .collect()
}
