//! A circuit breaker: calls fail at once while the server is known to fail.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::caller_hash::CallerHash;

/// The number of failures, without a success between them, after which calls fail at once.
pub(crate) const MAX_FAILURES: u32 = 5;
/// The number of these that one caller can contribute, unless only its own calls fail at once.
const SHARE: u32 = 2;
/// The time for which calls fail at once.
pub(crate) const OPEN: Duration = Duration::from_secs(5);

/// A bound on calls of a server that fails: after [`MAX_FAILURES`] failures without a success between them, calls fail
/// at once for the time [`OPEN`], and then one call is a probe.
///
/// Each caller has a circuit of its own, and all callers share one. The shared circuit counts at most [`SHARE`]
/// failures of one caller. Failures of one caller's calls therefore do not open it for others. Any success closes
/// all circuits.
#[derive(Debug, Default)]
pub(crate) struct CircuitBreaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The callers with failed calls since the last success; fewer than [`MAX_FAILURES`] while the shared
    /// circuit is closed.
    failing: HashMap<CallerHash, Failing>,
    /// The shared circuit, if it is open.
    open: Option<Open>,
}

#[derive(Debug, Default)]
struct Failing {
    failures: u32,
    /// The circuit of this caller, if it is open.
    open: Option<Open>,
}

/// An open circuit.
#[derive(Debug)]
struct Open {
    /// The end of the time for which calls fail at once. After it, one call is a probe, and the others
    /// fail until it ends.
    until: Instant,
    is_probed: bool,
    /// The caller of the last probe of the shared circuit, which failed or had no result. The next probe is another
    /// caller's for a time, so that one caller cannot keep the circuit open.
    failed_probe: Option<CallerHash>,
}

/// A call that may be made. Its result is reported by [`succeeded`](Self::succeeded) or
/// [`failed`](Self::failed). A call that is dropped, since it is abandoned or its error concerns its request, has no
/// result.
#[derive(Debug)]
#[must_use]
pub(crate) struct Attempt<'c> {
    breaker: &'c CircuitBreaker,
    caller: CallerHash,
    /// The circuit that this call probes, and the end of its pause.
    probes: Option<(Circuit, Instant)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Circuit {
    OfCaller,
    Shared,
}

