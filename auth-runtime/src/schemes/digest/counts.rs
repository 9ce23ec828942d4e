//! How often each nonce was used (RFC 7616 §3.4, `nc`).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::schemes::generations::Generations;

/// Remembers in this process which counts came with a nonce, for a bounded number of nonces.
///
/// When it is full it says nothing more about new ones, so that nobody makes it forget by using many.
pub(super) struct Counts {
    shards: Vec<Mutex<Generations<Window>>>,
    /// No nonce is good for longer.
    lifetime: Duration,
    capacity: usize,
}

/// What becomes of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    First,
    /// It was there before, or lies so far back that nobody can say.
    Again,
    /// There are too many nonces to remember this one.
    Full,
}

/// A nonce and its user: where two clients are given the same one, each counts for itself.
type Id = [u8; 32];

/// The counts that came with a nonce: the highest, and which of those right below it.
#[derive(Clone, Copy, Default)]
struct Window {
    highest: u32,
    /// The lowest bit stands for the highest count.
    seen: u64,
}

/// So that few wait for each other.
const SHARDS: usize = 16;

impl Counts {
    /// Remembers up to `capacity` nonces for each `lifetime`.
    pub(super) fn new(capacity: usize, lifetime: Duration) -> Self {
        Self {
            shards: std::iter::repeat_with(|| Mutex::new(Generations::new()))
                .take(SHARDS)
                .collect(),
            lifetime,
            capacity: capacity.div_ceil(SHARDS),
        }
    }

    /// Remembers that `user` used `nonce` with this count.
    pub(super) fn count(&self, nonce: &str, user: &str, count: u32) -> Counted {
        let mut id = Sha256::new_with_prefix(nonce);
        id.update(b":");
        id.update(user);
        self.count_id(id.finalize().into(), count)
    }

    fn count_id(&self, id: Id, count: u32) -> Counted {
        // The ids are hashes, so each shard gets as many as the others.
        let shard = id.first().map_or(0, |byte| usize::from(*byte) % SHARDS);
        let Some(shard) = self.shards.get(shard) else {
            return Counted::Full;
        };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let shard = &mut *shard;
        shard.turn(self.lifetime);
        let is_full = shard.new_ones() >= self.capacity;
        let window = match shard.get_mut(&id) {
            Some(window) => window,
            None if is_full => {
                tracing::warn!("too many nonces are in use to count all of them");
                return Counted::Full;
            }
            None => shard.insert(id, Window::default()),
        };
        if window.admits(count) {
            Counted::First
        } else {
            Counted::Again
        }
    }
}

impl Window {
    /// Whether `count` comes for the first time, as far as that can be said: browsers send requests
    /// side by side, which do not arrive in their order.
    fn admits(&mut self, count: u32) -> bool {
        match count.checked_sub(self.highest) {
            Some(ahead) if ahead > 0 => {
                self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
                self.highest = count;
                true
            }
            _ => {
                let behind = self.highest - count;
                let bit = 1_u64.checked_shl(behind).unwrap_or(0);
                let is_first = bit != 0 && self.seen & bit == 0;
                self.seen |= bit;
                is_first
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_once_and_in_any_order_but_not_from_far_behind() {
        let counts = Counts::new(100, Duration::from_secs(60));
        for (count, expected) in [
            (1, Counted::First),
            (1, Counted::Again),
            (3, Counted::First),
            (2, Counted::First),
            (3, Counted::Again),
            (2, Counted::Again),
            (1, Counted::Again),
            (66, Counted::First),
            (3, Counted::Again),
            (4, Counted::First),
            (4, Counted::Again),
            (68, Counted::First),
            (5, Counted::First),
            (67, Counted::First),
            // 64 behind the highest.
            (69, Counted::First),
            (5, Counted::Again),
            (1000, Counted::First),
            (936, Counted::Again),
            (937, Counted::First),
            (u32::MAX, Counted::First),
            (u32::MAX, Counted::Again),
            (1001, Counted::Again),
        ] {
            assert_eq!(counts.count("n", "ann", count), expected, "{count}");
        }
        assert_eq!(counts.count("n", "bob", 1), Counted::First, "of another");
        assert_eq!(counts.count("m", "ann", 1), Counted::First, "of another");
    }

    #[test]
    fn no_more_nonces_are_taken_than_fit_and_none_makes_another_forgotten() {
        let counts = Counts::new(2 * SHARDS, Duration::from_secs(60));
        let id = |number: u8| {
            let mut id = [0; 32];
            id[1] = number;
            id
        };
        assert_eq!(counts.count_id(id(1), 1), Counted::First);
        assert_eq!(counts.count_id(id(2), 1), Counted::First);
        assert_eq!(counts.count_id(id(3), 1), Counted::Full);
        assert_eq!(counts.count_id(id(1), 1), Counted::Again);
        assert_eq!(counts.count_id(id(1), 2), Counted::First);
    }

    #[test]
    fn each_is_remembered_for_as_long_as_a_nonce_is_good() {
        let counts = Counts::new(100, Duration::from_millis(60));
        std::thread::sleep(Duration::from_millis(40));
        assert_eq!(counts.count("n", "ann", 1), Counted::First);
        std::thread::sleep(Duration::from_millis(40));
        assert_eq!(counts.count("n", "ann", 1), Counted::Again, "from before");
        assert_eq!(counts.count("n", "ann", 2), Counted::First, "from before");
        std::thread::sleep(Duration::from_millis(130));
        assert_eq!(counts.count("n", "ann", 1), Counted::First, "long after");
    }
}
