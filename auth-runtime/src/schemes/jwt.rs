//! Bearer tokens that are JWTs (RFC 7519).

mod builder;
mod claims;
#[cfg(feature = "jwks")]
mod discovery;
pub(crate) mod key;
mod key_set;
#[cfg(feature = "jwks")]
mod remote_keys;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Header, decode_header};

pub use self::builder::{JwtBuilder, JwtError};
pub(crate) use self::claims::ClaimNames;
pub use self::claims::Claims;
pub use self::key::JwtKey;
use self::key_set::{Flaw, KeySet};
#[cfg(feature = "jwks")]
use self::remote_keys::RemoteKeys;
use crate::caller::{Caller, Rejection};
use crate::identity::Identity;
use crate::scheme::Verification;
use crate::schemes::bearer::is_b64token;
#[cfg(feature = "token-cache")]
use crate::schemes::token_cache::{Moment, VerifierCache};

/// Verifies JWTs; for [`Bearer::jwt`](crate::Bearer::jwt).
///
/// The token chooses nothing: each key has one algorithm, and a token that names another is
/// rejected. These have to be right: the signature; `iss` (a string, one of the configured ones);
/// `aud` (one of the configured ones among them); `exp`, which has to be there; `nbf`, if it is
/// there; `typ`, which is `JWT`, `at+jwt` (RFC 9068) or absent, so that an ID token of another kind
/// or a DPoP proof is not taken for an access token. A token with `crit` is rejected, since nothing
/// is understood by that means.
///
/// Signatures are verified with aws-lc: RS256 takes it about an eighth of the time that pure Rust
/// takes. Keys are parsed once, here or when they are fetched.
///
/// ```
/// use auth_runtime::{Bearer, Jwt, JwtKey};
///
/// # let secret = [7; 32];
/// let jwt = Jwt::builder()
///     .issuer("https://issuer.example")
///     .audience("https://api.example")
///     .key(JwtKey::hs256(&secret)?)
///     .build()?;
/// let scheme = Bearer::jwt(jwt);
/// # Ok::<(), auth_runtime::JwtError>(())
/// ```
///
/// Cloning is cheap; clones share keys and cache.
#[derive(Clone)]
pub struct Jwt(Arc<Verifier>);

struct Verifier {
    keys: Keys,
    rules: Arc<Rules>,
    revoked: Option<Revoked>,
    #[cfg(feature = "token-cache")]
    cache: Option<Arc<VerifierCache>>,
}

/// Nothing is remembered, so nothing is forgotten.
#[cfg(not(feature = "token-cache"))]
type Moment = std::convert::Infallible;

/// Asked for each request whether its token was revoked.
type Revoked = Box<dyn Fn(&Claims) -> bool + Send + Sync>;

enum Keys {
    Given(KeySet),
    #[cfg(feature = "jwks")]
    Fetched(Arc<RemoteKeys>),
}

/// What a token is held against besides its signature.
struct Rules {
    issuers: Vec<String>,
    audiences: Vec<String>,
    leeway: Duration,
    access_tokens_only: bool,
    names: ClaimNames,
}

impl Jwt {
    /// Says whose token this is.
    pub(crate) fn verify(&self, token: &str) -> Verification {
        #[cfg(feature = "token-cache")]
        if let Some(identity) = self.0.cache.as_ref().and_then(|cache| cache.get(token)) {
            // However few tokens there are, keys that are withdrawn have to be noticed.
            #[cfg(feature = "jwks")]
            if let Keys::Fetched(remote) = &self.0.keys {
                remote.refresh_when_due();
            }
            return Verification::done(self.unless_revoked(identity));
        }
        let moment = self.moment();
        let header = decode_header(token).ok();
        let Some(header) = header.filter(|_| is_b64token(token)) else {
            return Verification::done(Caller::Rejected(Rejection::Malformed));
        };
        if !self.0.rules.accept_kind(&header) {
            return Verification::done(Caller::rejected());
        }
        match &self.0.keys {
            Keys::Given(keys) => {
                let caller = self.verify_with(keys, token, &header, moment);
                Verification::done(caller.unwrap_or(Caller::rejected()))
            }
            #[cfg(feature = "jwks")]
            Keys::Fetched(remote) => self.verify_remotely(remote, token, header, moment),
        }
    }

    #[cfg(feature = "token-cache")]
    fn moment(&self) -> Option<Moment> {
        self.0.cache.as_ref().map(|cache| cache.moment())
    }

    #[cfg(not(feature = "token-cache"))]
    fn moment(&self) -> Option<Moment> {
        None
    }

