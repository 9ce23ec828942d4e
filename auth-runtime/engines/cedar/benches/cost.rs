//! The cost of questions through the engine, compared with `cedar-policy` called by hand:
//! `cargo bench -p auth-runtime-cedar`.
//!
//! Both sides begin with the same rows of a service and an [`Identity`], and end with one decision for each
//! row:
//!
//! - The engine: each row becomes a [`Resource`] with properties, as `Guard::can_each` receives it. With a
//!   loader, it becomes a `Resource` without properties, and the loader returns the entities.
//! - By hand (`cost/by_hand.rs`): each row becomes an entity of Cedar and one request. The names of types and
//!   actions are parsed once at start. The caller has the same attributes and parents, and the context the
//!   same members. Entities and requests are validated against the same schema. A policy that fails is an
//!   error, since Cedar would skip a `forbid`.
//!
//! callgrind counts instructions, in a second process of this program. They do not depend on the load of the
//! machine. Without valgrind, the ratio is of times.
//!
//! [`Identity`]: auth_runtime::Identity
//! [`Resource`]: auth_runtime::objects::Resource

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a measurement ends by a panic"
)]

#[path = "cost/by_hand.rs"]
mod by_hand;
#[path = "cost/callgrind.rs"]
mod callgrind;
#[path = "cost/engine.rs"]
mod engine;
#[path = "cost/service.rs"]
mod service;

use std::future::Future;
use std::hint::black_box;
use std::time::{Duration, Instant};

use auth_runtime::Identity;

use crate::by_hand::ByHand;
use crate::engine::Engine;
use crate::service::Repo;

const COUNTS: [usize; 4] = [1, 10, 100, 1000];
/// The turns of each case. Other load makes a turn slower, never faster.
const ROUNDS: usize = 15;
const TURN: Duration = Duration::from_millis(3);

#[derive(Clone, Copy, Debug)]
enum Side {
    Engine,
    ByHand,
}

struct Case {
    with_loader: bool,
    rows: Vec<Repo>,
    side: Side,
}

struct World {
    engine: Engine,
    by_hand: ByHand,
    ann: Identity,
    runtime: tokio::runtime::Runtime,
}

fn main() {
    let world = World {
        engine: Engine::new(),
        by_hand: ByHand::new(),
        ann: service::ann(),
        runtime: tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap(),
    };
    let mut cases = Vec::new();
    for with_loader in [false, true] {
        for count in COUNTS {
            for side in [Side::Engine, Side::ByHand] {
                let rows = service::repos(count);
                cases.push(Case {
                    with_loader,
                    rows,
                    side,
                });
            }
        }
    }
    let run = |case: &Case| world.run(case);
    if std::env::args().any(|argument| argument == callgrind::ARGUMENT) {
        return callgrind::run(&cases, run);
    }
    let instructions = callgrind::instructions(cases.len());
    let times: Vec<Duration> = times(&cases, run);
    println!(
        "| questions | loader | engine | by hand | ratio | engine | by hand |\n\
         |--:|---|--:|--:|--:|--:|--:|"
    );
    for pair in (0..cases.len()).step_by(2) {
        let (own, other) = (pair, pair + 1);
        let count = |index: usize| instructions.as_ref().map_or(0, |counts| counts[index]);
        let ratio = match &instructions {
            Some(counts) => counts[own] as f64 / counts[other] as f64,
            None => times[own].as_secs_f64() / times[other].as_secs_f64(),
        };
        println!(
            "| {} | {} | {} | {} | {ratio:.2} | {:.1} µs | {:.1} µs |",
            cases[own].rows.len(),
            if cases[own].with_loader { "yes" } else { "no" },
            count(own),
            count(other),
            times[own].as_secs_f64() * 1e6,
            times[other].as_secs_f64() * 1e6,
        );
    }
}

impl World {
    fn run(&self, case: &Case) {
        let allowed = match (case.side, case.with_loader) {
            (Side::Engine, false) => self.wait(self.engine.with_properties(&self.ann, &case.rows)),
            (Side::Engine, true) => self.wait(self.engine.with_loader(&self.ann, &case.rows)),
            (Side::ByHand, false) => self.by_hand.with_rows(&self.ann, &case.rows),
            (Side::ByHand, true) => self.wait(self.by_hand.with_loader(&self.ann, &case.rows)),
        };
        let expected = case.rows.iter();
        let expected = expected.map(|row| row.is_readable_by_ann(case.with_loader));
        assert!(black_box(allowed).into_iter().eq(expected));
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

/// Returns the fastest turn of each case. The turns are interleaved.
fn times(cases: &[Case], run: impl Fn(&Case)) -> Vec<Duration> {
    let time = |case: &Case, runs: u32| {
        let began = Instant::now();
        (0..runs).for_each(|_| run(case));
        began.elapsed() / runs
    };
    let runs: Vec<u32> = cases
        .iter()
        .map(|case| {
            let one = time(case, 3).as_nanos().max(1);
            u32::try_from(TURN.as_nanos() / one).unwrap().max(1)
        })
        .collect();
    let mut best = vec![Duration::MAX; cases.len()];
    for _ in 0..ROUNDS {
        for (index, case) in cases.iter().enumerate() {
            best[index] = best[index].min(time(case, runs[index]));
        }
    }
    best
}
