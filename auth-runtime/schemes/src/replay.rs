//! The used proofs (RFC 9449 §11.1).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use auth_runtime_core::Clock;

use crate::drop_log::DropLog;
use crate::expiring_map::{ExpiringMap, Full};

/// A store of used proofs, which prevents the replay of an overheard proof.
///
/// The default store is in the memory of this process. Several instances that serve the same
/// clients need a common store, such as a database.
///
/// ```
/// use auth_runtime::schemes::{ReplayStore, ReplayStoreError, UsedProof};
///
/// struct Shared;
///
/// impl ReplayStore for Shared {
///     async fn is_first(&self, proof: UsedProof) -> Result<bool, ReplayStoreError> {
///         // `SET id … NX EX lifetime`, or the like
///         # let _ = (proof.id(), proof.lifetime());
///         Ok(true)
///     }
/// }
/// ```
pub trait ReplayStore: Send + Sync + 'static {
    /// Stores the id of `proof` for its lifetime, and returns whether it was not stored before. Of
    /// several concurrent calls with the same id, one returns `true`.
    ///
    /// It is called only for proofs of known callers. A store has to be bounded by subject.
    /// Otherwise one caller can fill it for all others.
    ///
    /// # Errors
    ///
    /// [`ReplayStoreError`] if the result is not known, or if the share of the subject is
    /// exhausted. The response is 503.
    fn is_first(
        &self,
        proof: UsedProof,
    ) -> impl Future<Output = Result<bool, ReplayStoreError>> + Send;
}

/// A proof of possession that a known caller used, for a [`ReplayStore`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedProof {
    id: [u8; 32],
    subject: [u8; 32],
    lifetime: Duration,
}

impl UsedProof {
    /// Creates a proof of this subject with this id and this remaining lifetime.
    pub const fn new(id: [u8; 32], subject: [u8; 32], lifetime: Duration) -> Self {
        Self {
            id,
            subject,
            lifetime,
        }
    }

    /// The hash that identifies the proof.
    pub const fn id(&self) -> [u8; 32] {
        self.id
    }

    /// The hash of the issuer and the subject of the token: the same for all keys of the subject.
    pub const fn subject(&self) -> [u8; 32] {
        self.subject
    }

    /// The remaining lifetime of the proof.
    pub const fn lifetime(&self) -> Duration {
        self.lifetime
    }
}

/// The error of a store that could not determine whether a proof was used. The store logs the
/// cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayStoreError;

impl fmt::Display for ReplayStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store of used proofs is not available")
    }
}

impl std::error::Error for ReplayStoreError {}

/// A store of any type.
pub(crate) struct Replays(Box<dyn ErasedReplayStore>);

type Answer<'a> = Pin<Box<dyn Future<Output = Result<bool, ReplayStoreError>> + Send + 'a>>;

trait ErasedReplayStore: Send + Sync {
    fn is_first(&self, proof: UsedProof) -> Answer<'_>;
}

impl<T: ReplayStore> ErasedReplayStore for T {
    fn is_first(&self, proof: UsedProof) -> Answer<'_> {
        Box::pin(ReplayStore::is_first(self, proof))
    }
}

impl Replays {
    pub(crate) fn new(store: impl ReplayStore) -> Self {
        Self(Box::new(store))
    }

    pub(crate) async fn is_first(&self, proof: UsedProof) -> Result<bool, ReplayStoreError> {
        self.0.is_first(proof).await
    }
}

/// A store in the memory of this process. The number of proofs is bounded, and each subject has a
/// share.
pub(crate) struct InMemory {
    /// True for each proof that was used.
    proofs: ExpiringMap<bool>,
    clock: Clock,
    /// Proofs that are not stored, since the share of their subject is exhausted.
    dropped: DropLog,
}

impl InMemory {
    /// Creates a store for up to `capacity` proofs for each `longest`, the maximum lifetime of a
    /// proof.
    pub(crate) fn new(capacity: usize, longest: Duration, clock: Clock) -> Self {
        Self {
            proofs: ExpiringMap::new(capacity, longest, clock.monotonic()),
            clock,
            dropped: DropLog::default(),
        }
    }

