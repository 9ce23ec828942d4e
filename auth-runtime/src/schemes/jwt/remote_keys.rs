//! Keys that the issuer publishes and changes.
//!
//! Requests find them without waiting, but for the first ones, and for those whose token names a key
//! that is not among them: these wait for one fetch together.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use jsonwebtoken::Header;
use tokio::sync::{Mutex, Semaphore};

use super::builder::JwtError;
use super::discovery::jwks_url;
use super::key::of_jwks;
use super::{KeySet, Rules};
use crate::schemes::http_client::HttpClient;
use crate::schemes::token_cache::VerifierCache;

/// Between two fetches that requests ask for.
const PAUSE: Duration = Duration::from_secs(5);
/// After a fetch in the background failed, unless keys are refreshed more often than that.
const RETRY: Duration = Duration::from_secs(30);
/// For so long keys are good without anybody confirming it.
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);
/// So many requests wait for a fetch; more are told to come back.
const MAX_WAITING: usize = 1024;

/// Where the keys are.
pub(super) enum Place {
    /// Where the one issuer says.
    OfIssuer,
    Url(String),
}

impl Place {
    /// What is asked first.
    pub(super) fn url<'p>(&'p self, issuers: &'p [String]) -> Result<&'p str, JwtError> {
        match (self, issuers) {
            (Self::Url(url), _) => Ok(url),
            (Self::OfIssuer, [issuer]) => Ok(issuer),
            (Self::OfIssuer, _) => Err(JwtError::SeveralIssuers),
        }
    }
}

pub(super) struct RemoteKeys {
    place: Place,
    rules: Arc<Rules>,
    http: HttpClient,
    refresh_every: Duration,
    cache: Option<Arc<VerifierCache>>,
    fetched: ArcSwapOption<Fetched>,
    /// Held while fetching, so that all who need keys wait for the same ones.
    last: Mutex<Option<Attempt>>,
    waiting: Semaphore,
    born: Instant,
    /// When the next fetch in the background is due, in milliseconds since `born`.
    due: AtomicU64,
}

struct Fetched {
    document: String,
    keys: Arc<KeySet>,
    at: Instant,
}

struct Attempt {
    began: Instant,
    ended: Instant,
    problem: Option<String>,
}

/// Nobody can say whether a token is good.
pub(super) struct Outage {
    pub(super) retry_after: Duration,
}

impl RemoteKeys {
    pub(super) fn new(
        place: Place,
        rules: Arc<Rules>,
        refresh_every: Duration,
        cache: Option<Arc<VerifierCache>>,
    ) -> Result<Self, JwtError> {
        Ok(Self {
            place,
            rules,
            http: HttpClient::new().map_err(JwtError::Unreachable)?,
            refresh_every,
            cache,
            fetched: ArcSwapOption::empty(),
            last: Mutex::new(None),
            waiting: Semaphore::new(MAX_WAITING),
            born: Instant::now(),
            due: AtomicU64::new(0),
        })
    }

    /// The keys at hand, if one of them may have signed such a token.
    pub(super) fn that_know(self: &Arc<Self>, header: &Header) -> Option<Arc<KeySet>> {
        let keys = self.at_hand(header)?;
        self.refresh_when_due();
        Some(keys)
    }

    fn at_hand(&self, header: &Header) -> Option<Arc<KeySet>> {
        let fetched = self.fetched.load();
        let fetched = fetched.as_ref()?;
        let is_usable = fetched.at.elapsed() < KEEP && fetched.keys.knows(header);
        is_usable.then(|| Arc::clone(&fetched.keys))
    }

    /// Fetches once for all who ask at the same time. Whoever asks is answered by keys that were
    /// fetched since, whether or not they know such a token.
    /// `tried` are keys that did not do.
    pub(super) async fn fetch_for(
        self: &Arc<Self>,
        header: &Header,
        tried: Option<Arc<KeySet>>,
    ) -> Result<Arc<KeySet>, Outage> {
        let outage = || Outage { retry_after: PAUSE };
        let _place = self.waiting.try_acquire().map_err(|_| outage())?;
        let (this, header) = (Arc::clone(self), header.clone());
        // On its own: a caller who hangs up must not stop it for the others.
        let fetch = tokio::spawn(async move {
            let asked = Instant::now();
            this.fetch_once(&header, tried.as_ref(), asked).await
        });
        fetch.await.unwrap_or_else(|_| Err(outage()))
    }

