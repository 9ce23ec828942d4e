//! Policy × facts → decision.
//!
//! The rules, in the order in which they are tried:
//!
//! 1. The requirement is true: grant, whoever calls. A public handler asks for nothing.
//! 2. The caller is anonymous or was rejected: what is unknown might become true with (other)
//!    credentials, so 401; what is false stays false, so 403.
//! 3. The caller is known, and the requirement is not true. The first that helps is told:
//!    - logging in again, or more strongly: 401 `insufficient_user_authentication` (RFC 9470);
//!    - credentials that are bound to a key: 401, challenging with the schemes that do that, if there
//!      are any;
//!    - more scopes, if the caller used an OAuth scheme: 403 `insufficient_scope` (RFC 6750 §3.1);
//!    - nothing: 403.
//! 4. Nobody can say who the caller is: unknown is 503, false is 403. Never 401, since a client
//!    that is told 401 throws its good token away. The same if a check failed.
//! 5. A request that carries credentials of accepted schemes in a broken way is 400, before any of the
//!    above.
//!
//! A hidden policy keeps all of this from callers who do not meet its lesser requirement, but for
//! logging in again: whoever is told that would be let in.

use std::collections::BTreeSet;
use std::time::Duration;

use http::StatusCode;

use crate::caller::{Caller, Rejection};
use crate::check::Check;
use crate::facts::Facts;
use crate::policy::Policy;
use crate::requirement::{Atom, Group, Requirement};
use crate::truth::Truth;
use crate::ways::{Ask, smallest_way, ways};

/// Whether a request goes on to its handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It does.
    Grant,
    /// It does not, and this is what the caller is told.
    Deny(Denial),
    /// It does not, and the caller is told what a path that was never there would tell.
    Hide,
    /// It depends on what this check says: ask it, add the answer to the [`Facts`], decide again.
    Undecided(Check),
}

/// What a caller who is not let in is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Denial {
    /// 400: the request carries credentials in a way that no scheme allows (rule 5).
    BrokenRequest,
    /// 401: credentials are missing, or were rejected (rule 2).
    Unauthenticated {
        /// Why the credentials that were sent are no good; `None` if none were sent.
        rejection: Option<Rejection>,
        /// The scopes to ask for, where scopes are what it takes.
        scopes: Vec<&'static str>,
    },
    /// 401: a known caller has to log in again, or more strongly (rule 3, RFC 9470).
    StepUp {
        /// The authentication context classes that would do, best first.
        acr_values: Vec<&'static str>,
        /// How long ago the login may be.
        max_age: Option<Duration>,
    },
    /// 401: a known caller's credentials are not bound to a key, and would have to be (rule 3).
    UnboundCredentials,
    /// 403: a known OAuth caller lacks scopes (rule 3).
    InsufficientScope {
        /// The smallest set of scopes that would do, with those that the caller already has.
        scopes: Vec<&'static str>,
    },
    /// 403: this caller may not, and no credentials of this caller's would help (rules 2 and 3).
    Forbidden,
    /// 404: there is nothing here, or so it is told.
    NotFound,
    /// 503: what verifies the credentials, or a check, is out of order (rule 4).
    Unverifiable {
        /// When to try again.
        retry_after: Option<Duration>,
    },
}

