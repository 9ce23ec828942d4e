//! The settings of a cache of decisions.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Cached, DecisionCache, Memory};
use crate::clock::Clock;
use crate::decision_point::DecisionPoint;

impl<E: DecisionPoint> DecisionCache<E> {
    /// Starts with room for 10 000 decisions, each for up to 10 seconds.
    pub fn builder(engine: E) -> DecisionCacheBuilder<E> {
        DecisionCacheBuilder {
            engine,
            capacity: 10_000,
            lifetime: Duration::from_secs(10),
            clock: Clock::system(),
            compares_extensions: true,
        }
    }
}

/// The longest lifetime of a decision.
const MAX_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// Builds a [`DecisionCache`].
#[must_use]
pub struct DecisionCacheBuilder<E> {
    engine: E,
    capacity: usize,
    lifetime: Duration,
    clock: Clock,
    compares_extensions: bool,
}

impl<E: DecisionPoint> DecisionCacheBuilder<E> {
    /// Sets the maximum number of decisions. Default: 10 000. Minimum: 16.
    pub fn capacity(self, capacity: usize) -> Self {
        Self { capacity, ..self }
    }

    /// Sets the time for which a decision is used. Default: 10 seconds. Maximum: an hour.
    pub fn lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// Sets the clock that measures the age of decisions. Default: the clock of the system.
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Uses a decision again for a caller with other extensions, such as a token with other claims. Default:
    /// extensions are compared.
    ///
    /// Only for engines that do not read [`Identity::extension`](crate::Identity::extension), such as `Cedar`,
    /// `AuthZen` and `SpiceDb`. `AccessClaim` does, and functions of [`ObjectRules`](crate::ObjectRules) may.
    pub fn ignore_extensions(self) -> Self {
        Self {
            compares_extensions: false,
            ..self
        }
    }

    /// Builds the cache.
    ///
    /// # Errors
    ///
    /// The capacity or the lifetime is outside its bounds.
    pub fn build(self) -> Result<DecisionCache<E>, DecisionCacheError> {
        if self.capacity < 16 {
            return Err(DecisionCacheError::Capacity(self.capacity));
        }
        if self.lifetime.is_zero() || self.lifetime > MAX_LIFETIME {
            return Err(DecisionCacheError::Lifetime(self.lifetime));
        }
        Ok(DecisionCache(Arc::new(Cached {
            engine: self.engine,
            memory: Mutex::new(Memory::new(self.capacity, self.clock.monotonic())),
            lifetime: self.lifetime,
            clock: self.clock,
            compares_extensions: self.compares_extensions,
        })))
    }
}

impl<E> fmt::Debug for DecisionCacheBuilder<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecisionCacheBuilder")
            .field("capacity", &self.capacity)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// An error of building a [`DecisionCache`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecisionCacheError {
    /// The capacity is below 16.
    Capacity(usize),
    /// The lifetime is zero, or longer than an hour.
    Lifetime(Duration),
}

impl fmt::Display for DecisionCacheError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capacity(capacity) => {
                write!(f, "the capacity is {capacity}; the minimum is 16 decisions")
            }
            Self::Lifetime(lifetime) => write!(
                f,
                "the lifetime is {lifetime:?}; it has to be positive, and an hour at most"
            ),
        }
    }
}

impl std::error::Error for DecisionCacheError {}
