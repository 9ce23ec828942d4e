//! The end of a caller's credentials, for responses that outlast them.

use std::future::{Future, pending};
use std::time::{Duration, SystemTime};

use auth_runtime_core::{Clock, Identity};

use super::{Guard, HasIdentity, HasPolicy};

/// The longest pause, so that a change of the system's clock is noticed.
const MAX_PAUSE: Duration = Duration::from_secs(60);

impl<P: HasPolicy> Guard<P> {
    /// Waits until the credentials of the caller [expire](Identity::expiry), by the clock of the
    /// protection space. If they have no expiry, it waits forever.
    ///
    /// A decision is made once for each request. A handler of a WebSocket or of server-sent events ends
    /// the stream when this future is ready. A revocation before the expiry does not end
    /// the wait.
    ///
    /// ```
    /// use auth_runtime::{Guard, requires};
    /// # async fn next_message() -> String { String::new() }
    ///
    /// #[requires(scope = "messages")]
    /// async fn wait(guard: Guard) -> String {
    ///     tokio::select! {
    ///         () = guard.expires() => "the token is expired".to_owned(),
    ///         message = next_message() => message,
    ///     }
    /// }
    /// ```
    ///
    /// # Panics
    ///
    /// The future, outside a Tokio runtime with an enabled timer.
    pub fn expires<C>(&self) -> impl Future<Output = ()> + Send + use<P, C>
    where
        P: HasPolicy<Caller = C>,
        C: HasIdentity,
    {
        let identity: Option<&Identity> = self.caller.view().into();
        let expiry = identity.and_then(Identity::expiry);
        let space = self.objects.as_ref().map(|objects| &objects.space);
        let clock = space.map_or_else(Clock::default, |space| space.clock().clone());
        async move {
            match expiry {
                Some(expiry) => reach(&clock, expiry).await,
                None => pending().await,
            }
        }
    }
}

/// Waits until `clock` shows `time`.
async fn reach(clock: &Clock, time: SystemTime) {
    while let Ok(left) = time.duration_since(clock.now()) {
        if left.is_zero() {
            return;
        }
        let pause = left.min(MAX_PAUSE);
        let moved = clock.moved_to(clock.monotonic() + pause);
        // It makes no difference which of the two ends first.
        let _ = tokio::time::timeout(pause, moved).await;
    }
}
