//! A counter and a histogram of decisions.

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

use super::record::AuditRecord;

const DECISIONS: &str = "auth_decisions_total";
const DURATION: &str = "auth_decision_duration_seconds";

/// Describes the metrics to the recorder, if one is installed.
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

/// Counts a decision. All values of the labels are known at compile time, so that no client can
/// create new ones.
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
