//! The decisions of a policy that a request can lead to.

use auth_runtime_core::{Context, Decision, ObjectDecision};
use auth_runtime_policy::{Atom, Policy, Requirement};

/// The context class of a login that the decision point may request: the matrix does not know which.
pub(super) const ANY_LOGIN: &str = "any-login";

/// The maximum number of combinations of results that are compared. Each further check can double them.
pub(super) const MAX_RESULTS: usize = 1024;

/// Returns the decisions of a policy for every result of its checks, and for every decision of a decision point. Of the
/// requests for a login, one is combined with the other results, and all are combined with each other. A failed check
/// is not one of the results: it is a difference. `None` if there are too many.
pub(super) fn decisions_of(policy: &Policy, context: &Context<'_>) -> Option<Vec<Decision>> {
    let mut decisions = Vec::new();
    let mut results = 0;
    let login = ObjectDecision::deny_until_login([ANY_LOGIN]);
    let requirements = policy.requirement().into_iter().chain(policy.shown_to());
    let objects = requirements
        .flat_map(Requirement::atoms)
        .filter(|atom| matches!(atom, Atom::Can { .. }));
    let with_logins = objects.fold(context.clone(), |context, atom| {
        context.decided(atom.clone(), &login)
    });
    let mut open = vec![(with_logins, true), (context.clone(), false)];
    while let Some((context, has_login)) = open.pop() {
        match Decision::of(policy, &context) {
            Decision::Undecided(atom) => {
                if matches!(atom, Atom::Can { .. }) && !has_login {
                    open.push((context.clone().decided(atom.clone(), &login), true));
                }
                for result in [false, true] {
                    let answered = context.clone().answered(atom.clone(), Some(result));
                    open.push((answered, has_login));
                }
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
    use std::collections::BTreeSet;

    use auth_runtime_core::{Caller, Identity};
    use auth_runtime_policy::ObjectSource;

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

    #[test]
    fn policies_of_many_objects_are_compared() {
        let can = |index: usize| Atom::Can {
            action: format!("a{index}").into(),
            on: ObjectSource::Service,
        };
        let ann = Caller::known(Identity::new("ann"));
        for objects in [1, 2, 10, 30] {
            let parts = || (0..objects).map(can).map(Requirement::Atom);
            for requirement in [Requirement::any(parts()), Requirement::all(parts())] {
                let policy = Policy::requires(requirement);
                let decisions = decisions_of(&policy, &Context::new(&ann));
                let statuses: BTreeSet<_> = decisions
                    .expect("few results")
                    .iter()
                    .map(|decision| match decision {
                        Decision::Deny(denial) => denial.status().as_u16(),
                        _ => 200,
                    })
                    .collect();
                assert_eq!(statuses, BTreeSet::from([200, 401, 403]), "{objects}");
            }
        }
    }
}
