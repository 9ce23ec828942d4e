//! The difference between two versions of a policy: callers that are newly allowed, and callers
//! that are newly denied.
//!
//! The comparison uses the meaning of the policies, not their text. It includes implied names, the
//! networks of the vocabulary, and the policies of the enclosing modules.
//!
//! ```
//! use auth_grammar::compare::{Change, compare};
//! use auth_grammar::errors::Errors;
//! use auth_grammar::requirement::Policy;
//!
//! let read = |arguments: &str| {
//!     let arguments = arguments.parse().unwrap();
//!     let requires = auth_grammar::requires(arguments, None, &mut Errors::default());
//!     Policy::Requires(Box::new(requires))
//! };
//! let before = read(r#"role = "admin", scope = "users""#);
//! let after = read(r#"any(scope = "users", role = "auditor"), role = "admin""#);
//! assert_eq!(compare(&before, &after).change(), Change::Loosened);
//! ```

use std::collections::BTreeMap;

use crate::check::{all_of, is_enough};
use crate::requirement::{Kind, Name, Policy, Requirement, Requires};

/// The change of a set of callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The sets are equal.
    Same,
    /// The new set contains all of the old callers, and others.
    Loosened,
    /// The new set contains some of the old callers, and no others.
    Tightened,
    /// Some callers were lost, and others gained. Also used if the policies can be met in too many
    /// ways to tell.
    Changed,
}

/// The differences between two policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The allowed callers.
    pub callers: Change,
    /// The callers that see a denial, where `hide_as` conceals it from others.
    pub told: Change,
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
    /// The reason of a public handler, or of a loosened policy.
    Reason,
}

/// The outcome for a policy, in the order in which outcomes should be reviewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
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

/// A policy that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The name in both tables.
    pub name: String,
    /// The outcome.
    pub verdict: Verdict,
    /// The differences, if the policy exists in both tables.
    pub comparison: Option<Comparison>,
}

/// Compares two tables of policies. Loosened policies come first; unchanged policies are omitted.
pub fn tables(
    before: &BTreeMap<String, Policy>,
    after: &BTreeMap<String, Policy>,
) -> Vec<Difference> {
    let added = after.keys().filter(|name| !before.contains_key(*name));
    let added = added.map(|name| Difference {
        name: name.clone(),
        verdict: Verdict::Added,
        comparison: None,
    });
    let mut differences: Vec<_> = added.collect();
    for (name, before) in before {
        let comparison = after.get(name).map(|after| compare(before, after));
        let verdict = match &comparison {
            None => Some(Verdict::Removed),
            Some(comparison) => comparison.verdict(),
        };
        differences.extend(verdict.map(|verdict| Difference {
            name: name.clone(),
            verdict,
            comparison,
        }));
    }
    differences.sort_by(|one, other| (one.verdict, &one.name).cmp(&(other.verdict, &other.name)));
    differences
}

/// Compares two versions of a policy, each resolved in the vocabulary of its time.
pub fn compare(before: &Policy, after: &Policy) -> Comparison {
    let [before, after] = [before, after].map(Meaning::of);
    let mut others = Vec::new();
    if before.schemes != after.schemes {
        others.push(Aspect::Schemes);
    }
    if before.realm != after.realm {
        others.push(Aspect::Realm);
    }
    if before.reason != after.reason {
        others.push(Aspect::Reason);
    }
    let callers = |meaning: &Meaning| (meaning.callers.clone(), meaning.schemes.clone());
    let told = |meaning: &Meaning| (meaning.told.clone(), meaning.schemes.clone());
    Comparison {
        callers: change(&callers(&before), &callers(&after)),
        told: change(&told(&before), &told(&after)),
        others,
    }
}

impl Comparison {
    /// Returns the change of the callers and of the disclosure together. A gain in one does not
    /// cancel a loss in the other.
    pub fn change(&self) -> Change {
        match (self.callers, self.told) {
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
            Change::Loosened => Some("more may call"),
            Change::Tightened => Some("fewer may call"),
            Change::Changed => Some("others may call"),
        };
        let told = match self.told {
            Change::Same => None,
            Change::Loosened => Some("more are told that it is there"),
            Change::Tightened => Some("fewer are told that it is there"),
            Change::Changed => Some("others are told that it is there"),
        };
        let others = self.others.iter().map(|aspect| match aspect {
            Aspect::Schemes => "other schemes are offered",
            Aspect::Realm => "the realm is another one",
            Aspect::Reason => "the reason is another one",
        });
        callers.into_iter().chain(told).chain(others).collect()
    }

