//! The credentials of a request that count.
//!
//! Each policy accepts some schemes of the space, and only credentials of these schemes count for
//! it. An unknown path has no policy, so credentials of all schemes count. Of the
//! credentials that count ([`select`], rules 5 and 7 of the specification):
//!
//! 1. Rejected ones of a scheme without a challenge are ignored. Explicit ones are ignored if their scheme
//!    reports an anonymous caller.
//! 2. An explicit credential, which is any but a cookie or the connection, is used alone. Two are ambiguous: 400.
//!    Those of an application that stand beside those of its user count as part of these.
//! 3. Without an explicit one, cookies are used, except rejected ones. A single remaining cookie is
//!    used; two are ambiguous. If none remains, the connection is used, and otherwise the last cookie is rejected.

use super::Space;
use super::credentials::Presented;
use super::target::Target;
use super::used_scheme::{CredentialsPlace, UsedScheme};
use crate::caller::{Caller, Rejection};
use crate::head::Head;
use crate::scheme::verification::Verification;

/// The caller by the credentials that count.
#[derive(Clone, Debug)]
pub enum Selection {
    /// The request carries credentials twice, or those of another request (rule 5).
    InvalidRequest {
        /// The index of the scheme, if only its cookies are ambiguous.
        cookie: Option<usize>,
    },
    /// A caller, and the scheme of its credentials.
    Caller {
        /// The caller.
        caller: Caller,
        /// The scheme of its credentials; `None` if it sent none.
        used: Option<UsedScheme>,
    },
}

impl Selection {
    pub(super) const INVALID_REQUEST: Self = Self::InvalidRequest { cookie: None };
    pub(super) const ANONYMOUS: Self = Self::Caller {
        caller: Caller::Anonymous,
        used: None,
    };

    pub(super) fn of(caller: Caller, used: Option<UsedScheme>) -> Self {
        match (caller, used.map(|used| used.place)) {
            (Caller::Rejected(Rejection::RequestMismatch), _) => Self::INVALID_REQUEST,
            (Caller::Anonymous, Some(CredentialsPlace::Connection)) => Self::ANONYMOUS,
            (caller, _) => Self::Caller { caller, used },
        }
    }

    /// The selection of the verified credentials of one scheme.
    pub(super) fn verified(caller: Caller, used: Option<UsedScheme>, has_challenge: bool) -> Self {
        match caller {
            // No challenge could request better ones, so they count as none.
            Caller::Rejected(_) if !has_challenge => Self::ANONYMOUS,
            caller => Self::of(caller, used),
        }
    }

    /// The caller; `None` if the credentials are ambiguous.
    pub fn caller(&self) -> Option<&Caller> {
        match self {
            Self::InvalidRequest { .. } => None,
            Self::Caller { caller, .. } => Some(caller),
        }
    }

    /// The index of the scheme of the credentials; that of the cookies if only these are ambiguous.
    pub(super) fn scheme(&self) -> Option<usize> {
        match self {
            Self::InvalidRequest { cookie } => *cookie,
            Self::Caller { used, .. } => used.map(|used| used.index),
        }
    }

    /// Returns whether the caller's credentials were in `Authorization`. Other values of that
    /// field, such as a password for a proxy in front, do not affect the decision.
    pub fn is_in_authorization(&self) -> bool {
        matches!(
            self,
            Self::Caller {
                used: Some(UsedScheme {
                    place: CredentialsPlace::Authorization,
                    ..
                }),
                ..
            }
        )
    }

    pub(super) fn is_known(&self) -> bool {
        matches!(self.caller(), Some(Caller::Known(_)))
    }
}

/// Verified credentials.
pub(super) struct Verified {
    selection: Selection,
    used: UsedScheme,
    /// True if the policy accepts their scheme.
    pub(super) is_accepted: bool,
    /// True if they were rejected.
    is_rejected: bool,
    /// True unless they are ignored: the scheme reports an anonymous caller, or has no challenge and rejects
    /// them.
    counts: bool,
    /// The indexes of the schemes that read the credentials of an application in the same place.
    accompanies: Vec<usize>,
}

impl Verified {
    /// Without a caller, they were unreadable.
    pub(super) fn new(presented: Started, caller: Option<Caller>) -> Self {
        let is_rejected = matches!(caller, Some(Caller::Rejected(_)));
        let is_cookie = presented.used.place == CredentialsPlace::Cookie;
        let is_none = !is_cookie && matches!(caller, Some(Caller::Anonymous));
        Self {
            selection: match caller {
                Some(caller) => {
                    Selection::verified(caller, Some(presented.used), presented.has_challenge)
                }
                None => Selection::INVALID_REQUEST,
            },
            used: presented.used,
            is_accepted: presented.is_accepted,
            is_rejected,
            counts: !is_none && (presented.has_challenge || !is_rejected),
            accompanies: presented.accompanies,
        }
    }

