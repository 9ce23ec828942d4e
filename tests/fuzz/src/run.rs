//! The run of a target.

use std::any::Any;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use auth_tests::random::Random;

use crate::mutation::mutate;
use crate::{Check, Target, corpus};

/// The end of a run.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// After this time.
    Time(Duration),
    /// After this number of executions.
    Executions(u64),
}

/// The result of a run.
pub struct Report {
    /// The number of executions.
    pub executions: u64,
    /// The number of different outcomes.
    pub outcomes: usize,
    /// The duration.
    pub time: Duration,
    /// The first failure, which ends the run.
    pub failure: Option<Failure>,
}

/// An input that violates a property.
pub struct Failure {
    /// The input, made smaller.
    pub input: Vec<u8>,
    /// The message of the property.
    pub message: String,
}

/// The maximum number of inputs that are kept because of a new outcome.
const MAX_INPUTS: usize = 4096;
/// The maximum duration of one execution: beyond it, the work for an input counts as unbounded.
const MAX_TIME: Duration = Duration::from_secs(10);
/// The maximum duration of the search for a smaller input.
const SHRINKING: Duration = Duration::from_secs(5);

/// Runs a target: the inputs of its corpus, then mutations of them.
pub fn run(target: &Target, bound: Bound, seed: u64) -> Report {
    let start = Instant::now();
    let mut check = (target.start)();
    let mut random = Random::new(seed);
    let mut inputs = Vec::new();
    let mut outcomes = HashSet::new();
    let mut executions = 0;
    let seeds = corpus::read(target).unwrap_or_default().into_iter();
    let mut seeds = seeds.map(|seed| seed.bytes);
    let failure = loop {
        let next = seeds.next();
        let is_seed = next.is_some();
        if !is_seed && is_over(bound, start, executions) {
            break None;
        }
        if inputs.is_empty() && !is_seed {
            inputs.push(Vec::new());
        }
        let input = next.unwrap_or_else(|| mutate(&mut random, &inputs, target.dictionary));
        executions += 1;
        match execute(&mut check, &input) {
            Ok(outcome) => {
                if outcomes.insert(outcome) || is_seed {
                    keep(&mut inputs, input, &mut random);
                }
            }
            Err(message) => {
                let input = shrink(target, input);
                break Some(Failure { input, message });
            }
        }
    };
    Report {
        executions,
        outcomes: outcomes.len(),
        time: start.elapsed(),
        failure,
    }
}

fn is_over(bound: Bound, start: Instant, executions: u64) -> bool {
    match bound {
        Bound::Time(time) => start.elapsed() >= time,
        Bound::Executions(number) => executions >= number,
    }
}

fn keep(inputs: &mut Vec<Vec<u8>>, input: Vec<u8>, random: &mut Random) {
    if inputs.len() < MAX_INPUTS {
        inputs.push(input);
    } else {
        let place = random.below(inputs.len());
        inputs[place] = input;
    }
}

/// Checks an input, and returns the message of a panic.
pub fn execute(check: &mut Check, input: &[u8]) -> Result<crate::Outcome, String> {
    let start = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| check(input))).map_err(message)?;
    let time = start.elapsed();
    if time > MAX_TIME {
        return Err(format!("the execution took {time:?}"));
    }
    Ok(outcome)
}

fn message(panic: Box<dyn Any + Send>) -> String {
    match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(text), _) => text.clone(),
        (None, Some(text)) => (*text).to_owned(),
        (None, None) => "a panic without a message".to_owned(),
    }
}

/// Removes parts of a failing input while it still fails in a new process of the target.
fn shrink(target: &Target, input: Vec<u8>) -> Vec<u8> {
    let start = Instant::now();
    let fails = |input: &[u8]| execute(&mut (target.start)(), input).is_err();
    if !fails(&input) {
        return input;
    }
    let mut smallest = input;
    let mut size = smallest.len();
    while size > 0 && start.elapsed() < SHRINKING {
        let mut at = 0;
        while at < smallest.len() && start.elapsed() < SHRINKING {
            let mut smaller = smallest.clone();
            smaller.drain(at..smallest.len().min(at + size));
            if fails(&smaller) {
                smallest = smaller;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    smallest
}
