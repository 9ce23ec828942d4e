//! The decisions of a policy that a request can lead to.

use auth_runtime_core::{Context, Decision, ObjectDecision};
use auth_runtime_policy::{Atom, Policy};

/// The context class of a login that the decision point may request: the matrix does not know which.
pub(super) const ANY_LOGIN: &str = "any-login";

/// The maximum number of combinations of results that are compared. Each further check can double them.
pub(super) const MAX_RESULTS: usize = 1024;

/// Returns the decisions of a policy for every result of its checks, and for every decision of a decision point. A
/// failed check is not one of them: it is a difference. `None` if there are too many.
pub(super) fn decisions_of(policy: &Policy, context: &Context<'_>) -> Option<Vec<Decision>> {
    let mut decisions = Vec::new();
    let mut results = 0;
    let mut open = vec![context.clone()];
    while let Some(context) = open.pop() {
        match Decision::of(policy, &context) {
            Decision::Undecided(atom) => {
                if matches!(atom, Atom::Can { .. }) {
                    let denied = ObjectDecision::deny_until_login([ANY_LOGIN]);
                    open.push(context.clone().decided(atom.clone(), &denied));
                }
                let answers = [false, true].map(Some);
                open.extend(answers.map(|answer| context.clone().answered(atom.clone(), answer)));
                continue;
            }
            decision if decisions.contains(&decision) => {}
            decision => decisions.push(decision),
        }
        results += 1;
        if results > MAX_RESULTS {
            return None;
        }
    }
    Some(decisions)
}

#[cfg(test)]
mod tests {
    use auth_runtime_core::{Caller, Identity};
    use auth_runtime_policy::Requirement;

    use super::*;

    /// Each alternative doubles the combinations.
    #[test]
    fn combinations_of_results_are_bounded() {
        let policy_of = |alternatives: usize| {
            let pair = |index: usize| {
                let check = |name: &str| Atom::Check(format!("{name}{index}").into());
                Requirement::all(["first", "second"].map(check).map(Requirement::Atom))
            };
            Policy::requires(Requirement::any((0..alternatives).map(pair)))
        };
        let ann = Caller::known(Identity::new("ann"));
        let context = Context::new(&ann);
        let few = decisions_of(&policy_of(5), &context).map(|decisions| decisions.len());
        assert_eq!(few, Some(2));
        assert_eq!(decisions_of(&policy_of(40), &context), None);
    }
}
