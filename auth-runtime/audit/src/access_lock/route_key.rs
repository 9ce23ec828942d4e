//! The keys by which routes of two locks are compared.

use auth_runtime_core::route_pattern::Pattern;

use super::entry::Entry;

/// The place of a route. An unguarded router never has the same key as a route with a policy.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RouteKey<'e> {
    pub(super) pattern: Pattern,
    pub(super) method: &'e str,
    pub(super) is_unguarded: bool,
}

/// The words of fallbacks in place of a method: for unknown paths, and for methods without a handler.
const FALLBACKS: [&str; 2] = ["fallback", "405"];

impl<'e> RouteKey<'e> {
    /// Returns whether the place is that of a fallback.
    pub(super) fn is_fallback(&self) -> bool {
        FALLBACKS.contains(&self.method)
    }

    pub(super) fn of(entry: &'e Entry) -> Self {
        Self {
            pattern: Pattern::of(&entry.path),
            method: &entry.method,
            is_unguarded: entry.is_unguarded(),
        }
    }
}
