//! Reports of decisions: events, metrics, audit records.

use auth_runtime_policy::Policy;
use http::HeaderValue;

use super::Space;
use super::authentication::Authentication;
use super::authorization::Route;
use super::selection::Selection;
use crate::caller::Caller;
use crate::client_address::Client;
use crate::context::Context;
use crate::decision::{Decision, Denial};
use crate::decision_point::EvaluationResult;
use crate::events::{AuditRecord, Outcome, Watch};
use crate::explanation::{Rule, denial_behind};
use crate::handler_location::HandlerLocation;
use crate::head::Head;
use crate::request_snapshot::RequestSnapshot;

/// The longest id of a request that records and decision points receive, in bytes.
const MAX_REQUEST_ID: usize = 256;

/// Records of decisions.
impl Space {
    /// Returns whether decisions are counted.
    fn counts(&self) -> bool {
        #[cfg(feature = "metrics")]
        return self.counts;
        #[cfg(not(feature = "metrics"))]
        false
    }

    /// Returns whether decisions are observed: by a hook, or through one of the features.
    fn is_watched(&self) -> bool {
        #[cfg(feature = "tracing")]
        let is_traced = crate::events::trace::is_on();
        #[cfg(not(feature = "tracing"))]
        let is_traced = false;
        is_traced || self.counts() || self.audit.is_some()
    }

    /// Starts to observe a decision about a handler, or about an unknown path.
    pub fn watch(&self, location: Option<&HandlerLocation>) -> Watch {
        Watch::start(self.is_watched(), location)
    }

