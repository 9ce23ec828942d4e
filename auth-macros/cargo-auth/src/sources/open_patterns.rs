//! Open patterns that match spellings of guarded paths, in the routes of guarded routers.

use std::collections::{BTreeMap, BTreeSet};

use auth_grammar::codes;
use auth_grammar::lower;
use auth_grammar::requirement::ParsedPolicy;
use auth_runtime_core::route_pattern::{Callers, Kind, Routed, find_covers};
use auth_runtime_policy::compare::{Change, compare};

use super::chains::{Chain, Link, Spot};
use super::finding::{Finding, Place};
use super::record::{Entry, Sources};

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
        Finding {
            place: self.place.clone(),
            code: Some(codes::OPEN_PATTERN.as_str().to_owned()),
            message: format!(
                "`{}` also matches percent-encoded spellings of {paths}, and allows more \
                 callers\n\
                 help: give it a policy that allows no other callers, or write the reason above \
                 it: `// unguarded: the reason`",
                self.pattern
            ),
        }
    }
}

/// A handler or service at its full path.
struct Route<'s> {
    path: String,
    method: Option<&'s str>,
    kind: Kind,
    is_service: bool,
    /// `None` if the policy is unknown, or if the handler is public.
    policy: Option<&'s ParsedPolicy>,
    spot: &'s Spot,
}

/// The limits for one router. Functions can call each other in a cycle, or merge each other
/// repeatedly.
const MAX_ROUTES: usize = 2_000;
const MAX_CHAINS: usize = 10_000;

/// The routes of a router, as far as they were read.
#[derive(Default)]
struct Expanded<'s> {
    routes: Vec<Route<'s>>,
    /// The number of chains that were read.
    chains: usize,
    /// The functions that are being read.
    open: Vec<&'s [String]>,
}

/// The sources, indexed by the paths of functions.
struct Index<'s> {
    sources: &'s Sources,
    policies: BTreeMap<&'s str, Vec<&'s Entry>>,
    /// The routers that functions return.
    results: BTreeMap<&'s [String], Vec<&'s Chain>>,
}

/// The places of an open pattern and of a guarded path, and the method of the pattern.
type Pair<'s> = (&'s Place, &'s Place, Option<&'s str>);

/// Returns the open patterns of all routers, in the order of their places.
pub(super) fn open_patterns(sources: &Sources) -> Vec<OpenPattern> {
    let mut index = Index {
        sources,
        policies: BTreeMap::new(),
        results: BTreeMap::new(),
    };
    for entry in &sources.entries {
        let of_path = index.policies.entry(entry.path.as_str()).or_default();
        of_path.push(entry);
    }
    for router in sources.routers.iter().filter(|router| router.is_result) {
        let of_function = index.results.entry(router.within.as_slice()).or_default();
        of_function.push(&router.chain);
    }
    // A router is read by itself, and again at each merge or nest, where its paths are longer.
    let mut found: BTreeMap<Pair<'_>, (String, String, usize)> = BTreeMap::new();
    for router in sources.routers.iter().filter(|router| router.is_selected) {
        let mut expanded = Expanded {
            open: vec![&router.within],
            ..Expanded::default()
        };
        index.expand(&router.chain, "", &mut expanded);
        let routes = expanded.routes;
        let routed: Vec<_> = routes
            .iter()
            .map(|route| Routed {
                path: route.path.as_str().into(),
                method: route.method,
                kind: route.kind,
                is_service: route.is_service,
            })
            .collect();
        let callers = |open: usize, guarded: usize| match (routes.get(open), routes.get(guarded)) {
            (Some(open), Some(guarded)) => callers(open, guarded),
            _ => Callers::Within,
        };
        for cover in find_covers(&routed, callers) {
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
fn callers(open: &Route<'_>, guarded: &Route<'_>) -> Callers {
    let Some(guarded @ ParsedPolicy::Requires(_)) = guarded.policy else {
        return Callers::Within;
    };
    match open.policy {
        Some(ParsedPolicy::Public(_)) => Callers::Everybody,
        None if open.kind == Kind::Unguarded => Callers::Everybody,
        None => Callers::Within,
        Some(open) => match compare(&lower::policy(guarded), &lower::policy(open)).callers {
            Change::Same | Change::Tightened => Callers::Within,
            Change::Loosened => Callers::More,
            Change::Changed => Callers::Others,
        },
    }
}

impl<'s> Index<'s> {
    /// Adds the routes of a chain.
    fn expand(&self, chain: &'s Chain, prefix: &str, expanded: &mut Expanded<'s>) {
        expanded.chains += 1;
        if expanded.chains > MAX_CHAINS {
            return;
        }
        let begin = match chain.begin.as_slice() {
            [] => BTreeSet::new(),
            begin => self.sources.names.resolve(chain.scope, begin),
        };
        let is_plain = |path: &Vec<String>| path.starts_with(&["axum".into(), "Router".into()]);
        if begin.iter().any(is_plain) {
            return;
        }
        for path in &begin {
            let Some((path, chains)) = self.results.get_key_value(path.as_slice()) else {
                continue;
            };
            if expanded.open.contains(path) {
                continue;
            }
            expanded.open.push(path);
            for chain in chains {
                self.expand(chain, prefix, expanded);
            }
            expanded.open.pop();
        }
        for link in &chain.links {
            match link {
                _ if expanded.routes.len() >= MAX_ROUTES => return,
                Link::Merged(inner) => self.expand(inner, prefix, expanded),
                Link::Nested(path, inner) => self.expand(inner, &joined(prefix, path), expanded),
                Link::Route {
                    path,
                    kind,
                    is_service,
                    methods,
                    spot,
                } => expanded
                    .routes
                    .extend(methods.iter().map(|(method, target)| {
                        Route {
                            path: joined(prefix, path),
                            method: method.as_deref(),
                            kind: *kind,
                            is_service: *is_service,
                            policy: target
                                .as_ref()
                                .and_then(|target| self.policy(spot.scope, target)),
                            spot,
                        }
                    })),
            }
        }
    }

    /// Returns the policy of the handler or service of that name, if there is only one.
    fn policy(&self, scope: usize, path: &[String]) -> Option<&'s ParsedPolicy> {
        let paths = self.sources.names.resolve(scope, path);
        let mut paths = paths.iter().map(|path| path.join("::"));
        let (only, None) = (paths.next()?, paths.next()) else {
            return None;
        };
        match self.policies.get(only.as_str())?.as_slice() {
            [entry] if !entry.is_mistaken => Some(&entry.policy),
            _ => None,
        }
    }
}

/// Joins a prefix and a path as axum does.
fn joined(prefix: &str, path: &str) -> String {
    match prefix.strip_suffix('/') {
        None if path == "/" && !prefix.is_empty() => prefix.to_owned(),
        None => format!("{prefix}{path}"),
        Some(prefix) => format!("{prefix}{path}"),
    }
}
