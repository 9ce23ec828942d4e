//! The decision about a request, from its policy and [`Context`].
//!
//! The rules, in order:
//!
//! 1. The requirement is true: grant, for every caller. A public handler has no requirement.
//! 2. The caller is anonymous or was rejected. If the requirement is unknown, (other) credentials
//!    could make it true: 401. If it is false, no credentials could: 403.
//! 3. The caller is known, and the requirement is not true. The first remedy that would make it
//!    true determines the denial:
//!    - a new or stronger login: 401 `insufficient_user_authentication` (RFC 9470);
//!    - sender-constrained credentials: 401 with the challenges of the schemes that bind
//!      credentials to a key, if there are any;
//!    - more scopes, if the caller used an OAuth scheme: 403 `insufficient_scope` (RFC 6750 §3.1), or
//!      401 if its clients request a token with other scopes after a 401;
//!    - none: 403.
//! 4. The credentials cannot be verified. If the requirement is unknown: 503; if it is false: 403.
//!    Never 401, since a client discards a valid token after a 401. A requirement that is unknown because
//!    a check or the decision point failed leads to 503 as well. So does a false one, if no remedy of
//!    rule 3 suffices, but one would if the failed check allowed the request.
//! 5. The request carries credentials of accepted schemes in an invalid way: 400, before any of the
//!    above, except on public handlers that ignore credentials.
//! 6. A public handler with an optional identity: rejected credentials lead to 401, and unverifiable
//!    ones to 503, since their owner has to learn about it. Cookies, which a browser adds on its
//!    own, count as none in both cases. Every other caller is granted.
//!
//! A hidden policy conceals these denials from callers that do not meet its lesser requirement. The
//! exception is the request for a new login: it is disclosed, since that login would lead to a
//! grant.

pub(crate) mod denial_body;
pub(crate) mod denial_details;
mod missing;
mod scopes;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::slice;
use std::time::Duration;

use auth_runtime_policy::dnf::{AtomState, minimal_set};
use auth_runtime_policy::{Atom, Group, Policy, Requirement, Truth};
use http::StatusCode;

use crate::caller::{Caller, Rejection};
use crate::context::Context;
pub(crate) use crate::decision::missing::missing;

/// The decision about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The request proceeds to its handler.
    Grant,
    /// The request is denied, and the response shows this denial.
    Deny(Denial),
    /// The request is denied, and the response is that of an unknown path.
    Conceal,
    /// The decision depends on this `check` or `can` requirement: run the check, or ask the decision point,
    /// add the result to the [`Context`], and decide again. A `can` is named only after all checks that the
    /// decision depends on have results.
    Undecided(Atom),
}

/// The reason for denying a request, with the data for the response.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Denial {
    /// 400: the request carries credentials in an invalid way, or a body that cannot be read (rule 5).
    InvalidRequest,
    /// 401: credentials are missing or were rejected (rule 2). 431 if they are too long.
    Unauthenticated {
        /// The reason for rejecting the credentials; `None` if none were sent.
        rejection: Option<Rejection>,
        /// The scopes to request; empty if scopes are not required.
        scopes: Vec<Cow<'static, str>>,
    },
    /// 401: a known caller needs a new or stronger login (rule 3, RFC 9470).
    StepUp {
        /// The sufficient authentication context classes, in order of preference.
        acr_values: Vec<Cow<'static, str>>,
        /// The maximum age of the login.
        max_age: Option<Duration>,
    },
    /// 401: a known caller needs credentials that are bound to a key (rule 3).
    SenderConstraintRequired,
    /// 403: a known OAuth caller lacks scopes (rule 3). 401 with a token server.
    InsufficientScope {
        /// The smallest sufficient set of scopes, including those already granted.
        scopes: Vec<Cow<'static, str>>,
        /// True if the client requests a token with further scopes after a 401 only
        /// ([`Scheme::has_token_server`](crate::Scheme::has_token_server)).
        has_token_server: bool,
    },
    /// 403: the caller is not allowed, and no credentials of this caller would help (rules 2 and
    /// 3).
    Forbidden {
        /// The reason that the decision point gives to the caller, for the body of the response.
        reason: Option<Cow<'static, str>>,
    },
    /// 404: the path is unknown, or the response conceals it.
    NotFound,
    /// 503: the verifier of the credentials, a check or the decision point is unavailable (rule 4).
    Unverifiable {
        /// The time after which to retry.
        retry_after: Option<Duration>,
    },
}

impl Denial {
    /// 403 without a reason from a decision point.
    pub const FORBIDDEN: Self = Self::Forbidden { reason: None };

