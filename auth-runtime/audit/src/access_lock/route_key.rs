//! What is compared with each other.

use auth_runtime_core::route_pattern::Pattern;

use super::entry::Entry;

/// Where something is mounted. What was unguarded is no version of what has a policy.
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
