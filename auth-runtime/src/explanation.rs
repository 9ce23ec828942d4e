//! Why a decision came out as it did: for the log, and never for the caller.

use std::fmt;
use std::time::SystemTime;

use crate::caller::Caller;
use crate::decision::{Decision, Denial};
use crate::facts::Facts;
use crate::policy::Policy;
use crate::requirement::Requirement;
use crate::truth::Truth;

/// The rule that a decision was made by: those of the manual's table
/// ([What is answered](crate#what-is-answered)), by number.
///
/// ```
/// use auth_runtime::Rule;
///
/// assert_eq!(Rule::MissingScope.number(), "3c");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// 1: the requirement is met, or there is none. Granted.
    Met,
    /// 2: the caller is anonymous or was rejected. 401, or 403 where no credentials would help.
    NotKnown,
    /// 3a: a known caller has to log in again, or more strongly. 401.
    StaleLogin,
    /// 3b: a known caller's credentials are not bound to a key. 401.
    NotBound,
    /// 3c: a known OAuth caller lacks scopes. 403.
    MissingScope,
    /// 3d: a known caller may not. 403.
    NotAllowed,
    /// 4: what verifies the credentials, or a check, is out of order. 503, or 403 where no
    /// credentials would help.
    Unverifiable,
    /// 5: the request carries credentials in a broken way. 400.
    BrokenRequest,
    /// The handler denied an object by [`Guard::permit`](crate::Guard::permit).
    Object,
}

impl Rule {
    /// The number, from `1` to `5`; `object` for [`Rule::Object`], which has none.
    pub const fn number(self) -> &'static str {
        match self {
            Self::Met => "1",
            Self::NotKnown => "2",
            Self::StaleLogin => "3a",
            Self::NotBound => "3b",
            Self::MissingScope => "3c",
            Self::NotAllowed => "3d",
            Self::Unverifiable => "4",
            Self::BrokenRequest => "5",
            Self::Object => "object",
        }
    }

    /// The rule that makes `denial` of a request of `caller`'s.
    pub(crate) fn behind(denial: &Denial, caller: &Caller) -> Self {
        match (denial, caller) {
            (Denial::BrokenRequest, _) => Self::BrokenRequest,
            (Denial::StepUp { .. }, _) => Self::StaleLogin,
            (Denial::UnboundCredentials, _) => Self::NotBound,
            (Denial::InsufficientScope { .. }, _) => Self::MissingScope,
            (Denial::Unverifiable { .. }, _) | (_, Caller::Unverifiable { .. }) => {
                Self::Unverifiable
            }
            (_, Caller::Known(_)) => Self::NotAllowed,
            (_, Caller::Anonymous | Caller::Rejected(_)) => Self::NotKnown,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.number())
    }
}

/// What a policy comes to for certain facts, part by part.
///
/// It names what the policy asks for, and nothing of the caller's; still it is for the log only,
/// since it tells what would open the way.
///
/// ```
/// use auth_runtime::{Caller, Facts, Identity, Policy, Requirement, Rule};
///
/// const POLICY: Policy = Policy::requires(Requirement::all(&[
///     Requirement::role("clerk"),
///     Requirement::scope("orders:write"),
/// ]));
/// let caller = Caller::known(Identity::new("ann").with_roles(["clerk"]));
/// let explanation = POLICY.explain(&Facts::new(&caller).by_oauth());
///
/// assert_eq!(explanation.rule(), Some(Rule::MissingScope));
/// assert_eq!(
///     explanation.to_string(),
///     r#"rule 3c: no: all(yes: role = "clerk", no: scope = "orders:write")"#,
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Explanation {
    policy: Policy,
    decision: Decision,
    denial: Option<Denial>,
    rule: Option<Rule>,
    requirement: Option<Finding>,
    shown_to: Option<Finding>,
}

/// One part of a requirement, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    requirement: Requirement,
    truth: Truth,
    parts: Vec<Finding>,
}

