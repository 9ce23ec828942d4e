//! What a [`Dpop`] is made of, and what can be wrong with it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use auth_runtime_core::Clock;
use jsonwebtoken::Algorithm;
use zeroize::Zeroizing;

use super::proof::normal;
use super::replay::{InMemory, Replays};
use super::{ReplayStore, Rules, Tokens};
use crate::nonce_key::NonceKey;
use crate::{Jwt, random};

/// `Authorization: DPoP …` (RFC 9449): tokens that are bound to a key of the client's, which proves
/// with each request, in its field `DPoP`, that it holds the key.
///
/// A stolen token is of no use to whoever lacks the key, and a proof is good for one request.
/// Handlers ask for this with `sender_constrained`.
///
/// Checked are all points of RFC 9449 §4.3: one proof; its `typ`; `alg`, one of those that are
/// accepted; `jwk`, with nothing private in it; the signature; `htm` and `htu`; `iat`; `ath`; the
/// server's nonce, if there is one; that the proof was not used before; and that the token is bound
/// to its key (`cnf.jkt`). The token itself is verified as a Bearer token is.
///
/// ```
/// use auth_runtime::schemes::{Dpop, Jwt, JwtKey};
///
/// # let secret = [7; 32];
/// let jwt = Jwt::builder()
///     .issuer("https://issuer.example")
///     .audience("https://api.example")
///     .key(JwtKey::hs256(&secret)?)
///     .build()?;
/// let scheme = Dpop::jwt(jwt).origin("https://api.example").build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Dpop {
    pub(super) tokens: Tokens,
    pub(super) rules: Rules,
    pub(super) replays: Arc<Replays>,
    /// As they stand in the challenge.
    pub(super) algorithms: String,
}

impl Dpop {
    /// Tokens that are JWTs.
    pub fn jwt(jwt: Jwt) -> DpopBuilder {
        DpopBuilder::new(Tokens::Jwt(jwt))
    }

    /// Opaque tokens that the authorization server is asked about.
    #[cfg(feature = "introspection")]
    pub fn introspection(introspection: crate::Introspection) -> DpopBuilder {
        DpopBuilder::new(Tokens::Introspection(introspection))
    }
}

/// Collects what a [`Dpop`] is made of.
#[must_use]
pub struct DpopBuilder {
    tokens: Tokens,
    origins: Vec<String>,
    algorithms: Vec<Algorithm>,
    lifetime: Duration,
    wants_nonces: bool,
    nonce_key: Option<Zeroizing<[u8; 32]>>,
    replays: Option<Replays>,
    clock: Clock,
}

/// How long a nonce of the server's is good.
const NONCE_LIFETIME: Duration = Duration::from_secs(300);
/// More would have to be remembered than is good for memory.
const MAX_LIFETIME: Duration = Duration::from_secs(600);
/// For each of the longest lives of a proof.
const REMEMBERED: usize = 200_000;

impl DpopBuilder {
    fn new(tokens: Tokens) -> Self {
        Self {
            tokens,
            origins: Vec::new(),
            algorithms: vec![Algorithm::ES256, Algorithm::PS256, Algorithm::EdDSA],
            lifetime: Duration::from_secs(60),
            wants_nonces: false,
            nonce_key: None,
            replays: None,
            clock: Clock::system(),
        }
    }

