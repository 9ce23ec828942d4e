//! Keys that the issuer publishes and changes.
//!
//! Most requests find their key at hand. The first requests, those with an unknown key, and those after an
//! idle time share one fetch. A waiting request occupies no task and no place, so tokens with invented keys cannot
//! exclude others.

use std::collections::HashSet;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use auth_runtime_core::url::{TrustedUrl, without_secrets};
use auth_runtime_remote::{HttpClient, bounded_text};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use super::discovery::jwks_url;
use super::error::JwtError;
use super::issuer_name::IssuerName;
use super::key::of_jwks;
use super::key_set::KeySet;
use super::key_source::AnyKeySource;
use super::rules::TokenRules;
use crate::signed_token::TokenHeader;
use crate::token_cache::VerifierCache;

/// The minimum time between two fetches that requests cause.
const PAUSE: Duration = Duration::from_secs(5);
/// The wait after a failed fetch in the background, unless keys are refreshed more often than that.
const RETRY: Duration = Duration::from_secs(30);
/// The time for which keys remain valid without a successful fetch.
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// The source of the keys.
pub(super) enum KeyPlace {
    /// The URL in the issuer's metadata.
    OfIssuer,
    Url(String),
    /// A URL that may be `http` on any host.
    PlainUrl(String),
    Source(AnyKeySource),
}

impl KeyPlace {
    /// Checks whether the keys of an issuer can be fetched here, and returns the URL; empty for a source.
    pub(super) fn check(&self, issuer: &IssuerName) -> Result<String, JwtError> {
        let name = issuer.to_string();
        let (url, read) = match (self, issuer) {
            (_, IssuerName::Unnamed) => return Err(JwtError::FetchedWithoutIssuer),
            (Self::Source(_), _) => return Ok(String::new()),
            (Self::PlainUrl(url), _) => (url, TrustedUrl::read_over_plain_http(url)),
            (Self::Url(url), _) => (url, TrustedUrl::read(url)),
            (Self::OfIssuer, IssuerName::PerTenant { .. }) => {
                return Err(JwtError::IssuerTemplate);
            }
            (Self::OfIssuer, _) => (&name, TrustedUrl::read(&name)),
        };
        match read {
            Ok(_) => Ok(url.clone()),
            Err(problem) => Err(JwtError::Url {
                url: without_secrets(url),
                problem,
            }),
        }
    }
}

pub(super) struct FetchedKeys {
    place: KeyPlace,
    rules: Arc<TokenRules>,
    http: HttpClient,
    refresh_every: Duration,
    cache: Option<Arc<VerifierCache>>,
    fetched: RwLock<Option<Arc<Fetched>>>,
    /// The lock is held during a fetch, so that all requests that need keys wait for the same
    /// fetch.
    last: Arc<Mutex<Option<FetchAttempt>>>,
    born: Instant,
    /// The number of attempts that have begun.
    begun: AtomicU64,
    /// True if the last attempt failed.
    is_down: AtomicBool,
    /// The time of the next fetch in the background, in milliseconds since `born`.
    due: AtomicU64,
}

struct Fetched {
    published: HashSet<Value>,
    keys: Arc<KeySet>,
    at: Instant,
}

/// The keys of a document as they are published.
#[derive(Deserialize)]
struct Document {
    keys: HashSet<Value>,
}

struct FetchAttempt {
    /// The number of attempts that had begun, with this one.
    number: u64,
    /// The wall time at its begin, for a comparison with the `iat` of tokens.
    began_at: SystemTime,
    ended: Instant,
    problem: Option<String>,
}

/// A token with an unknown key.
pub(super) struct WantedKey {
    pub(super) header: TokenHeader,
    /// The keys that did not sign the token.
    pub(super) tried: Option<Arc<KeySet>>,
    /// The time at which it was issued, from its unverified claims.
    pub(super) issued: Option<SystemTime>,
}

impl FetchAttempt {
    /// Returns whether a token may have been signed by a key that was published after this attempt. `iat`
    /// has no fractions of a second, and the issuer's clock may be behind by `clock_skew`.
    fn may_precede(&self, wanted: &WantedKey, clock_skew: Duration) -> bool {
        let inaccuracy = clock_skew + Duration::from_secs(1);
        let latest = wanted.issued.map(|issued| issued.checked_add(inaccuracy));
        latest.is_some_and(|latest| latest.is_none_or(|latest| latest > self.began_at))
    }
}

/// Newer keys are unavailable.
pub(super) struct Outage {
    pub(super) retry_after: Duration,
    /// The keys at hand, one of which may have signed the token.
    pub(super) at_hand: Option<Arc<KeySet>>,
}

impl FetchedKeys {
    pub(super) fn new(
        place: KeyPlace,
        rules: Arc<TokenRules>,
        refresh_every: Duration,
        cache: Option<Arc<VerifierCache>>,
        http: HttpClient,
    ) -> Self {
        let born = rules.clock.monotonic();
        Self {
            place,
            rules,
            http,
            refresh_every,
            cache,
            fetched: RwLock::default(),
            last: Arc::default(),
            born,
            begun: AtomicU64::new(0),
            is_down: AtomicBool::new(false),
            due: AtomicU64::new(0),
        }
    }

