//! The time and the tracing span of a decision.

use std::time::{Duration, Instant};

use crate::handler_location::HandlerLocation;

/// Measures a decision for the audit hook, metrics and tracing. Without any of them it is empty,
/// and does not read the clock.
pub struct Watch {
    started: Option<Instant>,
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

impl Watch {
    /// Starts, and reads the clock if `is_on`.
    pub(crate) fn start(is_on: bool, location: Option<&HandlerLocation>) -> Self {
        #[cfg(not(feature = "tracing"))]
        let _ = location;
        Self {
            started: is_on.then(Instant::now),
            #[cfg(feature = "tracing")]
            span: super::trace::span(location),
        }
    }

    /// Returns whether the decision is recorded.
    pub(crate) fn is_on(&self) -> bool {
        self.started.is_some()
    }

    pub(crate) fn elapsed(&self) -> Option<Duration> {
        self.started.map(|started| started.elapsed())
    }

    /// Runs `work` within the span of the decision.
    pub fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        #[cfg(feature = "tracing")]
        let _entered = self.span.enter();
        work()
    }

    /// Returns `work` within the span of the decision.
    pub fn around<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        #[cfg(feature = "tracing")]
        let work = tracing::Instrument::instrument(work, self.span.clone());
        work
    }
}
