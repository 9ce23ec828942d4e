//! Questions to the decision point of a space.

use auth_runtime_policy::{
    Atom, FillError, ObjectRequirement, ObjectSource, Policy, Requirement, ResourcePattern,
};

use super::Space;
use super::authorization::Route;
use super::protection_space::ProtectionSpace;
use super::report::RecordedRequest;
use crate::context::Context;
use crate::decision::open_atoms;
use crate::decision_point::condition::Permitted;
use crate::decision_point::object::{Action, Evaluation, Resource};
use crate::decision_point::object_decision::ObjectDecision;
use crate::decision_point::request_data::RequestData;
use crate::decision_point::{
    DecisionPoint, DecisionPointError, EvaluationRequest, EvaluationResult, counted,
    share_properties,
};
use crate::head::Head;
use crate::identity::Identity;
use crate::request_snapshot::RequestSnapshot;
use crate::service_function::{FunctionKind, Parameters, Surroundings, run_named};

/// Questions to the decision point.
impl Space {
    /// Returns whether the space has a decision point.
    pub(super) fn has_decision_point(&self) -> bool {
        self.decision_point.is_some()
    }

    /// The data that the decision point keeps for one request; `None` without a decision point.
    pub fn request_data(&self) -> Option<Box<RequestData>> {
        self.has_decision_point().then(Box::default)
    }

    /// The types of objects that the decision point names, sorted; `None` without a decision point.
    pub(super) fn decided_types(&self) -> Option<Vec<&str>> {
        let mut types = self.decision_point.as_ref()?.resource_types();
        types.sort_unstable();
        Some(types)
    }

