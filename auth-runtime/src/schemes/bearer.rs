//! Bearer tokens (RFC 6750).

use std::fmt;
use std::future::Future;

use crate::caller::{Caller, Rejection};
use crate::challenge::{Challenge, ChallengeError};
use crate::scheme::{Credentials, Occasion, Problem, Scheme, Verification};

/// `Authorization: Bearer …` (RFC 6750): whoever has the token is let in as whom it names.
///
/// Tokens in the query or in a form are not read (RFC 6750 §2.2 and §2.3).
///
/// ```
/// use auth_runtime::{Bearer, Caller, Identity};
///
/// /// Asks the service's own database.
/// async fn look_up(token: String) -> Caller {
///     match token.as_str() {
///         "a-token-of-ann" => Caller::known(Identity::new("ann").with_scopes(["read"])),
///         _ => Caller::rejected(),
///     }
/// }
/// let scheme = Bearer::new(look_up);
/// ```
pub struct Bearer {
    verify: Box<dyn Fn(&str) -> Verification + Send + Sync>,
}

impl Bearer {
    /// Tokens that mean something to `verify` only.
    ///
    /// It is given a token in the right form and says whose it is: look it up by its hash, so that
    /// neither the time of the look-up nor a leaked table gives tokens away. If what it asks is
    /// out of order, it says [`Caller::Unverifiable`].
    pub fn new<F>(verify: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Caller> + Send + 'static,
    {
        Self {
            verify: Box::new(move |token| Verification::pending(verify(token.to_owned()))),
        }
    }

    /// Tokens that are JWTs.
    #[cfg(feature = "jwt")]
    pub fn jwt(jwt: crate::Jwt) -> Self {
        Self {
            verify: Box::new(move |token| Verification::done(jwt.verify(token))),
        }
    }
}

impl Scheme for Bearer {
    fn name(&self) -> &str {
        "Bearer"
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        if is_b64token(credentials.value()) {
            (self.verify)(credentials.value())
        } else {
            Verification::done(Caller::Rejected(Rejection::Malformed))
        }
    }

    fn challenge(&self, occasion: &Occasion<'_>) -> Result<Challenge, ChallengeError> {
        let mut challenge = Challenge::builder("Bearer").quoted("realm", occasion.realm());
        // Before the description: clients look for it by text.
        if !occasion.scopes().is_empty() {
            challenge = challenge.quoted("scope", occasion.scopes().join(" "));
        }
        if let Some(problem) = occasion.problem() {
            let (error, description) = error(problem);
            challenge = challenge
                .quoted("error", error)
                .quoted("error_description", description);
        }
        challenge.build()
    }

    fn is_oauth(&self) -> bool {
        true
    }
}

/// The error of RFC 6750 §3.1, and no more than its owner has to know.
fn error(problem: Problem) -> (&'static str, &'static str) {
    match problem {
        Problem::InvalidRequest => (
            "invalid_request",
            "the request carries credentials in more than one way",
        ),
        Problem::InvalidToken(rejection) => (
            "invalid_token",
            match rejection {
                Rejection::Malformed => "the access token is malformed",
                Rejection::Expired => "the access token expired",
                Rejection::Invalid => "the access token is not valid",
            },
        ),
        Problem::InsufficientScope => (
            "insufficient_scope",
            "the access token does not grant what is needed",
        ),
    }
}

/// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` (RFC 6750 §2.1).
fn is_b64token(text: &str) -> bool {
    let token = text.trim_end_matches('=');
    !token.is_empty()
        && token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer")
    }
}
