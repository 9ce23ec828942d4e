//! A span and an event for each decision.

use tracing::{Level, Span};

use super::record::{AuditRecord, Outcome};
use crate::caller::{Caller, Rejection};
use crate::decision_point::object_decision::ObjectDecision;
use crate::explanation::Finding;
use crate::handler_location::HandlerLocation;

/// The target of the events, documented in the manual for use in filters.
const TARGET: &str = "auth_runtime::decision";

/// Returns whether a subscriber may record the events.
pub(crate) fn is_on() -> bool {
    tracing::enabled!(target: TARGET, Level::INFO)
}

/// The span of one decision.
pub(crate) fn span(location: Option<&HandlerLocation>) -> Span {
    tracing::debug_span!(
        target: TARGET,
        "decide",
        handler = location.map(HandlerLocation::handler),
    )
}

/// Emits an event for a decision: a grant at level `DEBUG`, a denial at level `INFO`.
pub(crate) fn emit(record: &AuditRecord<'_>, names_subjects: bool) {
    macro_rules! event {
        ($level:expr, $message:literal) => {
            tracing::event!(
                target: TARGET,
                $level,
                handler = record.handler(),
                method = record.method().as_str(),
                path = record.matched_path(),
                policy = record.policy().map(tracing::field::display),
                outcome = record.outcome().name(),
                rule = record.rule().number(),
                status = record.outcome().denial().map(|denial| denial.status().as_u16()),
                reason = reason(record).map(tracing::field::display),
                scheme = record.scheme(),
                caller = record.caller().map(Caller::kind),
                rejection = record.caller().and_then(Caller::rejection).map(Rejection::name),
                engine = record.engine(),
                objects = objects(record),
                subject = subject(record, names_subjects),
                seconds = record.elapsed().map(|elapsed| elapsed.as_secs_f64()),
                $message
            )
        };
    }
    match record.outcome() {
        Outcome::Granted => event!(Level::DEBUG, "granted"),
        Outcome::Denied(_) => event!(Level::INFO, "denied"),
        Outcome::Concealed(_) => event!(Level::INFO, "hidden"),
    }
}

/// The truth value of each part of the requirement.
fn reason(record: &AuditRecord<'_>) -> Option<String> {
    let explanation = record.explanation()?;
    let finding = explanation.requirement().map(Finding::to_string)?;
    Some(match explanation.shown_to() {
        Some(lesser) => format!("{finding}; hide_unless: {lesser}"),
        None => finding,
    })
}

/// The maximum number of questions in an event.
const MAX_QUESTIONS: usize = 8;

/// The distinct questions to the decision point, without the ids of objects, and their decisions.
fn objects(record: &AuditRecord<'_>) -> Option<String> {
    let mut questions = Vec::new();
    for (evaluation, decision) in record.evaluations() {
        let decided = match decision.map(ObjectDecision::is_allowed) {
            Some(true) => "allowed",
            Some(false) => "denied",
            None => "failed",
        };
        let policy = decision.and_then(ObjectDecision::policy);
        let resource_type = evaluation.resource.resource_type();
        let question = (&*evaluation.action, resource_type, decided, policy);
        if questions.contains(&question) {
            continue;
        }
        if questions.len() == MAX_QUESTIONS {
            break;
        }
        questions.push(question);
    }
    let questions = questions.iter().map(|(action, on, decided, policy)| {
        let by = policy.map_or(String::new(), |policy| format!(" by {policy}"));
        format!("{action} {on}: {decided}{by}")
    });
    let questions = questions.collect::<Vec<_>>();
    (!questions.is_empty()).then(|| questions.join("; "))
}

fn subject<'a>(record: &AuditRecord<'a>, is_named: bool) -> Option<&'a str> {
    let identity = record.caller()?.identity()?;
    is_named.then(|| identity.subject())
}