impl CircuitBreaker {
    /// Begins a call.
    ///
    /// # Errors
    ///
    /// A circuit is open. The error is the time until the next probe; zero while there is one.
    pub(crate) fn begin(&self, caller: CallerHash, now: Instant) -> Result<Attempt<'_>, Duration> {
        let mut state = self.state();
        let probes = match state.circuit(caller) {
            None => None,
            Some((circuit, open)) => {
                open.probe(caller, now)?;
                Some((circuit, open.until))
            }
        };
        Ok(Attempt {
            breaker: self,
            caller,
            probes,
        })
    }

    /// Checks whether a call could begin.
    ///
    /// # Errors
    ///
    /// Like [`begin`](Self::begin).
    pub(crate) fn check(&self, caller: CallerHash, now: Instant) -> Result<(), Duration> {
        match self.state().circuit(caller) {
            None => Ok(()),
            Some((_, open)) => open.check(caller, now),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns the open circuit that a call has to pass.
    fn circuit(&mut self, caller: CallerHash) -> Option<(Circuit, &mut Open)> {
        if let Some(open) = &mut self.open {
            return Some((Circuit::Shared, open));
        }
        let own = self.failing.get_mut(&caller)?.open.as_mut()?;
        Some((Circuit::OfCaller, own))
    }

    /// Counts a failure while the shared circuit is closed.
    fn count(&mut self, caller: CallerHash, is_probe: bool, now: Instant) {
        let own = self.failing.entry(caller).or_default();
        own.failures = own.failures.saturating_add(1);
        // A call that began before the circuit was opened does not extend the time.
        if (own.open.is_some() && is_probe) || (own.open.is_none() && own.failures >= MAX_FAILURES)
        {
            own.open = Open::from(now, None);
        }
        let failures = self.failing.values().map(|own| own.failures.min(SHARE));
        if failures.sum::<u32>() >= MAX_FAILURES {
            self.open = Open::from(now, None);
            self.failing.clear();
        }
    }
}

impl Open {
    fn from(now: Instant, failed_probe: Option<CallerHash>) -> Option<Self> {
        Some(Self {
            until: now.checked_add(OPEN)?,
            is_probed: false,
            failed_probe,
        })
    }

    fn probe(&mut self, caller: CallerHash, now: Instant) -> Result<(), Duration> {
        self.check(caller, now)?;
        self.is_probed = true;
        Ok(())
    }

    fn check(&self, caller: CallerHash, now: Instant) -> Result<(), Duration> {
        let turn = if self.failed_probe == Some(caller) {
            self.until.checked_add(OPEN).unwrap_or(self.until)
        } else {
            self.until
        };
        if now < turn {
            return Err(turn.duration_since(now));
        }
        if self.is_probed {
            Err(Duration::ZERO)
        } else {
            Ok(())
        }
    }
}

impl Attempt<'_> {
    /// Closes all circuits: the server works.
    pub(crate) fn succeeded(self) {
        *self.breaker.state() = State::default();
    }

    /// Counts a failure.
    pub(crate) fn failed(self, now: Instant) {
        let mut state = self.breaker.state();
        match (&state.open, self.probes) {
            // The circuit may have been closed and opened again since the probe began.
            (Some(open), Some((Circuit::Shared, until))) if open.until == until => {
                state.open = Open::from(now, Some(self.caller));
            }
            // A call that began before the circuit was opened does not extend the time.
            (Some(_), _) => {}
            (None, probes) => {
                let is_probe = probes.is_some_and(|(circuit, _)| circuit == Circuit::OfCaller);
                state.count(self.caller, is_probe, now);
            }
        }
    }
}

