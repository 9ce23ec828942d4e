//! The log of requests that are dropped, since too many wait.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time in which one event is logged for all dropped requests, since clients determine their number.
const PERIOD: Duration = Duration::from_secs(60);

/// The time of the last logged event.
#[derive(Default)]
pub(super) struct DropLog(Mutex<Option<Instant>>);

impl DropLog {
    /// Returns whether to log a dropped request.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| now.saturating_duration_since(last) >= PERIOD);
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}
