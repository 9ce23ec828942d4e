//! Tokens that are JWTs (RFC 7519): of Bearer and DPoP, and in fields, cookies and subprotocols.

mod builder;
mod carried;
mod claims;
pub(crate) mod confirmation;
#[cfg(feature = "jwks")]
mod discovery;
mod error;
#[cfg(feature = "jwks")]
mod fetch_settings;
#[cfg(feature = "jwks")]
mod fetched_keys;
mod issuer;
mod issuer_name;
pub(crate) mod key;
mod key_set;
#[cfg(feature = "jwks")]
mod key_source;
#[cfg(feature = "jwks")]
mod load_balancer;
mod rules;
#[cfg(feature = "testing")]
mod testing;

use std::fmt;
use std::sync::Arc;

use auth_runtime_core::{Caller, Verification};

pub use self::builder::JwtBuilder;
pub use self::carried::{CarriedJwt, CarriedJwtBuilder, CarriedJwtError};
#[cfg(feature = "introspection")]
pub(crate) use self::claims::ClaimNames;
pub use self::claims::{ClaimPath, Claims};
use self::confirmation::unless_bound;
pub use self::error::{JwtError, LoadBalancerProblem};
use self::issuer::Issuer;
#[cfg(feature = "jwks")]
use self::issuer::Keys;
use self::issuer_name::IssuerName;
pub use self::key::{JwtAlgorithm, JwtKey};
#[cfg(feature = "jwks")]
pub use self::key_source::KeySource;
use crate::b64token::is_b64token;
use crate::rejected_token::RejectedToken;
use crate::signed_token::SignedToken;

/// Verifies JWTs; for [`Bearer::jwt`](crate::Bearer::jwt).
///
/// A token is verified with the keys of the issuer that it names, and by the audiences and claim names
/// of that issuer; [`any_of`](Self::any_of) trusts several. The token chooses nothing else: each key has
/// one algorithm, and a token that names another is rejected.
///
/// The following are checked: the signature; `iss` (a string, exactly the issuer); `aud` (one of the
/// configured audiences among them); `exp`, which is required; `nbf`, if it is present; the
/// [subject](JwtBuilder::subject_claim); `typ`, which is `JWT`, `at+jwt` (RFC 9068) or absent. A token with
/// `crit` is rejected, since no extension is understood, and so is one with a claim twice (RFC 7519 §4).
///
/// Tokens that are not access tokens are rejected (RFC 8725 §3.11): by the header `typ` of another kind
/// (`logout+jwt`, `dpop+jwt`), and by the claims that say so: `token_use` other than `access` (Cognito) and
/// `access_token`,
/// `typ` of `ID`, `Refresh`, `Offline` or `Logout` (Keycloak), `events` (RFC 8417 §2.2), and `at_hash` and
/// `c_hash`, which only ID tokens have (OpenID Connect Core §3.3.2.11). An ID token without any of
/// these differs from an access token by its audience only; if the issuer conforms to RFC 9068,
/// [`rfc9068_only`](JwtBuilder::rfc9068_only) rejects all others.
///
/// The reason for rejecting a token is logged at the level `debug`, with the configured issuer, and without data of the
/// token.
///
/// Signatures are verified with aws-lc: RS256 takes it about an eighth of the time that pure Rust
/// takes. Keys are parsed once, here or when they are fetched.
///
/// ```
/// use auth_runtime::schemes::{Bearer, Jwt, JwtKey};
///
/// # let secret = [7; 32];
/// let jwt = Jwt::builder()
///     .issuer("https://issuer.example")
///     .audience("https://api.example")
///     .key(JwtKey::hs256(&secret)?)
///     .build()?;
/// let scheme = Bearer::jwt(jwt);
/// # Ok::<(), auth_runtime::schemes::JwtError>(())
/// ```
///
/// Cloning is cheap; clones share keys and cache.
#[derive(Clone)]
pub struct Jwt(Arc<[Arc<Issuer>]>);

