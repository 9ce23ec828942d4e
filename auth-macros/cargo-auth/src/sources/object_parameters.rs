//! Objects that policies name by path parameters that their routes do not have.

use std::collections::BTreeMap;

use auth_grammar::codes;
use auth_grammar::lower;
use auth_runtime_core::route_pattern::has_parameter;

use super::finding::{Finding, Place};
use super::routers::{GuardedRoute, split_path};

/// The place of a route and its method, and the object.
type Object<'s> = (&'s Place, Option<&'s str>, String);

/// Returns the parameters that are in no path of a route. A router is read at every place where it is
/// merged or nested, so a parameter may be in a prefix.
pub(super) fn findings(routers: &[Vec<GuardedRoute<'_>>]) -> Vec<Finding> {
    let mut missing: BTreeMap<Object<'_>, (String, Vec<String>)> = BTreeMap::new();
    for route in routers.iter().flatten() {
        let (unknown, path) = split_path(&route.protected_path);
        for (on, parameters) in objects(route) {
            let absent = parameters.into_iter();
            let absent: Vec<String> = absent
                .filter(|name| unknown.is_empty() && !has_parameter(path, name))
                .collect();
            let key = (&route.place, route.method.as_deref(), on);
            let known = missing
                .entry(key)
                .or_insert_with(|| (route.protected_path.clone(), absent.clone()));
            if absent.len() < known.1.len() {
                *known = (route.protected_path.clone(), absent);
            }
        }
    }
    let missing = missing.into_iter();
    missing
        .flat_map(|((place, _, on), (path, absent))| {
            absent.into_iter().map(move |name| {
                let message = format!(
                    "the path `{path}` has no parameter `{name}`, which `on = {on:?}` of its policy \
                     names\n\
                     help: add `{{{name}}}` to the path, or name another parameter"
                );
                Finding::new(place.clone(), codes::NO_PARAMETER, message)
            })
        })
        .collect()
}

/// Returns the objects in the policy of a route, with their parameters.
fn objects(route: &GuardedRoute<'_>) -> Vec<(String, Vec<String>)> {
    let Some(policy) = route.policy.map(lower::policy) else {
        return Vec::new();
    };
    let requirements = policy.object_requirements().into_iter();
    let patterns = requirements.filter_map(|requirement| requirement.on.pattern());
    patterns
        .map(|on| (on.to_string(), on.parameters().map(str::to_owned).collect()))
        .collect()
}