    async fn fetch_once(
        &self,
        header: &Header,
        tried: Option<&Arc<KeySet>>,
        asked: Instant,
    ) -> Result<Arc<KeySet>, Outage> {
        let mut last = self.last.lock().await;
        let is_new = |keys: &Arc<KeySet>| tried.is_none_or(|tried| !Arc::ptr_eq(keys, tried));
        if let Some(keys) = self.at_hand(header).filter(is_new) {
            return Ok(keys);
        }
        let was_meant = last.as_ref().is_some_and(|last| last.began >= asked);
        let pause = last
            .as_ref()
            .and_then(|last| PAUSE.checked_sub(last.ended.elapsed()));
        let has_failed = last.as_ref().is_some_and(|last| last.problem.is_some());
        match pause {
            Some(retry_after) if has_failed => return Err(Outage { retry_after }),
            Some(pause) if !was_meant => tokio::time::sleep(pause).await,
            _ => {}
        }
        if !was_meant {
            *last = Some(self.attempt().await);
        }
        let has_failed = last.as_ref().is_some_and(|last| last.problem.is_some());
        match self.fetched.load_full() {
            Some(fetched) if !has_failed => Ok(Arc::clone(&fetched.keys)),
            _ => Err(Outage { retry_after: PAUSE }),
        }
    }

    /// Fetches whatever the time.
    pub(super) async fn fetch_now(&self) -> Result<(), String> {
        let mut last = self.last.lock().await;
        let attempt = self.attempt().await;
        let problem = attempt.problem.clone();
        *last = Some(attempt);
        problem.map_or(Ok(()), Err)
    }

    /// Starts a fetch in the background, at most one at a time. Nothing runs in the background outside
    /// of tokio's runtime.
    pub(super) fn refresh_when_due(self: &Arc<Self>) {
        let now = self.now();
        let due = self.due.load(Ordering::Relaxed);
        if now < due {
            return;
        }
        let later = now.saturating_add(millis(RETRY.min(self.refresh_every)));
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let exchanged = self
            .due
            .compare_exchange(due, later, Ordering::Relaxed, Ordering::Relaxed);
        if exchanged.is_ok() {
            let this = Arc::clone(self);
            runtime.spawn(async move {
                // Whoever holds it is fetching already.
                if let Ok(mut last) = this.last.try_lock() {
                    *last = Some(this.attempt().await);
                }
            });
        }
    }

    async fn attempt(&self) -> Attempt {
        let began = Instant::now();
        let problem = match self.fetch().await {
            Ok(fetched) => {
                let fetched = Arc::new(fetched);
                let before = self.fetched.swap(Some(Arc::clone(&fetched)));
                // A key that is gone may have been stolen.
                let is_changed = before.is_none_or(|old| old.document != fetched.document);
                if let Some(cache) = self.cache.as_ref().filter(|_| is_changed) {
                    cache.clear();
                }
                let due = self.now().saturating_add(millis(self.refresh_every));
                self.due.store(due, Ordering::Relaxed);
                None
            }
            Err(problem) => {
                tracing::warn!("the keys of the issuer could not be fetched: {problem}");
                Some(problem)
            }
        };
        Attempt {
            began,
            ended: Instant::now(),
            problem,
        }
    }

    async fn fetch(&self) -> Result<Fetched, String> {
        let url = match (&self.place, self.rules.issuers.as_slice()) {
            (Place::Url(url), _) => url.clone(),
            (Place::OfIssuer, [issuer, ..]) => jwks_url(&self.http, issuer).await?,
            (Place::OfIssuer, []) => return Err("no issuer is trusted".to_owned()),
        };
        let document = self.http.get(&url).await;
        let document = document.map_err(|error| format!("{url}: {error}"))?;
        let document = String::from_utf8(document).map_err(|_| format!("{url}: not UTF-8"))?;
        let keys = of_jwks(&document).map_err(|error| format!("{url}: {error}"))?;
        Ok(Fetched {
            document,
            keys: Arc::new(KeySet::new(keys, &self.rules)),
            at: Instant::now(),
        })
    }

    fn now(&self) -> u64 {
        millis(self.born.elapsed())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fetched.load().as_ref() {
            Some(fetched) => fetched.keys.fmt(f),
            None => f.write_str("not fetched yet"),
        }
    }
}
