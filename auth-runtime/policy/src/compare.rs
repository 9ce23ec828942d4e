//! The difference between two versions of a policy: callers that are newly allowed, and callers
//! that are newly denied.
//!
//! The comparison uses the meaning of the policies, not their text.
//!
//! ```
//! use auth_runtime_policy::compare::{Change, compare};
//! use auth_runtime_policy::{Policy, Requirement};
//!
//! let [admin, users, auditor] = [
//!     Requirement::role("admin"),
//!     Requirement::scope("users"),
//!     Requirement::role("auditor"),
//! ];
//! let before = Policy::requires(Requirement::all([admin.clone(), users.clone()]));
//! let after = Policy::requires(Requirement::all([Requirement::any([users, auditor]), admin]));
//! assert_eq!(compare(&before, &after).change(), Change::Loosened);
//! ```

use std::borrow::Cow;

use crate::entailment::entails;
use crate::policy::{Access, Disclosure, Policy};
use crate::requirement::{Atom, Requirement};

/// The change of a set of callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The sets are equal.
    Same,
    /// The new set contains all of the old callers, and others. If the new policy has too many alternatives to
    /// compare, there may be no others.
    Loosened,
    /// The new set contains some of the old callers, and no others. If the old policy has too many alternatives to
    /// compare, it may contain all of them.
    Tightened,
    /// The new set lacks some of the old callers, and contains others. Also used if the policies have too
    /// many alternatives to compare.
    Changed,
}

/// The differences between two policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The allowed callers.
    pub callers: Change,
    /// The callers to which denials are disclosed, where `hide_as` conceals them from others.
    pub disclosure: Change,
    /// The other aspects that differ, in this order.
    pub others: Vec<Aspect>,
}

/// An aspect of a policy besides its callers and its disclosure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// The schemes that are offered, or their order.
    Schemes,
    /// The realm of the challenges.
    Realm,
    /// The text of denials.
    Text,
    /// The reason of a public handler, or of a loosened policy.
    Reason,
    /// Whether a public handler identifies known callers.
    Identity,
}

/// The effect of a change, in the order in which changes should be reviewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Impact {
    /// More callers are allowed, or see denials.
    Loosened,
    /// The policy is new.
    Added,
    /// Other callers are allowed, or see denials; or the comparison could not be decided.
    Changed,
    /// The policy applies to another item.
    Moved,
    /// Fewer callers are allowed, or see denials.
    Tightened,
    /// The policy was removed.
    Removed,
    /// The callers and the disclosure are the same; another aspect changed.
    Restated,
}

/// Compares two versions of a policy.
pub fn compare(before: &Policy, after: &Policy) -> Comparison {
    let differing = [
        (
            Aspect::Schemes,
            !are_same_schemes(before.accepted_schemes(), after.accepted_schemes()),
        ),
        (Aspect::Realm, before.own_realm() != after.own_realm()),
        (Aspect::Text, before.denial_text() != after.denial_text()),
        (Aspect::Reason, reason(before) != reason(after)),
        (
            Aspect::Identity,
            before.has_optional_identity() != after.has_optional_identity(),
        ),
    ];
    let others = differing.into_iter().filter(|(_, differs)| *differs);
    Comparison {
        callers: change(&Callers::allowed(before), &Callers::allowed(after)),
        disclosure: change(&Callers::informed(before), &Callers::informed(after)),
        others: others.map(|(aspect, _)| aspect).collect(),
    }
}

fn reason(policy: &Policy) -> Option<&str> {
    policy.public_reason().or(policy.loosened_reason())
}

impl Comparison {
    /// Returns the change of the callers and of the disclosure together. A gain in one does not
    /// cancel a loss in the other.
    pub fn change(&self) -> Change {
        match (self.callers, self.disclosure) {
            (Change::Loosened, _) | (_, Change::Loosened) => Change::Loosened,
            (one, Change::Same) | (Change::Same, one) => one,
            (one, other) if one == other => one,
            _ => Change::Changed,
        }
    }