    fn remember(&self, proof: UsedProof) -> Result<bool, ReplayStoreError> {
        let now = self.clock.monotonic();
        let mark = |used: &mut bool| !std::mem::replace(used, true);
        let is_first = self.proofs.update(proof.id, proof.subject, now, mark);
        is_first.map_err(|Full| {
            if self.dropped.is_due(now) {
                tracing::warn!(
                    "a subject uses too many proofs of possession to remember all of them"
                );
            }
            ReplayStoreError
        })
    }
}

impl ReplayStore for InMemory {
    async fn is_first(&self, proof: UsedProof) -> Result<bool, ReplayStoreError> {
        self.remember(proof)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;
    use std::time::SystemTime;

    use auth_runtime_core::ManualClock;

    use super::*;
    use crate::drop_log::tests::warnings;

    const LIFETIME: Duration = Duration::from_secs(60);

    fn proof(subject: u8, number: u16) -> UsedProof {
        let mut id = [subject; 32];
        let number = number.to_be_bytes();
        (id[30], id[31]) = (number[0], number[1]);
        UsedProof::new(id, [subject; 32], LIFETIME)
    }

    #[test]
    fn entries_are_first_once_within_bounds() {
        let store = InMemory::new(200, LIFETIME, Clock::system());
        let mut taken = Vec::new();
        for proof in (0..=255).flat_map(|subject| (0..2).map(move |number| proof(subject, number)))
        {
            match store.remember(proof) {
                Ok(is_first) => assert!(is_first),
                Err(ReplayStoreError) => continue,
            }
            taken.push(proof);
        }
        assert_eq!(taken.len(), 200);
        for proof in taken {
            assert_eq!(store.remember(proof), Ok(false), "still remembered");
        }
    }

    #[test]
    fn one_of_concurrent_uses_is_first() {
        const PROOFS: u16 = 10_000;
        let store = InMemory::new(1 << 20, LIFETIME, Clock::system());
        let begin = Barrier::new(4);
        let use_all = || {
            begin.wait();
            let proofs = (0..PROOFS).map(|number| store.remember(proof(1, number)));
            proofs.filter(|used| *used == Ok(true)).count()
        };
        let first: usize = thread::scope(|scope| {
            let threads = [(); 4].map(|()| scope.spawn(use_all));
            let first = threads.map(|thread| thread.join().expect("no panic"));
            first.into_iter().sum()
        });
        assert_eq!(first, usize::from(PROOFS));
    }

    #[test]
    fn sixteen_subjects_leave_places() {
        let store = InMemory::new(16_000, LIFETIME, Clock::system());
        for subject in 0..16 {
            for number in 0..4000 {
                let _ = store.remember(proof(subject, number));
            }
        }
        for subject in 16..116 {
            for number in 0..10 {
                assert_eq!(store.remember(proof(subject, number)), Ok(true));
            }
        }
    }

    #[test]
    fn proofs_beyond_shares_are_logged_once() {
        let time = ManualClock::new(SystemTime::UNIX_EPOCH);
        let store = InMemory::new(100, LIFETIME, time.clock());
        let use_many = || {
            for number in 0..1000 {
                let _ = store.remember(proof(1, number));
            }
        };
        assert_eq!(warnings(use_many), 1);
        assert_eq!(warnings(use_many), 0);
        time.advance(LIFETIME * 2);
        assert_eq!(warnings(use_many), 1);
    }

    #[test]
    fn entries_live_as_long_as_proofs() {
        let time = ManualClock::new(SystemTime::UNIX_EPOCH);
        let store = InMemory::new(100, LIFETIME, time.clock());
        let later = |seconds| {
            time.advance(Duration::from_secs(seconds));
            store.remember(proof(1, 1))
        };
        assert_eq!(later(40), Ok(true));
        assert_eq!(later(59), Ok(false), "in the period before");
        assert_eq!(later(131), Ok(true), "long after");
    }
}
