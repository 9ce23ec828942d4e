//! The builder of the DPoP scheme, and its errors.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use auth_runtime_core::Clock;
use jsonwebtoken::Algorithm;
use zeroize::Zeroizing;

use super::proof::{NONCE_LIFETIME, ProofRules, normal};
use super::{Dpop, TokenVerifier};
use crate::nonce_key::{MAX_AHEAD, NonceKey};
use crate::replay::{InMemory, ReplayStore, Replays};
use crate::signed_token::choose_backend;
use crate::steady_clock::SteadyClock;
use crate::{Jwt, random};

impl Dpop {
    /// Starts with tokens that are JWTs.
    pub fn jwt(jwt: Jwt) -> DpopBuilder {
        DpopBuilder::new(TokenVerifier::Jwt(jwt))
    }

    /// Starts with opaque tokens, which the authorization server verifies.
    #[cfg(feature = "introspection")]
    pub fn introspection(introspection: crate::Introspection) -> DpopBuilder {
        DpopBuilder::new(TokenVerifier::Introspection(introspection))
    }
}

/// Builds a [`Dpop`].
#[must_use]
pub struct DpopBuilder {
    tokens: TokenVerifier,
    origins: Vec<String>,
    algorithms: Result<Vec<Algorithm>, DpopError>,
    lifetime: Duration,
    clock_skew: Duration,
    wants_nonces: bool,
    nonce_key: Option<Zeroizing<[u8; 32]>>,
    replays: Option<Replays>,
    clock: Clock,
}

/// A proof that was made ahead of time is stored for longer by that time.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(60);
/// A longer lifetime would require more memory for used proofs.
const MAX_LIFETIME: Duration = Duration::from_secs(600);
/// The maximum number of stored proofs, for each maximum lifetime of a proof.
const REMEMBERED: usize = 200_000;

impl DpopBuilder {
    fn new(tokens: TokenVerifier) -> Self {
        Self {
            tokens,
            origins: Vec::new(),
            algorithms: Ok(vec![Algorithm::ES256, Algorithm::PS256, Algorithm::EdDSA]),
            lifetime: Duration::from_secs(60),
            clock_skew: Duration::from_secs(10),
            wants_nonces: false,
            nonce_key: None,
            replays: None,
            clock: Clock::system(),
        }
    }

