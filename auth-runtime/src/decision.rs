//! Policy × caller → decision.
//!
//! The rules, in the order in which they are tried:
//!
//! 1. The requirement is true: grant, whoever calls. A public handler asks for nothing.
//! 2. The caller is anonymous or was rejected: what is unknown might become true with (other)
//!    credentials, so 401; what is false stays false, so 403.
//! 3. The caller is known, and the requirement is not true: an OAuth caller who would get in with
//!    more scopes is told which ones (403 `insufficient_scope`, RFC 6750 §3.1); everybody else
//!    gets a plain 403.
//! 4. Nobody can say who the caller is: unknown is 503, false is 403. Never 401, since a client
//!    that is told 401 throws its good token away.
//! 5. A request that carries credentials in a broken way is 400, before any of the above.

use std::time::Duration;

use http::StatusCode;

use crate::caller::{Caller, Rejection};
use crate::policy::Policy;
use crate::requirement::{Atom, Requirement};
use crate::scopes::smallest_scopes;
use crate::truth::Truth;

/// Whether a request goes on to its handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It does.
    Grant,
    /// It does not, and this is what the caller is told, unless the policy hides it.
    Deny(Denial),
}

/// What a caller who is not let in is told.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// 403: a known OAuth caller lacks scopes (rule 3).
    InsufficientScope {
        /// The smallest set of scopes that would do, with those that the caller already has.
        scopes: Vec<&'static str>,
    },
    /// 403: this caller may not, and no credentials of this caller's would help (rules 2 and 3).
    Forbidden,
    /// 404: there is nothing here, or so it is told.
    NotFound,
    /// 503: what verifies the credentials is out of order (rule 4).
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
            Self::Unauthenticated { .. } => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope { .. } | Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Unverifiable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl Policy {
    /// Decides by the rules at the head of this module's source and of the crate's manual.
    ///
    /// `oauth` says whether the caller used a scheme whose tokens carry scopes that can be asked
    /// for (Bearer, DPoP).
    ///
    /// ```
    /// use auth_runtime::{Caller, Decision, Denial, Identity, Policy, Requirement};
    ///
    /// let policy = Policy::requires(Requirement::scope("admin"));
    /// let admin = Caller::known(Identity::new("ann").with_scopes(["admin"]));
    /// let user = Caller::known(Identity::new("bob"));
    ///
    /// assert_eq!(policy.decide(&admin, true), Decision::Grant);
    /// assert_eq!(
    ///     policy.decide(&user, true),
    ///     Decision::Deny(Denial::InsufficientScope { scopes: vec!["admin"] }),
    /// );
    /// assert_eq!(policy.decide(&user, false), Decision::Deny(Denial::Forbidden));
    /// ```
    pub fn decide(&self, caller: &Caller, oauth: bool) -> Decision {
        let Some(requirement) = self.requirement() else {
            return Decision::Grant;
        };
        let truth = requirement.evaluate(&|atom| caller.truth(atom));
        if truth == Truth::True {
            return Decision::Grant;
        }
        Decision::Deny(match (caller, truth) {
            (Caller::Known(_), _) => deny_known(requirement, caller, oauth),
            (_, Truth::False) => Denial::Forbidden,
            (Caller::Unverifiable { retry_after }, _) => Denial::Unverifiable {
                retry_after: *retry_after,
            },
            (Caller::Anonymous, _) => Denial::Unauthenticated {
                rejection: None,
                scopes: scopes_to_ask_for(requirement),
            },
            (Caller::Rejected(rejection), _) => Denial::Unauthenticated {
                rejection: Some(*rejection),
                scopes: scopes_to_ask_for(requirement),
            },
        })
    }

    /// Whether a denial is kept from this caller.
    pub fn hides_from(&self, caller: &Caller) -> bool {
        let may_see =
            |lesser: &Requirement| lesser.evaluate(&|atom| caller.truth(atom)) == Truth::True;
        self.is_hidden() && !self.shown_to().is_some_and(may_see)
    }
}

/// Rule 3: the scopes are told to those who can ask for more of them.
fn deny_known(requirement: &Requirement, caller: &Caller, oauth: bool) -> Denial {
    let holds = |atom| caller.truth(atom) == Truth::True;
    match smallest_scopes(requirement, &holds, &|scope| holds(Atom::Scope(scope))) {
        Some(scopes) if oauth => Denial::InsufficientScope { scopes },
        _ => Denial::Forbidden,
    }
}

/// The scopes that a caller of whom nothing is known should ask for: those that suffice alone if
/// any do, else those that are needed besides a role or a permission.
fn scopes_to_ask_for(requirement: &Requirement) -> Vec<&'static str> {
    let only_authenticated = |atom| atom == Atom::Authenticated;
    smallest_scopes(requirement, &only_authenticated, &|_| false)
        .or_else(|| smallest_scopes(requirement, &|_| true, &|_| false))
        .unwrap_or_default()
}