impl Policy {
    /// Decides, and tells why. Made when somebody asks: [`decide`](Self::decide) does without.
    pub fn explain(&self, facts: &Facts<'_>) -> Explanation {
        // Every part is held against the same moment.
        let facts = &facts.clone().at_one_moment(SystemTime::now());
        let decision = self.decide(facts);
        let denial = match &decision {
            Decision::Deny(denial) => Some(denial.clone()),
            Decision::Hide => self.denial_behind(facts),
            Decision::Grant | Decision::Undecided(_) => None,
        };
        let rule = match &decision {
            Decision::Grant => Some(Rule::Met),
            _ => denial.as_ref().map(|own| Rule::behind(own, facts.caller)),
        };
        let find = |requirement: &Requirement| Finding::of(*requirement, facts);
        Explanation {
            policy: *self,
            decision,
            denial,
            rule,
            requirement: self.requirement().map(find),
            shown_to: self.shown_to().map(find),
        }
    }

    /// The denial that is kept from the caller of a hidden handler. Nobody asks checks for its sake:
    /// what they would have said is not known.
    pub(crate) fn denial_behind(&self, facts: &Facts<'_>) -> Option<Denial> {
        let shown = self.shown();
        let mut facts = facts.clone();
        loop {
            match shown.decide(&facts) {
                Decision::Deny(denial) => return Some(denial),
                Decision::Undecided(check) => facts = facts.checked(check, None),
                Decision::Grant | Decision::Hide => return None,
            }
        }
    }
}

impl Explanation {
    /// The decision: what [`Policy::decide`] says of the same facts.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// What the caller is told, or would be if the handler were not hidden; `None` if it is let in,
    /// or if a check has to be asked first.
    pub fn denial(&self) -> Option<&Denial> {
        self.denial.as_ref()
    }

    /// The rule that spoke; `None` as long as a check has to be asked first.
    ///
    /// Of a hidden denial: the rule that would have spoken, as far as that can be said without
    /// asking more checks.
    pub fn rule(&self) -> Option<Rule> {
        self.rule
    }

    /// What the requirement came to; `None` for a public handler.
    pub fn requirement(&self) -> Option<&Finding> {
        self.requirement.as_ref()
    }

    /// The same of the lesser requirement of `hide_unless`, if there is one.
    pub fn shown_to(&self) -> Option<&Finding> {
        self.shown_to.as_ref()
    }
}

impl Finding {
    fn of(requirement: Requirement, facts: &Facts<'_>) -> Self {
        let parts: Vec<Self> = match requirement {
            Requirement::Atom(_) => Vec::new(),
            Requirement::All(parts) | Requirement::Any(parts) => {
                let parts = parts.iter();
                parts.map(|part| Self::of(*part, facts)).collect()
            }
        };
        let truths = parts.iter().map(|part| part.truth);
        let truth = match requirement {
            Requirement::Atom(atom) => facts.truth(atom),
            Requirement::All(_) => Truth::all(truths),
            Requirement::Any(_) => Truth::any(truths),
        };
        Self {
            requirement,
            truth,
            parts,
        }
    }

    /// The part.
    pub fn requirement(&self) -> &Requirement {
        &self.requirement
    }

    /// What it came to. A check that was not asked, or that failed, is unknown.
    pub fn truth(&self) -> Truth {
        self.truth
    }

    /// Its own parts, as they are written; none of an atom.
    pub fn parts(&self) -> &[Finding] {
        &self.parts
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule {
            Some(rule) => write!(f, "rule {rule}: ")?,
            None => f.write_str("undecided: ")?,
        }
        match &self.requirement {
            Some(finding) => write!(f, "{finding}")?,
            None => write!(f, "{}", self.policy)?,
        }
        match &self.shown_to {
            Some(lesser) => write!(f, "; hide_unless: {lesser}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Finding {
    /// Every part as it is written, with `yes`, `no` or `unknown` before it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.truth {
            Truth::True => "yes: ",
            Truth::False => "no: ",
            Truth::Unknown => "unknown: ",
        })?;
        let name = match self.requirement {
            Requirement::Atom(atom) => return write!(f, "{atom}"),
            Requirement::All(_) => "all",
            Requirement::Any(_) => "any",
        };
        write!(f, "{name}(")?;
        for (index, part) in self.parts.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{part}")?;
        }
        f.write_str(")")
    }
}
