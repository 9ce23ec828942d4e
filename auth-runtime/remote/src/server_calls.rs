//! Calls of one server, within bounds.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::circuit_breaker::CircuitBreaker;

/// The wait before a retry while all places are taken, or the server is probed.
const SOON: Duration = Duration::from_secs(1);

/// Bounds on the calls of one server: their number at a time, and none while the server is known to fail.
///
/// ```
/// use auth_runtime_remote::{CallError, ServerCalls};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let calls = ServerCalls::default();
/// let failed = calls.call(async { Err::<(), _>("refused") }, |_| false).await;
/// assert_eq!(failed, Err(CallError::Failed("refused")));
/// # }
/// ```
#[derive(Debug, Default)]
pub struct ServerCalls {
    /// The number of calls that have not ended.
    begun: AtomicUsize,
    circuit: CircuitBreaker,
}

/// A call that has not ended.
struct Place<'c>(&'c AtomicUsize);

/// The reason for a missing result of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError<E> {
    /// [`ServerCalls::MAX_CONCURRENT`] calls have not ended yet.
    TooMany,
    /// The server failed repeatedly. The time until the next probe; zero while there is one.
    Open(Duration),
    /// The call failed.
    Failed(E),
}

impl ServerCalls {
    /// The maximum number of concurrent calls.
    pub const MAX_CONCURRENT: usize = 256;

    /// Makes a call. `is_of_request` returns whether an error concerns this call only: otherwise a caller
    /// with such requests could open the circuit for all.
    ///
    /// # Errors
    ///
    /// [`CallError`]: the call was not made, or it failed.
    pub async fn call<T, E>(
        &self,
        call: impl Future<Output = Result<T, E>>,
        is_of_request: impl FnOnce(&E) -> bool,
    ) -> Result<T, CallError<E>> {
        let _place = self.place().ok_or(CallError::TooMany)?;
        let attempt = self.circuit.begin(Instant::now());
        let attempt = attempt.map_err(CallError::Open)?;
        let result = call.await;
        match &result {
            Err(error) if !is_of_request(error) => attempt.failed(Instant::now()),
            _ => attempt.succeeded(),
        }
        result.map_err(CallError::Failed)
    }

    fn place(&self) -> Option<Place<'_>> {
        let more = |begun| (begun < Self::MAX_CONCURRENT).then_some(begun + 1);
        let begun = self
            .begun
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        begun.ok().map(|_| Place(&self.begun))
    }
}

impl Drop for Place<'_> {
    /// Also runs for a call that is abandoned.
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<E> CallError<E> {
    /// The time after which a further call may succeed.
    pub fn retry_after(&self) -> Duration {
        match self {
            Self::TooMany => SOON,
            Self::Open(left) => (*left).max(SOON),
            Self::Failed(_) => CircuitBreaker::OPEN,
        }
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => {
                let most = ServerCalls::MAX_CONCURRENT;
                write!(f, "{most} requests to the server are under way")
            }
            Self::Open(_) => {
                f.write_str("the server failed repeatedly; it is not asked for a short time")
            }
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for CallError<E> {}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn done(calls: &ServerCalls) -> Result<(), CallError<&'static str>> {
        let call = pin!(calls.call(async { Ok(()) }, |_| false));
        match poll(call) {
            Poll::Ready(result) => result,
            Poll::Pending => panic!("it waits"),
        }
    }

    /// A refused call takes no place and frees none, and an abandoned one frees its own.
    #[test]
    fn concurrent_calls_are_bounded() {
        let calls = ServerCalls::default();
        let waiting = || pending::<Result<(), &'static str>>();
        let mut begun: Vec<_> = (0..ServerCalls::MAX_CONCURRENT)
            .map(|_| Box::pin(calls.call(waiting(), |_| false)))
            .collect();
        for call in &mut begun {
            assert!(poll(call.as_mut()).is_pending());
        }
        for _ in 0..3 {
            assert_eq!(done(&calls), Err(CallError::TooMany));
        }
        begun.pop();
        assert_eq!(done(&calls), Ok(()));
        let mut last = pin!(calls.call(waiting(), |_| false));
        assert!(poll(last.as_mut()).is_pending());
        assert_eq!(done(&calls), Err(CallError::TooMany));
    }

    #[test]
    fn errors_of_requests_open_no_circuit() {
        for (is_of_request, expected) in [
            (true, Ok(())),
            (false, Err(CallError::Open(CircuitBreaker::OPEN))),
        ] {
            let calls = ServerCalls::default();
            for _ in 0..CircuitBreaker::MAX_FAILURES {
                let call = pin!(calls.call(async { Err::<(), _>("no") }, |_| is_of_request));
                assert_eq!(poll(call), Poll::Ready(Err(CallError::Failed("no"))));
            }
            match (done(&calls), expected) {
                (Err(CallError::Open(left)), Err(CallError::Open(most))) => assert!(left <= most),
                (result, expected) => assert_eq!(result, expected),
            }
        }
    }
}