    /// The denial of a request that needs an identity; `None` for a known caller. `scopes` returns those to
    /// request from a caller without valid credentials.
    pub(crate) fn without_identity(
        caller: &Caller,
        scopes: impl FnOnce() -> Vec<Cow<'static, str>>,
    ) -> Option<Self> {
        let rejection = match caller {
            Caller::Known(_) => return None,
            Caller::Unverifiable { retry_after } => {
                return Some(Self::Unverifiable {
                    retry_after: *retry_after,
                });
            }
            Caller::Rejected(rejection) => Some(*rejection),
            Caller::Anonymous => None,
        };
        Some(Self::Unauthenticated {
            rejection,
            scopes: scopes(),
        })
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::Unauthenticated {
                rejection: Some(Rejection::TooLong),
                ..
            } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Unauthenticated { .. }
            | Self::StepUp { .. }
            | Self::SenderConstraintRequired
            | Self::InsufficientScope {
                has_token_server: true,
                ..
            } => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope { .. } | Self::Forbidden { .. } => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Unverifiable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl Decision {
    /// Decides by the rules of the guide, on the page `responses`.
    ///
    /// ```
    /// use auth_runtime::{Caller, Identity, Policy, Requirement};
    /// use auth_runtime::decision::{Context, Decision, Denial};
    ///
    /// let policy = Policy::requires(Requirement::scope("admin"));
    /// let admin = Caller::known(Identity::new("ann").with_scopes(["admin"]));
    /// let user = Caller::known(Identity::new("bob"));
    ///
    /// assert_eq!(Decision::of(&policy, &Context::new(&admin)), Decision::Grant);
    /// assert_eq!(Decision::of(&policy, &Context::new(&user)), Decision::Deny(Denial::FORBIDDEN));
    /// assert_eq!(
    ///     Decision::of(&policy, &Context::new(&user).by_oauth()),
    ///     Decision::Deny(Denial::InsufficientScope {
    ///         scopes: vec!["admin".into()],
    ///         has_token_server: false,
    ///     }),
    /// );
    /// ```
    pub fn of(policy: &Policy, context: &Context<'_>) -> Self {
        decide(policy, context).unwrap_or_else(|open| Self::Undecided(open.clone()))
    }
}

/// Decides; the error is the atom of an [undecided](Decision::Undecided) request.
pub(crate) fn decide<'p>(policy: &'p Policy, context: &Context<'_>) -> Result<Decision, &'p Atom> {
    let Some(requirement) = policy.requirement() else {
        return Ok(of_public(policy, context.caller));
    };
    let evaluator = Evaluator {
        requirement,
        context,
    };
    match context.caller {
        Caller::Known(_) => decide_known(policy, &evaluator),
        _ => decide_unknown(policy, &evaluator),
    }
}

/// Rules 1 and 6.
fn of_public(policy: &Policy, caller: &Caller) -> Decision {
    let denial = Denial::without_identity(caller, Vec::new)
        .filter(|_| policy.has_optional_identity() && !matches!(caller, Caller::Anonymous));
    denial.map_or(Decision::Grant, Decision::Deny)
}

/// Rules 2 and 4.
fn decide_unknown<'p>(
    policy: &'p Policy,
    evaluator: &Evaluator<'p, '_>,
) -> Result<Decision, &'p Atom> {
    let truth = evaluator.evaluate()?;
    if truth == Truth::True {
        return Ok(Decision::Grant);
    }
    // A concealed denial needs no scopes.
    if conceals(policy, evaluator.context)? {
        return Ok(Decision::Conceal);
    }
    Ok(Decision::Deny(evaluator.deny_unknown(truth)))
}

/// Rule 3.
fn decide_known<'p>(
    policy: &'p Policy,
    evaluator: &Evaluator<'p, '_>,
) -> Result<Decision, &'p Atom> {
    let context = evaluator.context;
    let unverifiable = || Denial::Unverifiable {
        retry_after: context.retry_after,
    };
    match evaluator.evaluate()? {
        Truth::True => return Ok(Decision::Grant),
        // For a known caller, only a failed check or decision point leaves the requirement unknown.
        Truth::Unknown if conceals(policy, context)? => return Ok(Decision::Conceal),
        Truth::Unknown => return Ok(Decision::Deny(unverifiable())),
        Truth::False => {}
    }
    let is_fresh = |atom: &Atom| context.is_fresh(atom);
    let asks_login = policy.has_group(Group::Freshness) || context.asks_login();
    if asks_login && evaluator.evaluate_granting(&is_fresh)? == Truth::True {
        return Ok(Decision::Deny(evaluator.step_up()));
    }
    // A concealed denial needs no further distinction.
    if conceals(policy, context)? {
        return Ok(Decision::Conceal);
    }
    let is_bound = |atom: &Atom| is_fresh(atom) || context.can_bind(atom);
    if policy.has_group(Group::Binding) && evaluator.evaluate_granting(&is_bound)? == Truth::True {
        return Ok(Decision::Deny(Denial::SenderConstraintRequired));
    }
    let is_granted =
        |atom: &Atom| is_bound(atom) || (context.is_oauth && context.scope_of(atom).is_some());
    let denial = match evaluator.evaluate_granting(&is_granted)? {
        Truth::True => Denial::InsufficientScope {
            scopes: evaluator.insufficient_scopes()?,
            has_token_server: context.has_token_server,
        },
        Truth::Unknown => unverifiable(),
        Truth::False => Denial::Forbidden {
            reason: evaluator.reason(),
        },
    };
    Ok(Decision::Deny(denial))
}

