//! The parts of the decisions about a route, and of its responses, that do not depend on the request.

use std::sync::Arc;

use auth_runtime_policy::Policy;

use super::Space;
use super::challenges::{ChallengeSelection, ConstantChallenges, leave_out_prompts};
use crate::caller::Caller;
use crate::context::Context;
use crate::decision::{Decision, Denial};
use crate::identity::Identity;

/// The decision about a caller without credentials, and the challenges of the most frequent denials: that of
/// such a caller, and that of a caller without scopes. They are computed when a route is mounted.
#[derive(Debug)]
pub struct RouteConstants {
    /// `None` if the decision depends on the address of the client or on the object, or is a grant.
    anonymous: Option<Arc<Decision>>,
    /// Challenges that are not [constant](crate::ChallengeBuilder::constant) are missing.
    challenges: Vec<BuiltChallenges>,
}

/// The challenges of one denial.
#[derive(Debug)]
pub(super) struct BuiltChallenges {
    denial: Denial,
    /// The scheme of a known caller; `None` without credentials.
    used: Option<usize>,
    to_clients: ConstantChallenges,
    /// Those without a browser's prompt.
    to_scripts: ConstantChallenges,
}

impl RouteConstants {
    /// Those of a route that was not mounted.
    pub(super) const UNKNOWN: &'static Self = &Self {
        anonymous: None,
        challenges: Vec::new(),
    };

    /// The decision about a caller without credentials, if it is a constant.
    pub(super) fn anonymous(&self) -> Option<&Arc<Decision>> {
        self.anonymous.as_ref()
    }

    /// The challenges of a denial for a known caller with credentials of the scheme `used`, or for any
    /// other caller.
    pub(super) fn challenges(
        &self,
        denial: &Denial,
        used: Option<usize>,
    ) -> Option<&BuiltChallenges> {
        let mut built = self.challenges.iter();
        built.find(|built| built.used == used && built.denial == *denial)
    }
}

impl BuiltChallenges {
    pub(super) fn for_request(&self, spares_script: bool) -> &ConstantChallenges {
        if spares_script {
            &self.to_scripts
        } else {
            &self.to_clients
        }
    }
}

/// The parts of responses that are the same for all requests of a route.
impl Space {
    /// Computes the constants of a route with this policy.
    pub fn constants_of(&self, policy: &Policy) -> RouteConstants {
        let schemes = self.schemes.iter().enumerate();
        let oauth =
            schemes.filter(|(_, accepted)| accepted.is_oauth && policy.accepts(&accepted.name));
        let known = Caller::known(Identity::new("a caller without scopes"));
        let callers = oauth.map(|(index, accepted)| {
            let mut context = Context::new(&known).by_oauth();
            context.has_token_server = accepted.has_token_server;
            (context, Some(index))
        });
        let anonymous = self.decide_constantly(policy, Context::new(&Caller::Anonymous));
        let decided =
            callers.map(|(context, used)| (self.decide_constantly(policy, context), used));
        let decided = decided.chain([(anonymous.clone(), None)]);
        let challenges = decided.filter_map(|(decision, used)| match decision {
            // Those of other denials have another error.
            Decision::Deny(
                denial @ (Denial::Unauthenticated { .. }
                | Denial::InsufficientScope { .. }
                | Denial::Forbidden { .. }),
            ) => self.built_challenges(policy, denial, used),
            _ => None,
        });
        let challenges = challenges.collect();
        let is_constant = !policy.depends_on_network()
            && anonymous != Decision::Grant
            && !self.lacks_object_scopes(policy, &anonymous);
        RouteConstants {
            challenges,
            anonymous: is_constant.then(|| Arc::new(anonymous)),
        }
    }

    /// The decision about a request from no address.
    fn decide_constantly(&self, policy: &Policy, mut context: Context<'_>) -> Decision {
        context.settings = self.settings.clone();
        context.can_be_bound = self.can_ask_for_binding(policy);
        Decision::of(policy, &context)
    }

    fn built_challenges(
        &self,
        policy: &Policy,
        denial: Denial,
        used: Option<usize>,
    ) -> Option<BuiltChallenges> {
        let selection = ChallengeSelection {
            space: self,
            policy: Some(policy),
            used,
            is_known: used.is_some(),
            spares_script: false,
        };
        let challenges = || selection.challenges(&denial);
        let mut to_scripts = challenges();
        leave_out_prompts(&mut to_scripts);
        Some(BuiltChallenges {
            to_clients: ConstantChallenges::of(self, challenges())?,
            to_scripts: ConstantChallenges::of(self, to_scripts)?,
            denial,
            used,
        })
    }
}
