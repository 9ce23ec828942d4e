//! Tokens that were found good a moment ago.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use auth_runtime_core::{Clock, Identity};
use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use zeroize::Zeroizing;

/// Remembers the identities of verified tokens, so that the next request with the same token costs
/// one look-up.
///
/// It holds so many tokens and no more, forgetting those first that are used least; each for no
/// longer than the token itself is good, nor than `max_age`. Tokens are compared whole, and wiped
/// from memory when they are forgotten. Rejected tokens are not remembered.
///
/// Clones share their tokens, so a service can keep a clone to [`forget`](Self::forget) with. Two
/// verifiers may share one, too: neither takes what the other has verified.
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
pub struct TokenCache(Arc<Tokens>);

struct Tokens {
    remembered: Cache<Key, Remembered>,
    max_age: Duration,
    verifiers: AtomicU32,
    /// How often something was forgotten.
    forgotten: AtomicU64,
}

/// The longest time that a token is remembered.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Before a token was looked at: what is forgotten from then on is not remembered after all.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Epoch(u64);

#[derive(Clone)]
struct Remembered {
    identity: Identity,
    until: SystemTime,
}

/// A token, and which verifier found it good.
#[derive(Clone)]
struct Key {
    verifier: u32,
    token: Zeroizing<String>,
}

/// The same, borrowed.
struct KeyOf<'t> {
    verifier: u32,
    token: &'t str,
}

impl TokenCache {
    /// Holds up to `capacity` tokens, each for up to `max_age`, and for a day at most.
    ///
    /// A token that was revoked, or whose key was, may be let in for that much longer.
    pub fn new(capacity: usize, max_age: Duration) -> Self {
        Self(Arc::new(Tokens {
            remembered: Cache::new(capacity),
            max_age: max_age.min(MAX_AGE),
            verifiers: AtomicU32::new(0),
            forgotten: AtomicU64::new(0),
        }))
    }

    /// Forgets one token, also one that is being verified.
    ///
    /// It is verified anew the next time. That is no revocation: to refuse a JWT, go by its `jti`
    /// ([`revoked_if`](crate::JwtBuilder::revoked_if)), not by its text, since one token can be written
    /// in several ways (an ES256 signature has two forms).
    pub fn forget(&self, token: &str) {
        self.forget_moments();
        for verifier in 0..self.0.verifiers.load(Ordering::Relaxed) {
            self.0.remembered.remove(&KeyOf { verifier, token });
        }
    }

    /// Forgets the tokens of everybody for whom `is_meant` says yes; looks at all of them.
    pub fn forget_where(&self, is_meant: impl Fn(&Identity) -> bool) {
        self.forget_moments();
        let kept = |_: &Key, remembered: &Remembered| !is_meant(&remembered.identity);
        self.0.remembered.retain(kept);
    }

    /// Forgets all tokens.
    pub fn clear(&self) {
        self.forget_moments();
        self.0.remembered.clear();
    }

    /// What is being verified is not remembered.
    fn forget_moments(&self) {
        self.0.forgotten.fetch_add(1, Ordering::SeqCst);
    }

    /// How many tokens are remembered, some of which may have expired since.
    pub fn len(&self) -> usize {
        self.0.remembered.len()
    }

    /// Whether no token is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The part of the cache that one verifier sees. Its tokens expire by the verifier's clock.
    pub(crate) fn of_verifier(&self, clock: Clock) -> VerifierCache {
        VerifierCache {
            clock,
            verifier: self.0.verifiers.fetch_add(1, Ordering::Relaxed),
            tokens: self.clone(),
        }
    }
}

impl Default for TokenCache {
    /// 10 000 tokens, each for up to 5 minutes.
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
        let key = KeyOf {
            verifier: self.verifier,
            token,
        };
        let tokens = &self.tokens.0;
        let remembered = tokens.remembered.get(&key)?;
        let now = self.clock.now();
        // One that lies further ahead than it could is of a clock that was set back since.
        let is_good = now < remembered.until && remembered.until <= now + tokens.max_age;
        if !is_good {
            tokens.remembered.remove(&key);
            return None;
        }
        Some(remembered.identity)
    }

    /// To be asked for before a token is looked at, and before the keys that it is held against.
    pub(crate) fn moment(&self) -> Epoch {
        Epoch(self.tokens.0.forgotten.load(Ordering::SeqCst))
    }

    /// Remembers a token that was found good since `moment`, and is so until `expiry`, where that is
    /// known.
    pub(crate) fn insert(
        &self,
        token: &str,
        identity: Identity,
        expiry: Option<SystemTime>,
        moment: Epoch,
    ) {
        let now = self.clock.now();
        let latest = now + self.tokens.0.max_age;
        let until = expiry.map_or(latest, |expiry| expiry.min(latest));
        if until <= now || self.moment() != moment {
            return;
        }
        let remembered = &self.tokens.0.remembered;
        remembered.insert(self.key(token), Remembered { identity, until });
        // Whoever forgot something meanwhile may have come before this was there.
        if self.moment() != moment {
            let verifier = self.verifier;
            remembered.remove(&KeyOf { verifier, token });
        }
    }

    fn key(&self, token: &str) -> Key {
        Key {
            verifier: self.verifier,
            token: Zeroizing::new(token.to_owned()),
        }
    }

    /// Forgets what this verifier remembers, and what others do: a key of its issuer's is gone.
    #[cfg(feature = "jwks")]
    pub(crate) fn clear(&self) {
        self.tokens.clear();
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { verifier, token } = self;
        KeyOf {
            verifier: *verifier,
            token,
        }
        .hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.verifier == other.verifier && *self.token == *other.token
    }
}

impl Eq for Key {}

impl Hash for KeyOf<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.verifier.hash(state);
        self.token.hash(state);
    }
}

impl Equivalent<Key> for KeyOf<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.verifier == key.verifier && self.token == key.token.as_str()
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