/// Returns whether denials are concealed from the caller: the policy is hidden, and its lesser
/// requirement is false or unknown.
pub(crate) fn conceals<'p>(policy: &'p Policy, context: &Context<'_>) -> Result<bool, &'p Atom> {
    let Some(requirement) = policy.shown_to() else {
        return Ok(policy.is_hidden());
    };
    let lesser = Evaluator {
        requirement,
        context,
    };
    Ok(lesser.evaluate()? != Truth::True)
}

/// A requirement and the context to evaluate it with.
struct Evaluator<'p, 'c> {
    requirement: &'p Requirement,
    context: &'c Context<'c>,
}

impl<'p> Evaluator<'p, '_> {
    fn holds(&self, atom: &Atom) -> bool {
        self.context.truth(atom) == Truth::True
    }

    /// The reason that the decision point gives to the caller for the first `can` that is false.
    fn reason(&self) -> Option<Cow<'static, str>> {
        let reason = |atom| self.context.reason(atom);
        self.requirement
            .find(&reason)
            .map(|reason| Cow::Owned(reason.to_owned()))
    }

    /// Evaluates the requirement; the error is the atom of a check that has to run first, or of a decision
    /// point that has to be asked.
    fn evaluate(&self) -> Result<Truth, &'p Atom> {
        self.evaluate_by(&|atom| self.context.truth(atom))
    }

    /// Like [`evaluate`](Self::evaluate), with every atom that `granted` accepts set to true.
    fn evaluate_granting(&self, granted: &impl Fn(&Atom) -> bool) -> Result<Truth, &'p Atom> {
        self.evaluate_by(&|atom| {
            if granted(atom) {
                Truth::True
            } else {
                self.context.truth(atom)
            }
        })
    }

    fn evaluate_by(&self, truth: &impl Fn(&Atom) -> Truth) -> Result<Truth, &'p Atom> {
        let whole = self.requirement.evaluate(truth);
        let is_known = matches!(self.context.caller, Caller::Known(_));
        if whole == Truth::Unknown
            && is_known
            && let Some(open) = first_open(self.requirement, truth, self.context)
        {
            return Err(open);
        }
        Ok(whole)
    }

    /// The denial for a caller that is not known, if the requirement evaluates to `truth`.
    fn deny_unknown(&self, truth: Truth) -> Denial {
        let denial = match truth {
            Truth::Unknown => {
                Denial::without_identity(self.context.caller, || self.scopes_to_ask_for())
            }
            Truth::False | Truth::True => None,
        };
        denial.unwrap_or(Denial::FORBIDDEN)
    }

    /// The context classes of a login, each of which makes `atom` true: that of an `acr`, or those that the
    /// decision point names.
    fn login_classes<'a>(&'a self, atom: &'a Atom) -> impl Iterator<Item = &'a str> {
        let classes = match atom {
            Atom::Acr(value) => slice::from_ref(value),
            _ => self.context.acr_values(atom),
        };
        classes.iter().map(AsRef::as_ref)
    }

    /// The context classes that are each sufficient; `None` if none is necessary. `truth` is the truth of
    /// the atoms without classes.
    fn sufficient_acr<'a>(
        &'a self,
        requirement: &'a Requirement,
        truth: &dyn Fn(&Atom) -> bool,
    ) -> Option<BTreeSet<&'a str>> {
        let sufficient = |part| self.sufficient_acr(part, truth);
        match requirement {
            Requirement::Atom(atom) => {
                let classes: BTreeSet<_> = self.login_classes(atom).collect();
                (!classes.is_empty() || !truth(atom)).then_some(classes)
            }
            Requirement::All(parts) => {
                let sets = parts.iter().filter_map(sufficient);
                sets.reduce(|one, other| &one & &other)
            }
            Requirement::Any(parts) => {
                let sets = parts.iter().map(sufficient);
                let sets = sets.collect::<Option<Vec<_>>>()?;
                Some(sets.into_iter().flatten().collect())
            }
        }
    }

    /// The login to request: the smallest sufficient set of freshness atoms, with the context
    /// classes that could replace the one in it.
    fn step_up(&self) -> Denial {
        let is_fresh = |atom: &Atom| self.context.is_fresh(atom);
        let smallest = minimal_set(self.requirement, &|atom| match (
            is_fresh(atom),
            self.holds(atom),
        ) {
            (true, true) => AtomState::Held,
            (true, false) => AtomState::Missing,
            (false, true) => AtomState::True,
            (false, false) => AtomState::False,
        });
        let smallest = smallest.unwrap_or_default();
        let (classes, besides): (Vec<&Atom>, Vec<&Atom>) = smallest
            .into_iter()
            .partition(|atom| self.login_classes(atom).next().is_some());
        let sufficient = if classes.is_empty() {
            None
        } else {
            self.sufficient_acr(self.requirement, &|atom| {
                if is_fresh(atom) {
                    besides.contains(&atom)
                } else {
                    self.holds(atom)
                }
            })
        };
        let sufficient = sufficient.unwrap_or_default();
        let atoms = if sufficient.is_empty() {
            // None, or several, which no single login has.
            classes
        } else {
            // In the order of the attribute.
            self.requirement.atoms()
        };
        let acr_values = atoms.iter().flat_map(|atom| self.login_classes(atom));
        let max_age = besides.iter().filter_map(|atom| match atom {
            Atom::MaxAge(age) => Some(*age),
            _ => None,
        });
        Denial::StepUp {
            acr_values: classes_to_request(acr_values, &sufficient),
            max_age: max_age.min(),
        }
    }
}

