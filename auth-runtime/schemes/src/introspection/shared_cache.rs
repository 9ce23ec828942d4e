//! A cache of introspection responses for all instances of a service.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime_core::{Clock, Identity};
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::limits::MAX_ANSWER;
use crate::redis::Share;
use crate::token_cache::MAX_AGE;
use crate::{Redis, RedisError};

/// Caches the responses of the authorization server in a [`Redis`], for all instances of a service;
/// for [`IntrospectionBuilder::shared_cache`](crate::IntrospectionBuilder::shared_cache).
///
/// An attacker with access to that Redis can neither read nor forge the responses. It does not contain tokens, only
/// hashes that are keyed with the key. Each response is encrypted with a key of its token (AES-256-GCM), so it cannot
/// be moved to another token. An attacker with write access can remove responses, and write a removed one back, also
/// that of a [forgotten](Self::forget) token, which is then accepted until the response expires, after `max_age` at
/// the latest. While Redis is unavailable, the authorization server is used. If a response of Redis exceeds its time
/// limit, requests do not use Redis for a second.
///
/// Each instance also has its own [`TokenCache`](crate::TokenCache), which is read first. A token
/// that is [forgotten](Self::forget) here remains valid at an instance until it expires from the
/// cache of the instance. Therefore give the instances a short cache, or none:
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
/// At most 1000 responses of one subject, each up to 64 KiB, are stored in each `max_age`. For further tokens of the subject, the
/// authorization server is asked. One caller with many tokens therefore does not fill Redis for others.
///
/// Cloning is cheap.
#[derive(Clone)]
pub struct SharedTokenCache {
    redis: Redis,
    names: hmac::Key,
    values: hmac::Key,
    max_age: Duration,
}

/// The maximum duration of a request that began before a token was forgotten.
const MAX_QUESTION: Duration = Duration::from_secs(60);
const NONCE: usize = 12;
/// The maximum length of an entry: the nonce, the expiry, the response and the tag.
const MAX_ENTRY: usize = NONCE + 8 + MAX_ANSWER + 16;
/// The maximum number of responses of one subject that are stored in each `max_age`.
const SHARE: u32 = 1000;