    /// Returns the differences in words; empty if the policies are the same.
    pub fn reasons(&self) -> Vec<&'static str> {
        let callers = match self.callers {
            Change::Same => None,
            Change::Loosened => Some("more callers are allowed"),
            Change::Tightened => Some("fewer callers are allowed"),
            Change::Changed => Some("other callers are allowed"),
        };
        let disclosure = match self.disclosure {
            Change::Same => None,
            Change::Loosened => Some("more callers learn that the route exists"),
            Change::Tightened => Some("fewer callers learn that the route exists"),
            Change::Changed => Some("other callers learn that the route exists"),
        };
        let others = self.others.iter().map(|aspect| match aspect {
            Aspect::Schemes => "other schemes are offered",
            Aspect::Realm => "the realm differs",
            Aspect::Text => "the text of denials differs",
            Aspect::Reason => "the reason differs",
            Aspect::Identity => "the optional identity was added or removed",
        });
        callers
            .into_iter()
            .chain(disclosure)
            .chain(others)
            .collect()
    }

    /// Returns the effect; `None` if the policy did not change.
    pub fn impact(&self) -> Option<Impact> {
        match self.change() {
            Change::Loosened => Some(Impact::Loosened),
            Change::Changed => Some(Impact::Changed),
            Change::Tightened => Some(Impact::Tightened),
            Change::Same => (!self.others.is_empty()).then_some(Impact::Restated),
        }
    }
}

/// The callers that meet a requirement with credentials of certain schemes; `None` for all schemes.
#[derive(PartialEq)]
struct Callers<'p> {
    requirement: Cow<'p, Requirement>,
    schemes: Option<&'p [Cow<'static, str>]>,
}

impl<'p> Callers<'p> {
    /// The callers that a policy allows.
    fn allowed(policy: &'p Policy) -> Self {
        Self {
            requirement: match policy.access() {
                Access::Public { .. } => Cow::Owned(Requirement::always()),
                Access::Requires(requirement) => Cow::Borrowed(requirement),
            },
            schemes: policy.accepted_schemes(),
        }
    }

    /// The callers to which the denials of a policy are disclosed.
    fn informed(policy: &'p Policy) -> Self {
        Self {
            requirement: match policy.disclosure() {
                Disclosure::Shown => Cow::Owned(Requirement::always()),
                Disclosure::Hidden(None) => Cow::Owned(Requirement::never()),
                Disclosure::Hidden(Some(lesser)) => Cow::Borrowed(lesser),
            },
            schemes: policy.accepted_schemes(),
        }
    }

    /// Returns whether all of them are among the others; `None` if that cannot be decided.
    fn are_among(&self, others: &Self) -> Option<bool> {
        let loses_scheme = match (self.schemes, others.schemes) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(own), Some(others)) => !own.iter().all(|scheme| {
                let mut others = others.iter();
                others.any(|other| other.eq_ignore_ascii_case(scheme))
            }),
        };
        if loses_scheme {
            // A caller whose scheme is not accepted is anonymous.
            entails(&self.requirement, &by_anonymous(&others.requirement))
        } else {
            entails(&self.requirement, &others.requirement)
        }
    }
}

/// Returns whether two policies accept the same schemes: their names are case-insensitive (RFC 9110 §11.1).
fn are_same_schemes(
    one: Option<&[Cow<'static, str>]>,
    other: Option<&[Cow<'static, str>]>,
) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| one.eq_ignore_ascii_case(other))
        }
        (one, other) => one == other,
    }
}

fn change(before: &Callers<'_>, after: &Callers<'_>) -> Change {
    // Equal however many alternatives the requirement has.
    if before == after {
        return Change::Same;
    }
    match (before.are_among(after), after.are_among(before)) {
        (Some(true), Some(true)) => Change::Same,
        (Some(true), _) => Change::Loosened,
        (_, Some(true)) => Change::Tightened,
        _ => Change::Changed,
    }
}

