//! The resource that credentials are sent to, and the scheme of the credentials.

use auth_runtime_policy::Policy;

use super::accepted_scheme::Accepted;

/// The resource that credentials are sent to.
#[derive(Clone, Copy)]
pub enum Target<'p> {
    /// A handler on a path where no denial is concealed.
    Shown(&'p Policy),
    /// A handler on a path where denials are concealed.
    Hidden(&'p Policy),
    /// An unknown path.
    Unknown,
}

impl<'p> Target<'p> {
    /// A handler with this policy.
    pub fn of(policy: &'p Policy) -> Self {
        if policy.is_hidden() {
            Self::Hidden(policy)
        } else {
            Self::Shown(policy)
        }
    }

    /// Returns whether the policy, if there is one, accepts the scheme.
    pub(super) fn accepts(self, scheme: &str) -> bool {
        match self {
            Self::Shown(policy) | Self::Hidden(policy) => policy.accepts(scheme),
            Self::Unknown => true,
        }
    }

    pub(super) fn is_shown(self) -> bool {
        matches!(self, Self::Shown(_))
    }

    /// Returns whether credentials of a scheme are found and verified.
    pub(super) fn counts(self, accepted: &Accepted) -> bool {
        !self.is_shown() || self.accepts(&accepted.name)
    }
}

/// The place of credentials in a request. Ambient ones are last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CredentialsPlace {
    /// In `Authorization`.
    Authorization,
    /// In a field of the scheme's own.
    Field,
    /// In the query or a form.
    Elsewhere,
    /// In a cookie, which a browser adds on its own.
    Cookie,
    /// In the connection, for all of its requests.
    Connection,
}

impl CredentialsPlace {
    /// Returns whether the client sends the credentials with all requests, so that they are not explicit.
    pub(super) fn is_ambient(self) -> bool {
        matches!(self, Self::Cookie | Self::Connection)
    }
}

/// The scheme of the credentials that were sent.
#[derive(Clone, Copy, Debug)]
pub enum UsedScheme {
    /// No credentials were sent.
    Nothing,
    /// A scheme.
    Scheme {
        /// Its index in the order of the space.
        index: usize,
        /// Their place.
        place: CredentialsPlace,
    },
}

impl UsedScheme {
    pub(super) fn place(self) -> Option<CredentialsPlace> {
        match self {
            Self::Scheme { place, .. } => Some(place),
            Self::Nothing => None,
        }
    }

    pub(super) fn index(self) -> Option<usize> {
        match self {
            Self::Scheme { index, .. } => Some(index),
            Self::Nothing => None,
        }
    }
}
