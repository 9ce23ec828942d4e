//! What a scheme can say of a caller: the closed set that decisions are made from.

use std::time::Duration;

use crate::identity::Identity;

/// Who sent a request, as a [`Scheme`](crate::Scheme) found out.
///
/// A scheme answers with one of these and never with a status, so it cannot confuse 401 and 403.
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
    /// No credentials that an accepted scheme understands.
    Anonymous,
    /// Credentials were sent, and they are no good: log in or refresh, then try again.
    Rejected(Rejection),
    /// The credentials are good, and this is whose they are.
    Known(Identity),
    /// What verifies the credentials is out of order, so nobody can say.
    Unverifiable {
        /// When to try again, for `Retry-After`; default of the answer: 5 seconds.
        retry_after: Option<Duration>,
    },
}

/// Why credentials were rejected: as much as the caller may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// They are not even in the form that the scheme asks for.
    Malformed,
    /// They were good once.
    Expired,
    /// The credentials may be good, but nothing proves that their owner sent them (RFC 9449 §7.1), as
    /// where another site made a browser send a cookie.
    InvalidProof,
    /// They are right, but for a nonce that the server wants and that comes with its answer (RFC 9449
    /// §9, RFC 7616 §3.3).
    StaleNonce,
    /// They were made for another request than the one that they came with (RFC 7616 §3.4.6). That
    /// is a request which is itself broken, and answered 400.
    OtherRequest,
    /// They are wrong: forged, revoked, meant for somebody else, or not yet valid.
    Invalid,
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

    /// Shorthand for [`Caller::Unverifiable`] without a time to try again.
    pub fn unverifiable() -> Self {
        Self::Unverifiable { retry_after: None }
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