    /// Returns whether these are the credentials of an application, which belong to those of `user`.
    ///
    /// They may also be valid by themselves. Those of a request without a user are ignored if they are not.
    fn belongs_to(&self, user: &Self) -> bool {
        let is_anonymous = matches!(user.selection.caller(), Some(Caller::Anonymous));
        let owns = if user.used.place.is_ambient() {
            user.counts && !user.is_rejected && !is_anonymous
        } else {
            user.counts || (is_anonymous && self.is_rejected)
        };
        owns && self.accompanies.contains(&user.used.index)
    }
}

/// Selects among the credentials that `matches` accepts.
pub(super) fn select(verified: &[Verified], matches: impl Fn(&Verified) -> bool) -> Selection {
    let is_of_application = |one: &Verified| {
        let mut meant = verified.iter().filter(|user| matches(user));
        meant.any(|user| one.belongs_to(user))
    };
    let counts = |one: &&Verified| one.counts && matches(one) && !is_of_application(one);
    let counting = |is_of_kind: fn(CredentialsPlace) -> bool| {
        let counting = verified.iter().filter(counts);
        counting.filter(move |one| is_of_kind(one.used.place))
    };
    let mut explicit = counting(|place| !place.is_ambient());
    match (explicit.next(), explicit.next()) {
        (Some(one), None) => return one.selection.clone(),
        (Some(_), Some(_)) => return Selection::INVALID_REQUEST,
        (None, _) => {}
    }
    // A cookie is more specific than the connection, and a rejected one may have to be removed.
    let cookies = counting(|place| place == CredentialsPlace::Cookie);
    let connection = counting(|place| place == CredentialsPlace::Connection);
    let (live_cookies, dead_cookies): (Vec<_>, Vec<_>) = cookies.partition(|one| !one.is_rejected);
    let (live, dead): (Vec<_>, Vec<_>) = connection.partition(|one| !one.is_rejected);
    let used = match (only(&live_cookies), only(&live)) {
        (
            Some(Selection::Caller {
                caller: Caller::Anonymous,
                ..
            }),
            Some(connection),
        ) => Some(connection),
        (cookie, connection) => cookie.or(connection),
    };
    let rejected = || dead_cookies.last().or(dead.last());
    let rejected = || rejected().map_or(Selection::ANONYMOUS, |dead| dead.selection.clone());
    used.unwrap_or_else(rejected)
}

/// Selects the only ambient credentials of one kind, if there are some.
fn only(live: &[&Verified]) -> Option<Selection> {
    match live {
        [] => None,
        [one] => Some(one.selection.clone()),
        [first, others @ ..] => {
            let unclear = live.iter().find(|one| {
                let caller = one.selection.caller();
                matches!(caller, Some(Caller::Unverifiable { .. }))
            });
            if let Some(unclear) = unclear {
                return Some(unclear.selection.clone());
            }
            let index = first.used.index;
            let is_one_scheme = others.iter().all(|other| other.used.index == index);
            Some(Selection::InvalidRequest {
                cookie: is_one_scheme.then_some(index),
            })
        }
    }
}

/// Credentials that are being verified.
pub(super) struct Started {
    pub(super) used: UsedScheme,
    has_challenge: bool,
    is_accepted: bool,
    accompanies: Vec<usize>,
    /// `None` if they are unreadable.
    verification: Option<Verification>,
}

impl Started {
    pub(super) fn new(presented: &Presented<'_, '_>, target: Target<'_>, space: &Space) -> Self {
        Self {
            used: presented.used(),
            has_challenge: presented.has_challenge(),
            is_accepted: target.accepts(&presented.accepted.name),
            accompanies: presented.accompanies(space),
            verification: None,
        }
    }

    /// Starts the verification.
    pub(super) fn verifying(
        presented: &Presented<'_, '_>,
        target: Target<'_>,
        space: &Space,
        head: Head<'_>,
    ) -> Self {
        Self {
            verification: presented.verify(head, &space.client_address, &space.clock),
            ..Self::new(presented, target, space)
        }
    }
}

/// Verifies credentials one after the other, explicit ones first.
pub(super) async fn settle(started: Vec<Started>, is_shown: bool) -> Vec<Verified> {
    let mut verified: Vec<Verified> = Vec::with_capacity(started.len());
    for mut one in started {
        let is_of_application = |earlier: &Verified| {
            earlier.accompanies.contains(&one.used.index)
                || verified.iter().any(|user| earlier.belongs_to(user))
        };
        let is_decided = |earlier: &Verified| {
            earlier.counts && !earlier.used.place.is_ambient() && !is_of_application(earlier)
        };
        if is_shown && one.used.place.is_ambient() && verified.iter().any(is_decided) {
            continue;
        }
        let caller = match one.verification.take() {
            Some(verification) => Some(verification.await),
            None => None,
        };
        verified.push(Verified::new(one, caller));
    }
    verified
}
