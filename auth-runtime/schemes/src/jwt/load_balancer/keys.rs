//! The keys of load balancers, which are fetched one by one.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use auth_runtime_core::Clock;
use auth_runtime_remote::{HttpClient, HttpError};

use super::token::{BalancerHeader, BalancerToken};
use crate::jwt::issuer_name::IssuerName;
use crate::jwt::key::JwtKey;

/// The time for which a key is used without a fetch. It is used for as long again while it cannot be fetched.
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);
/// The maximum number of keys at hand. A load balancer has few.
const MAX_KEYS: usize = 16;
/// The maximum number of fetches for tokens without a valid signature in each [`PERIOD`]. Any client can invent the name
/// of a key, or name that of another load balancer of the region.
const MAX_FAILURES: u32 = 8;
const PERIOD: Duration = Duration::from_secs(60);
/// The time without a fetch after one that failed.
const RETRY: Duration = Duration::from_secs(5);
/// The time for which an old key is used after a failed fetch, until the next one.
const PAUSE: Duration = Duration::from_secs(60);

/// The keys of load balancers, which are fetched one by one.
pub(in crate::jwt) struct BalancerKeys {
    arns: Vec<String>,
    url: String,
    http: HttpClient,
    clock: Clock,
    keys: Mutex<HashMap<String, FetchedKey>>,
    /// The lock is held during a fetch.
    failures: Arc<tokio::sync::Mutex<Failures>>,
}

struct FetchedKey {
    key: JwtKey,
    at: Instant,
    /// The end of a pause after a failed fetch. The key is used meanwhile.
    next_fetch: Instant,
}

/// The fetches without a result.
struct Failures {
    /// The begin of the present period.
    since: Instant,
    /// The fetches in this period for tokens without a valid signature.
    unknown: u32,
    /// The time of the next fetch after one that failed.
    outage_until: Instant,
}

/// The reason for the lack of a key.
pub(in crate::jwt) enum NoKey {
    /// The load balancers have no such key.
    Unknown,
    Outage {
        retry_after: Duration,
    },
}

const OUTAGE: NoKey = NoKey::Outage { retry_after: RETRY };

impl BalancerKeys {
    pub(in crate::jwt) fn new(
        arns: Vec<String>,
        url: String,
        http: HttpClient,
        clock: Clock,
    ) -> Self {
        let since = clock.monotonic();
        Self {
            arns,
            url,
            http,
            clock,
            keys: Mutex::default(),
            failures: Arc::new(tokio::sync::Mutex::new(Failures {
                since,
                unknown: 0,
                outage_until: since,
            })),
        }
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<String, FetchedKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn age(&self, at: Instant) -> Duration {
        self.clock.monotonic().saturating_duration_since(at)
    }

    /// Returns whether a token is of this issuer and of one of these load balancers, by its header.
    pub(in crate::jwt) fn are_named(&self, issuer: &IssuerName, token: &BalancerToken) -> bool {
        let BalancerHeader { iss, signer, .. } = &token.header;
        matches!(issuer, IssuerName::One(name) if **name == **iss) && self.arns.contains(signer)
    }

    /// Returns the key of a token, unless it has to be fetched.
    pub(in crate::jwt) fn at_hand(&self, token: &BalancerToken) -> Option<JwtKey> {
        let keys = self.keys();
        let found = keys.get(&token.header.kid)?;
        let now = self.clock.monotonic();
        (now < found.next_fetch).then(|| found.key.clone())
    }

    /// Returns an old key that could not be fetched again. It is used for a while without another fetch.
    fn extended(&self, kid: &str) -> Option<JwtKey> {
        let mut keys = self.keys();
        let found = keys
            .get_mut(kid)
            .filter(|found| self.age(found.at) < 2 * KEEP)?;
        found.next_fetch = self.clock.monotonic() + PAUSE;
        Some(found.key.clone())
    }

    /// Returns whether a fetched key is kept: a known one, or one that signed the token. The URL has the keys of all
    /// load balancers of the region, and a client can name any of them.
    fn keeps(&self, token: &BalancerToken, key: &JwtKey) -> bool {
        self.keys().contains_key(&token.header.kid) || token.is_signed_by(key)
    }

    /// Returns the key of a token after a fetch. One fetch runs at a time, and the others wait for it.
    pub(in crate::jwt) async fn fetch(
        self: &Arc<Self>,
        token: &BalancerToken,
    ) -> Result<JwtKey, NoKey> {
        let mut failures = Arc::clone(&self.failures).lock_owned().await;
        if let Some(key) = self.at_hand(token) {
            return Ok(key);
        }
        if let Some(retry_after) = self.pause(&mut failures) {
            let extended = self.extended(&token.header.kid);
            return extended.ok_or(NoKey::Outage { retry_after });
        }
        let (this, token) = (Arc::clone(self), token.clone());
        // In a task of its own: a client that hangs up must not stop the fetch for the others.
        let fetched = tokio::spawn(async move {
            match this.fetch_now(&token).await {
                Ok(key) => Ok(key),
                Err(NoKey::Unknown) => {
                    failures.unknown += 1;
                    Err(NoKey::Unknown)
                }
                Err(outage) => {
                    failures.outage_until = this.clock.monotonic() + RETRY;
                    this.extended(&token.header.kid).ok_or(outage)
                }
            }
        });
        fetched.await.unwrap_or(Err(OUTAGE))
    }

    /// Returns the time until the next fetch, if there must be none now.
    fn pause(&self, failures: &mut Failures) -> Option<Duration> {
        let now = self.clock.monotonic();
        if self.age(failures.since) >= PERIOD {
            failures.since = now;
            failures.unknown = 0;
        }
        let next_fetch = if failures.unknown >= MAX_FAILURES {
            failures.outage_until.max(failures.since + PERIOD)
        } else {
            failures.outage_until
        };
        let pause = next_fetch.saturating_duration_since(now);
        (!pause.is_zero()).then_some(pause)
    }

    async fn fetch_now(&self, token: &BalancerToken) -> Result<JwtKey, NoKey> {
        let kid = token.header.kid.as_str();
        let key = match self.http.get(&format!("{}{kid}", self.url)).await {
            Ok(pem) => JwtKey::es256_pem(pem).map_err(|error| {
                tracing::warn!(
                    url = self.url,
                    "the key {kid} of a load balancer cannot be used: {error}"
                );
                OUTAGE
            })?,
            Err(HttpError::Status(status)) if matches!(status.as_u16(), 403 | 404) => {
                // A withdrawn key must not be used again while other fetches fail.
                self.keys().remove(kid);
                return Err(NoKey::Unknown);
            }
            Err(error) => {
                tracing::warn!(
                    url = self.url,
                    "the key of a load balancer could not be fetched: {error}"
                );
                return Err(OUTAGE);
            }
        };
        if !self.keeps(token, &key) {
            return Err(NoKey::Unknown);
        }
        let at = self.clock.monotonic();
        let mut keys = self.keys();
        if keys.len() >= MAX_KEYS {
            keys.clear();
        }
        let fetched = FetchedKey {
            key: key.clone(),
            at,
            next_fetch: at + KEEP,
        };
        keys.insert(kid.to_owned(), fetched);
        Ok(key)
    }
}

impl fmt::Debug for BalancerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.arns).finish()
    }
}
