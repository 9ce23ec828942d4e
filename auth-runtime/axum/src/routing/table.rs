//! The access table of routers.

use std::any::TypeId;
use std::collections::HashSet;

use auth_runtime_core::adapter::RouteAccess;
use auth_runtime_core::{AccessRow, AccessTable, EndpointKind, HandlerLocation, RouteKind};
use auth_runtime_policy::Policy;

use crate::routing::protected::ProtectedRouter;
use crate::routing::route::{Extent, nested_path};
use crate::routing::router::{GuardedRouter, hidden_paths};

impl<S> GuardedRouter<S> {
    /// The access table: every route as mounted, with its policy and the location of that policy.
    /// It needs neither a space nor a running server.
    ///
    /// ```
    /// use auth_runtime::routing::get;
    /// use auth_runtime::{GuardedRouter, public};
    ///
    /// #[public(reason = "liveness probe")]
    /// async fn healthz() {}
    ///
    /// let router: GuardedRouter = GuardedRouter::new().route("/healthz", get(healthz));
    /// print!("{}", router.access_table());
    /// ```
    pub fn access_table(&self) -> AccessTable {
        table_of(&[self])
    }
}

impl ProtectedRouter {
    /// The access table of all routes, like [`GuardedRouter::access_table`].
    pub fn access_table(&self) -> AccessTable {
        let routers: Vec<_> = self.0.members.iter().map(|member| &member.router).collect();
        table_of(&routers)
    }
}

/// The access table of several routers on one host.
fn table_of<S>(routers: &[&GuardedRouter<S>]) -> AccessTable {
    let hidden_paths = &hidden_paths(routers.iter().copied());
    let rows = routers
        .iter()
        .flat_map(|router| rows_of(router, hidden_paths));
    AccessTable::new(rows.collect())
}

fn rows_of<S>(
    router: &GuardedRouter<S>,
    hidden_paths: &HashSet<String>,
) -> impl Iterator<Item = AccessRow> {
    let routes = router.routes.iter().flat_map(|route| {
        let kind = match route.extent {
            Extent::Path => RouteKind::Route,
            Extent::Subtree => RouteKind::Subtree,
        };
        let endpoint = &route.endpoint;
        let is_hidden = hidden_paths.contains(&route.full_path);
        endpoint.named_methods().into_iter().map(move |method| {
            let access = guarded(endpoint.policy, endpoint.location, endpoint.service_type);
            let row = AccessRow::new(kind, &route.full_path, method, access);
            if is_hidden { row.on_hidden_path() } else { row }
        })
    });
    let fallbacks = router.declared_fallbacks().map(|(prefix, declared)| {
        let access = guarded(declared.policy, declared.location, declared.service_type);
        let kind = RouteKind::Fallback;
        AccessRow::new(kind, prefix, None, access)
    });
    let unguarded = router.unguarded.iter().flat_map(|unguarded| {
        unguarded.paths.iter().map(|path| {
            let access = RouteAccess::Unguarded {
                reason: unguarded.reason,
                written: unguarded.written,
            };
            let path = nested_path(&unguarded.prefix, path);
            AccessRow::new(RouteKind::Unguarded, &path, None, access)
        })
    });
    routes
        .chain(rows_of_other_methods(router))
        .chain(fallbacks)
        .chain(unguarded)
}

/// The rows for methods without a handler: one for each router with a fallback for them.
fn rows_of_other_methods<S>(router: &GuardedRouter<S>) -> Vec<AccessRow> {
    let mut rows = Vec::new();
    for others in router
        .routes
        .iter()
        .filter_map(|route| route.others.as_ref())
    {
        let endpoint = &others.endpoint;
        let access = guarded(endpoint.policy, endpoint.location, endpoint.service_type);
        let row = AccessRow::new(RouteKind::MethodNotAllowed, &others.prefix, None, access);
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows
}

/// The access to a handler, or to a service of this type. A router with a layer around it is a service.
fn guarded(
    policy: &'static Policy,
    location: HandlerLocation,
    service_type: Option<TypeId>,
) -> RouteAccess {
    let routers = [
        TypeId::of::<axum::Router>(),
        TypeId::of::<ProtectedRouter>(),
    ];
    RouteAccess::Guarded {
        policy,
        location,
        endpoint_kind: match service_type {
            None => EndpointKind::Handler,
            Some(id) if routers.contains(&id) => EndpointKind::Router,
            Some(_) => EndpointKind::Service,
        },
    }
}
