//! Tokens that were found good a moment ago.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use zeroize::Zeroizing;

#[cfg(feature = "introspection")]
use crate::caller::Caller;
use crate::identity::Identity;

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
/// use auth_runtime::{Jwt, TokenCache};
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
}

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
    /// Holds up to `capacity` tokens, each for up to `max_age`.
    ///
    /// A token that was revoked, or whose key was, may be let in for that much longer.
    pub fn new(capacity: usize, max_age: Duration) -> Self {
        Self(Arc::new(Tokens {
            remembered: Cache::new(capacity),
            max_age,
            verifiers: AtomicU32::new(0),
        }))
    }

    /// Forgets one token.
    pub fn forget(&self, token: &str) {
        for verifier in 0..self.0.verifiers.load(Ordering::Relaxed) {
            self.0.remembered.remove(&KeyOf { verifier, token });
        }
    }

    /// Forgets the tokens of everybody for whom `is_meant` says yes; looks at all of them.
    pub fn forget_where(&self, is_meant: impl Fn(&Identity) -> bool) {
        let kept = |_: &Key, remembered: &Remembered| !is_meant(&remembered.identity);
        self.0.remembered.retain(kept);
    }

    /// Forgets all tokens.
    pub fn clear(&self) {
        self.0.remembered.clear();
    }

    /// How many tokens are remembered, some of which may have expired since.
    pub fn len(&self) -> usize {
        self.0.remembered.len()
    }

    /// Whether no token is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The part of the cache that one verifier sees.
    pub(crate) fn of_verifier(&self) -> VerifierCache {
        VerifierCache {
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
}

impl VerifierCache {
    pub(crate) fn get(&self, token: &str) -> Option<Identity> {
        let key = KeyOf {
            verifier: self.verifier,
            token,
        };
        let tokens = &self.tokens.0;
        let remembered = tokens.remembered.get(&key)?;
        let now = SystemTime::now();
        // One that lies further ahead than it could is of a clock that was set back since.
        let is_good = now < remembered.until && remembered.until <= now + tokens.max_age;
        if !is_good {
            tokens.remembered.remove(&key);
            return None;
        }
        Some(remembered.identity)
    }

    /// The identity of a token, or what `verify` finds: the caller, and until when that holds, where
    /// it is known. Asked once for all who wait for the same token.
    #[cfg(feature = "introspection")]
    pub(crate) async fn get_or_verify(
        &self,
        token: &str,
        verify: impl Future<Output = (Caller, Option<SystemTime>)>,
    ) -> Caller {
        let remembered = &self.tokens.0.remembered;
        let key = self.key(token);
        let place = match remembered.get_value_or_guard_async(&key).await {
            Ok(found) => return Caller::known(found.identity),
            Err(place) => place,
        };
        let (caller, expiry) = verify.await;
        if let Caller::Known(identity) = &caller
            && let Some(until) = self.until(expiry)
        {
            let identity = identity.clone();
            // Whoever forgot it meanwhile has the last word.
            let _ = place.insert(Remembered { identity, until });
        }
        caller
    }

    /// Until when a token is remembered that is good until then; `None` for not at all.
    fn until(&self, expiry: Option<SystemTime>) -> Option<SystemTime> {
        let now = SystemTime::now();
        let latest = now + self.tokens.0.max_age;
        let until = expiry.map_or(latest, |expiry| expiry.min(latest));
        (until > now).then_some(until)
    }

    /// Remembers a token that is good until then.
    pub(crate) fn insert(&self, token: &str, identity: Identity, expiry: SystemTime) {
        let Some(until) = self.until(Some(expiry)) else {
            return;
        };
        let remembered = Remembered { identity, until };
        self.tokens.0.remembered.insert(self.key(token), remembered);
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
