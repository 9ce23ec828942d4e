//! Runs the fuzz targets. See `CONTRIBUTING.md`.

use std::env;
use std::fs;
use std::panic;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_fuzz::run::{Bound, execute, run};
use auth_fuzz::{TARGETS, Target, corpus};

/// The duration of a run without a bound, over all targets.
const SECONDS: u64 = 60;

const USAGE: &str = "\
auth-fuzz                  runs all targets for a minute
auth-fuzz TARGET…          runs these targets
auth-fuzz TARGET FILE      checks the inputs of one file

FUZZ_SECONDS=…             the duration over all targets
FUZZ_EXECUTIONS=…          instead, the number of executions over all targets
FUZZ_SEED=…                the seed of the mutations";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let find = |name: &String| TARGETS.iter().find(|target| target.name == name);
    if let [target, file] = arguments.as_slice()
        && let (Some(target), Ok(input)) = (find(target), fs::read(file))
    {
        return repeat(target, &input);
    }
    let Some(named) = arguments.iter().map(find).collect::<Option<Vec<_>>>() else {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("{USAGE}\n\ntargets: {}", names.join(", "));
        return ExitCode::FAILURE;
    };
    let targets = if named.is_empty() {
        TARGETS.iter().collect()
    } else {
        named
    };
    let number = |name| env::var(name).ok()?.parse::<u64>().ok();
    let workers = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(targets.len());
    let count = targets.len() as u64;
    let bound = match number("FUZZ_EXECUTIONS") {
        Some(executions) => Bound::Executions(executions / count),
        None => {
            let time = Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(SECONDS));
            Bound::Time(time * workers as u32 / count as u32)
        }
    };
    let now = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
    };
    let seed = number("FUZZ_SEED").unwrap_or_else(|| now().as_secs());
    println!("{count} targets, {bound:?} each, FUZZ_SEED={seed}");
    // The failures are printed with their inputs.
    panic::set_hook(Box::new(|_| {}));
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let bound = match bound {
                        Bound::Executions(number) => Bound::Executions(number / target.cost),
                        Bound::Time(_) => bound,
                    };
                    if !passes(target, bound, seed) {
                        failed.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    ExitCode::from(u8::from(failed.into_inner()))
}

fn passes(target: &Target, bound: Bound, seed: u64) -> bool {
    let name = target.name;
    let report = run(target, bound, seed);
    let rate = report.executions as f64 / report.time.as_secs_f64().max(0.001);
    println!(
        "{name:20} {:>10} executions {rate:>8.0}/s {:>6} outcomes",
        report.executions, report.outcomes
    );
    let Some(failure) = report.failure else {
        return true;
    };
    println!("{name} FAILED: {}", failure.message);
    println!("input: {}", failure.input.escape_ascii());
    match corpus::write(target, &failure.input) {
        Ok(file) => println!(
            "repeat it by: cargo run -p auth-fuzz -- {name} {}",
            file.display()
        ),
        Err(error) => println!("the input cannot be saved: {error}"),
    }
    false
}

fn repeat(target: &Target, input: &[u8]) -> ExitCode {
    match execute(&mut (target.start)(), input) {
        Ok(outcome) => {
            println!("{}: {outcome:?}", target.name);
            ExitCode::SUCCESS
        }
        Err(message) => {
            println!("{} FAILED: {message}", target.name);
            ExitCode::FAILURE
        }
    }
}
