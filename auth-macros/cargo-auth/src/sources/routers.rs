//! The routes of all routers, with the parts that seem to check access. Here, plain routers are read
//! in the same way as guarded ones.

mod bindings;
mod branches;
mod calls;
mod check_names;
mod definitions;
mod evaluate;
mod exemptions;
mod extractors;
mod guarded;
mod handlers;
mod layers;
mod macros;
mod methods;
mod pages;
mod paths;
mod receivers;
mod router_functions;
mod texts;
mod value;

use std::collections::BTreeSet;

use auth_runtime_core::RouteKind;
use serde::Serialize;

pub(super) use self::definitions::{Definitions, NameScope};
use self::evaluate::Evaluator;
pub(super) use self::exemptions::{exemptions, protecting};
pub(crate) use self::guarded::{GuardedRoute, guarded_routers, split_path};
pub(super) use self::receivers::Receiver;
use self::router_functions::RouterFunctions;
pub(crate) use self::value::{Check, CheckKind};
use self::value::{Route, marked};
use super::finding::Place;
use super::record::{EntryKind, Sources};
use super::text::one_line;

/// A route, and the parts around it that seem to check access.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct AxumRoute {
    #[serde(flatten)]
    pub(crate) place: Place,
    /// The method, or `*` for all.
    pub(crate) method: String,
    /// The path. Unknown parts are in angle brackets, optional ones in square brackets.
    pub(crate) path: String,
    pub(crate) handler: String,
    /// The types of the handler's parameters.
    pub(crate) extractors: Vec<String>,
    /// The layers around it, the outermost first.
    pub(crate) layers: Vec<String>,
    pub(crate) checks: Vec<Check>,
    /// True if a guarded router adopts its router.
    pub(crate) is_adopted: bool,
}

/// A function that makes a router, and that nothing calls.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct UnusedRouter {
    #[serde(flatten)]
    pub(crate) place: Place,
    pub(crate) function: String,
    /// The number of its routes.
    pub(crate) routes: usize,
}

/// The routes of a workspace, by place.
pub(crate) struct Routes {
    pub(crate) routes: Vec<AxumRoute>,
    pub(crate) unused: Vec<UnusedRouter>,
}

/// Returns the routes of a workspace.
pub(crate) fn routes(sources: &Sources) -> Routes {
    let definitions = Definitions::of(sources);
    let functions = RouterFunctions::of(&definitions);
    let mut called = BTreeSet::new();
    let mut known = BTreeSet::new();
    let mut results = Vec::new();
    let mut unmounted = Vec::new();
    let mut unused = Vec::new();
    for index in functions.relevant {
        let Some(function) = definitions.functions.get(index) else {
            continue;
        };
        let mut evaluator = Evaluator::new(&definitions);
        let routes = shown(evaluator.routers(index));
        let bare = evaluator.unmounted;
        called.append(&mut evaluator.called);
        known.append(&mut evaluator.covered);
        if !functions.unused.contains(&index) {
            if function.is_selected {
                results.push((index, routes));
                unmounted.push((index, bare));
            }
        } else if function.is_selected && !(routes.is_empty() && bare.is_empty()) {
            let router = UnusedRouter {
                place: Place::of(function.file, function.signature.ident.span()),
                function: function.path.clone(),
                routes: routes.len() + bare.len(),
            };
            unused.push((index, router));
        }
    }
    for constant in definitions.constants.values() {
        let mut evaluator = Evaluator::new(&definitions);
        let routers = evaluator.routers_in(*constant);
        called.append(&mut evaluator.called);
        known.append(&mut evaluator.covered);
        if constant.is_selected {
            results.push((usize::MAX, shown(routers)));
            unmounted.push((usize::MAX, evaluator.unmounted));
        }
    }
    let (within, roots): (Vec<_>, Vec<_>) = results
        .into_iter()
        .partition(|(index, _)| called.contains(index));
    let mut found: Vec<Route<'_>> = roots.into_iter().flat_map(|(_, routes)| routes).collect();
    known.extend(found.iter().map(|route| route.place.clone()));
    // The result of a function may reach a router in a way that is not read.
    for mut route in within.into_iter().flat_map(|(_, routes)| routes) {
        // A fallback may be dropped.
        if !known.contains(&route.place) && route.kind != RouteKind::Fallback {
            route.path.insert(0, '…');
            found.push(route);
        }
    }
    let (within, roots): (Vec<_>, Vec<_>) = unmounted
        .into_iter()
        .partition(|(index, _)| called.contains(index));
    for unmounted in [roots, within] {
        known.extend(found.iter().map(|route| route.made_at.clone()));
        for mut route in unmounted.into_iter().flat_map(|(_, routes)| routes) {
            if !known.contains(&route.made_at) {
                route.path.push('…');
                found.push(route);
            }
        }
    }
    let mut routes: Vec<_> = found
        .into_iter()
        .map(|route| described(&definitions, route))
        .collect();
    routes.sort();
    // Several mounts of a router may differ in their layers.
    routes.dedup();
    // One of them may call another one.
    unused.retain(|(index, _)| !called.contains(index));
    let mut unused: Vec<_> = unused.into_iter().map(|(_, router)| router).collect();
    // A file can belong to several crates.
    unused.sort();
    unused.dedup_by(|one, other| one.place == other.place);
    Routes { routes, unused }
}

/// Returns the routes of routers, without the paths of unguarded ones: those are routes themselves.
fn shown(routers: Vec<Vec<Route<'_>>>) -> Vec<Route<'_>> {
    let routes = routers.into_iter().flatten();
    let shown = routes.filter(|route| route.kind != RouteKind::Unguarded);
    shown.collect()
}

fn described(definitions: &Definitions<'_>, route: Route<'_>) -> AxumRoute {
    let path = route.target.paths.first().map(|path| path.join("::"));
    let mut entries = definitions.sources.entries.iter();
    let policy = entries.find(|entry| {
        let applies = entry.kind == EntryKind::Handler || route.is_guarded;
        applies && path.as_ref() == Some(&entry.path)
    });
    // A macro may write the handler with its policy.
    let unknown = || route.is_guarded.then(|| "unknown".to_owned());
    let policy = policy
        .map(|entry| entry.policy.to_string())
        .or_else(unknown)
        .map(|text| Check {
            kind: CheckKind::Policy,
            text,
        });
    let handler = route
        .target
        .callable
        .map(|callable| handlers::read(definitions, callable))
        .unwrap_or_default();
    let around = route.layers.iter().filter_map(|layer| {
        layer.check.as_ref().map(|check| Check {
            text: marked(&check.text, layer.is_conditional),
            ..check.clone()
        })
    });
    let mut checks: Vec<Check> = policy.into_iter().chain(around).collect();
    checks.extend(handler.checks);
    checks.sort();
    checks.dedup();
    let shown = route.layers.iter().rev();
    let shown = shown.map(|layer| marked(&layer.text, layer.is_conditional));
    AxumRoute {
        place: route.place,
        method: route.method,
        path: one_line(&route.path),
        handler: route.target.name,
        extractors: handler.extractors,
        layers: shown.collect(),
        checks,
        is_adopted: route.is_adopted,
    }
}
