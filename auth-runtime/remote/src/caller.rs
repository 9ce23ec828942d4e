//! The owners of shares.

use std::hash::{BuildHasher, Hash, RandomState};

/// A caller, by its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Caller(u64);

/// Hashes callers with a key of its own, so that no caller can choose to have the hash of another one.
#[derive(Debug, Default)]
pub(crate) struct Callers(RandomState);

impl Callers {
    pub(crate) fn get(&self, caller: impl Hash) -> Caller {
        Caller(self.0.hash_one(caller))
    }
}

#[cfg(test)]
impl Caller {
    pub(crate) const fn of_test(number: u64) -> Self {
        Self(number)
    }
}
