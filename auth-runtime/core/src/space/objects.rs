//! Questions to the decision point of a space.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use auth_runtime_policy::{Atom, FillError, Policy, ResourcePattern};
use http::{HeaderValue, Method};

use super::protection_space::ProtectionSpace;
use super::report::RequestOrigin;
use crate::check::{Parameters, Surroundings};
use crate::condition::Permitted;
use crate::context::Context;
use crate::decision_point::{
    Action, DecisionPoint, DecisionPointError, Evaluated, Evaluation, EvaluationRequest,
    ObjectDecision, Resource,
};
use crate::denial_body::RequestSnapshot;
use crate::head::Head;
use crate::identity::Identity;

/// The request that questions are about: the parts that do not depend on the caller.
#[derive(Clone, Copy, Debug)]
pub struct AboutRequest<'r> {
    /// The method.
    pub method: &'r Method,
    /// The path, as the client sent it.
    pub path: &'r str,
    /// The address of the client.
    pub address: Option<IpAddr>,
    /// The value of the field with the request's id.
    pub request_id: Option<&'r HeaderValue>,
}

impl<'r> AboutRequest<'r> {
    /// The parts of a request that a guard kept.
    pub fn kept(request: &'r RequestSnapshot, origin: Option<&'r RequestOrigin>) -> Self {
        Self {
            method: request.method(),
            path: request.sent_uri().path(),
            address: origin.and_then(|origin| origin.client.address()),
            request_id: origin.and_then(|origin| origin.request_id.as_ref()),
        }
    }
}

impl ProtectionSpace {
    /// The longest list of questions in one call of the decision point.
    pub const MAX_EVALUATIONS: usize = 10_000;

    /// Returns whether the space has a decision point.
    pub fn has_decision_point(&self) -> bool {
        self.0.decision_point.is_some()
    }

