//! A circuit breaker: calls fail at once while the server is known to fail.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A bound on calls of a server that fails: after [`MAX_FAILURES`](Self::MAX_FAILURES) consecutive failures,
/// calls fail at once for the time [`OPEN`](Self::OPEN), and then one call is a probe.
///
/// ```
/// use std::time::Instant;
///
/// use auth_runtime_remote::CircuitBreaker;
///
/// let (breaker, now) = (CircuitBreaker::default(), Instant::now());
/// for _ in 0..CircuitBreaker::MAX_FAILURES {
///     let attempt = breaker.begin(now).map_err(|_| "open")?;
///     attempt.failed(now);
/// }
/// assert_eq!(breaker.begin(now).err(), Some(CircuitBreaker::OPEN));
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Default)]
pub struct CircuitBreaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// The end of the time for which calls fail at once. After it, one call is a probe, and the others
    /// fail until it ends.
    open_until: Option<Instant>,
    is_probed: bool,
}

/// A call that may be made. Its result is reported by [`succeeded`](Self::succeeded) or
/// [`failed`](Self::failed). A call that is abandoned has no result.
#[derive(Debug)]
#[must_use]
pub struct Attempt<'c> {
    circuit: &'c CircuitBreaker,
    is_probe: bool,
}

impl CircuitBreaker {
    /// The number of consecutive failures after which calls fail at once.
    pub const MAX_FAILURES: u32 = 5;
    /// The time for which calls fail at once.
    pub const OPEN: Duration = Duration::from_secs(5);

    /// Begins a call.
    ///
    /// # Errors
    ///
    /// The circuit is open. The error is the time until the next probe; zero while there is one.
    pub fn begin(&self, now: Instant) -> Result<Attempt<'_>, Duration> {
        let mut state = self.state();
        let is_probe = match state.open_until {
            None => false,
            Some(until) if now < until => return Err(until.duration_since(now)),
            Some(_) if state.is_probed => return Err(Duration::ZERO),
            Some(_) => true,
        };
        state.is_probed |= is_probe;
        Ok(Attempt {
            circuit: self,
            is_probe,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// Closes the circuit: the server works.
    pub fn succeeded(self) {
        *self.circuit.state() = State::default();
    }

    /// Counts a failure.
    pub fn failed(self, now: Instant) {
        let mut state = self.circuit.state();
        state.failures = state.failures.saturating_add(1);
        let is_open = state.open_until.is_some();
        // A call that began before the circuit was opened does not extend the time.
        if (is_open && self.is_probe)
            || (!is_open && state.failures >= CircuitBreaker::MAX_FAILURES)
        {
            state.open_until = now.checked_add(CircuitBreaker::OPEN);
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        // Otherwise no further probe would follow one that the client abandoned.
        if self.is_probe {
            self.circuit.state().is_probed = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_FAILURES: u32 = CircuitBreaker::MAX_FAILURES;
    const OPEN: Duration = CircuitBreaker::OPEN;

    fn open(circuit: &CircuitBreaker, now: Instant) {
        for _ in 0..MAX_FAILURES {
            circuit.begin(now).ok().unwrap().failed(now);
        }
    }

    #[test]
    fn opens_after_consecutive_failures() {
        let (circuit, now) = (CircuitBreaker::default(), Instant::now());
        for _ in 1..MAX_FAILURES {
            circuit.begin(now).ok().unwrap().failed(now);
        }
        circuit.begin(now).ok().unwrap().succeeded();
        for _ in 1..MAX_FAILURES {
            circuit.begin(now).ok().unwrap().failed(now);
        }
        circuit.begin(now).ok().unwrap().failed(now);
        assert_eq!(circuit.begin(now).err(), Some(OPEN));
    }

    #[test]
    fn one_probe_follows() {
        let (circuit, now) = (CircuitBreaker::default(), Instant::now());
        open(&circuit, now);
        let later = now + OPEN;
        assert!(circuit.begin(later - Duration::from_millis(1)).is_err());
        let probe = circuit.begin(later).ok().unwrap();
        assert_eq!(circuit.begin(later).err(), Some(Duration::ZERO));
        probe.failed(later);
        assert_eq!(circuit.begin(later).err(), Some(OPEN));
        circuit.begin(later + OPEN).ok().unwrap().succeeded();
        let (one, other) = (circuit.begin(later), circuit.begin(later));
        assert!(one.is_ok() && other.is_ok());
    }

    #[test]
    fn abandoned_probe_is_replaced() {
        let (circuit, now) = (CircuitBreaker::default(), Instant::now());
        open(&circuit, now);
        drop(circuit.begin(now + OPEN).ok().unwrap());
        assert!(circuit.begin(now + OPEN).is_ok());
    }

    #[test]
    fn late_failure_extends_nothing() {
        let (circuit, now) = (CircuitBreaker::default(), Instant::now());
        let late = circuit.begin(now).ok().unwrap();
        open(&circuit, now);
        late.failed(now + OPEN / 2);
        assert!(circuit.begin(now + OPEN).is_ok());
    }
}
