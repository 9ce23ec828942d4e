//! The reasons for rejecting tokens, in the log.

use std::fmt;

use auth_runtime_core::Rejection;

/// The reason for rejecting a token: a fixed text, since the data of a token are secret, or chosen by an attacker.
#[derive(Clone, Copy)]
pub(crate) struct RejectedToken {
    rejection: Rejection,
    reason: &'static str,
}

impl RejectedToken {
    pub(crate) const NO_JWT: Self = Self::new(
        Rejection::Malformed,
        "it is not a JWT, or has an unknown algorithm",
    );
    pub(crate) const EXPIRED: Self = Self::new(Rejection::Expired, "it has expired");
    pub(crate) const UNREADABLE: Self =
        Self::invalid("its claims cannot be read, or one of them occurs twice");
    pub(crate) const OTHER_ISSUER: Self = Self::invalid("its `iss` is not the issuer");
    pub(crate) const OTHER_AUDIENCE: Self = Self::invalid("its `aud` is not an accepted audience");
    pub(crate) const NO_SUBJECT: Self = Self::invalid("its subject is missing, or is not a text");

    pub(crate) const fn new(rejection: Rejection, reason: &'static str) -> Self {
        Self { rejection, reason }
    }

    pub(crate) const fn invalid(reason: &'static str) -> Self {
        Self::new(Rejection::Invalid, reason)
    }

    /// Logs the reason at debug level, with the configured issuer, and returns the rejection.
    pub(crate) fn log(self, issuer: Option<&dyn fmt::Display>) -> Rejection {
        tracing::debug!(
            issuer = issuer.map(tracing::field::display),
            reason = self.reason,
            "a token is rejected"
        );
        self.rejection
    }
}