    /// Returns the first `can` requirement of `policy` that the space cannot decide: it has no decision
    /// point, or one that does not know the action or the type of the object.
    pub fn cannot_decide<'p>(&self, policy: &'p Policy) -> Option<&'p Atom> {
        let mut atoms = policy.object_requirements().into_iter();
        atoms.find(|atom| {
            let Atom::Can { action, on } = atom else {
                return false;
            };
            let kind = on
                .as_ref()
                .map_or(Resource::SERVICE, |on| on.resource_type());
            let engine = self.0.decision_point.as_ref();
            !engine.is_some_and(|engine| engine.decides_about(action, kind))
        })
    }

    /// Puts all open `can` requirements of `policy` to the decision point, in one call, and adds the
    /// decisions to the context.
    pub(super) async fn ask_about_objects<'c>(
        &self,
        policy: &Policy,
        identity: &Identity,
        mut context: Context<'c>,
        surroundings: Surroundings<'_>,
    ) -> Context<'c> {
        let mut asked: Vec<&Atom> = Vec::new();
        let mut evaluations = Vec::new();
        for atom in policy.object_requirements() {
            if !context.is_open(atom) {
                continue;
            }
            match self.evaluation_of(atom, surroundings.parameters) {
                Ok(evaluation) => {
                    asked.push(atom);
                    evaluations.push(evaluation);
                }
                Err(answer) => context = context.answered(atom.clone(), answer),
            }
        }
        if evaluations.is_empty() {
            return context;
        }
        let about = self.about(surroundings.head);
        let evaluated = self.evaluate(identity, evaluations, about).await;
        let decisions = match &evaluated {
            Ok(evaluated) => evaluated.decisions.as_slice(),
            Err((_, error)) => {
                context = context.retry_after(error.retry_time());
                &[]
            }
        };
        for (index, atom) in asked.into_iter().enumerate() {
            context = context.decided(atom.clone(), decisions.get(index));
        }
        context.after(match evaluated {
            Ok(evaluated) | Err((evaluated, _)) => Arc::new(evaluated),
        })
    }

    /// The question of a `can` requirement; or its answer, if no engine has to be asked.
    fn evaluation_of(
        &self,
        atom: &Atom,
        parameters: Option<&Parameters>,
    ) -> Result<Evaluation, Option<bool>> {
        let Atom::Can { action, on } = atom else {
            return Err(None);
        };
        let resource = match on {
            None => Resource::new(Resource::SERVICE, self.realm().unwrap_or_default()),
            Some(on) => resource_of(on, parameters)?,
        };
        Ok(Evaluation::new(action.clone(), resource))
    }

    /// Puts questions to the decision point.
    ///
    /// # Errors
    ///
    /// The questions and the failure: there is no decision point, or it failed.
    pub async fn evaluate(
        &self,
        identity: &Identity,
        evaluations: Vec<Evaluation>,
        about: AboutRequest<'_>,
    ) -> Result<Evaluated, (Evaluated, DecisionPointError)> {
        let mut evaluated = Evaluated {
            engine: "none",
            evaluations,
            decisions: Vec::new(),
        };
        let result = self.decisions(identity, &mut evaluated, about).await;
        match result {
            Ok(decisions) => {
                evaluated.decisions = decisions;
                Ok(evaluated)
            }
            Err(error) => {
                tracing::error!(
                    engine = evaluated.engine,
                    %error,
                    "the decision point failed; the request is not granted",
                );
                Err((evaluated, error))
            }
        }
    }

    /// Asks the decision point for the objects of a type that the caller may perform an action on.
    ///
    /// # Errors
    ///
    /// A decision point is missing or failed, or it named more than
    /// [`MAX_EVALUATIONS`](Self::MAX_EVALUATIONS) objects.
    pub async fn permitted(
        &self,
        identity: &Identity,
        action: Action,
        resource_type: &str,
        about: AboutRequest<'_>,
    ) -> Result<Permitted, DecisionPointError> {
        let engine = self.engine()?;
        let request = self.request(identity, &[], about);
        let permitted = engine
            .permitted(action.name(), resource_type, request)
            .await;
        let permitted = permitted.and_then(|permitted| match permitted {
            Permitted::Ids(ids) if ids.len() > Self::MAX_EVALUATIONS => {
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

    fn engine(&self) -> Result<&dyn DecisionPoint, DecisionPointError> {
        self.0.decision_point.as_deref().ok_or_else(|| {
            DecisionPointError::new(
                "the protection space has no decision point; add one with `.decision_point(…)`",
            )
        })
    }

    fn request<'r>(
        &self,
        identity: &'r Identity,
        evaluations: &'r [Evaluation],
        about: AboutRequest<'r>,
    ) -> EvaluationRequest<'r> {
        EvaluationRequest {
            method: about.method,
            path: about.path,
            address: about.address,
            time: self.0.clock.now(),
            request_id: about.request_id,
            ..EvaluationRequest::new(identity, evaluations)
        }
    }

    async fn decisions(
        &self,
        identity: &Identity,
        evaluated: &mut Evaluated,
        about: AboutRequest<'_>,
    ) -> Result<Vec<ObjectDecision>, DecisionPointError> {
        let engine = self.engine()?;
        evaluated.engine = engine.name();
        let asked = evaluated.evaluations.len();
        if asked > Self::MAX_EVALUATIONS {
            let message = format!("{asked} questions in one call; split the list");
            return Err(DecisionPointError::new(message));
        }
        let request = self.request(identity, &evaluated.evaluations, about);
        let decisions = engine.evaluate(request).await?;
        if decisions.len() != asked {
            let message = format!("{} decisions about {asked} questions", decisions.len());
            return Err(DecisionPointError::new(message));
        }
        Ok(decisions)
    }

    fn about<'r>(&self, head: Head<'r>) -> AboutRequest<'r> {
        AboutRequest {
            method: head.method,
            path: head.sent_uri().path(),
            address: self.0.client_address.find(head).address(),
            request_id: self.request_id(head),
        }
    }
}

/// The object of a pattern; or the answer without an engine: `false` if no object can have this id.
fn resource_of(
    on: &ResourcePattern,
    parameters: Option<&Parameters>,
) -> Result<Resource, Option<bool>> {
    let Some(parameters) = parameters else {
        tracing::debug!(%on, "the path parameters are not UTF-8 or ambiguous; there is no object");
        return Err(Some(false));
    };
    let value = |name: &str| {
        let found = parameters.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    };
    match on.fill(value) {
        Ok(id) => Ok(Resource::new(Cow::Owned(on.resource_type().to_owned()), id)),
        Err(FillError::Ambiguous(name)) => {
            tracing::debug!(%on, parameter = name, "the value belongs to no object");
            Err(Some(false))
        }
        Err(FillError::Missing(name)) => {
            tracing::error!(%on, parameter = name, "the route has no such path parameter");
            Err(None)
        }
    }
}
