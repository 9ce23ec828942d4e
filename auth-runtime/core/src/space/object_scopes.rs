//! The scopes of tokens that allow actions on objects.

use std::borrow::Cow;
use std::collections::BTreeSet;

use auth_runtime_policy::scope::is_scope_token;
use auth_runtime_policy::{Atom, ObjectRequirement, Policy};

use super::Space;
use super::authentication::Authentication;
use crate::caller::Rejection;
use crate::context::Context;
use crate::decision::{Decision, Denial, classes_to_request};
use crate::decision_point::object::Evaluation;
use crate::decision_point::object_decision::ObjectDecision;
use crate::decision_point::{EvaluationResult, TokenScope};
use crate::service_function::Parameters;

/// The longest scope of an object, in bytes. Its id comes from the path.
const MAX_SCOPE: usize = 512;

/// The maximum number of scopes of objects in the denial of a handler, which bounds its challenge to about 8 KiB.
const MAX_SCOPES: usize = 16;

/// The maximum number of login classes in such a denial.
const MAX_CLASSES: usize = 16;

/// Scopes of tokens that name one object.
impl Space {
    fn token_scope(&self) -> Option<TokenScope> {
        self.decision_point.as_ref()?.token_scope()
    }

    /// Returns whether the decision point names scopes of tokens for `can` requirements.
    pub fn has_object_scopes(&self) -> bool {
        self.token_scope().is_some()
    }

    /// The scope of a token that allows the evaluation.
    pub(super) fn object_scope(&self, evaluation: &Evaluation) -> Option<Cow<'static, str>> {
        let scope = self.token_scope()?(evaluation)?;
        let is_valid = scope.len() <= MAX_SCOPE && is_scope_token(&scope);
        is_valid.then_some(Cow::Owned(scope))
    }

    /// Returns whether the challenge of a denial needs the scopes of objects, and has none yet.
    pub(super) fn lacks_object_scopes(&self, policy: &Policy, decision: &Decision) -> bool {
        let asks_for_scopes = matches!(
            decision,
            Decision::Deny(Denial::Unauthenticated { rejection, .. })
                if *rejection != Some(Rejection::TooLong)
        );
        asks_for_scopes
            && self.has_object_scopes()
            && policy
                .requirement()
                .is_some_and(|it| it.contains(|atom| matches!(atom, Atom::Can { .. })))
    }

    /// Adds the scopes of the objects in the path, as far as a token can allow the actions on them.
    pub fn add_object_scopes(
        &self,
        policy: &Policy,
        context: &mut Context<'_>,
        parameters: Option<&Parameters<'_>>,
    ) {
        if !self.has_object_scopes() {
            return;
        }
        for ObjectRequirement { atom, action, on } in policy.object_requirements() {
            // A function runs for known callers only.
            let resource = self.named_resource(on, parameters).and_then(Result::ok);
            let evaluation = resource.map(|resource| Evaluation::new(action.clone(), resource));
            if let Some(scope) = evaluation.and_then(|evaluation| self.object_scope(&evaluation)) {
                context.add_object_scope(atom.clone(), scope);
            }
        }
    }

    /// Returns the denial of a known caller for the evaluations that are not allowed, by rule 3 as if the policy
    /// required them all; `None` if all are allowed.
    pub fn deny_evaluated(
        &self,
        policy: &Policy,
        authentication: &Authentication,
        evaluated: &EvaluationResult,
    ) -> Option<Denial> {
        let decisions = (0..evaluated.evaluations.len()).map(|index| evaluated.decision(index));
        let denied: Vec<_> = decisions.filter(|decision| is_denied(*decision)).collect();
        if denied.is_empty() {
            return None;
        }
        let can_step_up = self.can_step_up(policy);
        let asks_login = |decision: Option<&ObjectDecision>| {
            can_step_up && decision.is_some_and(|decision| !decision.acr_values().is_empty())
        };
        if denied.iter().all(|decision| asks_login(*decision)) {
            return Some(Denial::StepUp {
                acr_values: login_classes(&denied),
                max_age: None,
            });
        }
        let lacks_scope =
            |decision: Option<&ObjectDecision>| is_denied(decision) && !asks_login(decision);
        let by_scope = self.deny_by_scope(policy, authentication, evaluated, lacks_scope);
        Some(by_scope.unwrap_or_else(|| {
            let reason = denied
                .into_iter()
                .flatten()
                .find_map(ObjectDecision::reason);
            Denial::Forbidden {
                reason: reason.map(|reason| Cow::Owned(reason.to_owned())),
            }
        }))
    }

    /// The denial of a known caller with a token that does not allow the evaluations; `None` if no other token
    /// would, or if that token would have too many scopes.
    fn deny_by_scope(
        &self,
        policy: &Policy,
        authentication: &Authentication,
        evaluated: &EvaluationResult,
        lacks_scope: impl Fn(Option<&ObjectDecision>) -> bool,
    ) -> Option<Denial> {
        let used = authentication.to_policy().scheme()?;
        let used = self.schemes.get(used).filter(|used| used.is_oauth)?;
        let identity = self.caller_for(policy, authentication)?.identity()?;
        let requirement = policy.requirement().into_iter();
        // A token without the scopes that met the policy would be denied by it.
        let held = requirement
            .flat_map(|requirement| requirement.atoms())
            .filter_map(|atom| match atom {
                Atom::Scope(scope) if identity.has_scope(scope) => Some(scope.clone()),
                _ => None,
            });
        let mut scopes: Vec<Cow<'static, str>> = Vec::new();
        for scope in held {
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        let longest = scopes.len() + MAX_SCOPES;
        for (index, evaluation) in evaluated.evaluations.iter().enumerate() {
            match self.object_scope(evaluation) {
                // A token without the scopes of the allowed objects would be denied for these.
                Some(scope) if !scopes.contains(&scope) => scopes.push(scope),
                Some(_) => {}
                None if lacks_scope(evaluated.decision(index)) => return None,
                None => {}
            }
            if scopes.len() > longest {
                return None;
            }
        }
        Some(Denial::InsufficientScope {
            scopes,
            has_token_server: used.has_token_server,
        })
    }
}

/// Returns the login classes that suffice for all of the decisions; if there are none, those that suffice for one of
/// them, each once.
fn login_classes(decisions: &[Option<&ObjectDecision>]) -> Vec<Cow<'static, str>> {
    let lists = || {
        let decisions = decisions.iter().flatten();
        decisions.map(|decision| decision.acr_values().iter().map(String::as_str))
    };
    let common = lists()
        .map(BTreeSet::from_iter)
        .reduce(|one, other| &one & &other);
    let mut classes = classes_to_request(lists().flatten(), &common.unwrap_or_default());
    classes.truncate(MAX_CLASSES);
    classes
}

fn is_denied(decision: Option<&ObjectDecision>) -> bool {
    !decision.is_some_and(ObjectDecision::is_allowed)
}
