//! A counter and a histogram of decisions.

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

use super::AuditRecord;

const DECISIONS: &str = "auth_decisions_total";
const DURATION: &str = "auth_decision_duration_seconds";

/// Says what they are, to a recorder that is there already.
pub(crate) fn describe() {
    describe_counter!(
        DECISIONS,
        "Decisions about requests, by handler, outcome and rule"
    );
    describe_histogram!(
        DURATION,
        Unit::Seconds,
        "The time it took to verify credentials, to ask checks and to decide, by handler"
    );
}

/// Every label is one of a few that are fixed while compiling: no caller can make up more.
pub(crate) fn count(record: &AuditRecord<'_>) {
    let handler = record.handler();
    counter!(
        DECISIONS,
        "handler" => handler,
        "outcome" => record.outcome().name(),
        "rule" => record.rule().number(),
    )
    .increment(1);
    if let Some(elapsed) = record.elapsed() {
        histogram!(DURATION, "handler" => handler).record(elapsed);
    }
}
