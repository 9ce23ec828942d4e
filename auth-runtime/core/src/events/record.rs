//! The record of one decision.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use auth_runtime_policy::Policy;
use http::{HeaderValue, Method};

use crate::caller::Caller;
#[cfg(feature = "serde")]
use crate::caller::Rejection;
use crate::client_address::Client;
use crate::context::Context;
use crate::decision::Denial;
use crate::decision_point::EvaluationResult;
use crate::decision_point::object::Evaluation;
use crate::decision_point::object_decision::ObjectDecision;
use crate::explanation::{Explanation, Rule};
use crate::handler_location::HandlerLocation;

/// The audit hook of a service.
pub(crate) type Audit = Arc<dyn Fn(&AuditRecord<'_>) + Send + Sync>;

/// One decision, as passed to the hook of
/// [`ProtectionSpaceBuilder::audit`](crate::ProtectionSpaceBuilder::audit).
///
/// It borrows all its data and allocates nothing; a hook copies the data that it keeps. It contains
/// no credentials, no query and no header field but the [request id](Self::request_id). Its `Debug`
/// output does not identify the caller: [`caller`](Self::caller), [`client`](Self::client) and
/// [`path`](Self::path) may be personal data.
///
/// With the feature `serde`, a record can be serialized, for a log with a line of JSON for each decision.
/// The members are `outcome` ([`Outcome::name`]), `status` (of a denial, concealed or not), `rule`, `handler`,
/// `policy`, `scheme`, `caller` (the kind of the caller), `rejection` (the name of a [`Rejection`](crate::Rejection)
/// in snake case, such as `stale_nonce`), `method`, `route`, `path`, `client` (an address), `request_id`, `engine`,
/// `objects` and `seconds`. Each of the `objects` has `action`, `type`, `id`, `allowed` and `policy`. An absent value
/// is `null`. A `RequestMismatch` has the outcome `invalid_request` and no caller. The subject is left out.
#[derive(Clone, Copy)]
pub struct AuditRecord<'a> {
    pub(crate) location: Option<HandlerLocation>,
    pub(crate) policy: Option<&'a Policy>,
    pub(crate) context: Option<&'a Context<'a>>,
    pub(crate) caller: Option<&'a Caller>,
    pub(crate) scheme: Option<&'a str>,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) client: Client,
    pub(crate) request_id: Option<&'a HeaderValue>,
    pub(crate) matched_path: Option<&'a str>,
    pub(crate) evaluated: Option<&'a EvaluationResult>,
    pub(crate) outcome: Outcome<'a>,
    pub(crate) rule: Rule,
    pub(crate) elapsed: Option<Duration>,
}

/// The outcome of a request, as the client observes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// The request proceeded to its handler.
    Granted,
    /// The response showed this denial.
    Denied(&'a Denial),
    /// The caller received the response of an unknown path instead of this denial.
    Concealed(&'a Denial),
}

impl<'a> Outcome<'a> {
    /// `granted`, `hidden`, or the kind of the disclosed denial: `invalid_request`,
    /// `unauthenticated`, `step_up`, `sender_constraint_required`, `insufficient_scope`,
    /// `forbidden`, `not_found` or `unverifiable`.
    ///
    /// ```
    /// use auth_runtime::decision::Denial;
    /// use auth_runtime::events::Outcome;
    ///
    /// assert_eq!(Outcome::Denied(&Denial::FORBIDDEN).name(), "forbidden");
    /// assert_eq!(Outcome::Concealed(&Denial::FORBIDDEN).name(), "hidden");
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Concealed(_) => "hidden",
            Self::Denied(denial) => match denial {
                Denial::InvalidRequest => "invalid_request",
                Denial::Unauthenticated { .. } => "unauthenticated",
                Denial::StepUp { .. } => "step_up",
                Denial::SenderConstraintRequired => "sender_constraint_required",
                Denial::InsufficientScope { .. } => "insufficient_scope",
                Denial::Forbidden { .. } => "forbidden",
                Denial::NotFound => "not_found",
                Denial::Unverifiable { .. } => "unverifiable",
            },
        }
    }

    /// The denial, disclosed or concealed, if there is one.
    pub const fn denial(self) -> Option<&'a Denial> {
        match self {
            Self::Granted => None,
            Self::Denied(denial) | Self::Concealed(denial) => Some(denial),
        }
    }
}

impl<'a> AuditRecord<'a> {
    /// The handler and its location in the source. `None` on an unknown path, and for
    /// [`ProtectionSpace::authorize`](crate::ProtectionSpace::authorize), which has no handler.
    pub fn location(&self) -> Option<HandlerLocation> {
        self.location
    }

