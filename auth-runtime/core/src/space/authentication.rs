//! Authentication of a request, by the credentials that [`select`] determines.
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

use super::Space;
use super::accepted_scheme::Accepted;
use super::credentials::{Presented, PresentedCredentials};
use super::selection::{Selection, Started, Verified, select, settle};
use super::target::Target;
use super::used_scheme::{CredentialsPlace, UsedScheme};
use crate::caller::Caller;
use crate::head::Head;
use crate::scheme::Source;
use crate::scheme::verification::Verification;

/// The authentication of a request.
#[derive(Clone, Debug)]
pub struct Authentication {
    pub(super) to_policy: Selection,
    /// `None` if it is the same as `to_policy`.
    pub(super) to_unknown_path: Option<Box<Selection>>,
}

impl From<Selection> for Authentication {
    fn from(selection: Selection) -> Self {
        Self {
            to_policy: selection,
            to_unknown_path: None,
        }
    }
}

impl Authentication {
    /// The authentication of a request without credentials.
    pub fn anonymous() -> Self {
        Selection::ANONYMOUS.into()
    }

    /// The authentication of a caller without credentials.
    pub fn of_caller(caller: Caller) -> Self {
        Selection::of(caller, None).into()
    }

    fn of_verified(verified: &[Verified], is_shown: bool) -> Self {
        Self {
            to_policy: select(verified, |one| one.is_accepted),
            to_unknown_path: (!is_shown).then(|| Box::new(select(verified, |_| true))),
        }
    }

    /// Returns whether the request has no credentials that count for the policy.
    pub(super) fn is_anonymous(&self) -> bool {
        matches!(
            self.to_policy,
            Selection::Caller {
                caller: Caller::Anonymous,
                used: None,
            }
        )
    }

    /// The selection of the credentials that the policy of the handler accepts.
    pub fn to_policy(&self) -> &Selection {
        &self.to_policy
    }

    /// The selection of all credentials, as on an unknown path.
    pub fn to_unknown_path(&self) -> &Selection {
        self.to_unknown_path.as_deref().unwrap_or(&self.to_policy)
    }
}

