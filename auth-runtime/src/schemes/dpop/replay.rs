//! Proofs that were used already (RFC 9449 §11.1).

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::proof::Proof;

/// Remembers which proofs were used, so that nobody uses one again that was overheard.
///
/// The default remembers in this process. Where several instances serve the same clients, they need a
/// common one, such as a database that each of them reaches.
///
/// ```
/// use std::time::Duration;
///
/// use auth_runtime::{ReplayStore, ReplayStoreError};
///
/// struct Shared;
///
/// impl ReplayStore for Shared {
///     async fn is_first(&self, id: [u8; 32], lifetime: Duration) -> Result<bool, ReplayStoreError> {
///         // `SET id … NX EX lifetime`, or the like
///         # let _ = (id, lifetime);
///         Ok(true)
///     }
/// }
/// ```
pub trait ReplayStore: Send + Sync + 'static {
    /// Remembers `id` for `lifetime`, and says whether it was not remembered yet. Two calls at the
    /// same time with the same `id` must not both be told so.
    ///
    /// # Errors
    ///
    /// [`ReplayStoreError`] if it cannot be said; the request is answered 503.
    fn is_first(
        &self,
        id: [u8; 32],
        lifetime: Duration,
    ) -> impl Future<Output = Result<bool, ReplayStoreError>> + Send;
}

/// A store cannot say whether a proof was used. What is wrong is for the store to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayStoreError;

impl fmt::Display for ReplayStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it cannot be said whether a proof was used already")
    }
}

impl std::error::Error for ReplayStoreError {}

/// Some store, behind one type.
pub(super) struct Replays(Box<dyn Erased>);

type Answer<'a> = Pin<Box<dyn Future<Output = Result<bool, ReplayStoreError>> + Send + 'a>>;

trait Erased: Send + Sync {
    fn is_first(&self, id: [u8; 32], lifetime: Duration) -> Answer<'_>;
}

impl<T: ReplayStore> Erased for T {
    fn is_first(&self, id: [u8; 32], lifetime: Duration) -> Answer<'_> {
        Box::pin(ReplayStore::is_first(self, id, lifetime))
    }
}

impl Replays {
    pub(super) fn new(store: impl ReplayStore) -> Self {
        Self(Box::new(store))
    }

    pub(super) async fn is_first(&self, proof: &Proof) -> Result<bool, ReplayStoreError> {
        self.0.is_first(proof.id, proof.lifetime).await
    }
}

/// Remembers in this process, a bounded number of proofs.
///
/// When it is full it says nothing more about new ones, so that nobody makes it forget by sending
/// many.
pub(super) struct InMemory {
    shards: Vec<Mutex<Generations>>,
    /// No proof lives longer.
    longest: Duration,
    capacity: usize,
}

/// Those of the current stretch of time and of the one before, each as long as a proof can live.
struct Generations {
    began: Instant,
    current: HashSet<[u8; 32]>,
    before: HashSet<[u8; 32]>,
}

/// So that few wait for each other.
const SHARDS: usize = 16;

impl InMemory {
    /// Remembers up to `capacity` proofs for each `longest`.
    pub(super) fn new(capacity: usize, longest: Duration) -> Self {
        let shard = || {
            Mutex::new(Generations {
                began: Instant::now(),
                current: HashSet::new(),
                before: HashSet::new(),
            })
        };
        Self {
            shards: std::iter::repeat_with(shard).take(SHARDS).collect(),
            longest,
            capacity: capacity.div_ceil(SHARDS),
        }
    }

    fn remember(&self, id: [u8; 32]) -> Result<bool, ReplayStoreError> {
        // The ids are hashes, so each shard gets as many as the others.
        let shard = id.first().map_or(0, |byte| usize::from(*byte) % SHARDS);
        let shard = self.shards.get(shard).ok_or(ReplayStoreError)?;
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let shard = &mut *shard;
        let age = shard.began.elapsed();
        if age >= self.longest {
            std::mem::swap(&mut shard.current, &mut shard.before);
            shard.current.clear();
            if age >= self.longest * 2 {
                shard.before.clear();
            }
            shard.began = Instant::now();
        }
        if shard.before.contains(&id) || shard.current.contains(&id) {
            return Ok(false);
        }
        if shard.current.len() >= self.capacity {
            tracing::warn!("too many proofs of possession to remember all of them");
            return Err(ReplayStoreError);
        }
        Ok(shard.current.insert(id))
    }
}

impl ReplayStore for InMemory {
    async fn is_first(&self, id: [u8; 32], _lifetime: Duration) -> Result<bool, ReplayStoreError> {
        self.remember(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_the_first_once_and_no_more_are_taken_than_fit() {
        let store = InMemory::new(SHARDS * 2, Duration::from_secs(60));
        let id = |number: u8| {
            let mut id = [0; 32];
            id[1] = number;
            id
        };
        assert_eq!(store.remember(id(1)), Ok(true));
        assert_eq!(store.remember(id(1)), Ok(false));
        assert_eq!(store.remember(id(2)), Ok(true));
        assert_eq!(store.remember(id(3)), Err(ReplayStoreError));
        assert_eq!(store.remember(id(1)), Ok(false));
    }

    #[test]
    fn each_is_remembered_for_as_long_as_a_proof_can_live() {
        let longest = Duration::from_millis(60);
        let store = InMemory::new(100, longest);
        std::thread::sleep(Duration::from_millis(40));
        assert_eq!(store.remember([1; 32]), Ok(true));
        std::thread::sleep(Duration::from_millis(40));
        assert_eq!(store.remember([1; 32]), Ok(false), "in the stretch before");
        std::thread::sleep(Duration::from_millis(130));
        assert_eq!(store.remember([1; 32]), Ok(true), "long after");
    }
}
