//! Bearer tokens that are JWTs (RFC 7519).

mod builder;
mod carried;
mod claims;
#[cfg(feature = "jwks")]
mod discovery;
mod error;
mod issuer_name;
pub(crate) mod key;
mod key_set;
#[cfg(feature = "jwks")]
mod key_source;
#[cfg(feature = "jwks")]
mod load_balancer;
#[cfg(feature = "jwks")]
mod remote_keys;
mod rules;
#[cfg(feature = "testing")]
mod testing;

use std::fmt;
use std::sync::Arc;

use auth_runtime_core::{Caller, Identity, Rejection, Verification};

pub use self::builder::JwtBuilder;
pub use self::carried::{CarriedJwt, CarriedJwtBuilder, CarriedJwtError};
#[cfg(feature = "introspection")]
pub(crate) use self::claims::{ClaimNames, strings};
pub use self::claims::{ClaimPath, Claims};
pub use self::error::{JwtError, LoadBalancerProblem};
use self::issuer_name::IssuerName;
pub use self::key::{JwtAlgorithm, JwtKey};
use self::key_set::KeySet;
#[cfg(feature = "jwks")]
pub use self::key_source::KeySource;
#[cfg(feature = "jwks")]
use self::load_balancer::BalancerKeys;
#[cfg(feature = "jwks")]
use self::remote_keys::{RemoteKeys, WantedKey};
use self::rules::TokenRules;
use crate::b64token::is_b64token;
use crate::signed_token::{Flaw, SignedToken};
#[cfg(feature = "token-cache")]
use crate::token_cache::{Epoch, VerifierCache};

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
/// (`logout+jwt`, `dpop+jwt`), and by the claims that say so: `token_use` other than `access` (Cognito),
/// `typ` of `ID`, `Refresh`, `Offline` or `Logout` (Keycloak), `events` (RFC 8417 §2.2), and `at_hash` and
/// `c_hash`, which only ID tokens have (OpenID Connect Core §3.3.2.11). An ID token without any of
/// these differs from an access token by its audience only; if the issuer conforms to RFC 9068,
/// [`rfc9068_only`](JwtBuilder::rfc9068_only) rejects all others.
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

/// An authorization server, with everything that its tokens are verified by.
struct Issuer {
    keys: Keys,
    rules: Arc<TokenRules>,
    revoked: Option<Revoked>,
    #[cfg(feature = "token-cache")]
    cache: Option<Arc<VerifierCache>>,
}

/// Nothing is remembered, so nothing is forgotten.
#[cfg(not(feature = "token-cache"))]
type Epoch = std::convert::Infallible;

/// Asked for each request whether its token was revoked.
type Revoked = Box<dyn Fn(&Claims) -> bool + Send + Sync>;

