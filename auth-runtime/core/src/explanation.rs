//! The reason for a decision, for the log and never for the caller.

use std::fmt;

use auth_runtime_policy::{Policy, Requirement, Truth};

use crate::caller::Caller;
use crate::context::Context;
use crate::decision::{Decision, Denial};

/// The rule behind a decision, by its number in the table of the guide, on the page `responses`.
///
/// ```
/// use auth_runtime::decision::Rule;
///
/// assert_eq!(Rule::MissingScope.number(), "3c");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// 1: the requirement is met, or there is none. Granted.
    Met,
    /// 2: the caller is anonymous or was rejected. 401, or 403 if no credentials would help.
    NotKnown,
    /// 3a: a known caller needs a new or stronger login. 401.
    StaleLogin,
    /// 3b: a known caller needs credentials that are bound to a key. 401.
    NotBound,
    /// 3c: a known OAuth caller lacks scopes. 403, or 401 with a token server.
    MissingScope,
    /// 3d: a known caller is not allowed. 403.
    NotAllowed,
    /// 4: the verifier of the credentials, a check or the decision point is unavailable. 503, or 403 if no
    /// credentials would help.
    Unverifiable,
    /// 5: the request carries credentials in an invalid way, or a body that cannot be read. 400.
    InvalidRequest,
    /// The handler decided about an object, through its guard.
    Object,
}

impl Rule {
    /// The number of the rule, from `1` to `5`; `object` for [`Rule::Object`], which has none.
    pub const fn number(self) -> &'static str {
        match self {
            Self::Met => "1",
            Self::NotKnown => "2",
            Self::StaleLogin => "3a",
            Self::NotBound => "3b",
            Self::MissingScope => "3c",
            Self::NotAllowed => "3d",
            Self::Unverifiable => "4",
            Self::InvalidRequest => "5",
            Self::Object => "object",
        }
    }

    /// The rule of a denial for `caller`.
    pub(crate) fn of(denial: &Denial, caller: &Caller) -> Self {
        match (denial, caller) {
            (Denial::InvalidRequest, _) => Self::InvalidRequest,
            (Denial::StepUp { .. }, _) => Self::StaleLogin,
            (Denial::SenderConstraintRequired, _) => Self::NotBound,
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

/// The evaluation of a policy in a context, part by part.
///
/// It contains the requirements of the policy, and no data of the caller. It is for the log only,
/// since it shows the grants that would be sufficient.
///
/// ```
/// use auth_runtime::{Caller, Identity, Policy, Requirement};
/// use auth_runtime::decision::{Context, Explanation, Rule};
///
/// let policy = Policy::requires(Requirement::all([
///     Requirement::role("clerk"),
///     Requirement::scope("orders:write"),
/// ]));
/// let caller = Caller::known(Identity::new("ann").with_roles(["clerk"]));
/// let explanation = Explanation::of(&policy, &Context::new(&caller).by_oauth());
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

/// One part of a requirement and its truth value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    requirement: Requirement,
    truth: Truth,
    parts: Vec<Finding>,
}

/// The denial that a hidden policy conceals. No further checks run for it, and no decision
/// point is asked; their results count as false.
pub(crate) fn denial_behind(policy: &Policy, context: &Context<'_>) -> Option<Denial> {
    let shown = policy.clone().shown();
    let mut context = context.clone();
    loop {
        match Decision::of(&shown, &context) {
            Decision::Deny(denial) => return Some(denial),
            Decision::Undecided(atom) => context = context.answered(atom, Some(false)),
            Decision::Grant | Decision::Conceal => return None,
        }
    }
}

impl Explanation {
    /// Decides, and records the reason. [`Decision::of`] is cheaper.
    pub fn of(policy: &Policy, context: &Context<'_>) -> Self {
        // Evaluates all parts at the same time.
        let context = &context.clone().at_one_moment();
        let decision = Decision::of(policy, context);
        let denial = match &decision {
            Decision::Deny(denial) => Some(denial.clone()),
            Decision::Conceal => denial_behind(policy, context),
            Decision::Grant | Decision::Undecided(_) => None,
        };
        let rule = match &decision {
            Decision::Grant => Some(Rule::Met),
            _ => denial.as_ref().map(|own| Rule::of(own, context.caller)),
        };
        let find = |requirement: &Requirement| Finding::of(requirement, context);
        Self {
            policy: policy.clone(),
            decision,
            denial,
            rule,
            requirement: policy.requirement().map(find),
            shown_to: policy.shown_to().map(find),
        }
    }

    /// The decision: that of [`Decision::of`] in the same context.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// The denial, disclosed or concealed; `None` if the request is granted, or if a check has to
    /// run first.
    pub fn denial(&self) -> Option<&Denial> {
        self.denial.as_ref()
    }

    /// The rule that determined the decision; `None` if a check has to run first.
    ///
    /// For a concealed denial, the rule is determined without further checks, and can therefore
    /// differ from the rule that these checks would lead to.
    pub fn rule(&self) -> Option<Rule> {
        self.rule
    }

    /// The evaluation of the requirement; `None` for a public handler.
    pub fn requirement(&self) -> Option<&Finding> {
        self.requirement.as_ref()
    }

    /// The evaluation of the lesser requirement of `hide_unless`, if there is one.
    pub fn shown_to(&self) -> Option<&Finding> {
        self.shown_to.as_ref()
    }
}

impl Finding {
    fn of(requirement: &Requirement, context: &Context<'_>) -> Self {
        let parts = requirement.parts().iter();
        let parts: Vec<Self> = parts.map(|part| Self::of(part, context)).collect();
        let truths = parts.iter().map(|part| part.truth);
        let truth = match requirement {
            Requirement::Atom(atom) => context.truth(atom),
            Requirement::All(_) => Truth::all(truths),
            Requirement::Any(_) => Truth::any(truths),
        };
        Self {
            requirement: requirement.clone(),
            truth,
            parts,
        }
    }

    /// This part of the requirement.
    pub fn requirement(&self) -> &Requirement {
        &self.requirement
    }

    /// The truth value. A check that did not run, or that failed, is unknown.
    pub fn truth(&self) -> Truth {
        self.truth
    }

    /// The parts of this part, in the order of the attribute; empty for an atom.
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
    /// Formats every part as in the attribute, after `yes`, `no` or `unknown`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.truth {
            Truth::True => "yes: ",
            Truth::False => "no: ",
            Truth::Unknown => "unknown: ",
        })?;
        let name = match &self.requirement {
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