impl Drop for Attempt<'_> {
    /// Ends a call. After a probe without a result, another call may probe at once. In the shared circuit, the caller of
    /// such a probe has to pause first: one caller must not take the place of all probes.
    fn drop(&mut self) {
        if let Some(probed) = self.probes
            && let Some((circuit, open)) = self.breaker.state().circuit(self.caller)
            && (circuit, open.until) == probed
        {
            open.is_probed = false;
            if circuit == Circuit::Shared {
                open.until = Instant::now();
                open.failed_probe = Some(self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: CallerHash = CallerHash::of_test(1);
    const BOB: CallerHash = CallerHash::of_test(2);
    const MALLORY: CallerHash = CallerHash::of_test(3);

    fn fail(circuit: &CircuitBreaker, caller: CallerHash, now: Instant) {
        circuit.begin(caller, now).ok().unwrap().failed(now);
    }

    /// Opens the circuit of one caller.
    fn open(circuit: &CircuitBreaker, now: Instant) {
        for _ in 0..MAX_FAILURES {
            fail(circuit, ANN, now);
        }
    }

    /// Opens the circuit of all callers.
    fn open_for_all(circuit: &CircuitBreaker, now: Instant) {
        for caller in [ANN, MALLORY, ANN, MALLORY, BOB] {
            fail(circuit, caller, now);
        }
    }

    #[test]
    fn opens_after_consecutive_failures() {
        let (circuit, now) = (CircuitBreaker::default(), Instant::now());
        for _ in 1..MAX_FAILURES {
            fail(&circuit, ANN, now);
        }
        circuit.begin(ANN, now).ok().unwrap().succeeded();
        open(&circuit, now);
        assert_eq!(circuit.begin(ANN, now).err(), Some(OPEN));
    }

    #[test]
    fn one_caller_opens_no_other_circuit() {
        let (circuit, mut now) = (CircuitBreaker::default(), Instant::now());
        for _ in 0..3 {
            for _ in 0..100 {
                if let Ok(attempt) = circuit.begin(MALLORY, now) {
                    attempt.failed(now);
                }
            }
            // Neither with one accomplice.
            fail(&circuit, BOB, now);
            assert!(circuit.begin(ANN, now).is_ok());
            now += OPEN;
        }
        fail(&circuit, ANN, now);
        let stranger = CallerHash::of_test(9);
        assert_eq!(circuit.begin(stranger, now).err(), Some(OPEN));
    }

    #[test]
    fn one_caller_keeps_no_circuit_open() {
        let (circuit, now) = (CircuitBreaker::default(), Instant::now());
        open_for_all(&circuit, now);
        fail(&circuit, MALLORY, now + OPEN);
        let later = now + OPEN * 2;
        assert_eq!(circuit.begin(MALLORY, later).err(), Some(OPEN));
        circuit.begin(ANN, later).ok().unwrap().succeeded();
        assert!(circuit.begin(MALLORY, later).is_ok());
    }

    #[test]
    fn single_caller_probes_again() {
        let (circuit, now) = (CircuitBreaker::default(), Instant::now());
        open_for_all(&circuit, now);
        fail(&circuit, ANN, now + OPEN);
        assert!(circuit.begin(ANN, now + OPEN * 3).is_ok());
    }

    #[test]
    fn one_probe_follows() {
        for open in [open, open_for_all] {
            let (circuit, now) = (CircuitBreaker::default(), Instant::now());
            open(&circuit, now);
            let later = now + OPEN;
            assert!(
                circuit
                    .begin(ANN, later - Duration::from_millis(1))
                    .is_err()
            );
            let probe = circuit.begin(ANN, later).ok().unwrap();
            assert_eq!(circuit.begin(ANN, later).err(), Some(Duration::ZERO));
            probe.failed(later);
            assert!(circuit.begin(ANN, later).err() >= Some(OPEN));
            let probe = circuit.begin(ANN, later + OPEN * 2);
            probe.ok().unwrap().succeeded();
            let (one, other) = (circuit.begin(ANN, later), circuit.begin(ANN, later));
            assert!(one.is_ok() && other.is_ok());
        }
    }

    #[test]
    fn abandoned_probe_is_replaced() {
        let (circuit, now) = (CircuitBreaker::default(), Instant::now());
        open(&circuit, now);
        drop(circuit.begin(ANN, now + OPEN).ok().unwrap());
        assert!(circuit.begin(ANN, now + OPEN).is_ok());
    }

    /// Otherwise one caller could take the place of all probes.
    #[test]
    fn abandoned_probes_leave_the_next_one() {
        let circuit = CircuitBreaker::default();
        let past = Instant::now().checked_sub(OPEN).unwrap();
        open_for_all(&circuit, past);
        drop(circuit.begin(MALLORY, Instant::now()).ok().unwrap());
        let refused = circuit.begin(MALLORY, Instant::now());
        assert!(refused.err() > Some(Duration::ZERO));
        let probe = circuit.begin(ANN, Instant::now()).ok().unwrap();
        let waiting = circuit.begin(BOB, Instant::now());
        assert_eq!(waiting.err(), Some(Duration::ZERO));
        drop(probe);
        assert!(circuit.begin(MALLORY, Instant::now()).is_ok());
    }

    #[test]
    fn check_begins_no_probe() {
        let (circuit, now) = (CircuitBreaker::default(), Instant::now());
        open_for_all(&circuit, now);
        assert_eq!(circuit.check(ANN, now), Err(OPEN));
        assert_eq!(circuit.check(ANN, now + OPEN), Ok(()));
        let probe = circuit.begin(ANN, now + OPEN).ok().unwrap();
        assert_eq!(circuit.check(BOB, now + OPEN), Err(Duration::ZERO));
        probe.succeeded();
        assert_eq!(circuit.check(BOB, now), Ok(()));
    }

    #[test]
    fn late_failure_extends_nothing() {
        for open in [open, open_for_all] {
            let (circuit, now) = (CircuitBreaker::default(), Instant::now());
            let late = circuit.begin(ANN, now).ok().unwrap();
            open(&circuit, now);
            late.failed(now + OPEN / 2);
            assert!(circuit.begin(ANN, now + OPEN).is_ok());
        }
    }
}