impl Jwt {
    /// Trusts the issuers of several verifiers: each token is verified by the issuer that it names, and by
    /// no other one. While the keys of one issuer cannot be fetched, the tokens of the others are verified.
    ///
    /// A subject is unique within its issuer only (OpenID Connect Core §2): two issuers may give the same
    /// subject to two users. A service that compares subjects compares the
    /// [`issuer`](auth_runtime_core::Identity::issuer) as well, or trusts only issuers with disjoint subjects.
    ///
    /// ```
    /// use auth_runtime::schemes::{Bearer, Jwt, JwtKey};
    ///
    /// # let (ours, theirs) = ([7; 32], [8; 32]);
    /// let staff = Jwt::builder()
    ///     .issuer("https://staff.example")
    ///     .audience("https://api.example")
    ///     .key(JwtKey::hs256(&ours)?)
    ///     .build()?;
    /// let partners = Jwt::builder()
    ///     .issuer("https://partner.example")
    ///     .audience("https://api.example")
    ///     .key(JwtKey::hs256(&theirs)?)
    ///     .roles_claim("groups")
    ///     .build()?;
    /// let scheme = Bearer::jwt(Jwt::any_of([staff, partners])?);
    /// # Ok::<(), auth_runtime::schemes::JwtError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`JwtError::NoIssuer`] without a verifier, and [`JwtError::DuplicateIssuer`] if two are for one
    /// issuer.
    pub fn any_of(verifiers: impl IntoIterator<Item = Self>) -> Result<Self, JwtError> {
        let mut issuers: Vec<Arc<Issuer>> = Vec::new();
        for issuer in verifiers.into_iter().flat_map(|jwt| jwt.0.to_vec()) {
            let name = issuer.rules.issuer.to_string();
            let mut others = issuers.iter();
            if others.any(|other| other.rules.issuer.to_string() == name) {
                return Err(JwtError::DuplicateIssuer(name));
            }
            issuers.push(issuer);
        }
        if issuers.is_empty() {
            return Err(JwtError::NoIssuer);
        }
        // The tokens of a trust domain do not have to name an issuer either.
        issuers.sort_by_key(|issuer| matches!(issuer.rules.issuer, IssuerName::Unnamed));
        Ok(Self(issuers.into()))
    }

    /// Verifies a token by the issuer that it names. For schemes of the service, with tokens in a place
    /// that no scheme of this crate looks at. A token with `cnf` is rejected: it is bound to a key, and this
    /// method receives no proof of possession.
    ///
    /// ```
    /// use auth_runtime::schemes::{Credentials, Jwt, Scheme, Source, Verification};
    /// use axum::http::HeaderName;
    ///
    /// /// A JWT in a field of its own.
    /// struct Assertion(Jwt);
    ///
    /// impl Scheme for Assertion {
    ///     fn name(&self) -> &str {
    ///         "Assertion"
    ///     }
    ///
    ///     fn sources(&self) -> Vec<Source> {
    ///         vec![Source::Field(HeaderName::from_static("x-assertion"))]
    ///     }
    ///
    ///     fn verify(&self, credentials: &Credentials<'_>) -> Verification {
    ///         self.0.verify(credentials.value())
    ///     }
    /// }
    /// ```
    pub fn verify(&self, token: &str) -> Verification {
        self.verify_even_if_bound(token).map(unless_bound)
    }

    /// Verifies a token by the issuer that it names. If it has `cnf`, the scheme verifies the proof of possession.
    pub(crate) fn verify_even_if_bound(&self, token: &str) -> Verification {
        #[cfg(feature = "token-cache")]
        for issuer in self.0.iter() {
            if let Some(caller) = issuer.remembered(token) {
                return Verification::done(caller);
            }
        }
        #[cfg(feature = "jwks")]
        if let Some(verification) = issuer::verify_of_balancer(&self.0, token) {
            return verification;
        }
        let signed = SignedToken::read(token).filter(|_| is_b64token(token));
        let Some(signed) = signed else {
            return Verification::done(Caller::Rejected(RejectedToken::NO_JWT.log(None)));
        };
        let named = match &*self.0 {
            [only] => Ok(only),
            several => match signed.unverified_claims::<Claims>() {
                Some(claims) => several
                    .iter()
                    .find(|issuer| issuer.rules.issuer.is_of(&claims))
                    .ok_or(RejectedToken::invalid("no issuer has its `iss`")),
                None => Err(RejectedToken::UNREADABLE),
            },
        };
        match named {
            Ok(issuer) => issuer.verify(signed),
            Err(rejected) => Verification::done(Caller::Rejected(rejected.log(None))),
        }
    }

    /// Fetches the keys now, so that a wrong URL is found when the service starts and not by its
    /// first caller. Does nothing where the keys are given, or come from a load balancer one by one.
    ///
    /// # Errors
    ///
    /// [`JwtError::Unreachable`] names the first URL that keys cannot be fetched from, and the problem. The
    /// keys of all other issuers are fetched nevertheless; those that are missing are fetched when a token
    /// comes.
    #[cfg(feature = "jwks")]
    pub async fn fetch_keys(&self) -> Result<(), JwtError> {
        let mut result = Ok(());
        for issuer in self.0.iter() {
            if let Keys::Fetched(remote) = &issuer.keys {
                result = result.and(remote.fetch_now().await.map_err(JwtError::Unreachable));
            }
        }
        result
    }
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers = self.0.iter();
        let issuers = issuers.map(|issuer| (issuer.rules.issuer.to_string(), &issuer.keys));
        f.debug_map().entries(issuers).finish()
    }
}
