//! Proofs that were used already (RFC 9449 §11.1).

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::proof::{KEY_PART, Proof};
use crate::schemes::generations::Generations;

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
/// many; and no key may take more than its share, so that nobody fills it up for others.
pub(super) struct InMemory {
    shards: Vec<Mutex<Shard>>,
    /// Chooses the shard, so that nobody makes proofs for one of them.
    chooser: RandomState,
    /// No proof lives longer.
    longest: Duration,
    capacity: usize,
}

struct Shard {
    proofs: Generations<()>,
    /// How many of the new ones were made with each key.
    shares: HashMap<[u8; KEY_PART], usize>,
}

/// So that few wait for each other.
const SHARDS: usize = 16;
/// The part of the capacity that one key may take.
const SHARE: usize = 16;

impl InMemory {
    /// Remembers up to `capacity` proofs for each `longest`.
    pub(super) fn new(capacity: usize, longest: Duration) -> Self {
        let shard = || {
            Mutex::new(Shard {
                proofs: Generations::new(),
                shares: HashMap::new(),
            })
        };
        Self {
            shards: std::iter::repeat_with(shard).take(SHARDS).collect(),
            chooser: RandomState::new(),
            longest,
            capacity: capacity.div_ceil(SHARDS),
        }
    }

    fn remember(&self, id: [u8; 32]) -> Result<bool, ReplayStoreError> {
        let shard = self.chooser.hash_one(id) % SHARDS as u64;
        let shard = usize::try_from(shard)
            .ok()
            .and_then(|at| self.shards.get(at));
        let shard = shard.ok_or(ReplayStoreError)?;
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let Shard { proofs, shares } = &mut *shard;
        if proofs.turn(self.longest) {
            shares.clear();
        }
        if proofs.get_mut(&id).is_some() {
            return Ok(false);
        }
        if proofs.new_ones() >= self.capacity {
            tracing::warn!("too many proofs of possession to remember all of them");
            return Err(ReplayStoreError);
        }
        let key = id.first_chunk().copied().unwrap_or_default();
        let share = shares.entry(key).or_default();
        if *share >= self.capacity.div_ceil(SHARE) {
            tracing::warn!("one key makes too many proofs of possession to remember all of them");
            return Err(ReplayStoreError);
        }
        *share += 1;
        proofs.insert(id, ());
        Ok(true)
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

    /// Of a key, by number, too.
    fn id(key: u8, number: u16) -> [u8; 32] {
        let mut id = [key; 32];
        let number = number.to_be_bytes();
        (id[30], id[31]) = (number[0], number[1]);
        id
    }

    #[test]
    fn each_is_the_first_once_and_no_more_are_taken_than_fit() {
        let store = InMemory::new(1000, Duration::from_secs(60));
        let mut taken = Vec::new();
        for id in (0..=255).flat_map(|key| (0..8).map(move |number| id(key, number))) {
            match store.remember(id) {
                Ok(is_first) => assert!(is_first),
                Err(ReplayStoreError) => continue,
            }
            taken.push(id);
        }
        assert!((900..1100).contains(&taken.len()), "{}", taken.len());
        for id in taken {
            assert_eq!(store.remember(id), Ok(false), "still remembered");
        }
    }

    #[test]
    fn one_key_does_not_fill_the_store_for_others() {
        let store = InMemory::new(16_000, Duration::from_secs(60));
        let of_one = (0..16_000).filter(|number| store.remember(id(1, *number)) == Ok(true));
        let of_one = of_one.count();
        assert!((500..1100).contains(&of_one), "{of_one}");
        for key in 2..100 {
            assert_eq!(store.remember(id(key, 0)), Ok(true));
        }
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