/// Returns the classes of a login to request, each once: those that suffice, or all if none does.
pub(crate) fn classes_to_request<'c>(
    all: impl IntoIterator<Item = &'c str>,
    sufficient: &BTreeSet<&str>,
) -> Vec<Cow<'static, str>> {
    let mut classes: Vec<Cow<'static, str>> = Vec::new();
    for class in all {
        let matches = sufficient.is_empty() || sufficient.contains(class);
        if matches && !classes.iter().any(|own| own == class) {
            classes.push(Cow::Owned(class.to_owned()));
        }
    }
    classes
}

/// The `check` and `can` requirements without a result that can still change the outcome. Other scopes, a new
/// login and another key count as possible. Requirements in a part that other atoms decide are left out.
pub(crate) fn open_atoms<'r>(requirement: &'r Requirement, context: &Context<'_>) -> Vec<&'r Atom> {
    fn collect<'r>(
        requirement: &'r Requirement,
        truth: &impl Fn(&Atom) -> Truth,
        open: &mut Vec<&'r Atom>,
    ) {
        if requirement.evaluate(truth) != Truth::Unknown {
            return;
        }
        match requirement {
            Requirement::Atom(atom) => open.push(atom),
            Requirement::All(parts) | Requirement::Any(parts) => {
                parts.iter().for_each(|part| collect(part, truth, open));
            }
        }
    }

    let mut open = Vec::new();
    let truth = |atom: &Atom| truth_by_remedies(atom, context);
    collect(requirement, &truth, &mut open);
    open.retain(|atom| context.is_open(atom));
    open
}

/// The truth of an atom, or unknown if other scopes, a new login or another key can change it.
fn truth_by_remedies(atom: &Atom, context: &Context<'_>) -> Truth {
    // The smallest set of scopes does not depend on those that the caller has.
    if context.scope_of(atom).is_some() {
        return Truth::Unknown;
    }
    match context.truth(atom) {
        Truth::False if context.is_fresh(atom) || atom.group() == Group::Binding => Truth::Unknown,
        truth => truth,
    }
}

/// The first atom without a result that the outcome depends on: a check, or else a `can`.
fn first_open<'r>(
    requirement: &'r Requirement,
    truth: &impl Fn(&Atom) -> Truth,
    context: &Context<'_>,
) -> Option<&'r Atom> {
    let is_check = |atom: &Atom| matches!(atom, Atom::Check(_)) && context.is_open(atom);
    first_deciding(requirement, truth, &is_check)
        .or_else(|| first_deciding(requirement, truth, &|atom| context.is_open(atom)))
}

/// The first atom that `matches` accepts in a part that is unknown.
fn first_deciding<'r>(
    requirement: &'r Requirement,
    truth: &impl Fn(&Atom) -> Truth,
    matches: &dyn Fn(&Atom) -> bool,
) -> Option<&'r Atom> {
    if requirement.evaluate(truth) != Truth::Unknown {
        return None;
    }
    match requirement {
        Requirement::Atom(atom) => matches(atom).then_some(atom),
        Requirement::All(parts) | Requirement::Any(parts) => {
            let mut parts = parts.iter();
            parts.find_map(|part| first_deciding(part, truth, matches))
        }
    }
}
