//! Times, measured in turns.

use std::time::{Duration, Instant};

use auth_bench::Group;
use auth_bench::measured::measured_answer;

use crate::Case;

/// The number of turns of every case.
const ROUNDS: usize = 41;
/// The approximate duration of a turn.
const TURN: Duration = Duration::from_millis(4);

/// The median time of a request over all turns, and its spread.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) median: Duration,
    /// The tenth percentile of the turns.
    pub(crate) tenth: Duration,
    /// The ninetieth percentile of the turns.
    pub(crate) ninetieth: Duration,
}

pub(crate) fn times(cases: &[Case<'_>]) -> Vec<Times> {
    let sizes: Vec<u32> = cases.iter().map(requests_in_a_turn).collect();
    let mut turns: Vec<Vec<Duration>> = vec![Vec::with_capacity(ROUNDS); cases.len()];
    for _ in 0..ROUNDS {
        for (index, case) in cases.iter().enumerate() {
            turns[index].push(turn(case, sizes[index]));
        }
    }
    turns.into_iter().map(Times::of).collect()
}

fn requests_in_a_turn(case: &Case<'_>) -> u32 {
    let first = if case.contender.group == Group::Jwt {
        10
    } else {
        200
    };
    let one = turn(case, first).max(Duration::from_nanos(1));
    let fits = TURN.as_nanos() / one.as_nanos();
    u32::try_from(fits).unwrap_or(u32::MAX).max(10)
}

/// Returns the time of one request, from a turn of this many.
fn turn(case: &Case<'_>, requests: u32) -> Duration {
    let Case { contender, outcome } = case;
    let ask = contender.ask(*outcome).expect("a request");
    let ready: Vec<_> = (0..requests).map(|_| contender.request(ask)).collect();
    let began = Instant::now();
    for request in ready {
        measured_answer(&contender.app, request);
    }
    began.elapsed() / requests
}

impl Times {
    fn of(mut turns: Vec<Duration>) -> Self {
        turns.sort_unstable();
        let at = |tenths: usize| turns[(turns.len() - 1) * tenths / 10];
        Self {
            median: at(5),
            tenth: at(1),
            ninetieth: at(9),
        }
    }
}