enum Keys {
    Given(KeySet),
    #[cfg(feature = "jwks")]
    Fetched(Arc<RemoteKeys>),
    #[cfg(feature = "jwks")]
    OfBalancers(Arc<BalancerKeys>),
}

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
    /// that no scheme of this crate looks at.
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
        #[cfg(feature = "token-cache")]
        for issuer in self.0.iter() {
            if let Some(caller) = issuer.remembered(token) {
                return Verification::done(caller);
            }
        }
        #[cfg(feature = "jwks")]
        if let Some(verification) = load_balancer::verify(&self.0, token) {
            return verification;
        }
        let signed = SignedToken::read(token).filter(|_| is_b64token(token));
        let Some(signed) = signed else {
            return Verification::done(Caller::Rejected(Rejection::Malformed));
        };
        let named = match &*self.0 {
            [only] => Some(only),
            several => {
                let claims: Option<Claims> = signed.unverified_claims();
                let is_named = |issuer: &&Arc<Issuer>| {
                    claims
                        .as_ref()
                        .is_some_and(|claims| issuer.rules.issuer.is_of(claims))
                };
                several.iter().find(is_named)
            }
        };
        match named {
            Some(issuer) => issuer.verify(signed),
            None => Verification::done(Caller::rejected()),
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

impl Issuer {
    /// The caller of a token that was verified a moment ago.
    #[cfg(feature = "token-cache")]
    fn remembered(&self, token: &str) -> Option<Caller> {
        let identity = self.cache.as_ref()?.get(token)?;
        // However few tokens there are, keys that are withdrawn have to be noticed.
        #[cfg(feature = "jwks")]
        if let Keys::Fetched(remote) = &self.keys {
            remote.refresh_when_due();
        }
        Some(self.unless_revoked(identity))
    }

    fn moment(&self) -> Option<Epoch> {
        #[cfg(feature = "token-cache")]
        let moment = self.cache.as_ref().map(|cache| cache.moment());
        #[cfg(not(feature = "token-cache"))]
        let moment = None;
        moment
    }

    fn verify(self: &Arc<Self>, token: SignedToken<'_>) -> Verification {
        // From before the keys are looked up.
        let moment = self.moment();
        if token.is_critical || !self.rules.accept_kind(&token.header) {
            return Verification::done(Caller::rejected());
        }
        match &self.keys {
            Keys::Given(keys) => {
                let caller = self.verify_with(keys, &token, moment);
                Verification::done(caller.unwrap_or(Caller::rejected()))
            }
            #[cfg(feature = "jwks")]
            Keys::Fetched(remote) => self.verify_remotely(remote, token, moment),
            // It does not have the form of a token of a load balancer.
            #[cfg(feature = "jwks")]
            Keys::OfBalancers(_) => Verification::done(Caller::rejected()),
        }
    }

    /// Verifies with the keys at hand if the right one may be among them, or else after a fetch.
    #[cfg(feature = "jwks")]
    fn verify_remotely(
        self: &Arc<Self>,
        remote: &Arc<RemoteKeys>,
        token: SignedToken<'_>,
        moment: Option<Epoch>,
    ) -> Verification {
        let keys = remote.that_know(&token.header);
        if let Some(keys) = &keys {
            let caller = self.verify_with(keys, &token, moment);
            // Without key names, the signing key may be newer than the keys at hand.
            match caller {
                Some(caller) => return Verification::done(caller),
                None if keys.name(&token.header) => return Verification::done(Caller::rejected()),
                None => {}
            }
        }
        let unverified: Option<Claims> = token.unverified_claims();
        let unverified = unverified.filter(|claims| self.rules.issuer.is_of(claims));
        // Tokens of other issuers must not cause a fetch.
        let Some(unverified) = unverified else {
            return Verification::done(Caller::rejected());
        };
        let wanted = WantedKey {
            header: token.header,
            tried: keys,
            issued: unverified.issued(),
        };
        let (this, remote, token) = (Arc::clone(self), Arc::clone(remote), token.text.to_owned());
        Verification::pending(async move {
            match remote.fetch_for(&wanted).await {
                Ok(keys) => {
                    // Newer keys may be there by now, so this is not remembered yet.
                    let token = SignedToken::read(&token);
                    let caller = token.and_then(|token| this.verify_with(&keys, &token, None));
                    caller.unwrap_or(Caller::rejected())
                }
                Err(outage) => Caller::Unverifiable {
                    retry_after: Some(outage.retry_after),
                },
            }
        })
    }

    /// Verifies with these keys; returns `None` if none of them signed the token. `moment` is from before
    /// the keys were looked up.
    fn verify_with(
        &self,
        keys: &KeySet,
        token: &SignedToken<'_>,
        moment: Option<Epoch>,
    ) -> Option<Caller> {
        match keys.claims(token) {
            Ok(claims) => Some(self.caller_of(claims, token.text, moment)),
            Err(Flaw::Invalid) => Some(Caller::rejected()),
            Err(Flaw::Unsigned) => None,
        }
    }

    /// The caller of a token with these claims, after its signature was verified.
    fn caller_of(&self, claims: Claims, token: &str, moment: Option<Epoch>) -> Caller {
        let claims = match self.rules.accept(claims) {
            Ok(claims) => claims,
            Err(rejection) => return Caller::Rejected(rejection),
        };
        #[cfg(feature = "token-cache")]
        let expiry = claims.expiry();
        let identity = match self.rules.identify(claims) {
            Ok(identity) => identity,
            Err(rejection) => return Caller::Rejected(rejection),
        };
        #[cfg(feature = "token-cache")]
        if let (Some(cache), Some(moment), Some(_)) = (&self.cache, moment, expiry) {
            cache.insert(token, identity.clone(), expiry, moment);
        }
        #[cfg(not(feature = "token-cache"))]
        let _ = (token, moment);
        self.unless_revoked(identity)
    }

    fn unless_revoked(&self, identity: Identity) -> Caller {
        let is_revoked = self.revoked.as_ref().is_some_and(|is_revoked| {
            let claims = identity.extension::<Claims>();
            claims.is_none_or(is_revoked)
        });
        if is_revoked {
            Caller::rejected()
        } else {
            Caller::known(identity)
        }
    }
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers = self.0.iter();
        let issuers = issuers.map(|issuer| match &issuer.keys {
            Keys::Given(keys) => (issuer.rules.issuer.to_string(), keys as &dyn fmt::Debug),
            #[cfg(feature = "jwks")]
            Keys::Fetched(remote) => (issuer.rules.issuer.to_string(), remote as &dyn fmt::Debug),
            #[cfg(feature = "jwks")]
            Keys::OfBalancers(keys) => (issuer.rules.issuer.to_string(), keys as &dyn fmt::Debug),
        });
        f.debug_map().entries(issuers).finish()
    }
}
