//! What the authorization server said of tokens, for all instances of a service.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime_core::Clock;
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::token_cache::MAX_AGE;
use crate::{Redis, RedisError};

/// Remembers in a [`Redis`] what the authorization server said of tokens, so that it is asked once
/// for all instances of a service; for
/// [`IntrospectionBuilder::shared_cache`](crate::IntrospectionBuilder::shared_cache).
///
/// Whoever reads or writes that Redis gets nothing by it: tokens are not in it, only hashes that are
/// made with the key, and what is said of them is encrypted with it (AES-256-GCM), so that nobody
/// else can say anything, nor say of one token what was said of another. While Redis is away, the
/// authorization server is asked.
///
/// Each instance also has its [`TokenCache`](crate::TokenCache), which is looked into first. What is
/// [forgotten](Self::forget) here stays good at an instance for as long as that remembers it, so
/// give it a short memory, or none:
///
/// ```
/// use std::time::Duration;
///
/// use auth_runtime::schemes::{Introspection, Redis, SharedTokenCache, TokenCache};
///
/// # let key = [7; 32];
/// let redis = Redis::builder("rediss://api:its-password@redis.internal/").build()?;
/// let shared = SharedTokenCache::new(redis, key, Duration::from_secs(60));
/// let introspection = Introspection::builder()
///     .endpoint("https://issuer.example/introspect")
///     .client_secret("my-api", "the secret of my-api")
///     .audience("https://api.example")
///     .cache(TokenCache::new(10_000, Duration::from_secs(5)))
///     .shared_cache(shared.clone())
///     .build()?;
/// # async fn later(shared: SharedTokenCache) -> Result<(), auth_runtime::schemes::RedisError> {
/// // Later, when somebody logs out:
/// shared.forget("the token").await?;
/// # Ok(())
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Cloning is cheap.
#[derive(Clone)]
pub struct SharedTokenCache {
    redis: Redis,
    names: hmac::Key,
    values: Zeroizing<[u8; 32]>,
    max_age: Duration,
}

/// Longer ones are asked for each time.
const MAX_ANSWER: usize = 64 * 1024;
/// What was asked before a token was forgotten is answered by then.
const MAX_QUESTION: Duration = Duration::from_secs(60);
const NONCE: usize = 12;

impl SharedTokenCache {
    /// Remembers each token for up to `max_age`, a day at most, and no longer than it is valid. The
    /// instances of a service need the same `key`: secret random bytes.
    ///
    /// A token that was revoked may be let in for that much longer (RFC 7662 §4).
    pub fn new(redis: Redis, key: [u8; 32], max_age: Duration) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &*Zeroizing::new(key));
        let derived = |purpose: &[u8]| {
            let mut bytes = Zeroizing::new([0; 32]);
            let tag = hmac::sign(&key, purpose);
            for (to, from) in bytes.iter_mut().zip(tag.as_ref()) {
                *to = *from;
            }
            bytes
        };
        Self {
            redis,
            names: hmac::Key::new(hmac::HMAC_SHA256, &*derived(b"names of tokens")),
            values: derived(b"what is said of tokens"),
            max_age: max_age.min(MAX_AGE),
        }
    }

    /// Forgets one token for all instances, but for what each remembers for itself: the
    /// authorization server is asked the next time.
    ///
    /// # Errors
    ///
    /// [`RedisError::NoAnswer`] if Redis is away; then the token may still be remembered.
    pub async fn forget(&self, token: &str) -> Result<(), RedisError> {
        // Something has to stand there, so that an answer from before does not take the place.
        let lifetime = self.max_age.max(MAX_QUESTION).as_secs();
        let mut command = redis::cmd("SET");
        let place = self.redis.key("token", self.name(token).as_ref());
        command.arg(place).arg("forgotten").arg("EX").arg(lifetime);
        self.redis.ask::<()>(&command).await
    }

    /// The answer of `server` about a token, and the end of its validity.
    pub(super) async fn get(
        &self,
        server: &str,
        token: &str,
        clock: &Clock,
    ) -> Option<(Vec<u8>, SystemTime)> {
        let name = self.name(token);
        let mut command = redis::cmd("GET");
        command.arg(self.redis.key("token", name.as_ref()));
        let sealed: Option<Vec<u8>> = self.redis.ask(&command).await.ok()?;
        let opened = self.open(&name, server, sealed?)?;
        let (until, answer) = opened.split_first_chunk()?;
        let until = Duration::from_secs(u64::from_be_bytes(*until));
        let until = UNIX_EPOCH.checked_add(until)?;
        // Redis keeps the time too, for whoever does not put an old answer back.
        let now = clock.now();
        let latest = now.checked_add(self.max_age)?;
        (now < until && until <= latest).then(|| (answer.to_vec(), until))
    }

    /// Remembers the answer of `server` about a token, and the end of its validity, if it is known.
    pub(super) async fn insert(
        &self,
        server: &str,
        token: &str,
        answer: &[u8],
        expiry: Option<SystemTime>,
        clock: &Clock,
    ) {
        let now = clock.now();
        let Some(latest) = now.checked_add(self.max_age) else {
            return;
        };
        let until = expiry.map_or(latest, |expiry| expiry.min(latest));
        let lifetime = until.duration_since(now).unwrap_or_default().as_secs();
        if lifetime == 0 || answer.len() > MAX_ANSWER {
            return;
        }
        let Ok(until) = until.duration_since(UNIX_EPOCH) else {
            return;
        };
        let name = self.name(token);
        let text = [&until.as_secs().to_be_bytes(), answer].concat();
        let Some(sealed) = self.seal(&name, server, text) else {
            return;
        };
        let mut command = redis::cmd("SET");
        command
            .arg(self.redis.key("token", name.as_ref()))
            .arg(sealed);
        command.arg("NX").arg("EX").arg(lifetime);
        // Without Redis there is nothing to be done but to ask again, the next time.
        let _ = self.redis.ask::<Option<String>>(&command).await;
    }

    fn name(&self, token: &str) -> hmac::Tag {
        hmac::sign(&self.names, token.as_bytes())
    }

    /// The nonce, and the text that nobody else can read or write, for this place and server only.
    fn seal(&self, name: &hmac::Tag, server: &str, mut text: Vec<u8>) -> Option<Vec<u8>> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &*self.values).ok()?;
        let nonce = key.seal_in_place_append_tag(place(name, server), &mut text);
        Some([nonce.ok()?.as_ref().as_slice(), &text].concat())
    }

    fn open(&self, name: &hmac::Tag, server: &str, mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &*self.values).ok()?;
        let (nonce, text) = sealed.split_first_chunk_mut::<NONCE>()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let text = key.open_in_place(nonce, place(name, server), text).ok()?;
        Some(text.to_vec())
    }
}

/// What a sealed text belongs to: anywhere else it does not open.
fn place(name: &hmac::Tag, server: &str) -> Aad<Vec<u8>> {
    Aad::from([name.as_ref(), server.as_bytes()].concat())
}

impl fmt::Debug for SharedTokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedTokenCache")
            .field("redis", &self.redis)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}
