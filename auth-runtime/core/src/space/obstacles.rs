//! The reasons why a space cannot serve a handler.

use auth_runtime_policy::Policy;

use super::Space;
use crate::challenge::ChallengeError;
use crate::scheme::{ChallengeContext, Scheme};

/// The check of a policy at start.
impl Space {
    /// Returns the reasons why the space cannot serve `handler`, as messages: a scheme that the space
    /// does not accept, a policy that no accepted scheme can meet, or only schemes without a challenge,
    /// or a requirement that cannot be evaluated.
    pub fn obstacles(&self, policy: &Policy, handler: &str) -> Vec<String> {
        let names = policy.accepted_schemes().unwrap_or_default();
        let unknown = names.iter().filter(|name| !self.accepts(name));
        let unknown = unknown.map(|scheme| {
            format!(
                "`{handler}` names the scheme `{scheme}`, and the protection space accepts only `{}`",
                self.scheme_names().collect::<Vec<_>>().join("`, `"),
            )
        });
        unknown
            .chain(self.obstacles_with_schemes(policy, handler))
            .collect()
    }

    /// Returns the first reason why no caller can meet the policy, as a message. One accepted scheme
    /// suffices.
    pub(super) fn obstacle_for_all(&self, policy: &Policy, handler: &str) -> Option<String> {
        let names = policy.accepted_schemes();
        if names.is_none_or(|names| names.iter().any(|name| self.accepts(name))) {
            self.obstacles_with_schemes(policy, handler).next()
        } else {
            self.obstacles(policy, handler).into_iter().next()
        }
    }

    /// Returns the reasons that remain with the schemes that the space and the policy both accept.
    fn obstacles_with_schemes(
        &self,
        policy: &Policy,
        handler: &str,
    ) -> impl Iterator<Item = String> {
        let is_unbound = policy.requires_sender_constraint() && !self.can_constrain_senders(policy);
        let unbound = is_unbound.then(|| {
            format!(
                "`{handler}` requires `sender_constrained`, and the protection space has no scheme \
                 for it that binds credentials to a key, such as DPoP",
            )
        });
        let realm = self.refused_realm(policy).map(|(scheme, error)| {
            format!("the scheme `{scheme}` has no challenge for the realm of `{handler}`: {error}")
        });
        let unasked = self.cannot_ask_for(policy).then(|| {
            format!(
                "`{handler}` can be met only by schemes without a challenge, such as signed URLs, \
                 and is not hidden; add `hide_as = 404`, remove `hide_unless`, and require no \
                 `acr`, `amr` or `max_age`",
            )
        });
        let settings = policy.settings().into_iter();
        let settings = settings.filter(move |name| self.settings.get(name).is_none());
        let settings = settings.map(move |setting| {
            let given: Vec<_> = self.settings.iter().map(|(name, _)| name).collect();
            let given = if given.is_empty() {
                String::new()
            } else {
                format!(" (the space has `{}`)", given.join("`, `"))
            };
            format!(
                "`{handler}` requires `setting = {setting:?}`, and the protection space has no \
                 value for it; add `.setting({setting:?}, …)`{given}",
            )
        });
        let undecided = self.cannot_decide(policy).map(|atom| {
            let problem = match self.decided_types() {
                Some(types) => format!(
                    "the decision point of the protection space does not decide about this action \
                     on objects of this type{}",
                    listed(&types)
                ),
                None => {
                    "the protection space has no decision point; add one with `.decision_point(…)`"
                        .to_owned()
                }
            };
            format!("`{handler}` requires `{atom}`, and {problem}")
        });
        let offers = unbound.into_iter().chain(realm).chain(unasked);
        offers.chain(settings).chain(undecided)
    }

    /// Returns a scheme that has no valid challenge for the realm of `policy`, and the error.
    fn refused_realm(&self, policy: &Policy) -> Option<(&str, ChallengeError)> {
        let context = ChallengeContext {
            realm: Some(policy.own_realm()?),
            resource_metadata: self.resource_metadata(),
            scopes: &[],
            error: None,
        };
        let schemes = self.schemes.iter();
        let mut accepted = schemes.filter(|scheme| policy.accepts(&scheme.name));
        accepted.find_map(|accepted| {
            let scheme: &dyn Scheme = &*accepted.scheme;
            let mut asked = std::iter::once(scheme).chain(scheme.application());
            asked.find_map(|scheme| Some((scheme.name(), scheme.challenge(&context).err()?)))
        })
    }

    /// Returns whether `policy` can lead to a 401, but none of the schemes that can meet it has a challenge.
    fn cannot_ask_for(&self, policy: &Policy) -> bool {
        let schemes = self.schemes.iter();
        let mut accepted = schemes.filter(|scheme| policy.accepts(&scheme.name));
        accepted.any(|scheme| scheme.can_meet(policy))
            && !self.can_ask(policy)
            && policy.may_request_credentials()
    }
}

/// The maximum number of types of objects in a message.
const MAX_TYPES: usize = 10;

/// Returns the types that a decision point decides about, for the end of a message.
fn listed(types: &[&str]) -> String {
    if types.is_empty() {
        return String::new();
    }
    let more = match types.len().saturating_sub(MAX_TYPES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let first: Vec<_> = types.iter().take(MAX_TYPES).copied().collect();
    format!(" (it decides about `{}`{more})", first.join("`, `"))
}