impl Denial {
    /// The status that the denial is answered with.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BrokenRequest => StatusCode::BAD_REQUEST,
            Self::Unauthenticated { .. } | Self::StepUp { .. } | Self::UnboundCredentials => {
                StatusCode::UNAUTHORIZED
            }
            Self::InsufficientScope { .. } | Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Unverifiable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl Policy {
    /// Decides by the rules at the head of this module's source and of the crate's manual.
    ///
    /// ```
    /// use auth_runtime::{Caller, Decision, Denial, Facts, Identity, Policy, Requirement};
    ///
    /// let policy = Policy::requires(Requirement::scope("admin"));
    /// let admin = Caller::known(Identity::new("ann").with_scopes(["admin"]));
    /// let user = Caller::known(Identity::new("bob"));
    ///
    /// assert_eq!(policy.decide(&Facts::new(&admin)), Decision::Grant);
    /// assert_eq!(policy.decide(&Facts::new(&user)), Decision::Deny(Denial::Forbidden));
    /// assert_eq!(
    ///     policy.decide(&Facts::new(&user).by_oauth()),
    ///     Decision::Deny(Denial::InsufficientScope { scopes: vec!["admin"] }),
    /// );
    /// ```
    pub fn decide(&self, facts: &Facts<'_>) -> Decision {
        let decision = match self.requirement() {
            Some(requirement) => self.decide_requirement(&Question { requirement, facts }),
            None => Ok(Decision::Grant),
        };
        decision.unwrap_or_else(Decision::Undecided)
    }

    fn decide_requirement(&self, question: &Question<'_>) -> Result<Decision, Check> {
        let decision = match question.facts.caller {
            Caller::Known(_) => self.decide_known(question)?,
            _ => return self.decide_unknown(question),
        };
        match &decision {
            Decision::Deny(Denial::StepUp { .. }) => Ok(decision),
            Decision::Deny(_) if self.is_kept_from(question.facts)? => Ok(Decision::Hide),
            _ => Ok(decision),
        }
    }

    /// Rules 2 and 4.
    fn decide_unknown(&self, question: &Question<'_>) -> Result<Decision, Check> {
        let truth = question.evaluate()?;
        if truth == Truth::True {
            return Ok(Decision::Grant);
        }
        // What to ask for is not worth finding out where nothing is asked for.
        if self.is_kept_from(question.facts)? {
            return Ok(Decision::Hide);
        }
        Ok(Decision::Deny(question.deny_unknown(truth)))
    }

    /// Rule 3.
    fn decide_known(&self, question: &Question<'_>) -> Result<Decision, Check> {
        match question.evaluate()? {
            Truth::True => return Ok(Decision::Grant),
            // Only a check that failed leaves anything unknown of a known caller.
            Truth::Unknown => {
                return Ok(Decision::Deny(Denial::Unverifiable { retry_after: None }));
            }
            Truth::False => {}
        }
        let is_fresh = |atom: Atom| atom.group() == Group::Freshness;
        if self.asks_about(Group::Freshness)
            && question.evaluate_granting(&is_fresh)? == Truth::True
        {
            return Ok(Decision::Deny(question.step_up()));
        }
        // Which of the denials below it would be is not worth asking where none is shown.
        if self.is_kept_from(question.facts)? {
            return Ok(Decision::Hide);
        }
        let is_bound = |atom: Atom| is_fresh(atom) || question.facts.can_bind(atom);
        if self.asks_about(Group::Binding) && question.evaluate_granting(&is_bound)? == Truth::True
        {
            return Ok(Decision::Deny(Denial::UnboundCredentials));
        }
        let is_granted = |atom: Atom| is_bound(atom) || is_scope(atom);
        if question.facts.is_oauth && question.evaluate_granting(&is_granted)? == Truth::True {
            let scopes = question.insufficient_scopes()?;
            return Ok(Decision::Deny(Denial::InsufficientScope { scopes }));
        }
        Ok(Decision::Deny(Denial::Forbidden))
    }

    /// Whether denials are kept from the caller: the policy is hidden, and its lesser requirement
    /// is not met, or cannot be said to be.
    pub(crate) fn is_kept_from(&self, facts: &Facts<'_>) -> Result<bool, Check> {
        let Some(requirement) = self.shown_to() else {
            return Ok(self.is_hidden());
        };
        let lesser = Question { requirement, facts };
        Ok(lesser.evaluate()? != Truth::True)
    }
}

fn is_scope(atom: Atom) -> bool {
    matches!(atom, Atom::Scope(_))
}

fn scopes_of(atoms: Vec<Atom>) -> Vec<&'static str> {
    let scopes = atoms.into_iter().filter_map(|atom| match atom {
        Atom::Scope(scope) => Some(scope),
        _ => None,
    });
    scopes.collect()
}

/// A requirement and what it is held against.
struct Question<'a> {
    requirement: &'a Requirement,
    facts: &'a Facts<'a>,
}

