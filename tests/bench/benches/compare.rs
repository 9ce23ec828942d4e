//! What a request costs, side by side with what a user would pick instead:
//! `cargo bench -p auth-bench --features peers`.
//!
//! Every contender gets the same requests in one run. Instructions are counted by callgrind, in a second
//! process of this program; allocations by a third; times are taken in turns, so that whatever else the
//! machine does falls on all of them alike.

#[path = "compare/callgrind.rs"]
mod callgrind;
#[path = "compare/clock.rs"]
mod clock;
#[path = "compare/table.rs"]
mod table;

use std::process::Command;

use auth_bench::authority::{Authority, KEY_VARIABLE};
use auth_bench::contenders;
use auth_bench::{Contender, Outcome};

/// A contender that comes to an outcome.
#[derive(Clone, Copy)]
struct Case<'c> {
    contender: &'c Contender,
    outcome: Outcome,
}

/// What was measured of a case.
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
        return callgrind::send_requests(&cases);
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

/// How often a request of each case allocates.
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
