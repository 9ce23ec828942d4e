//! The destination of a request.

use auth_runtime_policy::Policy;

use super::accepted_scheme::Accepted;

/// The destination of a request: a handler with its policy, or an unknown path.
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