    /// Returns the keys at hand, if one of them may have signed a token with this header, and no fetch is
    /// overdue.
    pub(super) fn that_know(self: &Arc<Self>, header: &TokenHeader) -> Option<Arc<KeySet>> {
        let keys = self.at_hand(header)?;
        self.refresh_when_due().then_some(keys)
    }

    /// The keys of the last successful fetch.
    fn current(&self) -> Option<Arc<Fetched>> {
        let fetched = self.fetched.read();
        fetched.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the keys, and returns the earlier ones.
    fn replace(&self, fetched: Arc<Fetched>) -> Option<Arc<Fetched>> {
        let current = self.fetched.write();
        current
            .unwrap_or_else(PoisonError::into_inner)
            .replace(fetched)
    }

    fn at_hand(&self, header: &TokenHeader) -> Option<Arc<KeySet>> {
        let fetched = self.current()?;
        let is_usable = self.since(fetched.at) < KEEP && fetched.keys.knows(header);
        is_usable.then(|| Arc::clone(&fetched.keys))
    }

    /// Returns the keys at hand once they know the token's key, or are newer than the request, or cannot be
    /// expected to change by another fetch.
    pub(super) async fn fetch_for(
        self: &Arc<Self>,
        wanted: &WantedKey,
    ) -> Result<Arc<KeySet>, Outage> {
        let begun = self.begun.load(Ordering::Relaxed);
        let mut has_paused = false;
        loop {
            // Waits for a fetch that is running.
            let mut last = Arc::clone(&self.last).lock_owned().await;
            let is_new = |keys: &Arc<KeySet>| {
                let tried = wanted.tried.as_ref();
                tried.is_none_or(|tried| !Arc::ptr_eq(keys, tried))
            };
            let at_hand = self.at_hand(&wanted.header).filter(is_new);
            let mut pause = Duration::ZERO;
            if let Some(last) = &*last {
                if !has_paused {
                    pause = PAUSE.saturating_sub(self.since(last.ended));
                }
                let is_recent = last.number > begun || !pause.is_zero();
                if is_recent && last.problem.is_some() {
                    let retry_after = pause.max(Duration::from_secs(1));
                    return Err(Outage {
                        retry_after,
                        at_hand,
                    });
                }
                if let Some(keys) = at_hand.filter(|_| !self.is_overdue()) {
                    return Ok(keys);
                }
                let is_enough = last.number > begun || !last.may_precede(wanted, self.rules.leeway);
                if is_recent
                    && is_enough
                    && let Some(fetched) = self.current()
                {
                    return Ok(Arc::clone(&fetched.keys));
                }
            }
            if !pause.is_zero() {
                // Without the lock: the last fetch responds to other requests meanwhile.
                drop(last);
                let clock = &self.rules.clock;
                let moved = clock.moved_to(clock.monotonic() + pause);
                let _ = tokio::time::timeout(pause, moved).await;
                has_paused = true;
                continue;
            }
            // In a task of its own: a client that hangs up must not stop the fetch for the others.
            let this = Arc::clone(self);
            tokio::spawn(async move { *last = Some(this.attempt().await) });
        }
    }

    /// Fetches the keys, independently of the time of the last fetch.
    pub(super) async fn fetch_now(&self) -> Result<(), String> {
        let mut last = self.last.lock().await;
        let attempt = self.attempt().await;
        let problem = attempt.problem.clone();
        *last = Some(attempt);
        problem.map_or(Ok(()), Err)
    }

    /// Starts a fetch in the background, at most one at a time. Returns whether the keys at hand can be used
    /// meanwhile. Nothing is fetched outside tokio's runtime.
    pub(super) fn refresh_when_due(self: &Arc<Self>) -> bool {
        let now = self.now();
        let due = self.due.load(Ordering::Relaxed);
        if now < due {
            return true;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return true;
        };
        if self.is_overdue() {
            return false;
        }
        let later = self.after_failure();
        let exchanged = self
            .due
            .compare_exchange(due, later, Ordering::Relaxed, Ordering::Relaxed);
        if exchanged.is_ok() {
            let this = Arc::clone(self);
            runtime.spawn(async move {
                // If the lock is held, another task is fetching already.
                if let Ok(mut last) = this.last.try_lock() {
                    *last = Some(this.attempt().await);
                }
            });
        }
        true
    }

    /// Returns whether a request has to wait for the fetch that is due, since the time passed without requests
    /// that would have started it.
    fn is_overdue(&self) -> bool {
        let due = self.due.load(Ordering::Relaxed);
        self.now().saturating_sub(due) >= millis(self.refresh_every.max(PAUSE))
    }

    /// The time of the next fetch in the background if one fails now.
    fn after_failure(&self) -> u64 {
        self.now()
            .saturating_add(millis(RETRY.min(self.refresh_every)))
    }

    async fn attempt(&self) -> FetchAttempt {
        let clock = &self.rules.clock;
        let number = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
        let began_at = clock.now();
        let issuer = &self.rules.issuer;
        let problem = match self.fetch_without_panic().await {
            Ok(fetched) => {
                let fetched = Arc::new(fetched);
                let before = self.replace(Arc::clone(&fetched));
                // A removed key may have been stolen.
                let lacks = |old: Arc<Fetched>| !old.published.is_subset(&fetched.published);
                let is_removed = before.is_some_and(lacks);
                if let Some(cache) = self.cache.as_ref().filter(|_| is_removed) {
                    cache.clear();
                }
                let due = self.now().saturating_add(millis(self.refresh_every));
                self.due.store(due, Ordering::Relaxed);
                if self.is_down.swap(false, Ordering::Relaxed) {
                    tracing::warn!(%issuer, "the keys of the issuer can be fetched again");
                }
                None
            }
            Err(problem) => {
                self.due.store(self.after_failure(), Ordering::Relaxed);
                self.is_down.store(true, Ordering::Relaxed);
                tracing::warn!(%issuer, "the keys of the issuer could not be fetched: {problem}");
                Some(problem)
            }
        };
        FetchAttempt {
            number,
            began_at,
            ended: clock.monotonic(),
            problem,
        }
    }

    /// Fetches the keys. A panic, such as that on a runtime without a timer, is an error: otherwise each request that
    /// waits would begin a fetch, again and again.
    async fn fetch_without_panic(&self) -> Result<Fetched, String> {
        let mut fetching = pin!(self.fetch());
        poll_fn(|context| {
            let polled = catch_unwind(AssertUnwindSafe(|| fetching.as_mut().poll(context)));
            polled.unwrap_or_else(|_| Poll::Ready(Err("the fetch panicked".to_owned())))
        })
        .await
    }

    async fn fetch(&self) -> Result<Fetched, String> {
        let (place, document) = match &self.place {
            KeyPlace::Source(source) => (
                "the key source".to_owned(),
                source.fetch().await.map_err(|error| bounded_text(&error))?,
            ),
            KeyPlace::Url(url) | KeyPlace::PlainUrl(url) => {
                (without_secrets(url), self.get(url).await?)
            }
            KeyPlace::OfIssuer => {
                let issuer = self.rules.issuer.to_string();
                let url = jwks_url(&self.http, &issuer).await?;
                ("the keys of the issuer".to_owned(), self.get(&url).await?)
            }
        };
        let keys = of_jwks(&document, self.rules.issuer.key_use());
        let keys =
            keys.map_err(|error| format!("{place}: {}", bounded_text(&error.to_string())))?;
        let document: Document =
            serde_json::from_str(&document).map_err(|_| format!("{place}: not a JWKS document"))?;
        Ok(Fetched {
            published: document.keys,
            keys: Arc::new(KeySet::new(keys)),
            at: self.rules.clock.monotonic(),
        })
    }

    async fn get(&self, url: &str) -> Result<String, String> {
        let document = self.http.get(url).await;
        // The issuer may have named the URL.
        let shown = || bounded_text(&without_secrets(url));
        let document = document.map_err(|error| format!("{}: {error}", shown()))?;
        String::from_utf8(document).map_err(|_| format!("{}: not UTF-8", shown()))
    }

    /// The present time, in milliseconds since `born`.
    fn now(&self) -> u64 {
        millis(self.since(self.born))
    }

    fn since(&self, earlier: Instant) -> Duration {
        self.rules
            .clock
            .monotonic()
            .saturating_duration_since(earlier)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Debug for FetchedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.current() {
            Some(fetched) => fetched.keys.fmt(f),
            None => f.write_str("not fetched yet"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_future_tokens_do_not_panic() {
        let began_at = SystemTime::now();
        let attempt = FetchAttempt {
            number: 1,
            began_at,
            ended: Instant::now(),
            problem: None,
        };
        let latest = (0..u64::BITS).rev().fold(began_at, |time, bit| {
            let later = time.checked_add(Duration::from_secs(1 << bit));
            later.unwrap_or(time)
        });
        let second = Duration::from_secs(1);
        for (issued, expected) in [
            (None, false),
            (Some(began_at - second), false),
            (Some(began_at), true),
            (Some(latest), true),
        ] {
            let wanted = WantedKey {
                header: TokenHeader {
                    alg: jsonwebtoken::Algorithm::RS256,
                    typ: None,
                    kid: None,
                    is_critical: false,
                    is_encrypted: false,
                    is_compressed: false,
                },
                tried: None,
                issued,
            };
            assert_eq!(
                attempt.may_precede(&wanted, Duration::ZERO),
                expected,
                "{issued:?}"
            );
        }
    }
}