    /// The evaluated policy; `None` on an unknown path.
    ///
    /// Requests for unknown paths are recorded only if their credentials are invalid, ambiguous, or could
    /// not be verified: for the others no decision is made.
    pub fn policy(&self) -> Option<&'a Policy> {
        self.policy
    }

    /// The outcome of the request.
    pub fn outcome(&self) -> Outcome<'a> {
        self.outcome
    }

    /// The rule that determined the decision; for a concealed denial as in [`Explanation::rule`].
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// The caller; `None` on a public handler, which ignores credentials, and for an invalid
    /// request (rule 5).
    ///
    /// Credentials of a scheme that the policy does not accept count as none. The
    /// [`Identity`](crate::Identity) of a known caller is personal data, and its extensions are
    /// defined by the service: keep only the data that the log needs.
    pub fn caller(&self) -> Option<&'a Caller> {
        self.caller
    }

    /// The name of the scheme of the credentials, if any were sent.
    pub fn scheme(&self) -> Option<&'a str> {
        self.scheme
    }

    /// The request's method.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The target of the request without its query, as the client sent it. A path of some services contains
    /// a token; log [`matched_path`](Self::matched_path) there.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// The client, as determined by the
    /// [`client_address`](crate::ProtectionSpaceBuilder::client_address) of the space.
    pub fn client(&self) -> Client {
        self.client
    }

    /// The value of the
    /// [`request_id_field`](crate::ProtectionSpaceBuilder::request_id_field); `None` if none is configured or
    /// sent. A client may have chosen the value.
    pub fn request_id(&self) -> Option<&'a HeaderValue> {
        self.request_id
    }

    /// The matched route, such as `/repos/{owner}`; `None` if no route matched, or without axum.
    pub fn matched_path(&self) -> Option<&'a str> {
        self.matched_path
    }

    /// The name of the decision point that was asked about objects; `None` if none was asked.
    pub fn engine(&self) -> Option<&'static str> {
        self.evaluated?.engine
    }

    /// The questions to the decision point, each with its decision: the action and the object, and the
    /// policies of the engine that determined the decision, if it names them. The decision is missing if the
    /// engine failed. Ids of objects may be personal data.
    pub fn evaluations(
        &self,
    ) -> impl Iterator<Item = (&'a Evaluation, Option<&'a ObjectDecision>)> {
        let evaluated = self.evaluated.into_iter();
        evaluated.flat_map(|evaluated| {
            let evaluations = evaluated.evaluations.iter().enumerate();
            evaluations.map(|(index, evaluation)| (evaluation, evaluated.decision(index)))
        })
    }

    /// The time spent on verifying credentials, running checks and deciding; `None` on public
    /// handlers and for objects, where nothing is measured.
    pub fn elapsed(&self) -> Option<Duration> {
        self.elapsed
    }

    /// The truth value of each part of the policy, evaluated by this call. `None` if no requirement was evaluated: on
    /// unknown paths, by rule 5, and for objects.
    pub fn explanation(&self) -> Option<Explanation> {
        Some(Explanation::of(self.policy?, self.context?))
    }

    /// The name of the handler, or a placeholder.
    #[cfg(any(feature = "tracing", feature = "metrics"))]
    pub(crate) fn handler(&self) -> &'static str {
        match (self.location, self.policy) {
            (Some(location), _) => location.handler(),
            (None, Some(_)) => "authorize",
            (None, None) => "unknown path",
        }
    }
}

impl fmt::Debug for AuditRecord<'_> {
    /// Omits the caller, which is personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditRecord")
            .field("location", &self.location)
            .field("policy", &self.policy)
            .field("outcome", &self.outcome)
            .field("rule", &self.rule)
            .field("scheme", &self.scheme)
            .field("method", &self.method)
            .field("matched_path", &self.matched_path)
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for AuditRecord<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        let denial = self.outcome.denial();
        let rejection = self.caller.and_then(Caller::rejection);
        let request_id = self.request_id.and_then(|value| value.to_str().ok());
        let mut record = serializer.serialize_struct("AuditRecord", 16)?;
        record.serialize_field("outcome", self.outcome.name())?;
        record.serialize_field("status", &denial.map(|denial| denial.status().as_u16()))?;
        record.serialize_field("rule", &self.rule.to_string())?;
        record.serialize_field("handler", &self.location.map(|it| it.handler()))?;
        record.serialize_field("policy", &self.policy.map(ToString::to_string))?;
        record.serialize_field("scheme", &self.scheme)?;
        record.serialize_field("caller", &self.caller.map(Caller::kind))?;
        record.serialize_field("rejection", &rejection.map(Rejection::name))?;
        record.serialize_field("method", self.method.as_str())?;
        record.serialize_field("route", &self.matched_path)?;
        record.serialize_field("path", self.path)?;
        record.serialize_field("client", &self.client.address())?;
        record.serialize_field("request_id", &request_id)?;
        record.serialize_field("engine", &self.engine())?;
        record.serialize_field("objects", &Objects(*self))?;
        record.serialize_field("seconds", &self.elapsed.map(|it| it.as_secs_f64()))?;
        record.end()
    }
}

/// The questions of a record.
#[cfg(feature = "serde")]
struct Objects<'a>(AuditRecord<'a>);

#[cfg(feature = "serde")]
impl serde::Serialize for Objects<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.evaluations().map(Object))
    }
}

/// One question and its decision.
#[cfg(feature = "serde")]
struct Object<'a>((&'a Evaluation, Option<&'a ObjectDecision>));

#[cfg(feature = "serde")]
impl serde::Serialize for Object<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        let (evaluation, decision) = self.0;
        let mut object = serializer.serialize_struct("Object", 5)?;
        object.serialize_field("action", &evaluation.action)?;
        object.serialize_field("type", evaluation.resource.resource_type())?;
        object.serialize_field("id", evaluation.resource.id())?;
        object.serialize_field("allowed", &decision.map(ObjectDecision::is_allowed))?;
        object.serialize_field("policy", &decision.and_then(ObjectDecision::policy))?;
        object.end()
    }
}
