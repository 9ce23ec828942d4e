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

impl<'e> RouteKey<'e> {
    pub(super) fn of(entry: &'e Entry) -> Self {
        Self {
            pattern: Pattern::of(&entry.path),
            method: &entry.method,
            is_unguarded: entry.is_unguarded(),
        }
    }
}
