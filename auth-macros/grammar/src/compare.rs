//! What came of a policy between two versions of it: who may call now that could not before, and the
//! other way round.
//!
//! Decided by what the policies mean, not by how they are written: with the names that a vocabulary
//! implies, the networks that it declares, and the policies of the modules around.
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

/// How those whom something holds for came out of those whom it held for before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// They are the same.
    Same,
    /// They are all of them, and others.
    Loosened,
    /// They are some of them, and no others.
    Tightened,
    /// Some were lost, and others gained; or nobody can tell, since there are too many ways to meet
    /// the policies.
    Changed,
}

/// What is different between two policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Who may call.
    pub callers: Change,
    /// Who is told of a denial, where `hide_as` tells others that there is nothing.
    pub told: Change,
    /// What else is said in another way, in this order.
    pub others: Vec<Aspect>,
}

/// What a policy says besides who may call and who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// The schemes that are offered, or their order.
    Schemes,
    /// The realm of the challenges.
    Realm,
    /// Why everybody may call, or why the policy of a module does not hold.
    Reason,
}

/// What came of a policy, in the order in which it should be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// More may call, or are told.
    Loosened,
    /// There was none.
    Added,
    /// Others may call, or are told; or that could not be decided.
    Changed,
    /// It holds for something else.
    Moved,
    /// Fewer may call, or are told.
    Tightened,
    /// There is none any more.
    Removed,
    /// The same may call, and are told, but something else changed.
    Restated,
}

/// A policy that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The name that it has in both tables.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
    /// What is different, if it was there before and still is.
    pub comparison: Option<Comparison>,
}

/// Compares two tables of policies: what was loosened stands first, and what stayed the same is left
/// out.
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

/// Compares two versions of a policy, each looked up in the vocabulary of its time.
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
    /// Who may call, and who is told, taken together. What is gained in the one is not made up for by what
    /// is lost in the other.
    pub fn change(&self) -> Change {
        match (self.callers, self.told) {
            (Change::Loosened, _) | (_, Change::Loosened) => Change::Loosened,
            (one, Change::Same) | (Change::Same, one) => one,
            (one, other) if one == other => one,
            _ => Change::Changed,
        }
    }

    /// The differences in words; none if it is the same policy.
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

    /// What came of the policy; `None` if it is what it was.
    pub fn verdict(&self) -> Option<Verdict> {
        match self.change() {
            Change::Loosened => Some(Verdict::Loosened),
            Change::Changed => Some(Verdict::Changed),
            Change::Tightened => Some(Verdict::Tightened),
            Change::Same => (!self.others.is_empty()).then_some(Verdict::Restated),
        }
    }
}

/// What a policy comes to: module policies and vocabulary are part of it.
struct Meaning {
    callers: Requirement,
    told: Requirement,
    /// `None` for all of them.
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

/// The requirement with every name that a vocabulary implies: what implies a name may differ between
/// two versions, though the name is the same.
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

/// Whom a requirement is met by, with credentials of some schemes.
type Callers = (Requirement, Option<Vec<String>>);

fn change(before: &Callers, after: &Callers) -> Change {
    // However many ways there are to meet it.
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

/// Whether all callers of the one are callers of the other; `None` if nobody can tell.
fn is_within(one: &Callers, other: &Callers) -> Option<bool> {
    let (requirement, schemes) = one;
    let (wider, wider_schemes) = other;
    let loses_scheme = match (schemes, wider_schemes) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(schemes), Some(wider)) => schemes.iter().any(|scheme| !wider.contains(scheme)),
    };
    if loses_scheme {
        // Whose scheme is accepted no longer is a stranger.
        is_enough(requirement, &by_strangers(wider))
    } else {
        is_enough(requirement, wider)
    }
}

/// As much of a requirement as somebody who is not known can meet.
fn by_strangers(requirement: &Requirement) -> Requirement {
    let list = |parts: &[Requirement]| parts.iter().map(by_strangers).collect();
    match &requirement.kind {
        Kind::All(parts) => with_kind(Kind::All(list(parts))),
        Kind::Any(parts) => with_kind(Kind::Any(list(parts))),
        Kind::Network(_) => requirement.clone(),
        _ => nobody(),
    }
}