/// Reduces a requirement to the part that an anonymous caller can meet.
fn by_anonymous(requirement: &Requirement) -> Requirement {
    requirement.map(&|atom| match atom {
        Atom::Network(_) | Atom::Setting(_) => Requirement::Atom(atom.clone()),
        _ => Requirement::never(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::test_cases::{self, holds};

    /// The callers that a truth table allows: a scheme, and the atoms that the caller meets. A
    /// caller of a scheme that is not accepted is anonymous.
    fn callers(
        requirement: &Requirement,
        policy: &Policy,
        atoms: &[Atom],
    ) -> BTreeSet<(&'static str, u32)> {
        let mut callers = BTreeSet::new();
        for scheme in ["Basic", "Bearer", "DPoP"] {
            for held in 0..1 << atoms.len() {
                let seen = if policy.accepts(scheme) { held } else { 0 };
                if holds(requirement, seen, atoms) {
                    callers.insert((scheme, held));
                }
            }
        }
        callers
    }

    fn change_of<T: Ord>(before: &BTreeSet<T>, after: &BTreeSet<T>) -> Change {
        match (before.is_subset(after), after.is_subset(before)) {
            (true, true) => Change::Same,
            (true, false) => Change::Loosened,
            (false, true) => Change::Tightened,
            (false, false) => Change::Changed,
        }
    }

    #[test]
    fn changes_count_for_both_setting_values() {
        let [open, pull, push] = [
            Requirement::setting("open"),
            Requirement::scope("pull"),
            Requirement::scope("push"),
        ];
        let either = Requirement::any([open.clone(), pull.clone()]);
        let both = Requirement::all([open.clone(), pull.clone()]);
        for (before, after, expected) in [
            (&pull, &either, Change::Loosened),
            (&either, &pull, Change::Tightened),
            (&pull, &both, Change::Tightened),
            (&open, &either, Change::Loosened),
            (
                &either,
                &Requirement::any([open.clone(), push.clone()]),
                Change::Changed,
            ),
            (&open, &pull, Change::Changed),
            (&open, &Requirement::setting("other"), Change::Changed),
        ] {
            let [before, after] = [before, after].map(|it| Policy::requires(it.clone()));
            assert_eq!(
                compare(&before, &after).callers,
                expected,
                "{before} {after}"
            );
        }
        // Without its scheme, a caller is anonymous, and the setting still allows it.
        let [before, after] = [&open, &either].map(|it| Policy::requires(it.clone()));
        let after = after.schemes(["Basic"]);
        assert_eq!(compare(&before, &after).callers, Change::Loosened);
    }

    #[test]
    fn changes_are_those_of_truth_table() {
        let atoms = test_cases::grants();
        let requirements = test_cases::requirements(&atoms);
        let schemes: [Option<&[&'static str]>; 4] = [
            None,
            Some(&["Basic"]),
            Some(&["Basic", "Bearer"]),
            Some(&["DPoP"]),
        ];
        let mut policies = Vec::new();
        for (index, requirement) in requirements.iter().step_by(7).enumerate() {
            let policy = Policy::requires(requirement.clone());
            let policy = match index % 4 {
                0 => policy.hide_as_not_found(),
                1 => policy,
                _ => {
                    let lesser = requirements.get(index * 5 % requirements.len());
                    policy.hide_unless(lesser.expect("a requirement").clone())
                }
            };
            policies.push(match schemes.get(index % 5).copied().flatten() {
                Some(names) => policy.schemes(names.iter().copied()),
                None => policy,
            });
        }
        policies.push(Policy::public("for tests"));
        let everybody = Requirement::always();
        let nobody = Requirement::never();
        let sets = policies.iter().map(|policy| {
            let allowed = policy.requirement().unwrap_or(&everybody);
            let informed = match policy.disclosure() {
                Disclosure::Shown => &everybody,
                Disclosure::Hidden(lesser) => lesser.as_ref().unwrap_or(&nobody),
            };
            [allowed, informed].map(|requirement| callers(requirement, policy, &atoms))
        });
        let sets: Vec<_> = sets.collect();
        for (before, [allowed_before, informed_before]) in policies.iter().zip(&sets) {
            for (after, [allowed_after, informed_after]) in policies.iter().zip(&sets) {
                let comparison = compare(before, after);
                let expected = change_of(allowed_before, allowed_after);
                assert_eq!(comparison.callers, expected, "{before} {after}");
                let expected = change_of(informed_before, informed_after);
                assert_eq!(comparison.disclosure, expected, "{before} {after}");
            }
        }
    }
}
