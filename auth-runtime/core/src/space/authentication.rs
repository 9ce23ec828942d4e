//! Authentication of a request.
//!
//! # Which credentials count
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
//!
//! # Why a hidden path is indistinguishable
//!
//! A request can carry credentials of which a hidden handler accepts some, while on an unknown path
//! all of them count: the response of the handler might be 401 where that of the unknown path is
//! 400. Therefore a request to a path with a hidden policy is authenticated in the same way as one
//! to an unknown path:
//!
//! - The credentials of *all* schemes are found and verified, each once and in the same order. Neither
//!   the policy nor the result of the earlier ones shortens this. The work, and its effect on the session
//!   layer around, depend on the request alone.
//! - The policy decides by those that it accepts ([`Authentication::to_policy`]).
//! - The response to a concealed denial depends on all of them ([`Authentication::to_unknown_path`]), like that
//!   of an unknown path. The policy does not affect it.
//!
//! On a path with nothing hidden, only credentials that the policy accepts are verified, and no verification of
//! a cookie beside an explicit credential is awaited.

use std::pin::Pin;
use std::task::{Context, Poll};

use auth_runtime_policy::Policy;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::credentials::{Found, Presented};
use super::data::{Accepted, Space};
use super::selection::{Authentication, View};
use super::target::{CredentialsPlace, Target, UsedScheme};
use crate::caller::Caller;
use crate::client_address::ClientAddress;
use crate::head::Head;
use crate::scheme::Source;
use crate::verification::Verification;

/// Verified credentials.
struct Verified {
    view: View,
    used: UsedScheme,
    place: CredentialsPlace,
    /// True if the policy accepts their scheme.
    is_accepted: bool,
    /// True if they were rejected.
    is_rejected: bool,
    /// True unless they are ignored: the scheme reports an anonymous caller, or has no challenge and rejects
    /// them (rule 7).
    counts: bool,
    /// The indexes of the schemes that read the credentials of an application in the same place.
    accompanies: Vec<usize>,
}

impl Verified {
    /// Without a caller, they were unreadable.
    fn new(presented: Started, caller: Option<Caller>) -> Self {
        let is_rejected = matches!(caller, Some(Caller::Rejected(_)));
        let is_cookie = presented.place == CredentialsPlace::Cookie;
        let is_none = !is_cookie && matches!(caller, Some(Caller::Anonymous));
        Self {
            view: match caller {
                Some(caller) => View::verified(caller, presented.used, presented.has_challenge),
                None => View::INVALID_REQUEST,
            },
            used: presented.used,
            place: presented.place,
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
        let is_anonymous = matches!(user.view.caller(), Some(Caller::Anonymous));
        let owns = if user.place.is_ambient() {
            user.counts && !user.is_rejected && !is_anonymous
        } else {
            user.counts || (is_anonymous && self.is_rejected)
        };
        owns && belongs_to(&self.accompanies, user.used)
    }
}

fn belongs_to(accompanies: &[usize], user: UsedScheme) -> bool {
    user.index().is_some_and(|user| accompanies.contains(&user))
}

/// Returns the view by the credentials that `is_meant` accepts.
fn select(verified: &[Verified], is_meant: impl Fn(&Verified) -> bool) -> View {
    let is_of_application = |one: &Verified| {
        let mut meant = verified.iter().filter(|user| is_meant(user));
        meant.any(|user| one.belongs_to(user))
    };
    let counts = |one: &&Verified| one.counts && is_meant(one) && !is_of_application(one);
    let counting = |is_of_kind: fn(CredentialsPlace) -> bool| {
        let counting = verified.iter().filter(counts);
        counting.filter(move |one| is_of_kind(one.place))
    };
    let mut explicit = counting(|place| !place.is_ambient());
    match (explicit.next(), explicit.next()) {
        (Some(one), None) => return one.view.clone(),
        (Some(_), Some(_)) => return View::INVALID_REQUEST,
        (None, _) => {}
    }
    // A cookie is more specific than the connection, and a rejected one may have to be removed.
    let cookies = counting(|place| place == CredentialsPlace::Cookie);
    let connection = counting(|place| place == CredentialsPlace::Connection);
    let (live_cookies, dead_cookies): (Vec<_>, Vec<_>) = cookies.partition(|one| !one.is_rejected);
    let (live, dead): (Vec<_>, Vec<_>) = connection.partition(|one| !one.is_rejected);
    let used = match (only(&live_cookies), only(&live)) {
        (
            Some(View::Caller {
                caller: Caller::Anonymous,
                ..
            }),
            Some(connection),
        ) => Some(connection),
        (cookie, connection) => cookie.or(connection),
    };
    let rejected = || dead_cookies.last().or(dead.last());
    let rejected = || rejected().map_or(View::ANONYMOUS, |dead| dead.view.clone());
    used.unwrap_or_else(rejected)
}

/// Returns the view by the only ambient credentials of one kind, if there are some.
fn only(live: &[&Verified]) -> Option<View> {
    match live {
        [] => None,
        [one] => Some(one.view.clone()),
        [first, others @ ..] => {
            let unclear = live.iter().find(|one| {
                let caller = one.view.caller();
                matches!(caller, Some(Caller::Unverifiable { .. }))
            });
            if let Some(unclear) = unclear {
                return Some(unclear.view.clone());
            }
            let index = first.used.index();
            let is_one_scheme = others.iter().all(|other| other.used.index() == index);
            Some(View::InvalidRequest {
                cookie: index.filter(|_| is_one_scheme),
            })
        }
    }
}

/// Credentials that are being verified.
struct Started {
    used: UsedScheme,
    place: CredentialsPlace,
    has_challenge: bool,
    is_accepted: bool,
    accompanies: Vec<usize>,
    /// `None` if they are unreadable.
    verification: Option<Verification>,
}

impl Started {
    fn new(presented: &Presented<'_, '_>, target: Target<'_>, space: &Space) -> Self {
        Self {
            used: presented.used(),
            place: presented.place(),
            has_challenge: presented.has_challenge(),
            is_accepted: target.accepts(&presented.accepted.name),
            accompanies: presented.accompanies(space),
            verification: None,
        }
    }
}

/// Verifies credentials one after the other, explicit ones first.
async fn settle(started: Vec<Started>, is_shown: bool) -> Authentication {
    let mut verified: Vec<Verified> = Vec::with_capacity(started.len());
    for mut one in started {
        let is_of_application = |earlier: &Verified| {
            belongs_to(&earlier.accompanies, one.used)
                || verified.iter().any(|user| earlier.belongs_to(user))
        };
        let is_decided = |earlier: &Verified| {
            earlier.counts && !earlier.place.is_ambient() && !is_of_application(earlier)
        };
        if is_shown && one.place.is_ambient() && verified.iter().any(is_decided) {
            continue;
        }
        let caller = match one.verification.take() {
            Some(verification) => Some(verification.await),
            None => None,
        };
        verified.push(Verified::new(one, caller));
    }
    views(&verified, is_shown)
}

fn views(verified: &[Verified], is_shown: bool) -> Authentication {
    Authentication {
        to_policy: select(verified, |one| one.is_accepted),
        to_unknown_path: (!is_shown).then(|| Box::new(select(verified, |_| true))),
    }
}

/// The authentication of a request.
impl Space {
    /// Returns the fields that the scheme of the caller adds to the response of the handler.
    pub fn granted_fields(
        &self,
        authentication: &Authentication,
        headers: &HeaderMap,
    ) -> Vec<(HeaderName, HeaderValue)> {
        let used = match authentication.to_policy() {
            View::Caller {
                caller: Caller::Known(_),
                used: UsedScheme::Scheme { index, .. },
            } => self.schemes.get(*index),
            _ => None,
        };
        used.map_or_else(Vec::new, |used| used.scheme.granted_fields(headers))
    }

