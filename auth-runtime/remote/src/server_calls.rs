//! Calls of one server, within bounds.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::caller_hash::{CallerHash, CallerHasher};
use crate::circuit_breaker::{self, CircuitBreaker};

/// The wait before a retry while all places are taken, or the server is probed.
const SOON: Duration = Duration::from_secs(1);

/// Limits of the calls to one server: at most 256 at a time, and none while the server is known to fail.
///
/// Each caller has a share. It begins a call if none of its own is under way, or if it has fewer of them than a
/// quarter of the free places. Therefore fewer than 24 callers cannot take all places from another one.
///
/// After 5 failures without a success between them, calls fail at once for [`PAUSE`](Self::PAUSE), and then one call is
/// a probe. At most 2 of these failures count for one caller. After 5 failures of one caller's calls, only its own calls
/// fail at once. After a probe that failed or was abandoned, its caller leaves the next probe to others for a further
/// pause.
///
/// ```
/// use auth_runtime_remote::{CallError, ServerCalls};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let calls = ServerCalls::default();
/// let caller = ("https://issuer.example", "ann");
/// let failed = calls.call(caller, async { Err::<(), _>("refused") }, |_| false).await;
/// assert_eq!(failed, Err(CallError::Failed("refused")));
/// # }
/// ```
#[derive(Debug, Default)]
pub struct ServerCalls {
    callers: CallerHasher,
    begun: Mutex<Begun>,
    circuit: CircuitBreaker,
}

/// The calls that have not ended.
#[derive(Debug, Default)]
struct Begun {
    all: usize,
    /// By caller; none of them is zero.
    by_caller: HashMap<CallerHash, usize>,
}

/// A call that has not ended.
struct CallPlace<'c> {
    begun: &'c Mutex<Begun>,
    caller: CallerHash,
}

/// The reason for a missing result of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError<E> {
    /// [`ServerCalls::MAX_CONCURRENT`] calls have not ended yet.
    TooMany,
    /// The caller has used up its share of these.
    TooManyOfCaller,
    /// The server failed repeatedly. The time until the next probe; zero while there is one.
    Open(Duration),
    /// The call failed.
    Failed(E),
}

impl ServerCalls {
    /// The maximum number of concurrent calls.
    pub const MAX_CONCURRENT: usize = 256;
    /// The time for which a server that failed repeatedly is not called.
    pub const PAUSE: Duration = circuit_breaker::OPEN;

    /// Makes a call on behalf of `caller`, such as the issuer and the subject of an identity.
    ///
    /// `is_of_request` returns whether an error concerns this call only. Such an error is neither a failure nor a success
    /// of the server. After such a probe, and after an abandoned one, the next call of another caller is a probe.
    ///
    /// # Errors
    ///
    /// [`CallError`]: the call was not made, or it failed.
    pub async fn call<T, E>(
        &self,
        caller: impl Hash,
        call: impl Future<Output = Result<T, E>>,
        is_of_request: impl FnOnce(&E) -> bool,
    ) -> Result<T, CallError<E>> {
        let caller = self.callers.get(caller);
        let _place = self.place::<E>(caller)?;
        self.attempt(caller, call, is_of_request).await
    }

    /// Makes a call like [`call`](Self::call), without a bound on the number of concurrent calls. Its callers wait for
    /// a place elsewhere. Every error is a failure of the server.
    ///
    /// ```
    /// use auth_runtime_remote::ServerCalls;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let calls = ServerCalls::default();
    /// let asked = calls.call_unbounded("192.0.2.1", async { Ok::<_, String>("active") });
    /// assert_eq!(asked.await, Ok("active"));
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CallError::Open`]: the call was not made. [`CallError::Failed`]: it failed.
    pub async fn call_unbounded<T, E>(
        &self,
        caller: impl Hash,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, CallError<E>> {
        let caller = self.callers.get(caller);
        self.attempt(caller, call, |_| false).await
    }

    /// Checks whether the server is called on behalf of `caller`, before expensive work for a call.
    ///
    /// ```
    /// use auth_runtime_remote::ServerCalls;
    ///
    /// assert!(ServerCalls::default().check("ann").is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// [`CallError::Open`]: a call would fail at once.
    pub fn check(&self, caller: impl Hash) -> Result<(), CallError<Infallible>> {
        let caller = self.callers.get(caller);
        let checked = self.circuit.check(caller, Instant::now());
        checked.map_err(CallError::Open)
    }

    /// Makes a call, unless the server is known to fail.
    async fn attempt<T, E>(
        &self,
        caller: CallerHash,
        call: impl Future<Output = Result<T, E>>,
        is_of_request: impl FnOnce(&E) -> bool,
    ) -> Result<T, CallError<E>> {
        let attempt = self.circuit.begin(caller, Instant::now());
        let attempt = attempt.map_err(CallError::Open)?;
        let result = call.await;
        match &result {
            Ok(_) => attempt.succeeded(),
            Err(error) if is_of_request(error) => drop(attempt),
            Err(_) => attempt.failed(Instant::now()),
        }
        result.map_err(CallError::Failed)
    }

    fn place<E>(&self, caller: CallerHash) -> Result<CallPlace<'_>, CallError<E>> {
        let mut begun = lock(&self.begun);
        let free = Self::MAX_CONCURRENT.saturating_sub(begun.all);
        let own = begun.by_caller.get(&caller).copied().unwrap_or_default();
        if free == 0 {
            return Err(CallError::TooMany);
        }
        if own > 0 && own >= free / 4 {
            return Err(CallError::TooManyOfCaller);
        }
        begun.all += 1;
        begun.by_caller.insert(caller, own + 1);
        Ok(CallPlace {
            begun: &self.begun,
            caller,
        })
    }
}