    /// Returns the first `can` requirement of `policy` that the space cannot decide: it has no decision
    /// point, or one that does not decide about the action on objects of the type.
    pub(super) fn cannot_decide<'p>(&self, policy: &'p Policy) -> Option<&'p Atom> {
        let engine = self.decision_point.as_ref();
        let mut requirements = policy.object_requirements().into_iter();
        let found = requirements.find(|ObjectRequirement { action, on, .. }| {
            !engine.is_some_and(|engine| engine.decides_about(action, on.resource_type()))
        });
        found.map(|requirement| requirement.atom)
    }

    /// Puts all `can` requirements of the policy that can change the response to the decision point, in one
    /// call, and adds the decisions to the context. Returns the questions, if there are any.
    pub(super) async fn ask_about_objects(
        &self,
        route: &Route<'_>,
        identity: &Identity,
        context: &mut Context<'_>,
        surroundings: &Surroundings<'_>,
        data: Option<&RequestData>,
    ) -> Option<EvaluationResult> {
        let mut open = open_in(route.policy, context);
        let mut asked: Vec<(&Atom, &ObjectSource)> = Vec::with_capacity(open.len());
        let mut evaluations: Vec<Evaluation> = Vec::with_capacity(open.len());
        let mut absent: Vec<(&ObjectSource, AnswerWithoutEngine)> = Vec::new();
        while let Some(atom) = open.pop() {
            let Atom::Can { action, on } = atom else {
                continue;
            };
            if asked.iter().any(|(earlier, _)| *earlier == atom) {
                continue;
            }
            // Each object is determined once.
            let mut earlier = asked.iter().zip(&evaluations);
            let same = earlier.find(|((_, source), _)| *source == on);
            let absence = absent.iter().find(|(source, _)| *source == on);
            let resource = match (same, absence) {
                (Some((_, evaluation)), _) => Ok(evaluation.resource.clone()),
                (None, Some((_, answer))) => Err(*answer),
                (None, None) => self.resource_of(on, route, identity, surroundings).await,
            };
            match resource {
                Ok(resource) => {
                    evaluations.push(Evaluation::new(action.clone(), resource));
                    asked.push((atom, on));
                }
                Err(answer) => {
                    absent.push((on, answer));
                    context.add_answer(atom.clone(), answer.0);
                    // The policy may be decided by now.
                    open = open_in(route.policy, context);
                }
            }
        }
        if evaluations.is_empty() {
            return None;
        }
        let about = self.about(identity, surroundings.head, data);
        let evaluated = self.evaluate(evaluations, about).await;
        if let Err(error) = &evaluated.result {
            context.retry_after = error.retry_time();
        }
        for (index, (atom, _)) in asked.into_iter().enumerate() {
            context.add_decision(atom.clone(), evaluated.decision(index));
            let evaluation = evaluated.evaluations.get(index);
            if let Some(scope) = evaluation.and_then(|evaluation| self.object_scope(evaluation)) {
                context.add_object_scope(atom.clone(), scope);
            }
        }
        Some(evaluated)
    }

    /// Determines the object of a `can` requirement.
    async fn resource_of(
        &self,
        on: &ObjectSource,
        route: &Route<'_>,
        identity: &Identity,
        surroundings: &Surroundings<'_>,
    ) -> Result<Resource, AnswerWithoutEngine> {
        match on {
            ObjectSource::Function {
                resource_type,
                function,
            } => {
                let found = run_named(
                    route.functions,
                    function,
                    FunctionKind::resource_call,
                    identity,
                    surroundings,
                );
                let found = found.await.ok_or(AnswerWithoutEngine(None))?;
                of_type(resource_type, found, function)
            }
            // A source that this version does not know has no object.
            _ => self
                .named_resource(on, surroundings.parameters)
                .unwrap_or(Err(AnswerWithoutEngine(None))),
        }
    }

    /// The object that the path or the space names; `None` if a function determines it.
    pub(super) fn named_resource(
        &self,
        on: &ObjectSource,
        parameters: Option<&Parameters<'_>>,
    ) -> Option<Result<Resource, AnswerWithoutEngine>> {
        match on {
            ObjectSource::Path(pattern) => {
                let id = id_of(pattern, parameters);
                Some(id.map(|id| Resource::new(pattern.resource_type().to_owned(), id)))
            }
            ObjectSource::Service => {
                let realm = self.realm().unwrap_or_default();
                Some(Ok(Resource::new(Resource::SERVICE, realm)))
            }
            _ => None,
        }
    }

    /// Puts questions to the decision point, with the other parts of `about`.
    pub async fn evaluate(
        &self,
        mut evaluations: Vec<Evaluation>,
        about: EvaluationRequest<'_>,
    ) -> EvaluationResult {
        let engine = self.engine_name();
        let result = self.ask(&mut evaluations, about).await;
        if let Err(error) = &result {
            tracing::error!(
                engine,
                %error,
                "the decision point failed; the request is not granted",
            );
        }
        EvaluationResult {
            engine,
            evaluations,
            result,
        }
    }

    /// Puts the questions about objects that can exist to the decision point.
    async fn ask(
        &self,
        evaluations: &mut [Evaluation],
        about: EvaluationRequest<'_>,
    ) -> Result<Vec<ObjectDecision>, DecisionPointError> {
        let engine = self.engine()?;
        let all = evaluations.len();
        if all > ProtectionSpace::MAX_EVALUATIONS {
            let message = format!("{all} questions in one call; split the list");
            return Err(DecisionPointError::new(message));
        }
        share_properties(evaluations)?;
        if evaluations.iter().all(|one| one.resource.has_id()) {
            return decide(engine, evaluations, about).await;
        }
        tracing::debug!("an id is empty; there is no such object");
        let with_id = evaluations.iter().filter(|one| one.resource.has_id());
        let asked: Vec<Evaluation> = with_id.cloned().collect();
        let mut decided = decide(engine, &asked, about).await?.into_iter();
        let decisions = evaluations.iter().map(|one| {
            let decision = one.resource.has_id().then(|| decided.next()).flatten();
            decision.unwrap_or_else(ObjectDecision::deny)
        });
        Ok(decisions.collect())
    }

    /// Asks the decision point for the objects of a type that the caller may perform an action on.
    ///
    /// # Errors
    ///
    /// A decision point is missing or failed, or it named more than
    /// [`ProtectionSpace::MAX_EVALUATIONS`] objects.
    pub async fn permitted(
        &self,
        action: Action,
        resource_type: &str,
        about: EvaluationRequest<'_>,
    ) -> Result<Permitted, DecisionPointError> {
        let engine = self.engine()?;
        let permitted = engine.permitted(action.name(), resource_type, about).await;
        let permitted = permitted.and_then(|permitted| match permitted {
            Permitted::Ids(ids) if ids.len() > ProtectionSpace::MAX_EVALUATIONS => {
                let message = format!("{} ids in one list", ids.len());
                Err(DecisionPointError::new(message))
            }
            permitted => Ok(permitted),
        });
        permitted.inspect_err(|error| {
            tracing::error!(
                engine = engine.name(),
                %error,
                "the decision point failed; the list is not returned",
            );
        })
    }

    /// The name of the decision point, if there is one.
    pub fn engine_name(&self) -> Option<&'static str> {
        self.decision_point.as_deref().map(DecisionPoint::name)
    }

    fn engine(&self) -> Result<&dyn DecisionPoint, DecisionPointError> {
        self.decision_point.as_deref().ok_or_else(|| {
            DecisionPointError::new(
                "the protection space has no decision point; add one with `.decision_point(…)`",
            )
        })
    }

    /// A request without questions.
    fn about<'r>(
        &self,
        identity: &'r Identity,
        head: Head<'r>,
        data: Option<&'r RequestData>,
    ) -> EvaluationRequest<'r> {
        EvaluationRequest {
            identity,
            evaluations: &[],
            method: head.method,
            path: head.sent_uri().path(),
            address: self.client_address.find(head).address(),
            time: self.clock.now(),
            request_id: self.request_id(head),
            data,
        }
    }

    /// A request without questions, by the parts that a guard kept.
    pub fn about_kept<'r>(
        &self,
        identity: &'r Identity,
        request: &'r RequestSnapshot,
        recorded: Option<&'r RecordedRequest>,
        data: Option<&'r RequestData>,
    ) -> EvaluationRequest<'r> {
        EvaluationRequest {
            identity,
            evaluations: &[],
            method: request.method(),
            path: request.uri().path(),
            address: recorded.and_then(|recorded| recorded.client.address()),
            time: self.clock.now(),
            request_id: recorded.and_then(|recorded| recorded.request_id.as_ref()),
            data,
        }
    }
}

