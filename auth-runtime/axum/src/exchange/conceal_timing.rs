//! Times of the responses of unknown paths, and of concealed denials: they end together, at the end of an interval.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use auth_runtime_core::adapter::forbid_storing;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};
use tower::{Layer, Service, ServiceExt};

use crate::exchange::lock::lock;
use crate::exchange::response::response_of;

/// Marks the response of an unknown path, or of a concealed denial.
#[derive(Clone)]
pub(super) struct OfUnknownPath;

/// Delays marked responses to the end of an interval.
#[derive(Clone)]
pub(crate) struct ConcealTiming(Arc<Intervals>);

/// Intervals of time, one after the other.
struct Intervals {
    length: Duration,
    /// The start of the first one.
    start: Instant,
    /// The responses that wait for the end of an interval, by the time from the start to that end.
    waiting: Mutex<BTreeMap<Duration, Vec<oneshot::Sender<()>>>>,
}

impl ConcealTiming {
    pub(crate) fn new(interval: Duration) -> Self {
        Self(Arc::new(Intervals {
            length: interval,
            start: Instant::now(),
            waiting: Mutex::default(),
        }))
    }
}

impl<R> Layer<R> for ConcealTiming {
    type Service = ConcealTimingService<R>;

    fn layer(&self, inner: R) -> ConcealTimingService<R> {
        ConcealTimingService {
            inner,
            intervals: Arc::clone(&self.0),
        }
    }
}

#[derive(Clone)]
pub(crate) struct ConcealTimingService<R> {
    inner: R,
    intervals: Arc<Intervals>,
}

impl<R> Service<Request> for ConcealTimingService<R>
where
    R: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    R::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (inner, intervals) = (self.inner.clone(), Arc::clone(&self.intervals));
        Box::pin(async move { Ok(respond(inner, intervals, request).await) })
    }
}

async fn respond<R>(inner: R, intervals: Arc<Intervals>, request: Request) -> Response
where
    R: Service<Request, Response = Response, Error = Infallible>,
{
    let begun = intervals.start.elapsed();
    let mut response = response_of(inner.oneshot(request).await);
    let marks = response.extensions_mut();
    if marks.remove::<OfUnknownPath>().is_none() {
        return response;
    }
    let ended = intervals.start.elapsed();
    match end_of_wait(begun, ended, intervals.length) {
        Some(end) if Intervals::wait(intervals, end).await.is_err() => without_timer(),
        _ => response,
    }
}

/// Returns the end of the first interval that begins after `begun` and has not ended at `ended`, if intervals have a
/// length.
fn end_of_wait(begun: Duration, ended: Duration, interval: Duration) -> Option<Duration> {
    const SECOND: u128 = 1_000_000_000;
    let least = begun.saturating_add(interval).max(ended);
    let end = least.as_nanos().div_ceil(interval.as_nanos().max(1)) * interval.as_nanos();
    let seconds = u64::try_from(end / SECOND).unwrap_or(u64::MAX);
    let nanoseconds = u32::try_from(end % SECOND).unwrap_or_default();
    (!interval.is_zero()).then(|| Duration::new(seconds, nanoseconds))
}

impl Intervals {
    /// Waits for the end of an interval. The result is an error if the runtime has no timer.
    async fn wait(intervals: Arc<Self>, end: Duration) -> Result<(), oneshot::error::RecvError> {
        let (sender, receiver) = oneshot::channel();
        let is_first = {
            let mut waiting = lock(&intervals.waiting);
            let others = waiting.entry(end).or_default();
            others.push(sender);
            others.len() == 1
        };
        if is_first {
            let release = Release {
                intervals,
                end,
                is_over: false,
            };
            if let Ok(runtime) = Handle::try_current() {
                runtime.spawn(release.at_end());
            }
        }
        receiver.await
    }
}

/// Ends the waiting for the end of one interval, when it is dropped: with an error, if the interval is not over.
struct Release {
    intervals: Arc<Intervals>,
    end: Duration,
    is_over: bool,
}

impl Release {
    async fn at_end(mut self) {
        sleep(self.end.saturating_sub(self.intervals.start.elapsed())).await;
        self.is_over = true;
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        let waiting = lock(&self.intervals.waiting).remove(&self.end);
        let mut waiting = waiting.filter(|_| self.is_over).unwrap_or_default();
        // The runtime sends responses in about the order in which they are woken. A random order depends neither on
        // the time that a response took, nor on the thread that it took it on.
        waiting.sort_by_cached_key(|_| RandomState::new().hash_one(()));
        for response in waiting {
            // A closed connection waits no longer.
            let _ = response.send(());
        }
    }
}

/// The response to all paths that would wait, on a runtime without a timer.
fn without_timer() -> Response {
    let mut response = StatusCode::SERVICE_UNAVAILABLE.into_response();
    forbid_storing(response.headers_mut());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_end_with_an_interval() {
        let ms = Duration::from_millis;
        for (begun, ended, end) in [
            (0, 0, 5),
            (0, 4, 5),
            (0, 5, 5),
            (0, 6, 10),
            (1, 1, 10),
            (4, 5, 10),
            (4, 9, 10),
            (5, 6, 10),
            (6, 10, 15),
            (4, 11, 15),
            (1_000_003, 1_000_004, 1_000_010),
        ] {
            let found = end_of_wait(ms(begun), ms(ended), ms(5));
            assert_eq!(found, Some(ms(end)), "{begun} ms to {ended} ms");
        }
        assert_eq!(end_of_wait(ms(3), ms(4), Duration::ZERO), None);
        let longest = Some(Duration::MAX);
        assert_eq!(end_of_wait(Duration::ZERO, ms(4), Duration::MAX), longest);
    }
}
