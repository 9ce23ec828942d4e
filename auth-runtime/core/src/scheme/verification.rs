//! The verification of credentials, complete or pending.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::caller::Caller;
use crate::clock::Clock;
use crate::identity::Identity;

/// A [`Caller`], available now or later.
///
/// A scheme that only computes returns a caller directly, without an allocation. A scheme that has
/// to wait, for example for a database, returns a future.
///
/// ```
/// use auth_runtime::{Caller, Identity};
/// use auth_runtime::schemes::Verification;
///
/// # async fn look_up(_: String) -> Option<String> { None }
/// fn verify(key: &str) -> Verification {
///     if key.len() != 32 {
///         return Verification::done(Caller::rejected());
///     }
///     let key = key.to_owned();
///     Verification::pending(async move {
///         match look_up(key).await {
///             Some(user) => Caller::known(Identity::new(user)),
///             None => Caller::rejected(),
///         }
///     })
/// }
/// ```
pub struct Verification(State);

enum State {
    Done(Caller),
    Pending(Pin<Box<dyn Future<Output = Caller> + Send>>),
}

impl Verification {
    /// Creates a verification that is complete.
    pub fn done(caller: Caller) -> Self {
        Self(State::Done(caller))
    }

    /// Creates a verification that `future` completes. The future owns its data.
    pub fn pending(future: impl Future<Output: Into<Caller>> + Send + 'static) -> Self {
        Self(State::Pending(Box::pin(async move { future.await.into() })))
    }

    /// Returns the caller if the verification is complete, or else the verification itself.
    pub(crate) fn into_caller(self) -> Result<Caller, Self> {
        match self.0 {
            State::Done(caller) => Ok(caller),
            pending @ State::Pending(_) => Err(Self(pending)),
        }
    }

    /// Rejects an identity that is expired by `clock`.
    pub(crate) fn unless_expired(self, clock: &Clock) -> Self {
        match self.0 {
            State::Done(caller) => Self::done(caller.unless_expired(clock)),
            State::Pending(future) => {
                let clock = clock.clone();
                Self::pending(async move { future.await.unless_expired(&clock) })
            }
        }
    }

    /// Continues with `next` for a known caller.
    pub(crate) fn and_then_if_known<F>(
        self,
        next: impl FnOnce(Identity) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Caller> + Send + 'static,
    {
        match self.0 {
            State::Done(Caller::Known(identity)) => Self::pending(next(identity)),
            State::Done(caller) => Self::done(caller),
            State::Pending(future) => Self::pending(async move {
                match future.await {
                    Caller::Known(identity) => next(identity).await,
                    caller => caller,
                }
            }),
        }
    }

    /// Combines two callers. Both verifications complete, even if the first one fails.
    pub(crate) fn join(
        self,
        other: Self,
        combine: impl FnOnce(Caller, Caller) -> Caller + Send + 'static,
    ) -> Self {
        match (self.into_caller(), other.into_caller()) {
            (Ok(caller), Ok(other)) => Self::done(combine(caller, other)),
            (caller, other) => Self::pending(async move {
                let caller = match caller {
                    Ok(caller) => caller,
                    Err(pending) => pending.await,
                };
                let other = match other {
                    Ok(other) => other,
                    Err(pending) => pending.await,
                };
                combine(caller, other)
            }),
        }
    }

    /// Transforms the caller with `next` when the verification is complete.
    pub fn map(self, next: impl FnOnce(Caller) -> Caller + Send + 'static) -> Self {
        match self.0 {
            State::Done(caller) => Self::done(next(caller)),
            State::Pending(future) => Self::pending(async move { next(future.await) }),
        }
    }
}

impl Future for Verification {
    type Output = Caller;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Caller> {
        match &mut self.0 {
            State::Done(caller) => Poll::Ready(std::mem::replace(caller, Caller::Anonymous)),
            State::Pending(future) => future.as_mut().poll(context),
        }
    }
}

impl fmt::Debug for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Done(_) => "Verification::done",
            State::Pending(_) => "Verification::pending",
        })
    }
}
