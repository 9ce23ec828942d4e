//! A cache of verified tokens.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use auth_runtime_core::{Clock, Identity};
use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use zeroize::Zeroizing;

/// Caches the identities of verified tokens, so that the next request with the same token needs
/// only one look-up.
///
/// The number of tokens is bounded, and the least used ones are removed first. A token is cached no
/// longer than it is valid, and no longer than `max_age`. Tokens are compared as a whole, and wiped
/// from memory when they are removed. Rejected tokens are not cached.
///
/// Clones share their tokens, so a service can keep a clone for [`forget`](Self::forget). Several
/// verifiers may share a cache: none uses the tokens that another one has verified.
///
/// ```
/// use std::time::Duration;
///
/// use auth_runtime::schemes::{Jwt, TokenCache};
///
/// let cache = TokenCache::new(50_000, Duration::from_secs(60));
/// let builder = Jwt::builder().cache(cache.clone());
/// // Later, when somebody is locked out:
/// cache.forget_where(|identity| identity.subject() == "mallory");
/// ```
#[derive(Clone)]
pub struct TokenCache(Arc<CachedTokens>);

struct CachedTokens {
    remembered: Cache<TokenKey, CachedIdentity>,
    max_age: Duration,
    verifiers: AtomicU32,
    /// The number of times that several tokens were forgotten.
    forgotten: AtomicU64,
    /// The numbers of times that one token was forgotten, by a hash of the token.
    forgotten_alone: [AtomicU64; STRIPES],
}

/// Tokens with the same hash share a count. If one of them is forgotten, others that are being verified are not cached
/// either.
const STRIPES: usize = 256;

/// The maximum time that a token is cached.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// The state before a token is verified. If it is forgotten after that, the result is not cached.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Epoch {
    all: u64,
    alone: u64,
}

#[derive(Clone)]
struct CachedIdentity {
    identity: Identity,
    at: Instant,
    until: SystemTime,
}

/// A token, and the verifier that accepted it.
#[derive(Clone, PartialEq, Eq)]
struct TokenKey {
    verifier: u32,
    token: Zeroizing<String>,
}

/// The same, borrowed.
#[derive(PartialEq, Eq, Hash)]
struct TokenKeyOf<'t> {
    verifier: u32,
    token: &'t str,
}

impl TokenCache {
    /// Creates a cache of up to `capacity` tokens, each for up to `max_age`, and for a day at most.
    ///
    /// A token may be accepted for that additional time after it or its key was revoked.
    pub fn new(capacity: usize, max_age: Duration) -> Self {
        Self(Arc::new(CachedTokens {
            remembered: Cache::new(capacity),
            max_age: max_age.min(MAX_AGE),
            verifiers: AtomicU32::new(0),
            forgotten: AtomicU64::new(0),
            forgotten_alone: [const { AtomicU64::new(0) }; STRIPES],
        }))
    }

    /// Removes one token, also one that is being verified.
    ///
    /// It is verified again with the next request. This is not a revocation. To reject a JWT, use
    /// its `jti` ([`revoked_if`](crate::JwtBuilder::revoked_if)) and not its text, since one token
    /// can be written in several ways (an ES256 signature has two forms).
    pub fn forget(&self, token: &str) {
        self.0.forgotten_alone(token).fetch_add(1, Ordering::SeqCst);
        for verifier in 0..self.0.verifiers.load(Ordering::Relaxed) {
            self.0.remembered.remove(&TokenKeyOf { verifier, token });
        }
    }

    /// Removes the tokens of all identities for which `matches` returns true. It visits all
    /// tokens.
    pub fn forget_where(&self, matches: impl Fn(&Identity) -> bool) {
        self.begin_epoch();
        let kept = |_: &TokenKey, remembered: &CachedIdentity| !matches(&remembered.identity);
        self.0.remembered.retain(kept);
    }

    /// Removes all tokens.
    pub fn clear(&self) {
        self.begin_epoch();
        self.0.remembered.clear();
    }

    /// Prevents the results of all running verifications from being cached.
    fn begin_epoch(&self) {
        self.0.forgotten.fetch_add(1, Ordering::SeqCst);
    }

    /// The number of cached tokens, including some that may have expired.
    pub fn len(&self) -> usize {
        self.0.remembered.len()
    }

    /// Returns whether no token is cached.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the part of the cache for one verifier. Its tokens expire by the clock of the verifier.
    pub(crate) fn of_verifier(&self, clock: Clock) -> VerifierCache {
        VerifierCache {
            clock,
            verifier: self.0.verifiers.fetch_add(1, Ordering::Relaxed),
            tokens: self.clone(),
        }
    }
}

impl CachedTokens {
    /// Returns the count for this token, and for those with the same hash.
    fn forgotten_alone(&self, token: &str) -> &AtomicU64 {
        let mut hasher = DefaultHasher::new();
        token.hash(&mut hasher);
        let [stripe, ..] = hasher.finish().to_ne_bytes();
        let count = self.forgotten_alone.get(usize::from(stripe));
        count.unwrap_or(&self.forgotten)
    }
}