fn lock(begun: &Mutex<Begun>) -> MutexGuard<'_, Begun> {
    begun.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for CallPlace<'_> {
    /// Also runs for a call that is abandoned.
    fn drop(&mut self) {
        let mut begun = lock(self.begun);
        begun.all -= 1;
        match begun.by_caller.get(&self.caller).copied() {
            None | Some(0 | 1) => begun.by_caller.remove(&self.caller),
            Some(more) => begun.by_caller.insert(self.caller, more - 1),
        };
    }
}

impl<E> CallError<E> {
    /// The time after which a further call may succeed.
    pub fn retry_after(&self) -> Duration {
        match self {
            Self::TooMany | Self::TooManyOfCaller => SOON,
            Self::Open(left) => (*left).max(SOON),
            Self::Failed(_) => ServerCalls::PAUSE,
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
            Self::TooManyOfCaller => {
                f.write_str("too many requests of this caller to the server are under way")
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

    fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn done(calls: &ServerCalls, caller: usize) -> Result<(), CallError<&'static str>> {
        let call = pin!(calls.call(caller, async { Ok(()) }, |_| false));
        match poll(call) {
            Poll::Ready(result) => result,
            Poll::Pending => panic!("it waits"),
        }
    }

    type Call<'c> = Pin<Box<dyn Future<Output = Result<(), CallError<&'static str>>> + 'c>>;

    /// Begins a call that does not end, unless it is refused.
    fn begin(calls: &ServerCalls, caller: usize) -> Option<Call<'_>> {
        let mut call: Call<'_> = Box::pin(calls.call(caller, pending(), |_| false));
        poll(call.as_mut()).is_pending().then_some(call)
    }

    /// A refused call takes no place and frees none, and an abandoned one frees its own.
    #[test]
    fn concurrent_calls_are_bounded() {
        let calls = ServerCalls::default();
        let most = ServerCalls::MAX_CONCURRENT;
        let mut begun: Vec<_> = (0..most)
            .map(|caller| begin(&calls, caller).expect("a place"))
            .collect();
        for _ in 0..3 {
            assert_eq!(done(&calls, most), Err(CallError::TooMany));
        }
        begun.pop();
        assert_eq!(done(&calls, most), Ok(()));
        let last = begin(&calls, most).expect("a place");
        assert_eq!(done(&calls, most + 1), Err(CallError::TooMany));
        drop((begun, last));
        assert!(lock(&calls.begun).by_caller.is_empty());
    }

    #[test]
    fn greedy_callers_leave_places_to_others() {
        let calls = ServerCalls::default();
        let mut begun = Vec::new();
        let mut take_all = |caller| {
            let before = begun.len();
            begun.extend(std::iter::from_fn(|| begin(&calls, caller)));
            begun.len() - before
        };
        assert_eq!(take_all(0), 51);
        let refused = done(&calls, 0);
        assert_eq!(refused, Err(CallError::TooManyOfCaller));
        for greedy in 1..23 {
            assert!(take_all(greedy) > 0);
        }
        assert_eq!(done(&calls, 23), Ok(()));
    }

    #[test]
    fn unbounded_calls_take_no_place() {
        let calls = ServerCalls::default();
        let mut begun: Vec<_> = (0..ServerCalls::MAX_CONCURRENT + 1)
            .map(|_| Box::pin(calls.call_unbounded(1, pending::<Result<(), &str>>())))
            .collect();
        for call in &mut begun {
            assert!(poll(call.as_mut()).is_pending());
        }
        assert_eq!(done(&calls, 1), Ok(()));
        for caller in 0..5 {
            fail(&calls, caller, false);
        }
        let mut refused = pin!(calls.call_unbounded(6, async { Ok::<_, &str>(()) }));
        let refused = poll(refused.as_mut());
        assert!(matches!(refused, Poll::Ready(Err(CallError::Open(_)))));
    }

    fn fail(calls: &ServerCalls, caller: usize, is_of_request: bool) {
        let failing = async { Err::<(), _>("no") };
        let call = pin!(calls.call(caller, failing, |_| is_of_request));
        assert_eq!(poll(call), Poll::Ready(Err(CallError::Failed("no"))));
    }

    #[test]
    fn errors_of_requests_open_no_circuit() {
        for is_of_request in [true, false] {
            let calls = ServerCalls::default();
            for caller in 0..5 {
                fail(&calls, caller, is_of_request);
            }
            match done(&calls, 6) {
                Ok(()) => assert!(is_of_request),
                Err(CallError::Open(left)) => {
                    assert!(!is_of_request && left <= ServerCalls::PAUSE);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// Otherwise one caller with such requests keeps the calls of others waiting for a dead server.
    #[test]
    fn errors_of_requests_close_no_circuit() {
        let calls = ServerCalls::default();
        for caller in 0..4 {
            fail(&calls, caller, false);
        }
        fail(&calls, 9, true);
        fail(&calls, 4, false);
        assert!(matches!(done(&calls, 5), Err(CallError::Open(_))));
    }

    #[test]
    fn probes_with_request_errors_are_replaced() {
        let calls = ServerCalls::default();
        let past = Instant::now().checked_sub(ServerCalls::PAUSE).unwrap();
        for caller in 0..5 {
            let attempt = calls.circuit.begin(calls.callers.get(caller), past);
            attempt.ok().unwrap().failed(past);
        }
        fail(&calls, 9, true);
        // Otherwise one caller could take the place of all probes.
        assert!(matches!(done(&calls, 9), Err(CallError::Open(wait)) if !wait.is_zero()));
        let _probe = begin(&calls, 5).expect("a probe");
        assert_eq!(done(&calls, 6), Err(CallError::Open(Duration::ZERO)));
    }
}
