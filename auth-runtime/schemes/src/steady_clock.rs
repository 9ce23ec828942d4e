//! A wall time that is not set back.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use auth_runtime_core::Clock;

/// A wall time that is never behind the time at its creation and the time that passed since.
///
/// Used proofs and counts of nonces are forgotten when they expire. By a clock that was set back, they would
/// be valid again.
pub(crate) struct SteadyClock {
    clock: Clock,
    wall: SystemTime,
    monotonic: Instant,
}

impl SteadyClock {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            wall: clock.now(),
            monotonic: clock.monotonic(),
            clock,
        }
    }

    /// The time since 1970.
    pub(crate) fn since_1970(&self) -> Duration {
        let passed = self.clock.monotonic();
        let passed = passed.saturating_duration_since(self.monotonic);
        let now = self.clock.now();
        let now = self.wall.checked_add(passed).map_or(now, |it| it.max(now));
        now.duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use auth_runtime_core::ManualClock;

    use super::*;

    #[test]
    fn it_is_never_set_back() {
        let seconds = Duration::from_secs;
        let time = ManualClock::new(UNIX_EPOCH + seconds(1000));
        let clock = SteadyClock::new(time.clock());
        time.advance(seconds(60));
        assert_eq!(clock.since_1970(), seconds(1060));
        time.set_wall(UNIX_EPOCH + seconds(10));
        assert_eq!(clock.since_1970(), seconds(1060));
        time.advance(seconds(5));
        assert_eq!(clock.since_1970(), seconds(1065));
        time.set_wall(UNIX_EPOCH + seconds(5000));
        assert_eq!(clock.since_1970(), seconds(5000));
        time.set_wall(UNIX_EPOCH + seconds(1065));
        assert_eq!(clock.since_1970(), seconds(1065));
    }
}