impl Space {
    /// Returns the fields that the scheme of the caller adds to the response of the handler.
    pub fn granted_fields(
        &self,
        authentication: &Authentication,
        headers: &HeaderMap,
    ) -> Vec<(HeaderName, HeaderValue)> {
        let used = match authentication.to_policy() {
            Selection::Caller {
                caller: Caller::Known(_),
                used: Some(used),
            } => self.schemes.get(used.index),
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
        let Selection::Caller { caller, used } = authentication.to_policy() else {
            return None;
        };
        match used {
            Some(used) if !self.is_accepted(used.index, policy) => Some(&Caller::Anonymous),
            // A browser adds the cookie and the certificate on its own, so their owner may not know of them.
            Some(used)
                if used.place.is_ambient()
                    && policy.has_optional_identity()
                    && caller.identity().is_none() =>
            {
                Some(&Caller::Anonymous)
            }
            _ => Some(caller),
        }
    }

    fn is_accepted(&self, index: usize, policy: &Policy) -> bool {
        let scheme = self.schemes.get(index);
        scheme.is_some_and(|accepted| policy.accepts(&accepted.name))
    }

    /// Returns whether the credentials may have been in the query.
    pub fn may_stand_in_query(&self, authentication: &Authentication) -> bool {
        if let Selection::Caller {
            used: Some(used), ..
        } = authentication.to_policy()
        {
            let used = self.schemes.get(used.index);
            let mut sources = used.into_iter().flat_map(Accepted::places);
            return sources.any(|source| matches!(source, Source::Query(_)));
        }
        false
    }

    /// Returns the authentication of a request that comes from `caller`, regardless of its
    /// credentials. The caller counts as using the first accepted OAuth scheme, or else the first
    /// accepted scheme.
    pub fn assume(&self, caller: &Caller, target: Target<'_>) -> Authentication {
        let selection = |target| {
            let used = match caller {
                Caller::Anonymous => None,
                _ => self.likely_scheme(target),
            };
            let scheme = used.and_then(|used| self.schemes.get(used.index));
            let has_challenge = scheme.is_none_or(|accepted| accepted.plain.is_some());
            Selection::verified(caller.clone(), used, has_challenge)
        };
        Authentication {
            to_policy: selection(target),
            to_unknown_path: (!target.is_shown()).then(|| Box::new(selection(Target::Unknown))),
        }
    }

    /// Returns the first accepted OAuth scheme, or else the first accepted scheme.
    fn likely_scheme(&self, target: Target<'_>) -> Option<UsedScheme> {
        let schemes = self.schemes.iter().enumerate();
        let mut accepted = schemes.filter(|(_, scheme)| target.accepts(&scheme.name));
        let first = accepted.clone().next();
        let oauth = accepted.find(|(_, scheme)| scheme.is_oauth);
        let (index, _) = oauth.or(first)?;
        Some(UsedScheme {
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
            PresentedCredentials::Nothing => {
                return Authentication::of_caller(caller.clone());
            }
            PresentedCredentials::One(presented) => vec![verified(&presented)],
            PresentedCredentials::Several(several) => several.iter().map(verified).collect(),
        };
        Authentication::of_verified(&verified, target.is_shown())
    }

    /// Finds the credentials of a request and starts to verify them.
    pub fn authenticate(&self, head: Head<'_>, target: Target<'_>) -> AuthenticationFuture {
        let several = match self.find(head, |accepted| target.counts(accepted)) {
            PresentedCredentials::Nothing => {
                return AuthenticationFuture::Done(Selection::ANONYMOUS.into());
            }
            PresentedCredentials::One(presented) if presented.is_readable() => {
                let is_accepted = target.accepts(&presented.accepted.name);
                return AuthenticationFuture::of(&presented, is_accepted, head, self);
            }
            PresentedCredentials::One(unreadable) => vec![unreadable],
            PresentedCredentials::Several(several) => several,
        };
        let mut started: Vec<Started> = several
            .iter()
            .map(|presented| Started::verifying(presented, target, self, head))
            .collect();
        started.sort_by_key(|one| one.used.place.is_ambient().then_some(one.used.place));
        let is_shown = target.is_shown();
        AuthenticationFuture::Several(Box::pin(async move {
            let verified = settle(started, is_shown).await;
            Authentication::of_verified(&verified, is_shown)
        }))
    }
}

/// An [`Authentication`], ready or pending.
pub enum AuthenticationFuture {
    /// The authentication is complete.
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
    fn of(presented: &Presented<'_, '_>, is_accepted: bool, head: Head<'_>, space: &Space) -> Self {
        let (used, has_challenge) = (presented.used(), presented.has_challenge());
        let Some(verification) = presented.verify(head, &space.client_address, &space.clock) else {
            return Self::Done(by_only(Selection::INVALID_REQUEST, is_accepted));
        };
        match verification.into_caller() {
            Ok(caller) => Self::Done(by_only(
                Selection::verified(caller, Some(used), has_challenge),
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
fn by_only(selection: Selection, is_accepted: bool) -> Authentication {
    if is_accepted {
        return selection.into();
    }
    Authentication {
        to_policy: Selection::ANONYMOUS,
        to_unknown_path: Some(Box::new(selection)),
    }
}

impl Future for AuthenticationFuture {
    type Output = Authentication;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Authentication> {
        match &mut *self {
            Self::Done(authentication) => Poll::Ready(std::mem::replace(
                authentication,
                Selection::INVALID_REQUEST.into(),
            )),
            Self::Verifying {
                used,
                has_challenge,
                is_accepted,
                verification,
            } => Pin::new(verification).poll(context).map(|caller| {
                by_only(
                    Selection::verified(caller, Some(*used), *has_challenge),
                    *is_accepted,
                )
            }),
            Self::Several(settled) => settled.as_mut().poll(context),
        }
    }
}