/// Puts questions to a decision point, if there are any.
async fn decide(
    engine: &dyn DecisionPoint,
    evaluations: &[Evaluation],
    about: EvaluationRequest<'_>,
) -> Result<Vec<ObjectDecision>, DecisionPointError> {
    if evaluations.is_empty() {
        return Ok(Vec::new());
    }
    let request = EvaluationRequest {
        evaluations,
        ..about
    };
    counted(engine.evaluate(request).await?, evaluations.len())
}

/// The answer to a question without an engine; `None` if the object cannot be determined.
#[derive(Clone, Copy)]
pub(super) struct AnswerWithoutEngine(Option<bool>);

/// The atoms of a policy that can still change the response, the first one last.
fn open_in<'p>(policy: &'p Policy, context: &Context<'_>) -> Vec<&'p Atom> {
    let open_in = |requirement: &'p Requirement| open_atoms(requirement, context);
    let mut open = policy.requirement().map(open_in).unwrap_or_default();
    open.extend(policy.shown_to().into_iter().flat_map(open_in));
    open.reverse();
    open
}

/// The object that a function returned. The answer is `false` without one, and if no object can have its id.
fn of_type(
    resource_type: &str,
    found: Option<Resource>,
    function: &str,
) -> Result<Resource, AnswerWithoutEngine> {
    let resource = found.ok_or(AnswerWithoutEngine(Some(false)))?;
    if resource.resource_type() != resource_type {
        tracing::error!(
            function,
            expected = resource_type,
            returned = resource.resource_type(),
            "the function returned an object of another type",
        );
        return Err(AnswerWithoutEngine(None));
    }
    if !resource.has_id() {
        tracing::debug!(
            function,
            "the id of the object is empty; there is no such object"
        );
        return Err(AnswerWithoutEngine(Some(false)));
    }
    Ok(resource)
}

/// The id of the object of a pattern. The answer is `false` if no object can have this id.
fn id_of(
    on: &ResourcePattern,
    parameters: Option<&Parameters<'_>>,
) -> Result<String, AnswerWithoutEngine> {
    let Some(parameters) = parameters else {
        tracing::debug!(%on, "the path parameters are not UTF-8 or ambiguous; there is no object");
        return Err(AnswerWithoutEngine(Some(false)));
    };
    let value = |name: &str| {
        let found = parameters.iter().find(|(own, _)| *own == name);
        found.map(|(_, value)| *value)
    };
    on.fill(value).map_err(|error| match error {
        FillError::Missing(name) => {
            tracing::error!(%on, parameter = name, "the route has no such path parameter");
            AnswerWithoutEngine(None)
        }
        _ => {
            tracing::debug!(%on, "a path parameter belongs to no object");
            AnswerWithoutEngine(Some(false))
        }
    })
}