impl SharedTokenCache {
    /// Creates a cache that holds each response for up to `max_age`, at most a day, and never
    /// beyond the expiry of the token. All instances of a service need the same `key`: secret
    /// random bytes. A new key empties the cache.
    ///
    /// A revoked token may be accepted for that additional time (RFC 7662 §4).
    pub fn new(redis: Redis, key: [u8; 32], max_age: Duration) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &*Zeroizing::new(key));
        let derived =
            |purpose: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, purpose).as_ref());
        Self {
            redis,
            names: derived(b"names of tokens"),
            values: derived(b"what is said of tokens"),
            max_age: max_age.min(MAX_AGE),
        }
    }

    /// Removes a token from the cache of all instances, except from their own caches. The next
    /// request with it is sent to the authorization server.
    ///
    /// Like [`TokenCache::forget`](crate::TokenCache::forget), it removes this text of the token only. A JWT can be
    /// written in several ways, and a response for another one stays for up to `max_age`: keep that short if the
    /// tokens are JWTs.
    ///
    /// # Errors
    ///
    /// [`RedisError::NoResponse`] if Redis is unavailable. The token may then still be cached.
    pub async fn forget(&self, token: &str) -> Result<(), RedisError> {
        // The placeholder prevents an older response from being stored.
        let lifetime = self.max_age.max(MAX_QUESTION).as_secs();
        let mut command = redis::cmd("SET");
        let place = self.redis.key("token", self.name(token).as_ref());
        command.arg(place).arg("forgotten").arg("EX").arg(lifetime);
        self.redis.ask::<()>(&command).await
    }

    /// Returns the response of `server` for a token, and its expiry.
    pub(super) async fn get(
        &self,
        server: &str,
        token: &str,
        clock: &Clock,
    ) -> Option<(Vec<u8>, SystemTime)> {
        if self.redis.is_silent() {
            return None;
        }
        let name = self.name(token);
        // A longer value is cut one byte behind the longest entry, and does not open. A missing one is empty.
        let mut command = redis::cmd("GETRANGE");
        let place = self.redis.key("token", name.as_ref());
        command.arg(place).arg(0).arg(MAX_ENTRY);
        let sealed: Vec<u8> = self.redis.ask(&command).await.ok()?;
        let opened = self.open(&name, server, sealed)?;
        let (until, answer) = opened.split_first_chunk()?;
        let until = Duration::from_secs(u64::from_be_bytes(*until));
        let until = UNIX_EPOCH.checked_add(until)?;
        // The expiry is checked here as well, in case an old response was written back to Redis.
        let now = clock.now();
        let latest = now.checked_add(self.max_age)?;
        (now < until && until <= latest).then(|| (answer.to_vec(), until))
    }

    /// Stores the response of `server` for a token of `identity` that expires at `expiry`.
    pub(super) async fn insert(
        &self,
        server: &str,
        (token, identity): (&str, &Identity),
        answer: &[u8],
        expiry: Option<SystemTime>,
        clock: &Clock,
    ) {
        let now = clock.now();
        let Some(latest) = now.checked_add(self.max_age) else {
            return;
        };
        let until = expiry.map_or(latest, |expiry| expiry.min(latest));
        let lifetime = until.duration_since(now).unwrap_or_default();
        let is_stored = lifetime.as_secs() > 0 && answer.len() <= MAX_ANSWER;
        if !is_stored || self.redis.is_silent() {
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
        let key = self.redis.key("token", name.as_ref());
        let share = Share {
            key: self.redis.key("tokens", self.subject(identity).as_ref()),
            size: SHARE,
            period: self.max_age,
        };
        // If Redis is unavailable, the next request is sent to the server.
        let _ = self.redis.store_once(key, &sealed, lifetime, share).await;
    }

    fn name(&self, token: &str) -> hmac::Tag {
        hmac::sign(&self.names, token.as_bytes())
    }

    /// Identifies the owner of a share.
    fn subject(&self, identity: &Identity) -> hmac::Tag {
        let issuer = hmac::sign(
            &self.names,
            identity.issuer().unwrap_or_default().as_bytes(),
        );
        let subject = [issuer.as_ref(), identity.subject().as_bytes()].concat();
        hmac::sign(&self.names, &subject)
    }

    /// Returns the nonce and the encrypted text, which is bound to this token and this server.
    fn seal(&self, name: &hmac::Tag, server: &str, mut text: Vec<u8>) -> Option<Vec<u8>> {
        let key = self.key(name)?;
        let nonce = key.seal_in_place_append_tag(Aad::from(server), &mut text);
        Some([nonce.ok()?.as_ref().as_slice(), &text].concat())
    }

    fn open(&self, name: &hmac::Tag, server: &str, mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let key = self.key(name)?;
        let (nonce, text) = sealed.split_first_chunk_mut::<NONCE>()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let text = key.open_in_place(nonce, Aad::from(server), text).ok()?;
        Some(text.to_vec())
    }

    /// The key of one token. With one key for all, random nonces would be unsafe after 2³² responses.
    fn key(&self, name: &hmac::Tag) -> Option<RandomizedNonceKey> {
        let key = hmac::sign(&self.values, name.as_ref());
        RandomizedNonceKey::new(&AES_256_GCM, key.as_ref()).ok()
    }
}

impl fmt::Debug for SharedTokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedTokenCache")
            .field("redis", &self.redis)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "https://issuer.example/introspect api";

    fn cache(key: [u8; 32]) -> SharedTokenCache {
        let redis = Redis::builder("redis://127.0.0.1/").build();
        SharedTokenCache::new(redis.expect("a URL"), key, Duration::from_secs(60))
    }

    #[test]
    fn responses_are_bound_to_their_token() {
        let own = cache([7; 32]);
        let (ann, bob) = (own.name("ann"), own.name("bob"));
        let sealed = own.seal(&ann, SERVER, b"active".to_vec());
        let sealed = sealed.expect("it is encrypted");
        assert!(!sealed.windows(6).any(|part| part == b"active"));
        let open =
            |cache: &SharedTokenCache, name, server| cache.open(name, server, sealed.clone());
        assert_eq!(open(&own, &ann, SERVER).as_deref(), Some(&b"active"[..]));
        assert_eq!(open(&own, &bob, SERVER), None);
        assert_eq!(
            open(&own, &ann, "https://issuer.example/introspect web"),
            None
        );
        assert_eq!(open(&cache([8; 32]), &ann, SERVER), None);
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            if let Some(byte) = changed.get_mut(place) {
                *byte ^= 1;
            }
            assert_eq!(own.open(&ann, SERVER, changed), None, "{place}");
        }
        assert_eq!(own.open(&ann, SERVER, Vec::new()), None);
    }
}