impl Question<'_> {
    fn holds(&self, atom: Atom) -> bool {
        self.facts.truth(atom) == Truth::True
    }

    /// What the requirement comes to by the facts; or the check that has to be asked first.
    fn evaluate(&self) -> Result<Truth, Check> {
        self.evaluate_by(&|atom| self.facts.truth(atom))
    }

    /// The same where the atoms that `granted` says yes to are true whatever the facts say.
    fn evaluate_granting(&self, granted: &impl Fn(Atom) -> bool) -> Result<Truth, Check> {
        self.evaluate_by(&|atom| match granted(atom) {
            true => Truth::True,
            false => self.facts.truth(atom),
        })
    }

    fn evaluate_by(&self, truth: &impl Fn(Atom) -> Truth) -> Result<Truth, Check> {
        let whole = self.requirement.evaluate_by(truth);
        let is_known = matches!(self.facts.caller, Caller::Known(_));
        if whole == Truth::Unknown && is_known {
            let open = |atom| self.facts.open_check(atom);
            if let Some(check) = first_open(self.requirement, truth, &open) {
                return Err(check);
            }
        }
        Ok(whole)
    }

    /// What a caller of whom nothing is known is told, where the requirement comes to `truth`.
    fn deny_unknown(&self, truth: Truth) -> Denial {
        match (truth, self.facts.caller) {
            (Truth::False | Truth::True, _) => Denial::Forbidden,
            (Truth::Unknown, Caller::Unverifiable { retry_after }) => Denial::Unverifiable {
                retry_after: *retry_after,
            },
            (Truth::Unknown, caller) => Denial::Unauthenticated {
                rejection: match caller {
                    Caller::Rejected(rejection) => Some(*rejection),
                    _ => None,
                },
                scopes: self.scopes_to_ask_for(),
            },
        }
    }

    /// The scopes that a caller of whom nothing is known should ask for: those that suffice alone
    /// if any do, else those that are needed besides a role or a permission. How to log in is for
    /// the authorization server to ask.
    fn scopes_to_ask_for(&self) -> Vec<&'static str> {
        let by_scopes_alone = |atom: Atom| match atom.group() {
            Group::Context => self.holds(atom),
            Group::Freshness => true,
            Group::Binding => self.facts.can_bind(atom),
            Group::Identity => atom == Atom::Authenticated,
        };
        let with_anything = |atom: Atom| atom.group() != Group::Context || self.holds(atom);
        let smallest = |settled: &dyn Fn(Atom) -> bool| {
            let ask = Ask {
                wanted: &is_scope,
                settled,
                held: &|_| false,
            };
            smallest_way(self.requirement, &ask)
        };
        smallest(&by_scopes_alone)
            .or_else(|| smallest(&with_anything))
            .map(scopes_of)
            .unwrap_or_default()
    }

    /// The smallest set of scopes that would do; to be sure of it, every check has to be asked.
    fn insufficient_scopes(&self) -> Result<Vec<&'static str>, Check> {
        if let Some(check) = self.requirement.find(&|atom| self.facts.open_check(atom)) {
            return Err(check);
        }
        let ask = Ask {
            wanted: &is_scope,
            settled: &|atom| {
                atom.group() == Group::Freshness || self.facts.can_bind(atom) || self.holds(atom)
            },
            held: &|atom| self.holds(atom),
        };
        let smallest = smallest_way(self.requirement, &ask);
        Ok(smallest.map(scopes_of).unwrap_or_default())
    }

    /// What to log in with: the smallest way, and the other context classes that would do in place
    /// of the one in it.
    fn step_up(&self) -> Denial {
        let ask = Ask {
            wanted: &|atom| atom.group() == Group::Freshness,
            settled: &|atom| self.holds(atom),
            held: &|atom| self.holds(atom),
        };
        let smallest = smallest_way(self.requirement, &ask).unwrap_or_default();
        let besides_acr = |atoms: &mut dyn Iterator<Item = Atom>| -> BTreeSet<Atom> {
            atoms.filter(|atom| !matches!(atom, Atom::Acr(_))).collect()
        };
        let besides = besides_acr(&mut smallest.iter().copied());
        let alternatives = ways(self.requirement, &ask).into_iter().filter(|way| {
            way.len() == smallest.len() && besides_acr(&mut way.iter().copied()) == besides
        });
        let accepted: BTreeSet<Atom> = alternatives.flatten().collect();
        let mut acr_values = Vec::new();
        for atom in self.requirement.atoms() {
            if let Atom::Acr(acr) = atom
                && accepted.contains(&atom)
                && !acr_values.contains(&acr)
            {
                acr_values.push(acr);
            }
        }
        let max_age = besides.iter().filter_map(|atom| match atom {
            Atom::MaxAge(age) => Some(*age),
            _ => None,
        });
        Denial::StepUp {
            acr_values,
            max_age: max_age.min(),
        }
    }
}

/// The first check without an answer that the outcome depends on.
fn first_open(
    requirement: &Requirement,
    truth: &impl Fn(Atom) -> Truth,
    open: &dyn Fn(Atom) -> Option<Check>,
) -> Option<Check> {
    if requirement.evaluate_by(truth) != Truth::Unknown {
        return None;
    }
    match requirement {
        Requirement::Atom(atom) => open(*atom),
        Requirement::All(parts) | Requirement::Any(parts) => {
            parts.iter().find_map(|part| first_open(part, truth, open))
        }
    }
}
