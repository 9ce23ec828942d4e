//! Engines that decide about objects, and the data that they decide by.

pub(crate) mod cache;
pub(crate) mod condition;
pub(crate) mod deadline;
pub(crate) mod entity;
pub(crate) mod entity_uid;
pub(crate) mod object;
pub(crate) mod object_decision;
pub(crate) mod properties;
pub(crate) mod request_data;
pub(crate) mod rules;

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{HeaderValue, Method};

use crate::decision_point::condition::Permitted;
use crate::decision_point::object::{Evaluation, Resource};
use crate::decision_point::object_decision::ObjectDecision;
use crate::decision_point::properties::Properties;
use crate::decision_point::request_data::RequestData;
use crate::identity::Identity;

/// An engine that decides which actions a caller may perform on which objects: a policy decision point, in the
/// terms of AuthZEN.
///
/// A space has [one](crate::ProtectionSpaceBuilder::decision_point). It answers `can = "action"` in
/// policies, and the questions of handlers through their guards. [`ObjectRules`](crate::ObjectRules) is
/// one that calls functions of the service.
///
/// All questions of a policy about one request arrive in one call, and so do those of one call of a guard.
///
/// ```
/// use auth_runtime::objects::{
///     DecisionPoint, EvaluationFuture, EvaluationRequest, ObjectDecision,
/// };
///
/// /// Allows each caller to read everything, and to change the objects that have its name.
/// struct ByName;
///
/// impl DecisionPoint for ByName {
///     fn name(&self) -> &'static str {
///         "by name"
///     }
///
///     fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
///         let subject = request.identity.subject();
///         let decisions = request.evaluations.iter().map(|evaluation| {
///             let is_own = evaluation.resource.id() == subject;
///             ObjectDecision::from(evaluation.action == "read" || is_own)
///         });
///         let decisions = decisions.collect();
///         Box::pin(async move { Ok(decisions) })
///     }
/// }
/// ```
pub trait DecisionPoint: Send + Sync + 'static {
    /// The name of the engine, for records and the log.
    fn name(&self) -> &'static str;

    /// Decides about each evaluation of the request.
    ///
    /// Evaluations about one object have the same properties: a space merges them, and an object with two values of
    /// one property is an error without a call.
    ///
    /// The result has one decision for each evaluation, in the same order. Any other number of decisions
    /// counts as an error. After an error, nothing is granted, and the response is 503, or, where denials are
    /// concealed, that of an unknown path.
    ///
    /// The request waits for the future. An engine limits its own time, or
    /// [`DecisionDeadline`](crate::DecisionDeadline) limits it. A panic ends the request like one of a handler:
    /// nothing is granted, but a hidden path differs from an unknown one.
    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r>;

    /// Returns the objects of `resource_type` on which the caller of the request may perform `action`, for
    /// lists. The evaluations of the request are empty. Default: [`Permitted::PerObject`].
    ///
    /// The result agrees with [`evaluate`](Self::evaluate) about every object.
    fn permitted<'r>(
        &'r self,
        action: &'r str,
        resource_type: &'r str,
        request: EvaluationRequest<'r>,
    ) -> PermittedFuture<'r> {
        let _ = (action, resource_type, request);
        Box::pin(async { Ok(Permitted::PerObject) })
    }

    /// Returns whether the engine can decide about `action` on objects of `resource_type`, for the check
    /// of all routes at start. Default: `true`.
    fn decides_about(&self, action: &str, resource_type: &str) -> bool {
        let _ = (action, resource_type);
        true
    }

    /// The types of objects that the engine decides about, in any order, for the message about a policy that it
    /// does [not decide about](Self::decides_about). Default: none, the message lists no types.
    fn resource_types(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Returns the function that names the scope of a token with which an action would be allowed, for an
    /// engine that decides by the token of the caller. Default: `None`, no token would change a decision.
    ///
    /// Such a `can` counts as a scope for callers of OAuth schemes: the scope is in the challenge for callers
    /// without credentials, and a token without the grant is denied as `insufficient_scope`. The scope depends
    /// on the path only, so that it does not reveal the existence of an object. While the caller is not known, the
    /// function is not called for objects that a [function](auth_runtime_policy::ObjectSource::Function) of the service returns.
    fn token_scope(&self) -> Option<TokenScope> {
        None
    }
}

/// An engine of several spaces, or one that the service keeps a handle to.
impl<E: DecisionPoint + ?Sized> DecisionPoint for Arc<E> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        (**self).evaluate(request)
    }

    fn permitted<'r>(
        &'r self,
        action: &'r str,
        resource_type: &'r str,
        request: EvaluationRequest<'r>,
    ) -> PermittedFuture<'r> {
        (**self).permitted(action, resource_type, request)
    }

    fn decides_about(&self, action: &str, resource_type: &str) -> bool {
        (**self).decides_about(action, resource_type)
    }

    fn resource_types(&self) -> Vec<&str> {
        (**self).resource_types()
    }

    fn token_scope(&self) -> Option<TokenScope> {
        (**self).token_scope()
    }
}

/// The result of [`DecisionPoint::token_scope`]: the scope of a token that allows an evaluation; `None` if no
/// token does. A text that is not a scope (RFC 6749 §3.3), or is longer than 512 bytes, counts as `None`.
pub type TokenScope = fn(&Evaluation) -> Option<String>;

/// The result of [`DecisionPoint::evaluate`].
pub type EvaluationFuture<'r> =
    Pin<Box<dyn Future<Output = Result<Vec<ObjectDecision>, DecisionPointError>> + Send + 'r>>;

