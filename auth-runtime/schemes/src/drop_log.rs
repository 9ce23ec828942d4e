//! The log of requests that are dropped, since too many wait, or since the share of a caller is exhausted.

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

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Level, Metadata, Subscriber};

    use super::*;

    /// Counts the warnings.
    struct Warnings(Arc<AtomicUsize>);

    impl Subscriber for Warnings {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() == Level::WARN
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, _: &Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    /// Returns the number of warnings that `function` logs on this thread.
    pub(crate) fn warnings(function: impl FnOnce()) -> usize {
        let count = Arc::default();
        tracing::subscriber::with_default(Warnings(Arc::clone(&count)), function);
        count.load(Ordering::Relaxed)
    }

    #[test]
    fn requests_are_logged_once_a_minute() {
        let (log, begin) = (DropLog::default(), Instant::now());
        for (seconds, expected) in [(0, true), (0, false), (59, false), (60, true), (119, false)] {
            let is_due = log.is_due(begin + Duration::from_secs(seconds));
            assert_eq!(is_due, expected, "{seconds}");
        }
    }
}
