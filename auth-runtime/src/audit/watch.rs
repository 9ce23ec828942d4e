//! What is kept while a request is decided.

use std::time::{Duration, Instant};

use crate::declaration::Declaration;

/// Kept for those who want to know how a decision comes out. If nobody does, it is empty, and not even
/// the clock was read.
pub(crate) struct Watch {
    started: Option<Instant>,
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

impl Watch {
    /// Starts, if somebody wants to know.
    pub(crate) fn start(is_on: bool, declaration: Option<&Declaration>) -> Self {
        #[cfg(not(feature = "tracing"))]
        let _ = declaration;
        Self {
            started: is_on.then(Instant::now),
            #[cfg(feature = "tracing")]
            span: super::trace::span(declaration),
        }
    }

    /// Whether somebody wants to know.
    pub(crate) fn is_on(&self) -> bool {
        self.started.is_some()
    }

    pub(crate) fn elapsed(&self) -> Option<Duration> {
        self.started.map(|started| started.elapsed())
    }

    /// Does something within the span of the decision.
    pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        #[cfg(feature = "tracing")]
        let _entered = self.span.enter();
        work()
    }

    /// Awaits something within the span of the decision.
    pub(crate) async fn around<F: Future>(&self, work: F) -> F::Output {
        #[cfg(feature = "tracing")]
        let work = tracing::Instrument::instrument(work, self.span.clone());
        work.await
    }
}