    /// Adds an origin of this service, as clients address it: scheme, host and port, such as
    /// `https://api.example`. At least one is required.
    ///
    /// Behind a gateway that removes a prefix of the path, the prefix is part of it:
    /// `https://api.example/orders`, without a slash at the end.
    ///
    /// A proof is valid for one target. The `Host` field of a request is not evidence of the
    /// correct origin.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// Sets the accepted signature algorithms of proofs, by their registered names (RFC 7518 §3.1),
    /// in order of preference. Default: `ES256`, `PS256` and `EdDSA`. Supported are these, `RS256`,
    /// `RS384`, `RS512`, `PS384`, `PS512` and `ES384`.
    pub fn algorithms<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        let algorithms = names.into_iter().map(|name| match name.parse() {
            Ok(Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) | Err(_) => {
                Err(DpopError::Algorithm(name.to_owned()))
            }
            Ok(algorithm) => Ok(algorithm),
        });
        self.algorithms = algorithms.collect();
        self
    }

    /// Sets the lifetime of a proof. Default: one minute; at most ten.
    pub fn proof_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// The longest time by which the clock of a client may be ahead of that of this service. Default: 10
    /// seconds; at most a minute. Clocks that are behind count against [`proof_lifetime`](Self::proof_lifetime).
    ///
    /// With [`nonces`](Self::nonces), the clock of a client does not matter while its nonce is not older than
    /// the lifetime of a proof.
    pub fn clock_skew(mut self, skew: Duration) -> Self {
        self.clock_skew = skew;
        self
    }

    /// Requires a nonce of the server in each proof (RFC 9449 §9), so that proofs cannot be made in
    /// advance.
    ///
    /// A nonce is valid for five minutes. Clients receive one with the first 401, and another with the
    /// response to a request with a nonce of half that age. The time of a nonce counts as the time of its proof
    /// (RFC 9449 §4.3), so that clients with a wrong clock are accepted.
    pub fn nonces(mut self) -> Self {
        self.wants_nonces = true;
        self
    }

    /// Requires nonces as [`nonces`](Self::nonces) does, with a key that several instances share,
    /// so that each accepts the nonces of the others. The key consists of random bytes. Default: a
    /// key of this instance.
    ///
    /// The clocks of the instances may be five seconds apart. Without a common [`replay_store`](Self::replay_store),
    /// a proof is accepted once by each instance, and again after a restart, until its nonce expires.
    pub fn nonces_with_key(mut self, key: [u8; 32]) -> Self {
        self.wants_nonces = true;
        self.nonce_key = Some(Zeroizing::new(key));
        self
    }

    /// Sets the store of used proofs. Default: in this process, with 200 000 proofs for each
    /// [`proof_lifetime`](Self::proof_lifetime) and a minute, or, with nonces, for each five minutes.
    ///
    /// One half of them is for subjects with many proofs, over all their keys: each may have a
    /// quarter of the free places in this half, at most 20 000. The other half is for subjects with
    /// up to 196. A request with a proof beyond that receives 503, so fewer than 512 subjects
    /// cannot exclude others.
    ///
    /// The store in this process is empty after a restart: a proof from before is then accepted again, until it
    /// expires. [`nonces`](Self::nonces) prevent this, since their key is of one instance, and so does a store
    /// that outlives the process.
    pub fn replay_store(mut self, store: impl ReplayStore) -> Self {
        self.replays = Some(Replays::new(store));
        self
    }

    /// Sets the clock that proofs and nonces expire by. Default: the clock of the system.
    ///
    /// A used proof stays used when the clock is set back. If the clock was ahead while a proof was used, the proof and
    /// its nonce may be valid again when their time comes. If the clock was ahead when the service started, and is
    /// corrected later, restart the service.
    ///
    /// Tokens expire by the clock of their verifier.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Builds the scheme.
    ///
    /// # Errors
    ///
    /// [`DpopError`] names a missing or invalid setting.
    pub fn build(self) -> Result<Dpop, DpopError> {
        if self.origins.is_empty() {
            return Err(DpopError::NoOrigin);
        }
        for origin in &self.origins {
            // Normalization adds only a path to an origin without a prefix.
            let is_origin = normal(origin).is_some_and(|url| {
                url.eq_ignore_ascii_case(&format!("{origin}/"))
                    || (url.eq_ignore_ascii_case(origin) && !url.ends_with('/'))
            });
            if !is_origin {
                return Err(DpopError::Origin(origin.clone()));
            }
        }
        let algorithms = self.algorithms?;
        if algorithms.is_empty() {
            return Err(DpopError::Algorithm(String::new()));
        }
        if self.lifetime.is_zero() || self.lifetime > MAX_LIFETIME {
            return Err(DpopError::Lifetime(self.lifetime));
        }
        if self.clock_skew > MAX_CLOCK_SKEW {
            return Err(DpopError::ClockSkew(self.clock_skew));
        }
        let nonces = match (self.wants_nonces, self.nonce_key) {
            (false, _) => None,
            (true, Some(key)) => Some(key),
            (true, None) => {
                let key = random::bytes().ok_or(DpopError::NoRandomness)?;
                Some(Zeroizing::new(key))
            }
        };
        let nonces = nonces
            .map(|key| NonceKey::new(&key, b"DPoP nonce", NONCE_LIFETIME, self.clock.clone()));
        let in_memory = || {
            // No proof is valid for longer than its nonce.
            let longest = match nonces {
                Some(_) => NONCE_LIFETIME + MAX_AHEAD,
                None => self.lifetime + MAX_CLOCK_SKEW,
            };
            Replays::new(InMemory::new(REMEMBERED, longest, self.clock.clone()))
        };
        let names: Vec<_> = algorithms.iter().map(|name| format!("{name:?}")).collect();
        choose_backend();
        Ok(Dpop {
            tokens: self.tokens,
            replays: Arc::new(self.replays.unwrap_or_else(in_memory)),
            rules: ProofRules {
                origins: self.origins,
                algorithms,
                lifetime: self.lifetime,
                clock_skew: self.clock_skew,
                nonces,
                clock: SteadyClock::new(self.clock),
            },
            algorithms: names.join(" "),
        })
    }
}

/// An error of building a [`Dpop`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DpopError {
    /// No origin was given.
    NoOrigin,
    /// The text is not an origin, or has a query or a slash at the end.
    Origin(String),
    /// The algorithm is not supported for proofs.
    Algorithm(String),
    /// The lifetime is zero, or more than ten minutes.
    Lifetime(Duration),
    /// The clock skew is more than a minute.
    ClockSkew(Duration),
    /// The system has no random bytes for the key of the nonces.
    NoRandomness,
}

impl fmt::Display for DpopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoOrigin => f.write_str(
                "the origin of the service is missing; name it with `.origin(\"https://…\")`",
            ),
            Self::Origin(origin) => write!(
                f,
                "{origin:?} is not an origin; write scheme, host and port, and a prefix that a gateway \
                 removes, without a slash at the end, such as \"https://api.example\"",
            ),
            Self::Algorithm(name) => write!(f, "{name:?} is not a signature algorithm for proofs"),
            Self::Lifetime(lifetime) => write!(
                f,
                "the lifetime of a proof is {} seconds; 1 to 600 are allowed",
                lifetime.as_secs()
            ),
            Self::ClockSkew(skew) => write!(
                f,
                "a clock skew of {} seconds is too long; the maximum is 60",
                skew.as_secs()
            ),
            Self::NoRandomness => f.write_str("the system has no random bytes"),
        }
    }
}

impl std::error::Error for DpopError {}

impl fmt::Debug for DpopBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopBuilder")
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}
