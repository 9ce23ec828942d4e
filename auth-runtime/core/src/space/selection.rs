//! The result of the authentication of a request.

use super::target::{CredentialsPlace, UsedScheme};
use crate::caller::{Caller, Rejection};

/// The authentication of a request.
#[derive(Clone, Debug)]
pub struct Authentication {
    pub(super) to_policy: View,
    /// `None` if it is the same as `to_policy`.
    pub(super) to_unknown_path: Option<Box<View>>,
}

/// The authentication by the credentials that count.
#[derive(Clone, Debug)]
pub enum View {
    /// The request carries credentials twice, or those of another request (rule 5).
    InvalidRequest {
        /// The index of the scheme, if only its cookies are ambiguous.
        cookie: Option<usize>,
    },
    /// A caller, and the scheme of its credentials.
    Caller {
        /// The caller.
        caller: Caller,
        /// The scheme of its credentials.
        used: UsedScheme,
    },
}

impl View {
    pub(super) const INVALID_REQUEST: Self = Self::InvalidRequest { cookie: None };
    pub(super) const ANONYMOUS: Self = Self::Caller {
        caller: Caller::Anonymous,
        used: UsedScheme::Nothing,
    };

    fn of(caller: Caller, used: UsedScheme) -> Self {
        match (caller, used.place()) {
            (Caller::Rejected(Rejection::RequestMismatch), _) => Self::INVALID_REQUEST,
            (Caller::Anonymous, Some(CredentialsPlace::Connection)) => Self::ANONYMOUS,
            (caller, _) => Self::Caller { caller, used },
        }
    }

    /// The view, by verified credentials of one scheme.
    pub(super) fn verified(caller: Caller, used: UsedScheme, has_challenge: bool) -> Self {
        match caller {
            // No challenge could ask for better ones (rule 7).
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

    /// Returns whether the caller's credentials were in `Authorization`. Other values of that
    /// field, such as a password for a proxy in front, do not affect the decision.
    pub fn is_in_authorization(&self) -> bool {
        matches!(
            self,
            Self::Caller {
                used: UsedScheme::Scheme {
                    place: CredentialsPlace::Authorization,
                    ..
                },
                ..
            }
        )
    }

    pub(super) fn is_known(&self) -> bool {
        matches!(self.caller(), Some(Caller::Known(_)))
    }
}

impl From<View> for Authentication {
    fn from(view: View) -> Self {
        Self {
            to_policy: view,
            to_unknown_path: None,
        }
    }
}

impl Authentication {
    /// The authentication of a request without credentials.
    pub fn anonymous() -> Self {
        View::ANONYMOUS.into()
    }

    /// The authentication of a caller by one scheme.
    pub fn of_caller(caller: Caller, used: UsedScheme) -> Self {
        View::of(caller, used).into()
    }

    /// Returns whether the request has no credentials that count for the policy.
    pub(super) fn is_anonymous(&self) -> bool {
        matches!(
            self.to_policy,
            View::Caller {
                caller: Caller::Anonymous,
                used: UsedScheme::Nothing,
            }
        )
    }

    /// The view by the credentials that the policy of the handler accepts.
    pub fn to_policy(&self) -> &View {
        &self.to_policy
    }

    /// The view by all credentials, as on an unknown path.
    pub fn to_unknown_path(&self) -> &View {
        self.to_unknown_path.as_deref().unwrap_or(&self.to_policy)
    }
}
