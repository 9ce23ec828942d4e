//! The route of a request, among the routes of one lock, in the order of axum.

use std::collections::BTreeMap;
use std::fmt;

use auth_runtime_core::route_pattern::Pattern;
use auth_runtime_policy::Policy;

use super::entry::Entry;
use super::route_key::RouteKey;

/// A route that responds to a method of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DispatchedEntry {
    pub(super) entry: Entry,
    /// True if the route has another path, which matches some of the requests.
    pub(super) is_wider: bool,
    /// True if the route is hidden because another method of its path is hidden.
    pub(super) is_hidden_by_path: bool,
}

/// The routes of one lock, by the patterns of their paths.
pub(super) struct RouteSet<'e> {
    paths: BTreeMap<Pattern, OnPath<'e>>,
}

/// The entries of a path.
#[derive(Default)]
struct OnPath<'e> {
    entries: Vec<&'e Entry>,
    /// True if a method of the path is hidden, which hides the whole path.
    is_hidden: bool,
}

impl<'e> RouteSet<'e> {
    pub(super) fn of(entries: &'e [Entry]) -> Self {
        let mut paths: BTreeMap<_, OnPath<'_>> = BTreeMap::new();
        for entry in entries {
            let on_path = paths.entry(RouteKey::of(entry).pattern).or_default();
            on_path.entries.push(entry);
            // A fallback has no path of its own, so it hides none.
            on_path.is_hidden |= is_route(entry) && is_hidden(entry);
        }
        Self { paths }
    }

    /// Returns the keys of this side's paths with the methods of those paths of the other side that
    /// also match their requests.
    pub(super) fn keys_by(&self, other: &Self) -> impl Iterator<Item = RouteKey<'e>> {
        let paths = self.paths.iter();
        let paths = paths.filter(|(_, on_path)| on_path.has(is_route));
        paths.flat_map(|(pattern, _)| {
            let wider = other.wider(pattern, is_route).into_iter();
            let wider = wider.flat_map(|on_path| &on_path.entries);
            wider.filter(|entry| is_route(entry)).map(|entry| RouteKey {
                pattern: pattern.clone(),
                ..RouteKey::of(entry)
            })
        })
    }

    /// Returns the other paths that match requests of `path`, if `path` itself has no route.
    fn wider(&self, path: &Pattern, is_alike: fn(&Entry) -> bool) -> Vec<&OnPath<'e>> {
        let mut wider = Vec::new();
        // Patterns are in the order of axum. Patterns before `path` receive its requests in any
        // case.
        for (pattern, on_path) in self.paths.range(path..) {
            if !on_path.has(is_alike) || !pattern.overlaps(path) {
                continue;
            }
            if pattern == path {
                break;
            }
            wider.push(on_path);
            if pattern.covers(path) {
                break;
            }
        }
        wider
    }

    /// Returns the routes for a key: its own entries, or those that axum uses in their place.
    pub(super) fn dispatch(&self, key: &RouteKey<'e>) -> Vec<DispatchedEntry> {
        let nothing = OnPath::default();
        let on_path = self.paths.get(&key.pattern).unwrap_or(&nothing);
        let own = on_path
            .entries
            .iter()
            .filter(|entry| entry.method == key.method && entry.is_unguarded() == key.is_unguarded);
        let own: Vec<_> = own
            .map(|entry| answer(entry, on_path.is_hidden, false))
            .collect();
        if !own.is_empty() || key.is_unguarded {
            return own;
        }
        let is_alike = if key.is_fallback() {
            is_fallback
        } else {
            is_route
        };
        let answer = |on_path: &OnPath<'_>, is_wider| {
            let by = |method: &str| {
                let mut entries = on_path.entries.iter().filter(|entry| is_alike(entry));
                entries.find(|entry| entry.method == method)
            };
            let get = || by("GET").filter(|_| key.method == "HEAD");
            let found = by(key.method).or_else(get).or_else(|| by("any"))?;
            Some(answer(found, on_path.is_hidden, is_wider))
        };
        let mut found: Vec<_> = if on_path.has(is_alike) {
            answer(on_path, false).into_iter().collect()
        } else {
            let wider = self.wider(&key.pattern, is_alike).into_iter();
            wider.filter_map(|on_path| answer(on_path, true)).collect()
        };
        if !key.is_fallback() && found.iter().all(|answer| answer.is_wider) {
            found.extend(self.unguarded(&key.pattern));
        }
        found
    }

    /// Returns the unguarded routers that may respond: their routes are unknown.
    fn unguarded(&self, path: &Pattern) -> impl Iterator<Item = DispatchedEntry> {
        let around = self
            .paths
            .iter()
            .filter(|(pattern, _)| pattern.overlaps(path));
        let entries = around.flat_map(|(_, on_path)| &on_path.entries);
        let unguarded = entries.filter(|entry| entry.is_unguarded());
        unguarded.map(|entry| answer(entry, false, true))
    }
}

impl OnPath<'_> {
    fn has(&self, is_alike: fn(&Entry) -> bool) -> bool {
        self.entries.iter().any(|entry| is_alike(entry))
    }
}

fn is_fallback(entry: &Entry) -> bool {
    RouteKey::of(entry).is_fallback()
}

fn is_route(entry: &Entry) -> bool {
    !entry.is_unguarded() && !is_fallback(entry)
}

fn is_hidden(entry: &Entry) -> bool {
    entry.access.policy.as_ref().is_some_and(Policy::is_hidden)
}

fn answer(entry: &Entry, path_is_hidden: bool, is_wider: bool) -> DispatchedEntry {
    let can_be_hidden = !entry.is_open() && !is_fallback(entry);
    DispatchedEntry {
        is_wider,
        is_hidden_by_path: path_is_hidden && can_be_hidden && !is_hidden(entry),
        entry: entry.clone(),
    }
}

impl DispatchedEntry {
    /// Returns the effective policy.
    pub(super) fn policy(&self) -> Option<Policy> {
        let policy = self.entry.access.policy.clone()?;
        Some(if self.is_hidden_by_path {
            policy.hide_as_not_found()
        } else {
            policy
        })
    }
}

impl fmt::Display for DispatchedEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entry.write_covers(f)?;
        f.write_str(&self.entry.access.text)?;
        self.entry.write_handler(f)?;
        if self.is_hidden_by_path {
            f.write_str(" (hidden, as another method of the path is)")?;
        }
        Ok(())
    }
}
