//! Open patterns that match spellings of guarded paths, in the routes of guarded routers.

use std::collections::{BTreeMap, BTreeSet};

use auth_grammar::codes;
use auth_grammar::lower;
use auth_grammar::requirement::ParsedPolicy;
use auth_runtime_core::RouteKind;
use auth_runtime_core::open_pattern::{MountedRoute, find_covers};
use auth_runtime_policy::compare::{Change, compare};

use super::finding::{Finding, Place};
use super::routers::{GuardedRoute, split_path};

/// An open pattern, and the guarded paths that it covers.
pub(super) struct OpenPattern {
    pub(super) place: Place,
    /// The pattern, such as `GET /files/{*path}`.
    pub(super) pattern: String,
    covers: BTreeSet<String>,
}

impl OpenPattern {
    pub(super) fn finding(&self) -> Finding {
        let paths = self.covers.iter().map(|path| format!("`{path}`"));
        let paths = paths.collect::<Vec<_>>().join(", ");
        let message = format!(
            "`{}` also matches percent-encoded spellings of {paths}, and allows more callers\n\
             help: give it a policy that allows no other callers, or write the reason above it: \
             `// unguarded: the reason`",
            self.pattern
        );
        Finding::new(self.place.clone(), codes::OPEN_PATTERN, message)
    }
}

/// The places of an open pattern and of a guarded path, and the method of the pattern.
type Pair<'r> = (&'r Place, &'r Place, Option<&'r str>);

/// Returns the open patterns of all routers, in the order of their places.
pub(super) fn open_patterns(routers: &[Vec<GuardedRoute<'_>>]) -> Vec<OpenPattern> {
    // A router is read by itself, and again at each merge or nest, where its paths are longer.
    let mut found: BTreeMap<Pair<'_>, (&str, &str)> = BTreeMap::new();
    for routes in routers.iter().flat_map(comparable) {
        let mounted: Vec<_> = routes
            .iter()
            .map(|(path, route)| MountedRoute {
                path: (*path).into(),
                method: route.method.as_deref(),
                kind: route.kind,
                is_service: route.is_service,
            })
            .collect();
        let pair = |open: usize, guarded: usize| {
            let ((_, open), (_, guarded)) = (routes.get(open)?, routes.get(guarded)?);
            Some((*open, *guarded))
        };
        let change = |open, guarded| {
            pair(open, guarded).map_or(Change::Same, |(open, guarded)| change(open, guarded))
        };
        for cover in find_covers(&mounted, change) {
            let Some((open, guarded)) = pair(cover.pattern, cover.guarded) else {
                continue;
            };
            let key = (&open.place, &guarded.place, open.method.as_deref());
            let paths = (open.path.as_str(), guarded.path.as_str());
            let longest = found.entry(key).or_insert(paths);
            if longest.0.len() < paths.0.len() {
                *longest = paths;
            }
        }
    }
    let mut patterns: BTreeMap<(&Place, String), OpenPattern> = BTreeMap::new();
    for ((place, _, method), (path, guarded)) in found {
        let pattern = format!("{} {path}", method.unwrap_or("any"));
        let open = patterns
            .entry((place, pattern.clone()))
            .or_insert_with(|| OpenPattern {
                place: place.clone(),
                pattern,
                covers: BTreeSet::new(),
            });
        open.covers.insert(guarded.to_owned());
    }
    patterns.into_values().collect()
}

/// Returns the routes of a router, grouped by the unknown beginning of their paths. Each has the rest
/// of its path.
fn comparable<'r, 's>(
    router: &'r Vec<GuardedRoute<'s>>,
) -> impl Iterator<Item = Vec<(&'r str, &'r GuardedRoute<'s>)>> {
    let mut groups: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for route in router {
        let (unknown, path) = split_path(&route.path);
        if path.starts_with('/') {
            groups.entry(unknown).or_default().push((path, route));
        }
    }
    groups.into_values()
}

/// Returns the difference of the callers from a guarded route to an open one.
fn change(open: &GuardedRoute<'_>, guarded: &GuardedRoute<'_>) -> Change {
    let Some(policy @ ParsedPolicy::Requires(_)) = guarded.policy else {
        return Change::Same;
    };
    match open.policy {
        _ if open.excludes(guarded) => Change::Same,
        Some(ParsedPolicy::Public(_)) => Change::Loosened,
        None if open.kind == RouteKind::Unguarded => Change::Loosened,
        None => Change::Same,
        Some(open) => compare(&lower::policy(policy), &lower::policy(open)).callers,
    }
}
