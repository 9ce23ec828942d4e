//! Times of the responses of unknown paths, and of concealed denials, in whole steps.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use tokio::time::{Instant, sleep};
use tower::{Layer, Service, ServiceExt};

use crate::routing::response::response_of;

/// Marks the response of an unknown path, or of a concealed denial.
#[derive(Clone)]
pub(super) struct OfUnknownPath;

/// Delays marked responses to the end of a step. The steps begin with the request.
#[derive(Clone, Copy)]
pub(super) struct ConcealTiming {
    pub(super) step: Duration,
}

impl<R> Layer<R> for ConcealTiming {
    type Service = ConcealTimingService<R>;

    fn layer(&self, inner: R) -> ConcealTimingService<R> {
        ConcealTimingService {
            inner,
            step: self.step,
        }
    }
}

#[derive(Clone)]
pub(super) struct ConcealTimingService<R> {
    inner: R,
    step: Duration,
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
        let (inner, step) = (self.inner.clone(), self.step);
        Box::pin(async move { Ok(respond(inner, step, request).await) })
    }
}

async fn respond<R>(inner: R, step: Duration, request: Request) -> Response
where
    R: Service<Request, Response = Response, Error = Infallible>,
{
    let begun = Instant::now();
    let mut timer = pin!(sleep(step));
    // On one thread, timers of one moment end in the order in which they were polled first. Here, this is the order
    // in which the requests arrived.
    poll_fn(|context| Poll::Ready(timer.as_mut().poll(context).is_ready())).await;
    let mut response = response_of(inner.oneshot(request).await);
    if response
        .extensions_mut()
        .remove::<OfUnknownPath>()
        .is_none()
    {
        return response;
    }
    let now = Instant::now();
    if let Some(late) = now.duration_since(begun).checked_sub(step) {
        timer.as_mut().reset(now + rest_of_step(late, step));
    }
    timer.await;
    response
}

/// Returns the time until the end of the step that a response is in, at `time` after the start of some step.
fn rest_of_step(time: Duration, step: Duration) -> Duration {
    let steps = time.as_nanos().checked_div(step.as_nanos());
    let begun = steps.unwrap_or_default() * step.as_nanos();
    let passed = u64::try_from(time.as_nanos() - begun).unwrap_or_default();
    step.saturating_sub(Duration::from_nanos(passed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_end_at_multiples() {
        let ms = Duration::from_millis;
        for (time, rest) in [(0, 5), (1, 4), (4, 1), (5, 5), (12, 3), (1_000_003, 2)] {
            assert_eq!(rest_of_step(ms(time), ms(5)), ms(rest), "{time} ms");
        }
        assert_eq!(rest_of_step(ms(3), Duration::MAX), Duration::MAX - ms(3));
        assert_eq!(rest_of_step(ms(3), Duration::ZERO), Duration::ZERO);
    }
}
