//! The decision point that calls functions of the service.

use std::fmt;
use std::pin::Pin;

use crate::decision_point::object::{Evaluation, Resource};
use crate::decision_point::object_decision::ObjectDecision;
use crate::decision_point::{
    DecisionPoint, DecisionPointError, EvaluationFuture, EvaluationRequest,
};
use crate::identity::Identity;

/// A [`DecisionPoint`] that calls a function of the service for each type of object.
///
/// ```
/// use auth_runtime::ProtectionSpaceBuilder;
/// use auth_runtime::objects::{ObjectRequest, ObjectRules};
///
/// #[derive(Clone)]
/// struct Db;
/// # impl Db { async fn owner(&self, _: &str) -> Result<Option<String>, std::io::Error> { Ok(None) } }
///
/// async fn repository(request: ObjectRequest<'_, Db>) -> Result<bool, std::io::Error> {
///     let owner = request.state().owner(request.id()).await?;
///     Ok(match request.action() {
///         "read" => owner.is_some(),
///         "update" => owner.as_deref() == Some(request.identity().subject()),
///         _ => false,
///     })
/// }
///
/// fn with_rules(space: ProtectionSpaceBuilder, db: Db) -> ProtectionSpaceBuilder {
///     space.decision_point(ObjectRules::new(db).on("Repository", repository))
/// }
/// ```
pub struct ObjectRules<S = ()> {
    state: S,
    rules: Vec<(String, Rule<S>)>,
}

impl<S: Send + Sync + 'static> ObjectRules<S> {
    /// Creates rules about no type of object. `state` is passed to each function.
    pub fn new(state: S) -> Self {
        Self {
            state,
            rules: Vec::new(),
        }
    }

    /// Decides about objects of `resource_type` by `function`. A second function for a type replaces the
    /// first.
    ///
    /// The function is async, takes an [`ObjectRequest`] as its only parameter, and returns `bool`, or
    /// `Result<bool, E>` with an `E` that implements `Display`. An error is logged, and the response is
    /// 503, or, where denials are concealed, that of an unknown path. The function is called once for each question,
    /// one after the other. A [`DecisionPoint`] of the service's own can answer all questions of a request with one
    /// query.
    #[must_use]
    pub fn on<F>(mut self, resource_type: impl Into<String>, function: F) -> Self
    where
        F: for<'r> ObjectFunction<'r, S> + Send + Sync + 'static,
    {
        let resource_type = resource_type.into();
        self.rules.retain(|(own, _)| *own != resource_type);
        let rule: Rule<S> = Box::new(move |request| {
            let answer = function.ask(request);
            Box::pin(async move { answer.await.settle() })
        });
        self.rules.push((resource_type, rule));
        self
    }

    /// Decides about the service itself by `function`: the object of `can = "action"` without `on`.
    #[must_use]
    pub fn on_service<F>(self, function: F) -> Self
    where
        F: for<'r> ObjectFunction<'r, S> + Send + Sync + 'static,
    {
        self.on(Resource::SERVICE, function)
    }

    fn rule(&self, resource_type: &str) -> Option<&Rule<S>> {
        let mut rules = self.rules.iter();
        let (_, rule) = rules.find(|(own, _)| own == resource_type)?;
        Some(rule)
    }
}

impl<S: Send + Sync + 'static> DecisionPoint for ObjectRules<S> {
    fn name(&self) -> &'static str {
        "functions"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        Box::pin(async move {
            let mut decisions = Vec::with_capacity(request.evaluations.len());
            for evaluation in request.evaluations {
                let resource_type = evaluation.resource.resource_type();
                let rule = self.rule(resource_type).ok_or_else(|| {
                    let message = format!("no function decides about objects of `{resource_type}`");
                    DecisionPointError::new(message)
                })?;
                let question = ObjectRequest {
                    evaluation,
                    request,
                    state: &self.state,
                };
                decisions.push(ObjectDecision::from(rule(question).await?));
            }
            Ok(decisions)
        })
    }

    fn decides_about(&self, _action: &str, resource_type: &str) -> bool {
        self.rule(resource_type).is_some()
    }

    fn resource_types(&self) -> Vec<&str> {
        self.rules.iter().map(|(own, _)| own.as_str()).collect()
    }
}

impl<S> fmt::Debug for ObjectRules<S> {
    /// Omits the state, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let types: Vec<_> = self.rules.iter().map(|(own, _)| own).collect();
        f.debug_struct("ObjectRules")
            .field("types", &types)
            .finish_non_exhaustive()
    }
}

/// The argument of a function of [`ObjectRules`]: a caller, an action, an object, and the state of the
/// rules.
pub struct ObjectRequest<'r, S = ()> {
    evaluation: &'r Evaluation,
    request: EvaluationRequest<'r>,
    state: &'r S,
}

impl<'r, S> ObjectRequest<'r, S> {
    /// The identity of the caller.
    pub fn identity(&self) -> &'r Identity {
        self.request.identity
    }

    /// The name of the action.
    pub fn action(&self) -> &'r str {
        &self.evaluation.action
    }

    /// The id of the object.
    pub fn id(&self) -> &'r str {
        self.evaluation.resource.id()
    }

    /// The object, with the properties that the handler knows.
    pub fn resource(&self) -> &'r Resource {
        &self.evaluation.resource
    }

    /// The state of the rules.
    pub fn state(&self) -> &'r S {
        self.state
    }

    /// The request, with its method, path, address and time.
    pub fn request(&self) -> EvaluationRequest<'r> {
        self.request
    }
}

impl<S> fmt::Debug for ObjectRequest<'_, S> {
    /// Omits the state, which may be secret, and the object, which may be personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectRequest")
            .field("action", &self.evaluation.action)
            .finish_non_exhaustive()
    }
}

/// A function that decides about objects of one type.
#[diagnostic::on_unimplemented(
    message = "function does not decide about objects",
    label = "not an `async fn` that takes an `ObjectRequest` and returns `bool`",
    note = "write `async fn repository(request: ObjectRequest<'_, State>) -> bool`, with the type of the \
            state, or return `Result<bool, E>` with an error that implements `Display`; its future has \
            to be `Send`"
)]
pub trait ObjectFunction<'r, S> {
    /// The future that the function returns.
    type Future: Future<Output: ObjectAnswer> + Send + 'r;

    /// Calls the function.
    fn ask(&self, request: ObjectRequest<'r, S>) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<'r, S, F, Answering> ObjectFunction<'r, S> for F
where
    S: 'r,
    F: Fn(ObjectRequest<'r, S>) -> Answering,
    Answering: Future<Output: ObjectAnswer> + Send + 'r,
{
    type Future = Answering;

    fn ask(&self, request: ObjectRequest<'r, S>) -> Answering {
        self(request)
    }
}

/// A return type of a function that decides about objects.
pub trait ObjectAnswer {
    /// Converts the value to a result.
    ///
    /// # Errors
    ///
    /// The error of the function.
    fn settle(self) -> Result<bool, DecisionPointError>;
}

impl ObjectAnswer for bool {
    fn settle(self) -> Result<bool, DecisionPointError> {
        Ok(self)
    }
}

impl<E: fmt::Display> ObjectAnswer for Result<bool, E> {
    fn settle(self) -> Result<bool, DecisionPointError> {
        self.map_err(DecisionPointError::new)
    }
}

type PendingAnswer<'r> =
    Pin<Box<dyn Future<Output = Result<bool, DecisionPointError>> + Send + 'r>>;

/// The function for one type of objects.
type Rule<S> = Box<dyn for<'r> Fn(ObjectRequest<'r, S>) -> PendingAnswer<'r> + Send + Sync>;
