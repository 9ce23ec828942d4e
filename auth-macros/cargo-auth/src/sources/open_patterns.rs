//! Open patterns that match spellings of guarded paths, in the routes of guarded routers.

use std::collections::{BTreeMap, BTreeSet};

use auth_grammar::codes;
use auth_grammar::lower;
use auth_grammar::requirement::ParsedPolicy;
use auth_runtime_core::open_pattern::{ComparedCallers, MountKind, MountedRoute, find_covers};
use auth_runtime_policy::compare::{Change, compare};

use super::finding::{Finding, Place};
use super::full_paths::{Index, Route};
use super::record::Sources;

/// An open pattern, and the guarded paths that it covers.
pub(super) struct OpenPattern {
    pub(super) place: Place,
    pub(super) line: usize,
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
type Pair<'s> = (&'s Place, &'s Place, Option<&'s str>);

/// Returns the open patterns of all routers, in the order of their places.
pub(super) fn open_patterns(sources: &Sources) -> Vec<OpenPattern> {
    let index = Index::of(sources);
    // A router is read by itself, and again at each merge or nest, where its paths are longer.
    let mut found: BTreeMap<Pair<'_>, (String, String, usize)> = BTreeMap::new();
    for router in sources.routers.iter().filter(|router| router.is_selected) {
        let routes = index.routes(router);
        let mounted: Vec<_> = routes
            .iter()
            .map(|route| MountedRoute {
                path: route.path.as_str().into(),
                method: route.method,
                kind: route.kind,
                is_service: route.is_service,
            })
            .collect();
        let callers = |open: usize, guarded: usize| match (routes.get(open), routes.get(guarded)) {
            (Some(open), Some(guarded)) => callers(open, guarded),
            _ => ComparedCallers::Within,
        };
        for cover in find_covers(&mounted, callers) {
            let (Some(open), Some(guarded)) =
                (routes.get(cover.pattern), routes.get(cover.guarded))
            else {
                continue;
            };
            let key = (&open.spot.place, &guarded.spot.place, open.method);
            let value = (open.path.clone(), guarded.path.clone(), open.spot.line);
            let longest = found.entry(key).or_insert_with(|| value.clone());
            if longest.0.len() < value.0.len() {
                *longest = value;
            }
        }
    }
    let mut patterns: BTreeMap<(&Place, String), OpenPattern> = BTreeMap::new();
    for ((place, _, method), (path, guarded, line)) in found {
        let pattern = format!("{} {path}", method.unwrap_or("any"));
        let open = patterns
            .entry((place, pattern.clone()))
            .or_insert_with(|| OpenPattern {
                place: place.clone(),
                line,
                pattern,
                covers: BTreeSet::new(),
            });
        open.covers.insert(guarded);
    }
    patterns.into_values().collect()
}

/// Compares the callers of an open route with those of a guarded one.
fn callers(open: &Route<'_>, guarded: &Route<'_>) -> ComparedCallers {
    let Some(guarded @ ParsedPolicy::Requires(_)) = guarded.policy else {
        return ComparedCallers::Within;
    };
    match open.policy {
        Some(ParsedPolicy::Public(_)) => ComparedCallers::More,
        None if open.kind == MountKind::Unguarded => ComparedCallers::More,
        None => ComparedCallers::Within,
        Some(open) => match compare(&lower::policy(guarded), &lower::policy(open)).callers {
            Change::Same | Change::Tightened => ComparedCallers::Within,
            Change::Loosened => ComparedCallers::More,
            Change::Changed => ComparedCallers::Others,
        },
    }
}
