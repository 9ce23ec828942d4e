//! The routes of routers at their full paths, as far as they are visible in sources.

use std::collections::{BTreeMap, BTreeSet};

use auth_grammar::requirement::ParsedPolicy;
use auth_runtime_core::open_pattern::MountKind;

use super::chains::{Chain, Link, Router, Spot};
use super::record::{Entry, Sources};
use super::routing::is_plain_router;

/// A handler or service at its full path.
pub(super) struct Route<'s> {
    pub(super) path: String,
    pub(super) method: Option<&'s str>,
    pub(super) kind: MountKind,
    pub(super) is_service: bool,
    /// `None` if the policy is unknown, or if the handler is public.
    pub(super) policy: Option<&'s ParsedPolicy>,
    pub(super) spot: &'s Spot,
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
pub(super) struct Index<'s> {
    sources: &'s Sources,
    policies: BTreeMap<&'s str, Vec<&'s Entry>>,
    /// The routers that functions return.
    results: BTreeMap<&'s [String], Vec<&'s Chain>>,
}

impl<'s> Index<'s> {
    pub(super) fn of(sources: &'s Sources) -> Self {
        let mut index = Self {
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
        index
    }

    /// Returns the routes of a router. It is read by itself here, and again at each merge or nest, where
    /// its paths are longer.
    pub(super) fn routes(&self, router: &'s Router) -> Vec<Route<'s>> {
        let mut expanded = Expanded {
            open: vec![&router.within],
            ..Expanded::default()
        };
        self.expand(&router.chain, "", &mut expanded);
        expanded.routes
    }

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
        if begin.iter().any(|path| is_plain_router(path)) {
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
pub(super) fn joined(prefix: &str, path: &str) -> String {
    match prefix.strip_suffix('/') {
        None if path == "/" && !prefix.is_empty() => prefix.to_owned(),
        None => format!("{prefix}{path}"),
        Some(prefix) => format!("{prefix}{path}"),
    }
}
