//! Bearer tokens (RFC 6750).

use std::fmt;
use std::future::Future;

use crate::caller::{Caller, Rejection};
use crate::challenge::{Challenge, ChallengeError};
#[cfg(feature = "jwt")]
use crate::identity::Identity;
#[cfg(feature = "form")]
use crate::scheme::Source;
use crate::scheme::{Credentials, Occasion, Scheme, Verification};
#[cfg(feature = "jwt")]
use crate::schemes::Claims;
use crate::schemes::oauth;

/// `Authorization: Bearer …` (RFC 6750): whoever has the token is let in as whom it names.
///
/// Tokens in the query or in a form (RFC 6750 §2.2 and §2.3) are not read, unless the feature `form`
/// is there and they are asked for.
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
    #[cfg(feature = "form")]
    in_query: bool,
    #[cfg(feature = "form")]
    in_form: bool,
}

/// The parameter that RFC 6750 §2.2 and §2.3 name.
#[cfg(feature = "form")]
const PARAMETER: &str = "access_token";

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
        Self::verified_by(move |token| match is_b64token(token) {
            true => Verification::pending(verify(token.to_owned())),
            false => Verification::done(Caller::Rejected(Rejection::Malformed)),
        })
    }

    /// Tokens that are JWTs. One with `cnf` is rejected: it is bound to a key that Bearer does not
    /// prove (RFC 9449 §7.2).
    #[cfg(feature = "jwt")]
    pub fn jwt(jwt: crate::Jwt) -> Self {
        Self::verified_by(move |token| jwt.verify(token).and_then(unless_bound))
    }

    /// Opaque tokens that the authorization server is asked about (RFC 7662). One with `cnf` is
    /// rejected, as with [`jwt`](Self::jwt).
    #[cfg(feature = "introspection")]
    pub fn introspection(introspection: crate::Introspection) -> Self {
        Self::verified_by(move |token| introspection.verify(token).and_then(unless_bound))
    }

    fn verified_by(verify: impl Fn(&str) -> Verification + Send + Sync + 'static) -> Self {
        Self {
            verify: Box::new(verify),
            #[cfg(feature = "form")]
            in_query: false,
            #[cfg(feature = "form")]
            in_form: false,
        }
    }

    /// Takes a token also from the query, as `?access_token=…` (RFC 6750 §2.3).
    ///
    /// For clients that can send no fields. URLs end up in logs, in histories and in `Referer`, and
    /// the token with them: give such a client tokens that live for minutes.
    #[cfg(feature = "form")]
    #[must_use]
    pub fn accept_query(self) -> Self {
        Self {
            in_query: true,
            ..self
        }
    }

    /// Takes a token also from a form, as its field `access_token` (RFC 6750 §2.2): from the body
    /// of a `POST`, `PUT` or `PATCH` of the type `application/x-www-form-urlencoded`, of up to
    /// [`ProtectionSpace::MAX_FORM`](crate::ProtectionSpace::MAX_FORM) bytes.
    ///
    /// Under a [`GuardedRouter`](crate::GuardedRouter) only, which reads such a body before it
    /// decides; the handler finds it as it was.
    #[cfg(feature = "form")]
    #[must_use]
    pub fn accept_form(self) -> Self {
        Self {
            in_form: true,
            ..self
        }
    }
}

impl Scheme for Bearer {
    fn name(&self) -> &str {
        "Bearer"
    }

    #[cfg(feature = "form")]
    fn sources(&self) -> Vec<Source> {
        let mut sources = vec![Source::Authorization];
        if self.in_query {
            sources.push(Source::Query(PARAMETER.to_owned()));
        }
        if self.in_form {
            sources.push(Source::Form(PARAMETER.to_owned()));
        }
        sources
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        (self.verify)(credentials.value())
    }

    fn challenge(&self, occasion: &Occasion<'_>) -> Result<Challenge, ChallengeError> {
        oauth::challenge("Bearer", None, occasion)
    }

    fn is_oauth(&self) -> bool {
        true
    }
}

/// A token that is bound to a key says nothing of whoever only has the token.
#[cfg(feature = "jwt")]
fn unless_bound(caller: Caller) -> Caller {
    let claims = caller.identity().and_then(Identity::extension::<Claims>);
    if claims.is_some_and(|claims| claims.get("cnf").is_some()) {
        return Caller::rejected();
    }
    caller
}

/// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` (RFC 6750 §2.1).
pub(super) fn is_b64token(text: &str) -> bool {
    let token = text.trim_end_matches('=');
    let is_legal = |byte: u8| {
        byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
    };
    // To the end in any case: without a way out in its middle, the loop takes many bytes at a time.
    !token.is_empty() && token.bytes().fold(true, |all, byte| all & is_legal(byte))
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer")
    }
}