    /// Returns the caller for `policy`: anonymous if the policy does not accept the scheme that was
    /// used. `None` if the credentials are ambiguous.
    pub fn caller_for<'s>(
        &self,
        policy: &Policy,
        authentication: &'s Authentication,
    ) -> Option<&'s Caller> {
        let View::Caller { caller, used } = authentication.to_policy() else {
            return None;
        };
        match used {
            UsedScheme::Scheme { index, .. } if !self.is_accepted(*index, policy) => {
                Some(&Caller::Anonymous)
            }
            // A browser adds the cookie and the certificate on its own (rule 6).
            UsedScheme::Scheme { place, .. }
                if place.is_ambient()
                    && policy.has_optional_identity()
                    && caller.identity().is_none() =>
            {
                Some(&Caller::Anonymous)
            }
            _ => Some(caller),
        }
    }

    /// Returns the index of the scheme that was used. Without a policy, it is the one that counts
    /// on an unknown path.
    pub(crate) fn scheme_used(
        &self,
        policy: Option<&Policy>,
        authentication: &Authentication,
    ) -> Option<usize> {
        let view = match policy {
            Some(_) => authentication.to_policy(),
            None => authentication.to_unknown_path(),
        };
        match view {
            View::InvalidRequest { cookie } => *cookie,
            View::Caller { used, .. } => used.index(),
        }
    }

    fn is_accepted(&self, index: usize, policy: &Policy) -> bool {
        let scheme = self.schemes.get(index);
        scheme.is_some_and(|accepted| policy.accepts(&accepted.name))
    }

    /// Returns whether the credentials may have been in the query.
    pub fn may_stand_in_query(&self, authentication: &Authentication) -> bool {
        if let View::Caller {
            used: UsedScheme::Scheme { index, .. },
            ..
        } = authentication.to_policy()
        {
            let used = self.schemes.get(*index);
            let mut sources = used.into_iter().flat_map(Accepted::places);
            return sources.any(|source| matches!(source, Source::Query(_)));
        }
        false
    }

    /// Returns the authentication of a request that comes from `caller`, regardless of its
    /// credentials. The caller counts as using the first accepted OAuth scheme, or else the first
    /// accepted scheme.
    pub fn assume(&self, caller: &Caller, target: Target<'_>) -> Authentication {
        let view = |target| {
            let used = match caller {
                Caller::Anonymous => UsedScheme::Nothing,
                _ => self.likely_scheme(target),
            };
            let scheme = used.index().and_then(|index| self.schemes.get(index));
            let has_challenge = scheme.is_none_or(|accepted| accepted.plain.is_some());
            View::verified(caller.clone(), used, has_challenge)
        };
        Authentication {
            to_policy: view(target),
            to_unknown_path: (!target.is_shown()).then(|| Box::new(view(Target::Unknown))),
        }
    }

    /// Returns the first accepted OAuth scheme, or else the first accepted scheme.
    fn likely_scheme(&self, target: Target<'_>) -> UsedScheme {
        let schemes = self.schemes.iter().enumerate();
        let mut accepted = schemes.filter(|(_, scheme)| target.accepts(&scheme.name));
        let first = accepted.clone().next();
        let oauth = accepted.find(|(_, scheme)| scheme.is_oauth);
        oauth
            .or(first)
            .map_or(UsedScheme::Nothing, |(index, _)| UsedScheme::Scheme {
                index,
                place: CredentialsPlace::Elsewhere,
            })
    }

    /// Returns the authentication of a request if all its credentials are those of `caller`. They
    /// are found, but not verified.
    pub fn authentication_if(
        &self,
        caller: &Caller,
        head: Head<'_>,
        target: Target<'_>,
    ) -> Authentication {
        let verified = |presented: &Presented<'_, '_>| {
            let caller = presented.is_readable().then(|| caller.clone());
            Verified::new(Started::new(presented, target, self), caller)
        };
        let verified = match self.find(head, |_| true) {
            Found::Nothing => {
                return Authentication::of_caller(caller.clone(), UsedScheme::Nothing);
            }
            Found::One(presented) => vec![verified(&presented)],
            Found::Several(several) => several.iter().map(verified).collect(),
        };
        views(&verified, target.is_shown())
    }

    /// Finds the credentials of a request and starts to verify them.
    pub fn authenticate(&self, head: Head<'_>, target: Target<'_>) -> AuthenticationFuture {
        let several = match self.find(head, |accepted| target.counts(accepted)) {
            Found::Nothing => return AuthenticationFuture::Done(View::ANONYMOUS.into()),
            Found::One(presented) if presented.is_readable() => {
                let is_accepted = target.accepts(&presented.accepted.name);
                return AuthenticationFuture::of(
                    &presented,
                    is_accepted,
                    head,
                    &self.client_address,
                );
            }
            Found::One(unreadable) => vec![unreadable],
            Found::Several(several) => several,
        };
        let started = several.iter().map(|presented| Started {
            verification: presented.verify(head, &self.client_address),
            ..Started::new(presented, target, self)
        });
        let mut started: Vec<Started> = started.collect();
        started.sort_by_key(|one| one.place.is_ambient().then_some(one.place));
        AuthenticationFuture::Several(Box::pin(settle(started, target.is_shown())))
    }
}