    /// With the keys at hand if the right one may be among them, or else once they were fetched.
    #[cfg(feature = "jwks")]
    fn verify_remotely(
        &self,
        remote: &Arc<RemoteKeys>,
        token: &str,
        header: Header,
        moment: Option<Moment>,
    ) -> Verification {
        let keys = remote.that_know(&header);
        if let Some(keys) = &keys {
            let caller = self.verify_with(keys, token, &header, moment);
            // Where keys have no names, the one that signed it may be newer than those at hand.
            match caller {
                Some(caller) => return Verification::done(caller),
                None if keys.name(&header) => return Verification::done(Caller::rejected()),
                None => {}
            }
        }
        // Nobody makes this service ask its issuer about the tokens of others.
        if !claims::names_issuer(token, &self.0.rules.issuers) {
            return Verification::done(Caller::rejected());
        }
        let (this, remote, token) = (self.clone(), Arc::clone(remote), token.to_owned());
        Verification::pending(async move {
            match remote.fetch_for(&header, keys).await {
                Ok(keys) => {
                    // Newer keys may be there by now, so this is not remembered yet.
                    let caller = this.verify_with(&keys, &token, &header, None);
                    caller.unwrap_or(Caller::rejected())
                }
                Err(outage) => Caller::Unverifiable {
                    retry_after: Some(outage.retry_after),
                },
            }
        })
    }

    /// Whose token this is; `None` if none of the keys signed it. `moment` is from before the keys were
    /// looked up.
    fn verify_with(
        &self,
        keys: &KeySet,
        token: &str,
        header: &Header,
        moment: Option<Moment>,
    ) -> Option<Caller> {
        let Verifier { rules, .. } = &*self.0;
        let claims = match keys.claims(token, header) {
            Ok(claims) => rules.accept(claims),
            Err(Flaw::Rejected(rejection)) => Err(rejection),
            Err(Flaw::Unsigned) => return None,
        };
        let claims = match claims {
            Ok(claims) => claims,
            Err(rejection) => return Some(Caller::Rejected(rejection)),
        };
        #[cfg(feature = "token-cache")]
        let expiry = claims.expiry();
        let Some(identity) = claims.into_identity(&rules.names, rules.leeway) else {
            return Some(Caller::rejected());
        };
        #[cfg(feature = "token-cache")]
        if let (Some(cache), Some(moment), Some(_)) = (&self.0.cache, moment, expiry) {
            cache.insert(token, identity.clone(), expiry, moment);
        }
        #[cfg(not(feature = "token-cache"))]
        let _ = moment;
        Some(self.unless_revoked(identity))
    }

    fn unless_revoked(&self, identity: Identity) -> Caller {
        let is_revoked = self.0.revoked.as_ref().is_some_and(|is_revoked| {
            let claims = identity.extension::<Claims>();
            claims.is_none_or(is_revoked)
        });
        if is_revoked {
            Caller::rejected()
        } else {
            Caller::known(identity)
        }
    }

    /// Fetches the keys now, so that a wrong URL is found when the service starts and not by its
    /// first caller. Does nothing where the keys are given.
    ///
    /// # Errors
    ///
    /// [`JwtError::Unreachable`] says what went wrong; the keys are fetched again when a token comes.
    #[cfg(feature = "jwks")]
    pub async fn fetch_keys(&self) -> Result<(), JwtError> {
        match &self.0.keys {
            Keys::Given(_) => Ok(()),
            Keys::Fetched(remote) => remote.fetch_now().await.map_err(JwtError::Unreachable),
        }
    }
}

impl Rules {
    /// By its header: of a kind that is an access token, and with nothing that must be understood.
    fn accept_kind(&self, header: &Header) -> bool {
        let kind = header.typ.as_deref().unwrap_or("JWT");
        // A media type may be written with or without its prefix (RFC 7515 §4.1.9).
        let is = |name: &str| {
            let (prefix, bare) = kind.split_at_checked(PREFIX.len()).unwrap_or_default();
            kind.eq_ignore_ascii_case(name)
                || (prefix.eq_ignore_ascii_case(PREFIX) && bare.eq_ignore_ascii_case(name))
        };
        let is_accepted = is("at+jwt") || (!self.access_tokens_only && is("JWT"));
        is_accepted && header.crit.is_none() && header.enc.is_none() && header.zip.is_none()
    }

    /// What the library lets through and RFC 9068 §4 does not.
    fn accept(&self, claims: Claims) -> Result<Claims, Rejection> {
        let issuer_is_one = claims.get("iss").is_some_and(serde_json::Value::is_string);
        let is_complete =
            !self.access_tokens_only || REQUIRED.iter().all(|name| claims.get(name).is_some());
        if issuer_is_one && is_complete {
            Ok(claims)
        } else {
            Err(Rejection::Invalid)
        }
    }
}

const PREFIX: &str = "application/";

/// The claims that RFC 9068 §2.2 requires, besides those that every token has to have here.
const REQUIRED: [&str; 4] = ["sub", "client_id", "iat", "jti"];

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Jwt");
        match &self.0.keys {
            Keys::Given(keys) => debug.field("keys", keys),
            #[cfg(feature = "jwks")]
            Keys::Fetched(remote) => debug.field("keys", remote),
        };
        debug.finish_non_exhaustive()
    }
}
