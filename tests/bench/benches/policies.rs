//! The cost of a decision by the size of the policy and of the identity:
//! `cargo bench -p auth-bench --bench policies`.
//!
//! Decisions alone, without a router: of a policy that grants, and of one that denies and has to
//! find the missing atoms.

use std::hint::black_box;
use std::time::{Duration, Instant};

use auth_runtime::decision::{Context, Decision};
use auth_runtime::policy::Atom;
use auth_runtime::{Caller, Identity, Policy, Requirement};

const ROUNDS: usize = 101;
const TURN: Duration = Duration::from_millis(3);

/// A policy and a caller.
struct Case {
    name: String,
    /// The number of atoms.
    size: usize,
    policy: Policy,
    caller: Caller,
    granted: bool,
}

fn main() {
    let mut cases = Vec::new();
    for size in [1, 10, 100] {
        let all = Policy::requires(Requirement::all(atoms(size)));
        let any = Policy::requires(Requirement::any(atoms(size)));
        let holder = caller(scopes(size));
        let holder_of_last = caller(vec![scope(size - 1)]);
        let nobody = caller(vec!["other".to_owned()]);
        cases.push(case(
            "all of n scopes, held",
            size,
            all.clone(),
            holder,
            true,
        ));
        cases.push(case(
            "any of n scopes, the last one held",
            size,
            any.clone(),
            holder_of_last,
            true,
        ));
        cases.push(case(
            "all of n scopes, none held",
            size,
            all,
            nobody.clone(),
            false,
        ));
        cases.push(case("any of n scopes, none held", size, any, nobody, false));
    }
    let one = Policy::requires(Requirement::all(atoms(1)));
    for size in [1, 100, 10_000] {
        cases.push(case(
            "an identity of n scopes, one asked for",
            size,
            one.clone(),
            caller(scopes(size)),
            true,
        ));
    }
    let times = times(&cases);
    let mut rows: Vec<(&Case, Duration)> = cases.iter().zip(times).collect();
    rows.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    println!("| | n = 1 | then | then | a further one, in the last step |\n|---|--:|--:|--:|--:|");
    for row in rows.chunks(3) {
        let [(_, first), (before, second), (after, third)] = row else {
            continue;
        };
        let steps = (after.size - before.size) as f64;
        let slope = (third.as_secs_f64() - second.as_secs_f64()) * 1e9 / steps;
        println!(
            "| {} | {} | {} | {} | {slope:.2} ns |",
            before.name,
            nanos(*first),
            format_args!("n = {}: {}", before.size, nanos(*second)),
            format_args!("n = {}: {}", after.size, nanos(*third)),
        );
    }
}

fn case(name: &str, size: usize, policy: Policy, caller: Caller, granted: bool) -> Case {
    let name = name.to_owned();
    Case {
        name,
        size,
        policy,
        caller,
        granted,
    }
}

fn nanos(duration: Duration) -> String {
    format!("{:.0} ns", duration.as_secs_f64() * 1e9)
}

fn scope(number: usize) -> String {
    format!("area{number:05}:read")
}

fn scopes(size: usize) -> Vec<String> {
    (0..size).map(scope).collect()
}

fn atoms(size: usize) -> Vec<Requirement> {
    let scopes = scopes(size).into_iter();
    let atoms = scopes.map(|scope| Requirement::Atom(Atom::Scope(scope.into())));
    atoms.collect()
}

fn caller(scopes: Vec<String>) -> Caller {
    Caller::known(Identity::new("ann").with_scopes(scopes))
}

/// Returns the fastest turn of each case. The turns are interleaved, and other load on the machine
/// makes a turn slower, never faster.
fn times(cases: &[Case]) -> Vec<Duration> {
    let sizes: Vec<u32> = cases.iter().map(decisions_in_a_turn).collect();
    let mut turns: Vec<Vec<Duration>> = vec![Vec::new(); cases.len()];
    for _ in 0..ROUNDS {
        for (index, case) in cases.iter().enumerate() {
            turns[index].push(turn(case, sizes[index]));
        }
    }
    let fastest = turns.into_iter().map(|turns| turns.into_iter().min());
    fastest.map(Option::unwrap_or_default).collect()
}

fn decisions_in_a_turn(case: &Case) -> u32 {
    let one = turn(case, 100).max(Duration::from_nanos(1));
    u32::try_from(TURN.as_nanos() / one.as_nanos())
        .unwrap_or(u32::MAX)
        .max(10)
}

fn turn(case: &Case, decisions: u32) -> Duration {
    let began = Instant::now();
    for _ in 0..decisions {
        let facts = Context::new(black_box(&case.caller)).by_oauth();
        let decision = Decision::of(black_box(&case.policy), &facts);
        assert_eq!(decision == Decision::Grant, case.granted, "{}", case.name);
        black_box(decision);
    }
    began.elapsed() / decisions
}
