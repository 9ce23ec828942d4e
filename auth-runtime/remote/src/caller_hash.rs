//! The owners of shares, by their hashes.

use std::hash::{BuildHasher, Hash, RandomState};

/// A caller, by its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CallerHash(u64);

/// Hashes callers with a key of its own, so that no caller can choose to have the hash of another one.
#[derive(Debug, Default)]
pub(crate) struct CallerHasher(RandomState);

impl CallerHasher {
    pub(crate) fn get(&self, caller: impl Hash) -> CallerHash {
        CallerHash(self.0.hash_one(caller))
    }
}

#[cfg(test)]
impl CallerHash {
    pub(crate) const fn of_test(number: u64) -> Self {
        Self(number)
    }
}