    /// What clients call this service: scheme, host and port, such as `https://api.example`. Required;
    /// may be given more than once.
    ///
    /// A proof is for one place. What a request says of its own place (`Host`) is no answer to
    /// whether it is the right one.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// The algorithms that proofs may be signed by, by their registered names (RFC 7518 §3.1), best
    /// first. Default: `ES256`, `PS256` and `EdDSA`. Taken are these, `RS256`, `RS384`, `RS512`,
    /// `PS384`, `PS512` and `ES384`.
    ///
    /// # Errors
    ///
    /// One that is none of these, or symmetric.
    pub fn algorithms<'a>(
        mut self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, DpopError> {
        self.algorithms = names
            .into_iter()
            .map(|name| match name.parse() {
                Ok(Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) | Err(_) => {
                    Err(DpopError::Algorithm(name.to_owned()))
                }
                Ok(algorithm) => Ok(algorithm),
            })
            .collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// How long after it was made a proof is good. Default: a minute; at most ten.
    pub fn proof_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Wants a nonce of the server's in each proof (RFC 9449 §9), so that none can be made in advance.
    /// Clients get it with the first 401, and another every five minutes.
    pub fn nonces(mut self) -> Self {
        self.wants_nonces = true;
        self
    }

    /// The same with a key that several instances share, so that each knows the nonces of the others:
    /// random bytes. Default: a key of this instance's own.
    pub fn nonces_with_key(mut self, key: [u8; 32]) -> Self {
        self.wants_nonces = true;
        self.nonce_key = Some(Zeroizing::new(key));
        self
    }

    /// The store that remembers used proofs. Default: in this process, 200 000 for each
    /// [`proof_lifetime`](Self::proof_lifetime) and a minute.
    ///
    /// Half of them are for subjects with many, with all their keys: each may have a quarter as
    /// many as are free of these, 20 000 at most. Half are kept for subjects with up to 196. A request
    /// with a proof beyond that is answered 503, so fewer than 512 subjects cannot shut out others.
    pub fn replay_store(mut self, store: impl ReplayStore) -> Self {
        self.replays = Some(Replays::new(store));
        self
    }

    /// Sets the clock that proofs and nonces expire by. Default: the clock of the system.
    ///
    /// Tokens expire by the clock of their verifier.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    ///
    /// [`DpopError`] says what is missing or cannot be right.
    pub fn build(self) -> Result<Dpop, DpopError> {
        if self.origins.is_empty() {
            return Err(DpopError::NoOrigin);
        }
        for origin in &self.origins {
            // What is one already gets a path, and nothing else, by being normalized.
            let is_origin =
                normal(origin).is_some_and(|url| url.eq_ignore_ascii_case(&format!("{origin}/")));
            if !is_origin {
                return Err(DpopError::Origin(origin.clone()));
            }
        }
        if self.algorithms.is_empty() {
            return Err(DpopError::Algorithm(String::new()));
        }
        if self.lifetime.is_zero() || self.lifetime > MAX_LIFETIME {
            return Err(DpopError::Lifetime(self.lifetime));
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
            .map(|key| NonceKey::new(*key, b"DPoP nonce", NONCE_LIFETIME, self.clock.clone()));
        let in_memory = || {
            // One that was made ahead of time lives that much longer.
            let longest = self.lifetime + Duration::from_secs(60);
            Replays::new(InMemory::new(REMEMBERED, longest, self.clock.clone()))
        };
        let names: Vec<_> = self
            .algorithms
            .iter()
            .map(|name| format!("{name:?}"))
            .collect();
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        Ok(Dpop {
            tokens: self.tokens,
            replays: Arc::new(self.replays.unwrap_or_else(in_memory)),
            rules: Rules {
                origins: self.origins,
                algorithms: self.algorithms,
                lifetime: self.lifetime,
                nonces,
                clock: self.clock,
            },
            algorithms: names.join(" "),
        })
    }
}

/// What keeps a [`Dpop`] from being built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DpopError {
    /// Nothing says what clients call this service.
    NoOrigin,
    /// An origin with a path, or that is none.
    Origin(String),
    /// An algorithm that no proof can be signed by.
    Algorithm(String),
    /// A lifetime of nothing, or of more than ten minutes.
    Lifetime(Duration),
    /// The system gives no random bytes for the key of the nonces.
    NoRandomness,
}

impl fmt::Display for DpopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoOrigin => f.write_str(
                "a proof is for one place, and nothing says what this one is called; name it with \
                 `.origin(\"https://…\")`",
            ),
            Self::Origin(origin) => write!(
                f,
                "{origin:?} is no origin; write scheme, host and port only, such as \
                 \"https://api.example\"",
            ),
            Self::Algorithm(name) => write!(f, "no proof can be signed by {name:?}"),
            Self::Lifetime(lifetime) => write!(
                f,
                "a proof cannot be good for {} seconds; 1 to 600 is fine",
                lifetime.as_secs()
            ),
            Self::NoRandomness => f.write_str("the system gives no random bytes"),
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
