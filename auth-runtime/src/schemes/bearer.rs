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
#[cfg(feature = "mtls")]
use crate::schemes::{ClientCertificate, PeerCertificate};

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
    format: Option<&'static str>,
    #[cfg(feature = "mtls")]
    certificate: Option<ClientCertificate>,
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
    /// prove (RFC 9449 §7.2), unless that is a [`client_certificate`](Self::client_certificate)'s.
    #[cfg(feature = "jwt")]
    pub fn jwt(jwt: crate::Jwt) -> Self {
        Self {
            format: Some("JWT"),
            ..Self::verified_by(move |token| jwt.verify(token))
        }
    }

    /// Opaque tokens that the authorization server is asked about (RFC 7662). One with `cnf` is
    /// rejected, as with [`jwt`](Self::jwt).
    #[cfg(feature = "introspection")]
    pub fn introspection(introspection: crate::Introspection) -> Self {
        Self::verified_by(move |token| introspection.verify(token, &["Bearer", "access_token"]))
    }

    fn verified_by(verify: impl Fn(&str) -> Verification + Send + Sync + 'static) -> Self {
        Self {
            verify: Box::new(verify),
            format: None,
            #[cfg(feature = "mtls")]
            certificate: None,
            #[cfg(feature = "form")]
            in_query: false,
            #[cfg(feature = "form")]
            in_form: false,
        }
    }

    /// Takes tokens that are bound to a client certificate (RFC 8705 §3): with `cnf` and nothing but
    /// `x5t#S256` in it, from whoever proved to hold that certificate's key. From others they are
    /// rejected, and so are tokens that are bound to anything else. Default: all of them are.
    ///
    /// Tokens without `cnf` are taken as ever. Handlers ask for bound ones with
    /// `sender_constrained`.
    ///
    /// `cnf` is read from the [`Claims`](crate::Claims) that identities of JWTs and of introspected
    /// tokens carry.
    #[cfg(feature = "mtls")]
    #[must_use]
    pub fn client_certificate(self, certificate: ClientCertificate) -> Self {
        Self {
            certificate: Some(certificate),
            ..self
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
        let verification = (self.verify)(credentials.value());
        #[cfg(feature = "mtls")]
        if let Some(certificate) = &self.certificate {
            let certificate = certificate.of(credentials);
            return verification.and_then(move |caller| bind(caller, certificate.as_ref()));
        }
        #[cfg(feature = "jwt")]
        let verification = verification.and_then(unless_bound);
        verification
    }

    fn challenge(&self, occasion: &Occasion<'_>) -> Result<Challenge, ChallengeError> {
        oauth::challenge("Bearer", None, occasion)
    }

    fn challenge_varies(&self) -> bool {
        false
    }

    fn format(&self) -> Option<&str> {
        self.format
    }

    fn is_oauth(&self) -> bool {
        true
    }

    #[cfg(feature = "mtls")]
    fn constrains_sender(&self) -> bool {
        self.certificate.is_some()
    }
}

/// A token that is bound to a key says nothing of whoever only has the token.
#[cfg(feature = "jwt")]
fn unless_bound(caller: Caller) -> Caller {
    match confirmation(&caller) {
        Some(_) => Caller::rejected(),
        None => caller,
    }
}

/// The caller whose token is bound to the certificate that it proved to hold the key of, or to
/// nothing.
#[cfg(feature = "mtls")]
fn bind(caller: Caller, certificate: Option<&PeerCertificate>) -> Caller {
    let Some(confirmation) = confirmation(&caller) else {
        return caller;
    };
    // Whoever put more than one member there wants more proved than that.
    let bound_to = confirmation
        .as_object()
        .filter(|members| members.len() == 1)
        .and_then(|members| members.get("x5t#S256")?.as_str());
    let is_bound = bound_to.is_some() && bound_to == certificate.map(PeerCertificate::thumbprint);
    match caller {
        Caller::Known(identity) if is_bound => Caller::known(identity.with_sender_constraint()),
        _ => Caller::rejected(),
    }
}

/// What says which key a token is bound to (RFC 7800 §3.1).
#[cfg(feature = "jwt")]
fn confirmation(caller: &Caller) -> Option<&serde_json::Value> {
    let claims = caller.identity().and_then(Identity::extension::<Claims>)?;
    claims.get("cnf")
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
