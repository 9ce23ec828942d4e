//! The tables, in Markdown.

use std::time::Duration;

use auth_bench::{Contender, Group, Outcome};

use crate::{Case, Cost};

pub(crate) fn print(cases: &[Case<'_>], costs: &[Cost]) {
    let rows = || cases.iter().zip(costs);
    let cost_of = |name: &str, group: Group, outcome: Outcome| {
        rows()
            .find(|(case, _)| {
                let Contender {
                    name: own,
                    group: its,
                    ..
                } = case.contender;
                (*own, *its, case.outcome) == (name, group, outcome)
            })
            .map(|(_, cost)| cost)
    };
    println!(
        "\"× unguarded\" is relative to the page of the unguarded handler, for every outcome."
    );
    for group in Group::ALL {
        for outcome in Outcome::ALL {
            println!("\n### {}: {}\n", group.name(), outcome.name());
            println!(
                "| | instructions | × unguarded | × hand-written | allocations | time (p10…p90) |\n\
                 |---|--:|--:|--:|--:|--:|"
            );
            let unguarded = cost_of("unguarded", Group::Identity, Outcome::Allow);
            let hand_written = cost_of("hand-written", group, outcome);
            let shown = |case: &Case<'_>| {
                let is_base = case.contender.name == "unguarded";
                case.outcome == outcome && (is_base || case.contender.group == group)
            };
            for (case, cost) in rows().filter(|(case, _)| shown(case)) {
                println!(
                    "| {} | {} | {} | {} | {} | {} ({}…{}) |",
                    case.contender.name,
                    cost.instructions.map_or("?".to_owned(), thousands),
                    ratio(cost, unguarded),
                    ratio(cost, hand_written),
                    cost.allocations,
                    micros(cost.time.median),
                    micros(cost.time.tenth),
                    micros(cost.time.ninetieth),
                );
            }
        }
    }
    println!("\n### What each does not do\n");
    let mut told: Vec<&str> = Vec::new();
    for (Case { contender, .. }, _) in rows() {
        let Contender { name, does_not, .. } = contender;
        if !does_not.is_empty() && !told.contains(does_not) {
            told.push(does_not);
            println!(
                "- **{name}** ({}) does not {does_not}.",
                contender.group.name()
            );
        }
    }
}

/// By instructions, or by time if they were not counted.
fn ratio(cost: &Cost, base: Option<&Cost>) -> String {
    let Some(base) = base else {
        return "–".to_owned();
    };
    let ratio = match (cost.instructions, base.instructions) {
        (Some(own), Some(base)) => own as f64 / base as f64,
        _ => cost.time.median.as_secs_f64() / base.time.median.as_secs_f64(),
    };
    format!("{ratio:.2}")
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

fn micros(duration: Duration) -> String {
    format!("{:.2} µs", duration.as_secs_f64() * 1e6)
}