impl Default for TokenCache {
    /// Creates a cache of 10 000 tokens, each for up to 5 minutes.
    fn default() -> Self {
        Self::new(10_000, Duration::from_secs(300))
    }
}

pub(crate) struct VerifierCache {
    verifier: u32,
    tokens: TokenCache,
    clock: Clock,
}

impl VerifierCache {
    pub(crate) fn get(&self, token: &str) -> Option<Identity> {
        let key = TokenKeyOf {
            verifier: self.verifier,
            token,
        };
        let tokens = &self.tokens.0;
        let remembered = tokens.remembered.get(&key)?;
        // The wall time may be set back, and the monotonic time stands still while the machine is suspended.
        let age = self
            .clock
            .monotonic()
            .saturating_duration_since(remembered.at);
        let is_good = self.clock.now() < remembered.until && age < tokens.max_age;
        if !is_good {
            tokens.remembered.remove(&key);
            return None;
        }
        Some(remembered.identity)
    }

    /// Returns the current epoch of a token. It has to be read before the token is verified, and before its
    /// keys are looked up.
    pub(crate) fn epoch(&self, token: &str) -> Epoch {
        let tokens = &self.tokens.0;
        Epoch {
            all: tokens.forgotten.load(Ordering::SeqCst),
            alone: tokens.forgotten_alone(token).load(Ordering::SeqCst),
        }
    }

    /// Caches a token that was verified since `epoch`, until `expiry`, if that is known.
    pub(crate) fn insert(
        &self,
        token: &str,
        identity: Identity,
        expiry: Option<SystemTime>,
        epoch: Epoch,
    ) {
        let now = self.clock.now();
        let latest = now + self.tokens.0.max_age;
        let until = expiry.map_or(latest, |expiry| expiry.min(latest));
        if until <= now || self.epoch(token) != epoch {
            return;
        }
        let remembered = &self.tokens.0.remembered;
        let at = self.clock.monotonic();
        let verified = CachedIdentity {
            identity,
            at,
            until,
        };
        remembered.insert(self.key(token), verified);
        // It may have been forgotten before it was inserted.
        if self.epoch(token) != epoch {
            let verifier = self.verifier;
            remembered.remove(&TokenKeyOf { verifier, token });
        }
    }

    fn key(&self, token: &str) -> TokenKey {
        TokenKey {
            verifier: self.verifier,
            token: Zeroizing::new(token.to_owned()),
        }
    }

    /// Removes the tokens of this verifier and of all others, since a key of its issuer was
    /// withdrawn.
    #[cfg(feature = "jwks")]
    pub(crate) fn clear(&self) {
        self.tokens.clear();
    }
}

impl TokenKey {
    fn borrowed(&self) -> TokenKeyOf<'_> {
        TokenKeyOf {
            verifier: self.verifier,
            token: &self.token,
        }
    }
}

impl Hash for TokenKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.borrowed().hash(state);
    }
}

impl Equivalent<TokenKey> for TokenKeyOf<'_> {
    fn equivalent(&self, key: &TokenKey) -> bool {
        *self == key.borrowed()
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("len", &self.len())
            .field("capacity", &self.0.remembered.capacity())
            .field("max_age", &self.0.max_age)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens with the same hash are other tokens.
    #[test]
    fn tokens_are_compared_as_a_whole() {
        let cache = TokenCache::new(10, Duration::from_secs(60));
        let [other, own] = [(); 2].map(|()| cache.of_verifier(Clock::system()));
        let wanted = TokenKeyOf {
            verifier: own.verifier,
            token: "ann",
        };
        for (verifier, token, is_same) in [
            (&own, "ann", true),
            (&own, "bob", false),
            (&other, "ann", false),
            (&other, "bob", false),
        ] {
            let key = verifier.key(token);
            assert_eq!(wanted.equivalent(&key), is_same, "{token}");
        }
    }

    #[test]
    fn an_expired_token_takes_no_place() {
        let cache = TokenCache::new(10, Duration::from_secs(60));
        let verifier = cache.of_verifier(Clock::system());
        let now = SystemTime::now();
        for (expiry, places) in [
            (now - Duration::from_secs(1), 0),
            (now + Duration::from_secs(60), 1),
        ] {
            let ann = Identity::new("ann");
            verifier.insert("token", ann, Some(expiry), verifier.epoch("token"));
            assert_eq!(cache.len(), places, "{expiry:?}");
        }
    }

    #[test]
    fn a_token_is_cached_once() {
        let cache = TokenCache::new(10, Duration::from_secs(60));
        let verifier = cache.of_verifier(Clock::system());
        for subject in ["ann", "bob"] {
            let epoch = verifier.epoch("token");
            verifier.insert("token", Identity::new(subject), None, epoch);
        }
        assert_eq!(cache.len(), 1);
        let identity = verifier.get("token").expect("it is cached");
        assert_eq!(identity.subject(), "bob");
    }
}
