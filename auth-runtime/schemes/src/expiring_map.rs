//! A map of bounded size with entries that expire, of which each owner gets a share.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The hash of an entry, or of its owner.
pub(super) type Id = [u8; 32];

/// Entries that are kept for a lifetime at least, and for two at most.
///
/// Time is divided into periods of one lifetime, and each has a maximum number of new entries. An entry
/// is never removed before its lifetime ends. A further entry is rejected instead, so that a client
/// cannot remove entries by adding many.
///
/// - One half of the capacity is for owners of many entries: each may hold a quarter of the free places
///   in this half, so a single owner receives a tenth of the capacity.
/// - The other half is for owners of up to 1/1024 of the capacity. Fewer than 512 owners therefore
///   cannot exclude another one from that many entries.
pub(super) struct ExpiringMap<V> {
    periods: Mutex<Periods<V>>,
    lifetime: Duration,
    /// Of each period.
    capacity: usize,
}

struct Periods<V> {
    began: Instant,
    /// First seen in this period.
    current: HashMap<Id, V>,
    /// First seen in the period before.
    previous: HashMap<Id, V>,
    /// The number of entries in `current` by owner.
    owned: HashMap<Id, usize>,
}

/// The owner has no share left, or the map no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl<V: Default> ExpiringMap<V> {
    /// Takes up to `capacity` new entries in each period of `lifetime`, the first of which begins `now`.
    pub(super) fn new(capacity: usize, lifetime: Duration, now: Instant) -> Self {
        Self {
            periods: Mutex::new(Periods {
                began: now,
                current: HashMap::new(),
                previous: HashMap::new(),
                owned: HashMap::new(),
            }),
            lifetime,
            capacity,
        }
    }

    /// Changes the value of `id`, which is the default one if it is new; a new one is `owner`'s.
    pub(super) fn update<T>(
        &self,
        id: Id,
        owner: Id,
        now: Instant,
        change: impl FnOnce(&mut V) -> T,
    ) -> Result<T, Full> {
        // Far cheaper than the preceding signature or hashes, so one lock is sufficient.
        let periods = self.periods.lock();
        let mut periods = periods.unwrap_or_else(PoisonError::into_inner);
        periods.forget(now, self.lifetime);
        periods.entry(id, owner, self.capacity).map(change)
    }
}

impl<V: Default> Periods<V> {
    /// Begins a new period if this one is over.
    fn forget(&mut self, now: Instant, lifetime: Duration) {
        let age = now.saturating_duration_since(self.began);
        if age < lifetime {
            return;
        }
        std::mem::swap(&mut self.current, &mut self.previous);
        self.current.clear();
        self.owned.clear();
        if age >= lifetime * 2 {
            self.previous.clear();
        }
        self.began = now;
    }

    fn entry(&mut self, id: Id, owner: Id, capacity: usize) -> Result<&mut V, Full> {
        if let Some(value) = self.previous.get_mut(&id) {
            return Ok(value);
        }
        if !self.current.contains_key(&id) {
            let free = capacity.saturating_sub(self.current.len());
            let free_for_many = free.saturating_sub(capacity / 2);
            let share = capacity.div_ceil(1024).max(free_for_many / 4);
            let owned = self.owned.get(&owner).copied().unwrap_or_default();
            if free == 0 || owned >= share {
                return Err(Full);
            }
            self.owned.insert(owner, owned + 1);
        }
        Ok(self.current.entry(id).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(60);
    const CAPACITY: usize = 16_000;

    fn id(owner: u16, number: u16) -> Id {
        let mut id = [0; 32];
        let bytes = owner.to_be_bytes().into_iter().chain(number.to_be_bytes());
        for (to, from) in id.iter_mut().zip(bytes) {
            *to = from;
        }
        id
    }

    /// Adds up to `count` entries of an owner; the number of those that were taken.
    fn add(map: &ExpiringMap<()>, owner: u16, count: u16, now: Instant) -> usize {
        let taken = (0..count).filter(|number| {
            let added = map.update(id(owner, *number), id(owner, 0), now, |()| ());
            added.is_ok()
        });
        taken.count()
    }

    #[test]
    fn one_owner_gets_a_tenth() {
        let now = Instant::now();
        let map = ExpiringMap::new(CAPACITY, LIFETIME, now);
        assert_eq!(add(&map, 0, u16::MAX, now), CAPACITY / 10);
        for owner in 1..800 {
            assert_eq!(add(&map, owner, 16, now), 16, "{owner}");
        }
    }

    #[test]
    fn greedy_owners_leave_places_to_others() {
        for (greedy, each, others) in [(16, 2000, 500), (500, 200, 10)] {
            let now = Instant::now();
            let map = ExpiringMap::new(CAPACITY, LIFETIME, now);
            let taken: usize = (0..greedy).map(|owner| add(&map, owner, each, now)).sum();
            assert!(taken < CAPACITY, "{greedy} owners took {taken}");
            for owner in greedy..greedy + others {
                assert_eq!(add(&map, owner, 16, now), 16, "{owner} beside {greedy}");
            }
            let again: usize = (0..greedy).map(|owner| add(&map, owner, each, now)).sum();
            assert_eq!(again, taken, "each is still there, and no more");
        }
    }

    #[test]
    fn entries_are_bounded() {
        let now = Instant::now();
        let map = ExpiringMap::new(100, LIFETIME, now);
        let taken: usize = (0..2000).map(|owner| add(&map, owner, 1, now)).sum();
        assert_eq!(taken, 100);
    }

    #[test]
    fn entries_and_shares_have_their_lifetime() {
        let begin = Instant::now();
        let map = ExpiringMap::<u32>::new(CAPACITY, LIFETIME, begin);
        let count = |seconds| {
            let now = begin + Duration::from_secs(seconds);
            map.update(id(1, 1), id(1, 0), now, |count| {
                *count += 1;
                *count
            })
        };
        assert_eq!(count(50), Ok(1));
        assert_eq!(count(70), Ok(2), "in the next period");
        assert_eq!(count(109), Ok(3), "almost a lifetime later");
        assert_eq!(count(190), Ok(1), "forgotten");

        let map = ExpiringMap::new(CAPACITY, LIFETIME, begin);
        let first = add(&map, 1, u16::MAX, begin);
        let last = begin + LIFETIME - Duration::from_nanos(1);
        assert_eq!(add(&map, 1, u16::MAX, last), first, "no more");
        let next = begin + LIFETIME;
        assert_eq!(add(&map, 1, u16::MAX, next), 2 * first, "another share");
        let later = begin + LIFETIME * 3;
        assert_eq!(add(&map, 1, u16::MAX, later), first, "a new share");
    }
}
