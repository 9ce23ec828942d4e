//! The log of outages.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::drop_log::DropLog;

/// An outage is logged once, and so is its end. Of several outages, one begins in the log in each period of a
/// [`DropLog`], since clients may cause them.
#[derive(Default)]
pub(super) struct OutageLog {
    /// The begin of the last outage was logged, and not its end.
    is_open: AtomicBool,
    begins: DropLog,
}

impl OutageLog {
    /// Returns whether to log the begin of an outage, after a failure.
    pub(super) fn begins(&self, now: Instant) -> bool {
        let begins = !self.is_open.load(Ordering::Relaxed) && self.begins.is_due(now);
        if begins {
            self.is_open.store(true, Ordering::Relaxed);
        }
        begins
    }

    /// Returns whether to log the end of an outage, after a success.
    pub(super) fn ends(&self) -> bool {
        self.is_open.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn outages_are_logged_once_a_minute() {
        let (log, begin) = (OutageLog::default(), Instant::now());
        let fails = |seconds| log.begins(begin + Duration::from_secs(seconds));
        assert!(!log.ends());
        assert!(fails(0));
        assert!(!fails(100), "the same outage");
        assert!(log.ends());
        assert!(!log.ends());
        // Its begin is long ago.
        assert!(fails(101));
        assert!(log.ends());
        for seconds in 102..161 {
            assert!(!fails(seconds), "{seconds}");
            assert!(!log.ends(), "{seconds}");
        }
        assert!(!fails(160));
        assert!(fails(161), "it goes on");
        assert!(log.ends());
    }
}
