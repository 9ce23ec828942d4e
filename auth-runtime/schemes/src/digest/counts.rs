//! The number of uses of each nonce (RFC 7616 §3.4, `nc`).

use std::time::Duration;

use auth_runtime_core::Clock;
use sha2::{Digest, Sha256};

use crate::drop_log::DropLog;
use crate::expiring_map::{ExpiringMap, Full};

/// The used counts of each nonce, in the memory of this process. The number of nonces is bounded,
/// and each user has a share.
pub(super) struct Counts {
    nonces: ExpiringMap<Window>,
    clock: Clock,
    /// Nonces that are not counted, since the share of their user is exhausted.
    dropped: DropLog,
}

/// The result of checking a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    First,
    /// The count was used before, or is too low to be checked.
    Again,
    /// The user's share of the nonces is exhausted.
    Full,
}

/// The used counts of a nonce: the highest, and those directly below it.
#[derive(Clone, Copy, Default)]
struct Window {
    highest: u32,
    /// The lowest bit represents the highest count.
    seen: u64,
}

impl Counts {
    /// Creates a store for up to `capacity` nonces for each `lifetime`.
    pub(super) fn new(capacity: usize, lifetime: Duration, clock: Clock) -> Self {
        Self {
            nonces: ExpiringMap::new(capacity, lifetime, clock.monotonic()),
            clock,
            dropped: DropLog::default(),
        }
    }

    /// Records that `user` used `nonce` with this count.
    pub(super) fn count(&self, nonce: &str, user: &str, count: u32) -> Counted {
        let id = Sha256::new_with_prefix(nonce)
            .chain_update(b":")
            .chain_update(user)
            .finalize();
        let user = Sha256::digest(user).into();
        let now = self.clock.monotonic();
        let admit = |window: &mut Window| window.admits(count);
        let counted = self.nonces.update(id.into(), user, now, admit);
        match counted {
            Ok(true) => Counted::First,
            Ok(false) => Counted::Again,
            Err(Full) => {
                if self.dropped.is_due(now) {
                    tracing::warn!(
                        "a user of Digest has too many nonces in use to count all of them"
                    );
                }
                Counted::Full
            }
        }
    }
}

impl Window {
    /// Records `count`, and returns whether it is new. A count below the window is not new.
    /// Browsers send requests in parallel, so counts arrive out of order.
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
    use std::time::SystemTime;

    use auth_runtime_core::ManualClock;

    use super::*;
    use crate::drop_log::tests::warnings;

    const LIFETIME: Duration = Duration::from_secs(60);

    #[test]
    fn counts_work_once_in_any_order() {
        let counts = Counts::new(100, LIFETIME, Clock::system());
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
    fn one_user_leaves_nonces_to_others() {
        let counts = Counts::new(1600, LIFETIME, Clock::system());
        let use_nonce = |user: &str, number: u32| counts.count(&number.to_string(), user, 1);
        let uses = (0..1600).map(|number| use_nonce("mallory", number));
        let first = uses.filter(|counted| *counted == Counted::First).count();
        assert_eq!(first, 160);
        let logged = warnings(|| {
            for number in 160..1160 {
                assert_eq!(use_nonce("mallory", number), Counted::Full);
            }
        });
        assert_eq!(logged, 0, "once a minute");
        for number in 0..50 {
            assert_eq!(use_nonce("ann", number), Counted::First, "{number}");
        }
        assert_eq!(use_nonce("mallory", 0), Counted::Again, "not forgotten");
    }

    #[test]
    fn counts_live_as_long_as_nonces() {
        let time = ManualClock::new(SystemTime::UNIX_EPOCH);
        let counts = Counts::new(100, LIFETIME, time.clock());
        let later = |seconds, count| {
            time.advance(Duration::from_secs(seconds));
            counts.count("n", "ann", count)
        };
        assert_eq!(later(40, 1), Counted::First);
        assert_eq!(later(40, 1), Counted::Again, "from before");
        assert_eq!(later(19, 2), Counted::First, "from before");
        assert_eq!(later(111, 1), Counted::First, "long after");
    }
}
