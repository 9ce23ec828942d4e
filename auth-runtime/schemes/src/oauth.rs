//! The challenges of the OAuth schemes (RFC 6750 §3, RFC 9449 §7.1, RFC 9470 §3, RFC 9728 §5.1).

use auth_runtime_core::{
    Challenge, ChallengeBuilder, ChallengeContext, ChallengeError, ErrorCode, Rejection,
};

use crate::login_challenge::wanted_login;

/// Returns a challenge. Descriptions come last, since some clients search the text of the challenge
/// for parameters.
pub(super) fn challenge(
    scheme: &str,
    algorithms: Option<&str>,
    context: &ChallengeContext<'_>,
) -> Result<Challenge, ChallengeError> {
    let mut challenge = Challenge::builder(scheme);
    if let Some(realm) = context.realm() {
        challenge = challenge.quoted("realm", realm);
    }
    let scopes = context.scopes().iter().map(AsRef::as_ref);
    complete(challenge.scopes(scopes), algorithms, context)
}

/// Returns the challenge with all parameters behind the scopes.
pub(super) fn complete(
    mut challenge: ChallengeBuilder,
    algorithms: Option<&str>,
    context: &ChallengeContext<'_>,
) -> Result<Challenge, ChallengeError> {
    let error = context.error().map(error);
    if let Some((code, _)) = error {
        challenge = challenge.quoted("error", code);
    }
    challenge = wanted_login(challenge, context);
    if let Some(algorithms) = algorithms {
        challenge = challenge.quoted("algs", algorithms);
    }
    if let Some(url) = context.resource_metadata() {
        challenge = challenge.quoted("resource_metadata", url);
    }
    if let Some((_, description)) = error {
        challenge = challenge.quoted("error_description", description);
    }
    challenge.constant().build()
}

/// Returns the error code and a short description.
fn error(problem: ErrorCode<'_>) -> (&'static str, &'static str) {
    match problem {
        ErrorCode::InvalidToken(Rejection::InvalidProof) => (
            "invalid_dpop_proof",
            "the proof of possession is missing or not valid",
        ),
        ErrorCode::InvalidToken(Rejection::StaleNonce) => (
            "use_dpop_nonce",
            "the proof of possession must contain the nonce of this response",
        ),
        ErrorCode::InvalidToken(rejection) => (
            "invalid_token",
            match rejection {
                Rejection::Malformed => "the access token is malformed",
                Rejection::Expired => "the access token expired",
                _ => "the access token is not valid",
            },
        ),
        ErrorCode::InsufficientScope => (
            "insufficient_scope",
            "the access token lacks a required scope",
        ),
        ErrorCode::InsufficientUserAuthentication { .. } => (
            "insufficient_user_authentication",
            "the login is too old or too weak",
        ),
        // `InvalidRequest`.
        _ => (
            "invalid_request",
            "the request carries credentials in a way that is not accepted, or a body that cannot \
             be read",
        ),
    }
}
