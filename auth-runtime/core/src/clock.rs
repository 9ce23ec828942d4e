//! The clock of schemes and decisions.

use std::future::{pending, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

/// A source of the present time: that of the system, or one that a test moves.
///
/// The builders of protection spaces, and of schemes and verifiers with an expiry, have a method `clock`.
/// Default: the clock of the system. Cloning is cheap.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use auth_runtime::Identity;
/// use auth_runtime::clock::ManualClock;
/// use auth_runtime::schemes::SignedUrls;
/// use http::Method;
///
/// let time = ManualClock::new(SystemTime::now());
/// let urls = SignedUrls::builder().key("2026-11", &[7; 32]).clock(time.clock()).build()?;
/// let ann = Identity::new("ann");
/// let link = urls.sign(&Method::GET, "/files/7", Duration::from_secs(900), &ann)?;
/// // A quarter of an hour later, the link is expired.
/// time.advance(Duration::from_secs(900));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<Mutex<Manual>>>);

/// The owner of a [`Clock`] that moves only by hand, for tests.
///
/// Its times do not change between two moves. A test therefore needs no sleep, and no tolerance.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<Manual>>);

#[derive(Debug)]
struct Manual {
    wall: SystemTime,
    monotonic: Instant,
    pauses: Vec<Waker>,
}

impl Clock {
    /// The clock of the system.
    pub const fn system() -> Self {
        Self(None)
    }

    /// The wall time, for times that others know as well: expiries of tokens, times of logins. It can
    /// be set back.
    pub fn now(&self) -> SystemTime {
        match &self.0 {
            None => SystemTime::now(),
            Some(manual) => lock(manual).wall,
        }
    }

    /// The monotonic time, for durations within this process: ages of cache entries, pauses. It is
    /// never set back.
    pub fn monotonic(&self) -> Instant {
        match &self.0 {
            None => Instant::now(),
            Some(manual) => lock(manual).monotonic,
        }
    }

    /// Waits until a manual clock has been moved to `deadline`, by its monotonic time. With the clock of
    /// the system, it waits forever.
    ///
    /// A scheme that pauses waits for this and a timer of its runtime, whichever ends first.
    pub async fn moved_to(&self, deadline: Instant) {
        let Some(manual) = &self.0 else {
            return pending().await;
        };
        poll_fn(|context| {
            let mut manual = lock(manual);
            if manual.monotonic >= deadline {
                return Poll::Ready(());
            }
            manual.pauses.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl ManualClock {
    /// Starts at this wall time.
    pub fn new(wall: SystemTime) -> Self {
        Self(Arc::new(Mutex::new(Manual {
            wall,
            monotonic: Instant::now(),
            pauses: Vec::new(),
        })))
    }

    /// Returns the clock to build schemes and spaces with.
    pub fn clock(&self) -> Clock {
        Clock(Some(Arc::clone(&self.0)))
    }

    /// Moves both times forward.
    ///
    /// # Panics
    ///
    /// The system cannot represent the new time.
    pub fn advance(&self, duration: Duration) {
        let mut manual = lock(&self.0);
        manual.wall += duration;
        manual.monotonic += duration;
        manual.pauses.drain(..).for_each(Waker::wake);
    }

    /// Sets the wall time, forward or back. The monotonic time does not change.
    pub fn set_wall(&self, wall: SystemTime) {
        lock(&self.0).wall = wall;
    }
}

fn lock(manual: &Mutex<Manual>) -> MutexGuard<'_, Manual> {
    manual.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn manual_clock_moves_by_hand_only() {
        let start = SystemTime::UNIX_EPOCH + HOUR;
        let manual = ManualClock::new(start);
        let clock = manual.clock();
        let began = clock.monotonic();
        assert_eq!((clock.now(), clock.monotonic()), (start, began));
        manual.advance(HOUR);
        assert_eq!(clock.now(), start + HOUR);
        assert_eq!(clock.monotonic(), began + HOUR);
        manual.set_wall(SystemTime::UNIX_EPOCH);
        assert_eq!(clock.now(), SystemTime::UNIX_EPOCH);
        assert_eq!(clock.monotonic(), began + HOUR, "never set back");
    }

    #[test]
    fn the_system_clock_is_the_default() {
        let clock = Clock::default();
        assert!(clock.now() >= SystemTime::now() - HOUR);
        let (before, after) = (Instant::now(), clock.monotonic());
        assert!(before <= after);
    }

    #[tokio::test]
    async fn moving_the_clock_ends_a_pause() {
        let manual = ManualClock::new(SystemTime::UNIX_EPOCH);
        let clock = manual.clock();
        let deadline = clock.monotonic() + HOUR;
        let pause = tokio::spawn(async move { clock.moved_to(deadline).await });
        tokio::task::yield_now().await;
        manual.advance(HOUR / 2);
        tokio::task::yield_now().await;
        assert!(!pause.is_finished());
        manual.advance(HOUR / 2);
        assert!(pause.await.is_ok());
    }
}
