//! The routes of guarded routers, with their policies.

use std::collections::{BTreeMap, BTreeSet};

use auth_grammar::requirement::ParsedPolicy;
use auth_runtime_core::RouteKind;

use super::definitions::Definitions;
use super::evaluate::Evaluator;
use super::router_functions::RouterFunctions;
use super::value::{Route, Target};
use crate::sources::finding::Place;
use crate::sources::record::{Entry, Sources};

/// A route of a guarded router.
pub(crate) struct GuardedRoute<'s> {
    /// The place of the method that mounts it.
    pub(crate) place: Place,
    /// The method. `None` for all methods that no other route of the path has.
    pub(crate) method: Option<String>,
    /// The path. Unknown parts are in brackets.
    pub(crate) path: String,
    /// The path in its protected router, which has to have the parameters of the policy.
    pub(crate) protected_path: String,
    pub(crate) kind: RouteKind,
    pub(crate) is_service: bool,
    /// `None` if the policy is unknown.
    pub(crate) policy: Option<&'s ParsedPolicy>,
    branches: Vec<(usize, bool)>,
}

/// The maximum number of routes of one router. Functions can merge each other repeatedly.
const MAX_ROUTES: usize = 20_000;

/// Returns the guarded routes of each router that a function returns, serves or passes on. A router
/// is read by itself, and again at each merge or nest, where its paths are longer. Also returns the reasons for
/// routes that are left out.
pub(crate) fn guarded_routers(sources: &Sources) -> (Vec<Vec<GuardedRoute<'_>>>, Vec<String>) {
    let definitions = Definitions::of(sources);
    let mut policies: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in &sources.entries {
        policies.entry(&entry.path).or_default().push(entry);
    }
    // The policy of a handler or a service, if there is only one.
    let policy = |target: &Target<'_>| {
        let mut paths = target.paths.iter();
        let (only, None) = (paths.next()?, paths.next()) else {
            return None;
        };
        match policies.get(only.join("::").as_str())?.as_slice() {
            [entry] if !entry.is_mistaken => Some(&entry.policy),
            _ => None,
        }
    };
    let guarded = |route: Route<'_>| {
        let place = route.link?;
        let policy = policy(&route.target);
        let protected_path = route.protected_path.as_ref();
        // A route without a known method has none here.
        let methods = route.method.split('|').filter(|method| *method != "?");
        let routes = methods.map(|method| GuardedRoute {
            place: place.clone(),
            method: (method != "*").then(|| method.to_owned()),
            path: route.path.clone(),
            protected_path: protected_path.unwrap_or(&route.path).clone(),
            kind: route.kind,
            is_service: route.is_service,
            policy,
            branches: route.branches.clone(),
        });
        Some(routes.collect::<Vec<_>>())
    };
    let functions = RouterFunctions::of(&definitions).relevant.into_iter();
    let selected = functions.filter(|index| {
        let function = definitions.functions.get(*index);
        function.is_some_and(|function| function.is_selected)
    });
    let mut made = Vec::new();
    let mut unread = BTreeSet::new();
    for index in selected {
        let mut evaluator = Evaluator::new(&definitions);
        made.append(&mut evaluator.routers(index));
        unread.extend(evaluator.unread);
    }
    let constants = definitions.constants.values();
    for constant in constants.filter(|constant| constant.is_selected) {
        let mut evaluator = Evaluator::new(&definitions);
        made.append(&mut evaluator.routers_in(*constant));
        unread.extend(evaluator.unread);
    }
    let mut routers = Vec::new();
    for routes in made {
        let mut known = BTreeSet::new();
        let routes = routes.into_iter().filter_map(&guarded).flatten();
        let mut routes: Vec<_> = routes
            .filter(|route| {
                let (path, branches) = (route.path.clone(), route.branches.clone());
                known.insert((route.place.clone(), route.method.clone(), path, branches))
            })
            .collect();
        if let Some(GuardedRoute { place, .. }) = routes.get(MAX_ROUTES) {
            let Place { file, line, .. } = place;
            unread.insert(format!(
                "{file}:{line}: the routes of this router are not compared, since it has more than {MAX_ROUTES}"
            ));
            routes.clear();
        }
        routers.push(routes);
    }
    (routers, unread.into_iter().collect())
}

impl GuardedRoute<'_> {
    /// Returns whether no router has both routes: a condition chooses between them.
    pub(crate) fn excludes(&self, other: &Self) -> bool {
        let mut branches = self.branches.iter();
        branches.any(|(choice, side)| other.branches.contains(&(*choice, !side)))
    }
}

/// Splits a path behind its last unknown part.
pub(crate) fn split_path(path: &str) -> (&str, &str) {
    path.split_at(path.rfind(['>', ']']).map_or(0, |end| end + 1))
}
