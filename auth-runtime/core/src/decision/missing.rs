//! The requirements that a denied caller does not meet.

use auth_runtime_policy::dnf::{AtomState, minimal_set};
use auth_runtime_policy::{Atom, Group, Policy};

use super::{Denial, Evaluator};
use crate::context::Context;

/// Returns the smallest set of atoms that the caller of a disclosed denial does not meet, and that would lead
/// to a grant: those that the denial asks for, if it asks for some.
pub(crate) fn missing(policy: &Policy, context: &Context<'_>, denial: &Denial) -> Vec<Atom> {
    let Some(requirement) = policy.requirement() else {
        return Vec::new();
    };
    let evaluator = Evaluator {
        requirement,
        context,
    };
    let never = |_: &Atom| false;
    let is_scope = |atom: &Atom| context.scope_of(atom).is_some();
    let is_fresh = |atom: &Atom| context.is_fresh(atom);
    let is_bound = |atom: &Atom| is_fresh(atom) || atom.group() == Group::Binding;
    let is_of_caller = |atom: &Atom| context.depends_on_login(atom);
    // As for the scopes of the denial.
    let is_assumed = |atom: &Atom| is_fresh(atom) || context.can_bind(atom);
    let found = match denial {
        Denial::StepUp { .. } => evaluator.lacks(&is_fresh, &never),
        Denial::SenderConstraintRequired => evaluator.lacks(&is_bound, &never),
        Denial::InsufficientScope { .. } => evaluator.lacks(&is_scope, &is_assumed),
        Denial::Unauthenticated { .. } => {
            let is_login = |atom: &Atom| is_assumed(atom) || *atom == Atom::Authenticated;
            let by_scopes = evaluator.lacks(&is_scope, &is_login);
            if by_scopes.is_empty() {
                evaluator.lacks(&is_of_caller, &never)
            } else {
                by_scopes
            }
        }
        Denial::Forbidden { .. } => {
            let of_caller = evaluator.lacks(&is_of_caller, &never);
            if of_caller.is_empty() {
                evaluator.lacks(&|_| true, &never)
            } else {
                of_caller
            }
        }
        Denial::InvalidRequest | Denial::NotFound | Denial::Unverifiable { .. } => Vec::new(),
    };
    found.into_iter().cloned().collect()
}

impl Evaluator<'_, '_> {
    /// The smallest set of `wanted` atoms that makes the requirement true, without those that hold. The atoms
    /// that `assumed` accepts count as true. Empty if there is none.
    fn lacks(&self, wanted: &dyn Fn(&Atom) -> bool, assumed: &dyn Fn(&Atom) -> bool) -> Vec<&Atom> {
        let set = minimal_set(
            self.requirement,
            &|atom| match (wanted(atom), self.holds(atom)) {
                (true, true) => AtomState::Held,
                (true, false) => AtomState::Missing,
                (false, true) => AtomState::True,
                (false, false) if assumed(atom) => AtomState::True,
                (false, false) => AtomState::False,
            },
        );
        let mut set = set.unwrap_or_default();
        set.retain(|atom| !self.holds(atom));
        set
    }
}