    /// Reports the decision about a request.
    pub(super) fn report_decision(
        &self,
        route: Route<'_>,
        (authentication, head): (&Authentication, Head<'_>),
        context: Option<&Context<'_>>,
        evaluated: Option<&EvaluationResult>,
        decision: &Decision,
        watch: &Watch,
    ) {
        if !watch.is_on() {
            return;
        }
        if route.is_unknown_path {
            return self.report_unknown_path(watch, authentication, head);
        }
        let policy = route.policy;
        let concealed;
        let denial = match decision {
            Decision::Deny(denial) => Some(denial),
            // An undecided request is concealed as well.
            Decision::Conceal | Decision::Undecided(_) => {
                concealed = match context {
                    Some(context) => denial_behind(policy, context).unwrap_or(Denial::NotFound),
                    None => Denial::InvalidRequest,
                };
                Some(&concealed)
            }
            Decision::Grant => None,
        };
        let caller = context.map(|context| context.caller);
        let (outcome, rule) = match denial {
            None => (Outcome::Granted, Rule::Met),
            Some(denial) => (
                match decision {
                    Decision::Deny(_) => Outcome::Denied(denial),
                    _ => Outcome::Concealed(denial),
                },
                Rule::of(denial, caller.unwrap_or(&Caller::Anonymous)),
            ),
        };
        let record = AuditRecord {
            location: route.location.copied(),
            policy: Some(policy),
            context,
            caller,
            scheme: self.name_of_used(authentication.to_policy()),
            evaluated,
            outcome,
            rule,
            elapsed: watch.elapsed(),
            ..self.record_of(head)
        };
        watch.within(|| self.publish(&record));
    }

    /// Reports the grant of a public handler.
    pub fn report_public(
        &self,
        policy: &Policy,
        location: Option<&HandlerLocation>,
        head: Head<'_>,
    ) {
        let watch = self.watch(location);
        if !watch.is_on() {
            return;
        }
        let context = Context::new(&Caller::Anonymous);
        let record = AuditRecord {
            location: location.copied(),
            policy: Some(policy),
            context: Some(&context),
            ..self.record_of(head)
        };
        watch.within(|| self.publish(&record));
    }

    /// Reports a denial on an unknown path. Requests without credentials, or with valid ones, are
    /// not reported, since no policy was evaluated.
    pub fn report_unknown_path(
        &self,
        watch: &Watch,
        authentication: &Authentication,
        head: Head<'_>,
    ) {
        if !watch.is_on() {
            return;
        }
        let caller = authentication.to_unknown_path().caller();
        if matches!(caller, Some(Caller::Anonymous | Caller::Known(_))) {
            return;
        }
        let Some(denial) = self.deny_unknown_path(authentication) else {
            return;
        };
        let record = AuditRecord {
            caller,
            scheme: self.name_of_used(authentication.to_unknown_path()),
            outcome: Outcome::Denied(&denial),
            rule: Rule::of(&denial, caller.unwrap_or(&Caller::Anonymous)),
            elapsed: watch.elapsed(),
            ..self.record_of(head)
        };
        watch.within(|| self.publish(&record));
    }

    /// Reports a decision of a handler about objects.
    pub fn report_object(&self, object: ObjectReport<'_>) {
        let watch = self.watch(Some(&object.location));
        let Some(caller) = self.caller_for(object.policy, object.authentication) else {
            return;
        };
        if !watch.is_on() {
            return;
        }
        let record = AuditRecord {
            location: Some(object.location),
            policy: Some(object.policy),
            context: None,
            caller: Some(caller),
            scheme: self.name_of_used(object.authentication.to_policy()),
            method: object.request.method(),
            path: object.request.uri().path(),
            client: object
                .recorded
                .map_or(Client::Unknown, |recorded| recorded.client),
            request_id: object
                .recorded
                .and_then(|recorded| recorded.request_id.as_ref()),
            matched_path: object.matched_path,
            evaluated: object.evaluated,
            outcome: match object.denial {
                None => Outcome::Granted,
                Some(denial) if object.is_concealed => Outcome::Concealed(denial),
                Some(denial) => Outcome::Denied(denial),
            },
            rule: match object.denial {
                Some(Denial::StepUp { .. }) => Rule::StaleLogin,
                Some(Denial::Unverifiable { .. }) => Rule::Unverifiable,
                _ => Rule::Object,
            },
            elapsed: None,
        };
        watch.within(|| self.publish(&record));
    }

    /// Returns the record of a grant, with the data of the request only.
    fn record_of<'a>(&'a self, head: Head<'a>) -> AuditRecord<'a> {
        AuditRecord {
            location: None,
            policy: None,
            context: None,
            caller: None,
            scheme: None,
            method: head.method,
            path: head.sent_uri().path(),
            client: self.client_address.find(head),
            request_id: self.request_id(head),
            matched_path: head.matched_path(),
            evaluated: None,
            outcome: Outcome::Granted,
            rule: Rule::Met,
            elapsed: None,
        }
    }

    /// Returns the value of the configured field for request ids; `None` unless it has 1 to 256
    /// printable characters of ASCII, since a server may refuse others.
    pub(super) fn request_id<'r>(&self, head: Head<'r>) -> Option<&'r HeaderValue> {
        let id = head.headers.get(self.request_id_field.as_ref()?)?;
        let is_text = |byte: &u8| matches!(byte, 0x20..=0x7E);
        let is_short = (1..=MAX_REQUEST_ID).contains(&id.len());
        (is_short && id.as_bytes().iter().all(is_text)).then_some(id)
    }

    /// Returns the parts of a request for a later record or question to the decision point, if
    /// decisions are observed or there is a decision point.
    pub fn recorded(&self, head: Head<'_>) -> Option<RecordedRequest> {
        (self.is_watched() || self.has_decision_point()).then(|| RecordedRequest {
            client: self.client_address.find(head),
            request_id: self.request_id(head).cloned(),
        })
    }

    /// Sends a record to the trace, the metrics and the audit hook.
    fn publish(&self, record: &AuditRecord<'_>) {
        #[cfg(feature = "tracing")]
        crate::events::trace::emit(record, self.traces_subjects);
        #[cfg(feature = "metrics")]
        if self.counts {
            crate::events::count::count(record);
        }
        if let Some(audit) = &self.audit {
            audit(record);
        }
    }

    /// Returns the name of the scheme of the credentials.
    fn name_of_used(&self, selection: &Selection) -> Option<&str> {
        Some(&self.schemes.get(selection.scheme()?)?.name)
    }
}

/// The parts of a request for later records and questions to the decision point.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    pub(super) client: Client,
    pub(super) request_id: Option<HeaderValue>,
}

/// A decision of a handler about objects.
pub struct ObjectReport<'a> {
    /// The policy of the handler.
    pub policy: &'a Policy,
    /// The handler.
    pub location: HandlerLocation,
    /// The authentication of the request.
    pub authentication: &'a Authentication,
    /// The request.
    pub request: &'a RequestSnapshot,
    /// The parts of the request for the record, if they were kept.
    pub recorded: Option<&'a RecordedRequest>,
    /// The matched route, as written.
    pub matched_path: Option<&'a str>,
    /// The denial; `None` for a grant.
    pub denial: Option<&'a Denial>,
    /// The questions to the decision point, if it was asked.
    pub evaluated: Option<&'a EvaluationResult>,
    /// True if the denial is concealed.
    pub is_concealed: bool,
}
