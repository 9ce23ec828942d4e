//! The result of verifying credentials: the closed set of callers that decisions are based on.

use std::time::Duration;

use crate::clock::Clock;
use crate::identity::Identity;

/// The caller of a request, as determined by a [`Scheme`](crate::Scheme).
///
/// A scheme returns one of these and never a status, so it cannot confuse 401 and 403.
///
/// ```
/// use std::time::Duration;
///
/// use auth_runtime::{Caller, Identity, Rejection};
///
/// let session_ended = Caller::Rejected(Rejection::Expired);
/// let database_is_down = Caller::Unverifiable { retry_after: Some(Duration::from_secs(30)) };
/// let ann = Caller::known(Identity::new("ann"));
/// assert_eq!(ann.identity().map(Identity::subject), Some("ann"));
/// assert!(session_ended.identity().is_none() && database_is_down.identity().is_none());
/// ```
#[derive(Clone, Debug)]
pub enum Caller {
    /// The request has no credentials of an accepted scheme.
    Anonymous,
    /// The credentials are invalid: the client has to log in or refresh, then retry.
    Rejected(Rejection),
    /// The credentials are valid and belong to this identity.
    Known(Identity),
    /// The verifier of the credentials is unavailable. The verifier logs the cause: nothing else does.
    Unverifiable {
        /// The time after which to retry, for `Retry-After`. The response rounds it up to seconds, at least one. Default
        /// of the response: 5 seconds.
        retry_after: Option<Duration>,
    },
}

/// Converts the result of a look-up by credentials: without an identity, they are rejected
/// ([`Caller::rejected`]).
///
/// ```
/// use auth_runtime::{Caller, Identity};
///
/// assert!(Caller::from(Some(Identity::new("ann"))).identity().is_some());
/// assert!(matches!(Caller::from(None), Caller::Rejected(_)));
/// ```
impl From<Option<Identity>> for Caller {
    fn from(found: Option<Identity>) -> Self {
        found.map_or_else(Self::rejected, Self::Known)
    }
}

/// The reason for rejecting credentials, in the detail that may be disclosed to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// The credentials do not have the format of the scheme.
    Malformed,
    /// The credentials are in a field other than `Cookie`, and longer than
    /// [`ProtectionSpace::MAX_CREDENTIALS`](crate::ProtectionSpace::MAX_CREDENTIALS). The response is 431
    /// (RFC 6585 §5) without a challenge: a client that fetched new ones would send as many bytes again.
    TooLong,
    /// The credentials were valid, and have expired.
    Expired,
    /// The credentials may be valid, but nothing proves that their owner sent them (RFC 9449 §7.1).
    /// An example is a cookie in a cross-site request.
    InvalidProof,
    /// The credentials are valid, except for a nonce that the server requires and that its response
    /// supplies (RFC 9449 §9, RFC 7616 §3.3).
    StaleNonce,
    /// The credentials were made for another request (RFC 7616 §3.4.6). The request itself is then
    /// invalid, and the response is 400.
    RequestMismatch,
    /// The credentials are forged, revoked, meant for another recipient, or not yet valid.
    Invalid,
    /// The credentials of the user are valid, and those of the application are missing
    /// ([`SchemeExt::with_application`](crate::SchemeExt::with_application)).
    NoApplication,
    /// The credentials of the user are valid, and those of the application are not.
    InvalidApplication,
}

impl Rejection {
    /// Returns whether only the credentials of the application are missing or invalid.
    pub(crate) fn is_of_application(self) -> bool {
        matches!(self, Self::NoApplication | Self::InvalidApplication)
    }

    /// The name of the reason, for records.
    #[cfg(any(feature = "serde", feature = "tracing"))]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLong => "too_long",
            Self::Expired => "expired",
            Self::InvalidProof => "invalid_proof",
            Self::StaleNonce => "stale_nonce",
            Self::RequestMismatch => "request_mismatch",
            Self::Invalid => "invalid",
            Self::NoApplication => "no_application",
            Self::InvalidApplication => "invalid_application",
        }
    }
}

impl Caller {
    /// Shorthand for [`Caller::Known`].
    pub fn known(identity: Identity) -> Self {
        Self::Known(identity)
    }

    /// Shorthand for [`Caller::Rejected`] with [`Rejection::Invalid`].
    pub fn rejected() -> Self {
        Self::Rejected(Rejection::Invalid)
    }

    /// Shorthand for [`Caller::Unverifiable`] without a time to try again. The verifier logs the cause: nothing else
    /// does.
    pub fn unverifiable() -> Self {
        Self::Unverifiable { retry_after: None }
    }

    /// Rejects an identity that is expired by `clock`.
    pub(crate) fn unless_expired(self, clock: &Clock) -> Self {
        match self {
            Self::Known(identity) if identity.is_expired(clock) => {
                Self::Rejected(Rejection::Expired)
            }
            caller => caller,
        }
    }

    /// The kind of the caller, for records.
    #[cfg(any(feature = "serde", feature = "tracing"))]
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Rejected(_) => "rejected",
            Self::Known(_) => "known",
            Self::Unverifiable { .. } => "unverifiable",
        }
    }

    /// The reason for which the credentials were rejected, for records.
    #[cfg(any(feature = "serde", feature = "tracing"))]
    pub(crate) fn rejection(&self) -> Option<Rejection> {
        match self {
            Self::Rejected(rejection) => Some(*rejection),
            _ => None,
        }
    }

    /// Returns the identity of a known caller.
    pub fn into_identity(self) -> Option<Identity> {
        match self {
            Self::Known(identity) => Some(identity),
            _ => None,
        }
    }

    /// The identity of a known caller.
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Known(identity) => Some(identity),
            _ => None,
        }
    }
}
