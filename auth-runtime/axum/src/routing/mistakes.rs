//! The mistakes in a router that only its protection space shows.

use auth_runtime_core::adapter::Space;
use auth_runtime_core::route_pattern::{has_parameter, repeated_parameter};

use crate::routing::adopted::matched_paths;
use crate::routing::endpoint::Endpoint;
use crate::routing::protect_error::Mistake;
use crate::routing::router::GuardedRouter;

/// The mistakes in a router that `space` should protect.
pub(super) fn mistakes_of(router: &GuardedRouter, space: &Space) -> Vec<Mistake> {
    let others = router
        .routes
        .iter()
        .filter_map(|route| route.others.as_ref());
    // All paths of a router have the same handler.
    let mut of_others = Vec::new();
    for mistake in others.flat_map(|others| mistakes_of_endpoint(&others.endpoint, space)) {
        if !of_others.contains(&mistake) {
            of_others.push(mistake);
        }
    }
    let of_routes = router
        .routes
        .iter()
        .flat_map(|route| mistakes_of_endpoint(&route.endpoint, space));
    let of_paths = repeated_parameters(router);
    let of_fallbacks = router
        .declared_fallbacks()
        .filter_map(|(_, declared)| declared.borrower)
        .map(Mistake::Borrowed);
    let of_unguarded = router.unguarded.iter().filter_map(|unguarded| {
        let is_empty = unguarded.reason.trim().is_empty();
        is_empty.then_some(Mistake::Reason {
            written: unguarded.written,
        })
    });
    let adopted = router.unguarded.iter().filter(|it| it.is_adopted);
    let of_adopted = adopted.flat_map(|adopted| {
        let paths = matched_paths(router, adopted).into_iter();
        paths.map(|path| Mistake::Adopted {
            written: adopted.written,
            path,
        })
    });
    let of_objects = router.routes.iter().flat_map(|route| {
        let handler = route.endpoint.location.handler();
        let requirements = route.endpoint.policy.object_requirements().into_iter();
        let patterns = requirements.filter_map(|requirement| requirement.on.pattern());
        patterns.flat_map(move |on| {
            let is_name = has_parameter(&route.full_path, on.id());
            let constant = is_name.then(|| Mistake::ConstantId {
                handler,
                path: route.full_path.clone(),
                on: on.clone(),
            });
            let missing = on
                .parameters()
                .filter(|name| !has_parameter(&route.full_path, name));
            let missing = missing.map(|name| Mistake::MissingParameter {
                handler,
                path: route.full_path.clone(),
                on: on.clone(),
                name: name.to_owned(),
            });
            missing.chain(constant).collect::<Vec<_>>()
        })
    });
    let of_routes = of_routes.chain(of_paths).chain(of_objects).chain(of_others);
    of_routes
        .chain(of_fallbacks)
        .chain(of_unguarded)
        .chain(of_adopted)
        .collect()
}

/// The paths with two parameters of one name.
pub(super) fn repeated_parameters(router: &GuardedRouter) -> impl Iterator<Item = Mistake> {
    router.routes.iter().filter_map(|route| {
        let name = repeated_parameter(&route.full_path)?;
        Some(Mistake::Parameter {
            handler: route.endpoint.location.handler(),
            path: route.full_path.clone(),
            name: name.to_owned(),
        })
    })
}

/// The mistakes in one endpoint.
fn mistakes_of_endpoint(endpoint: &Endpoint<()>, space: &Space) -> Vec<Mistake> {
    let handler = endpoint.location.handler();
    let obstacles = space.obstacles(endpoint.policy, handler).into_iter();
    let state = endpoint.state_for_functions();
    let functions = endpoint.functions.iter();
    let states = functions
        .filter(|function| !function.state().is_met_by(&*state))
        .map(|function| Mistake::State {
            handler,
            function: function.name(),
            state: function.state().name,
        });
    let users = endpoint.users.iter().filter_map(|user| {
        let without = space.schemes_without(*user, endpoint.policy);
        let schemes: Vec<String> = without.map(str::to_owned).collect();
        (!schemes.is_empty()).then_some(Mistake::User {
            handler,
            user: user.name(),
            schemes,
        })
    });
    let borrowed = endpoint.borrower.map(Mistake::Borrowed);
    obstacles
        .map(Mistake::Obstacle)
        .chain(states)
        .chain(users)
        .chain(borrowed)
        .collect()
}