/// The result of [`DecisionPoint::permitted`].
pub type PermittedFuture<'r> =
    Pin<Box<dyn Future<Output = Result<Permitted, DecisionPointError>> + Send + 'r>>;

/// The questions about one request: the subject, the actions on objects, and the context, as in the
/// AuthZEN Authorization API 1.0.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct EvaluationRequest<'r> {
    /// The caller, with its subject, grants and extensions.
    pub identity: &'r Identity,
    /// The evaluations.
    pub evaluations: &'r [Evaluation],
    /// The method of the request.
    pub method: &'r Method,
    /// The path of the request, as the client sent it.
    pub path: &'r str,
    /// The address of the client, as the
    /// [`client_address`](crate::ProtectionSpaceBuilder::client_address) of the space determines it.
    pub address: Option<IpAddr>,
    /// The time of the decision.
    pub time: SystemTime,
    /// The value of the
    /// [`request_id_field`](crate::ProtectionSpaceBuilder::request_id_field).
    pub request_id: Option<&'r HeaderValue>,
    /// The data that the engine keeps for the request, from one call to the next. `None` in a request that
    /// [`new`](Self::new) creates.
    pub data: Option<&'r RequestData>,
}

impl<'r> EvaluationRequest<'r> {
    /// Creates a request about `GET /`, from no address, at the present time. Tests of an engine use it.
    pub fn new(identity: &'r Identity, evaluations: &'r [Evaluation]) -> Self {
        Self {
            identity,
            evaluations,
            method: &Method::GET,
            path: "/",
            address: None,
            time: SystemTime::now(),
            request_id: None,
            data: None,
        }
    }
}

impl fmt::Debug for EvaluationRequest<'_> {
    /// Omits the caller, the objects, the path and the address, which are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvaluationRequest")
            .field("evaluations", &self.evaluations.len())
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// Gives all questions about one object the properties of each of them. A space does so before it asks its engine.
/// Objects with an empty id are left out, since it does not ask about them.
///
/// Some servers decide all questions of a request about one object by the properties of the first.
///
/// # Errors
///
/// Two questions about one object have different values of a property.
pub fn share_properties(evaluations: &mut [Evaluation]) -> Result<(), DecisionPointError> {
    let resources = || evaluations.iter().map(|evaluation| &evaluation.resource);
    if evaluations.len() < 2 || resources().all(|resource| resource.properties.is_empty()) {
        return Ok(());
    }
    let with_id = resources()
        .enumerate()
        .filter(|(_, resource)| resource.has_id());
    let mut sorted: Vec<(usize, &Resource)> = with_id.collect();
    sorted.sort_unstable_by(|(_, one), (_, other)| one.uid.cmp(&other.uid));
    let mut shared: Vec<(usize, Properties)> = Vec::new();
    for same in sorted.chunk_by(|(_, one), (_, other)| one.uid == other.uid) {
        let mut pairs = same.iter().zip(same.iter().skip(1));
        if pairs.all(|((_, one), (_, next))| one.properties == next.properties) {
            continue;
        }
        let mut all = Properties::default();
        for (_, resource) in same {
            all.add(&resource.properties).map_err(|name| {
                let kind = resource.resource_type();
                DecisionPointError::new(format!(
                    "two questions about one `{kind}` have different values of `{name}`"
                ))
            })?;
        }
        shared.extend(same.iter().map(|(index, _)| (*index, all.clone())));
    }
    for (index, properties) in shared {
        if let Some(evaluation) = evaluations.get_mut(index) {
            evaluation.resource.properties = properties;
        }
    }
    Ok(())
}

/// Returns the decisions if there is one for each question.
pub(crate) fn counted(
    decisions: Vec<ObjectDecision>,
    asked: usize,
) -> Result<Vec<ObjectDecision>, DecisionPointError> {
    if decisions.len() == asked {
        return Ok(decisions);
    }
    let message = format!("{} decisions about {asked} questions", decisions.len());
    Err(DecisionPointError::new(message))
}

/// The questions that were put to a decision point, and its decisions.
#[derive(Clone, Debug)]
pub struct EvaluationResult {
    /// The name of the engine; `None` if the space has none.
    pub engine: Option<&'static str>,
    /// The questions.
    pub evaluations: Vec<Evaluation>,
    /// One decision for each question, or the failure.
    pub result: Result<Vec<ObjectDecision>, DecisionPointError>,
}

impl EvaluationResult {
    /// The decision about the question with this index; `None` if the engine failed.
    pub fn decision(&self, index: usize) -> Option<&ObjectDecision> {
        self.result.as_ref().ok()?.get(index)
    }
}

/// The failure of an engine: nothing is granted, and the response is 503, or, where denials are concealed, that of an
/// unknown path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionPointError {
    message: String,
    retry_after: Option<Duration>,
}

impl DecisionPointError {
    /// Creates an error with a message for the log, in the alternate form (`{:#}`), which has the causes of an error of
    /// `anyhow` or `eyre`. Clients do not see it.
    pub fn new(message: impl fmt::Display) -> Self {
        Self {
            message: format!("{message:#}"),
            retry_after: None,
        }
    }

    /// Sets the time after which clients should retry (`Retry-After`). The response rounds it up to seconds, at least one.
    #[must_use]
    pub fn retry_after(self, time: Duration) -> Self {
        Self {
            retry_after: Some(time),
            ..self
        }
    }

    /// The time after which clients should retry, if it is known.
    pub const fn retry_time(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for DecisionPointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DecisionPointError {}
