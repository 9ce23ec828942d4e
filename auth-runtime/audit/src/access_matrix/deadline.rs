//! A time limit for responses.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;

/// The reason for a missing response.
#[derive(Clone, Copy, Debug)]
pub(super) enum NoResponse {
    Panic,
    /// The time limit was exceeded.
    TooLong(Duration),
}

/// Waits for `response`, up to `limit`. A panic is reported by its hook, and ends only this response.
pub(super) async fn wait_for<T>(
    limit: Duration,
    response: impl Future<Output = T>,
) -> Result<T, NoResponse> {
    let mut response = pin!(response);
    // A future that panicked is not polled again.
    let caught = poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| response.as_mut().poll(context)));
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(_) => Poll::Ready(Err(NoResponse::Panic)),
        }
    });
    match timeout(limit, caught).await {
        Ok(answered) => answered,
        Err(_) => Err(NoResponse::TooLong(limit)),
    }
}

impl fmt::Display for NoResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panic => f.write_str("the service panicked"),
            Self::TooLong(limit) => write!(f, "no response came within {limit:?}"),
        }
    }
}