    /// Returns the outcome; `None` if the policy did not change.
    pub fn verdict(&self) -> Option<Verdict> {
        match self.change() {
            Change::Loosened => Some(Verdict::Loosened),
            Change::Changed => Some(Verdict::Changed),
            Change::Tightened => Some(Verdict::Tightened),
            Change::Same => (!self.others.is_empty()).then_some(Verdict::Restated),
        }
    }
}

/// The meaning of a policy, with the module policies and the vocabulary.
struct Meaning {
    callers: Requirement,
    told: Requirement,
    /// `None` for all schemes.
    schemes: Option<Vec<String>>,
    realm: Option<String>,
    reason: Option<String>,
}

impl Meaning {
    fn of(policy: &Policy) -> Self {
        match policy {
            Policy::Public(public) => Self {
                callers: everybody(),
                told: everybody(),
                schemes: None,
                realm: None,
                reason: Some(public.reason.clone()),
            },
            Policy::Requires(requires) => Self::of_requires(requires),
        }
    }

    fn of_requires(requires: &Requires) -> Self {
        let reason = requires.loosen.as_ref().map(|reason| reason.text.clone());
        let requires = requires.clone().with_modules();
        let told = match (requires.hide_as, requires.hide_unless) {
            (None, _) => everybody(),
            (Some(_), None) => nobody(),
            (Some(_), Some(hide_unless)) => spelled_out(&hide_unless.lesser),
        };
        let schemes = requires.schemes;
        Self {
            callers: spelled_out(&all_of(requires.requirements)),
            told,
            schemes: schemes.map(|names| names.into_iter().map(|name| name.text).collect()),
            realm: requires.realm.map(|realm| realm.text),
            reason,
        }
    }
}

fn everybody() -> Requirement {
    all_of(Vec::new())
}

fn nobody() -> Requirement {
    with_kind(Kind::Any(Vec::new()))
}

fn with_kind(kind: Kind) -> Requirement {
    Requirement {
        kind,
        ..everybody()
    }
}

/// Returns the requirement with every name that implies one of its names. The implying names may
/// differ between two versions though the name is the same.
fn spelled_out(requirement: &Requirement) -> Requirement {
    let list = |parts: &[Requirement]| parts.iter().map(spelled_out).collect();
    with_kind(match &requirement.kind {
        Kind::All(parts) => Kind::All(list(parts)),
        Kind::Any(parts) => Kind::Any(list(parts)),
        Kind::Named(namespace, name) if !name.broader.is_empty() => {
            let names = std::iter::once(&name.text).chain(&name.broader);
            let alone = names.map(|text| {
                let name = Name {
                    text: text.clone(),
                    span: name.span,
                    broader: Vec::new(),
                };
                with_kind(Kind::Named(*namespace, name))
            });
            Kind::Any(alone.collect())
        }
        single => single.clone(),
    })
}

/// The callers that meet a requirement with credentials of certain schemes.
type Callers = (Requirement, Option<Vec<String>>);

fn change(before: &Callers, after: &Callers) -> Change {
    // Equal however many ways there are to meet the requirement.
    if before == after {
        return Change::Same;
    }
    match (is_within(before, after), is_within(after, before)) {
        (Some(true), Some(true)) => Change::Same,
        (Some(true), Some(false)) => Change::Loosened,
        (Some(false), Some(true)) => Change::Tightened,
        _ => Change::Changed,
    }
}

/// Returns whether all callers of the one are callers of the other; `None` if that cannot be
/// decided.
fn is_within(one: &Callers, other: &Callers) -> Option<bool> {
    let (requirement, schemes) = one;
    let (wider, wider_schemes) = other;
    let loses_scheme = match (schemes, wider_schemes) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(schemes), Some(wider)) => schemes.iter().any(|scheme| !wider.contains(scheme)),
    };
    if loses_scheme {
        // A caller whose scheme is no longer accepted is anonymous.
        is_enough(requirement, &by_strangers(wider))
    } else {
        is_enough(requirement, wider)
    }
}

/// Reduces a requirement to the part that an anonymous caller can meet.
fn by_strangers(requirement: &Requirement) -> Requirement {
    let list = |parts: &[Requirement]| parts.iter().map(by_strangers).collect();
    match &requirement.kind {
        Kind::All(parts) => with_kind(Kind::All(list(parts))),
        Kind::Any(parts) => with_kind(Kind::Any(list(parts))),
        Kind::Network(_) => requirement.clone(),
        _ => nobody(),
    }
}