/// An [`Authentication`], ready or pending.
pub enum AuthenticationFuture {
    /// No credentials have to be verified.
    Done(Authentication),
    /// The only credentials of the request are being verified.
    Verifying {
        /// Their scheme.
        used: UsedScheme,
        /// True if the scheme has a challenge.
        has_challenge: bool,
        /// True if the policy accepts it.
        is_accepted: bool,
        /// The verification.
        verification: Verification,
    },
    /// Several credentials are being verified.
    Several(Pin<Box<dyn Future<Output = Authentication> + Send>>),
}

impl AuthenticationFuture {
    fn of(
        presented: &Presented<'_, '_>,
        is_accepted: bool,
        head: Head<'_>,
        client_address: &ClientAddress,
    ) -> Self {
        let (used, has_challenge) = (presented.used(), presented.has_challenge());
        let Some(verification) = presented.verify(head, client_address) else {
            return Self::Done(by_only(View::INVALID_REQUEST, is_accepted));
        };
        match verification.into_caller() {
            Ok(caller) => Self::Done(by_only(
                View::verified(caller, used, has_challenge),
                is_accepted,
            )),
            Err(verification) => Self::Verifying {
                used,
                has_challenge,
                is_accepted,
                verification,
            },
        }
    }
}

/// Returns the authentication by the only credentials of a request. They count for the policy if it accepts
/// their scheme, and always for the response of an unknown path.
fn by_only(view: View, is_accepted: bool) -> Authentication {
    if is_accepted {
        return view.into();
    }
    Authentication {
        to_policy: View::ANONYMOUS,
        to_unknown_path: Some(Box::new(view)),
    }
}

impl Future for AuthenticationFuture {
    type Output = Authentication;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Authentication> {
        match &mut *self {
            Self::Done(authentication) => Poll::Ready(std::mem::replace(
                authentication,
                View::INVALID_REQUEST.into(),
            )),
            Self::Verifying {
                used,
                has_challenge,
                is_accepted,
                verification,
            } => Pin::new(verification)
                .poll(context)
                .map(|caller| by_only(View::verified(caller, *used, *has_challenge), *is_accepted)),
            Self::Several(settled) => settled.as_mut().poll(context),
        }
    }
}
