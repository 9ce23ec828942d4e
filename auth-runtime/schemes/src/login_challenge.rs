//! The challenge of a scheme outside OAuth, and the request for a newer or stronger login (RFC 9470 §3).

use auth_runtime_core::{Challenge, ChallengeBuilder, ChallengeContext, ChallengeError, ErrorCode};

/// The challenge of a scheme outside OAuth: the realm, and a newer or stronger login if that is
/// required.
pub(super) fn login_challenge(
    scheme: &str,
    context: &ChallengeContext<'_>,
) -> Result<Challenge, ChallengeError> {
    let mut challenge = Challenge::builder(scheme);
    if let Some(realm) = context.realm() {
        challenge = challenge.quoted("realm", realm);
    }
    if let Some(ErrorCode::InsufficientUserAuthentication { .. }) = context.error() {
        challenge = challenge.quoted("error", "insufficient_user_authentication");
    }
    wanted_login(challenge, context).constant().build()
}

/// Adds the required properties of a login, if it is insufficient (RFC 9470 §3).
pub(super) fn wanted_login(
    mut challenge: ChallengeBuilder,
    context: &ChallengeContext<'_>,
) -> ChallengeBuilder {
    if let Some(ErrorCode::InsufficientUserAuthentication {
        acr_values,
        max_age,
    }) = context.error()
    {
        if !acr_values.is_empty() {
            challenge = challenge.quoted("acr_values", acr_values.join(" "));
        }
        if let Some(max_age) = max_age {
            challenge = challenge.quoted("max_age", max_age.as_secs().to_string());
        }
    }
    challenge
}
