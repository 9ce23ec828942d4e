//! A router that accepts only handlers with a policy.

use std::collections::HashSet;
use std::convert::Infallible;
use std::fmt;
use std::panic::Location;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::MethodRouter;
use tower::Service;

use crate::guard::ServicePolicy;
use crate::routing::endpoint::{Endpoint, Methods};
use crate::routing::method_router::{GuardedMethods, any_service};
use crate::routing::route::{Extent, FallbackRoute, GuardedRoute, nested_path};
use crate::routing::step::Step;
use crate::routing::unguarded::Unguarded;

/// A router like axum's, which accepts only handlers with a policy.
///
/// An endpoint without a policy does not compile. The router serves nothing until
/// [`protect`](Self::protect) makes it a [`ProtectedRouter`](super::ProtectedRouter).
///
/// ```
/// use auth_runtime::routing::get;
/// use auth_runtime::{GuardedRouter, ProtectionSpace, public, requires};
///
/// #[public(reason = "liveness probe")]
/// async fn healthz() -> &'static str {
///     "ok"
/// }
///
/// #[requires(scope = "admin", hide_as = 404)]
/// async fn dashboard() -> &'static str {
///     "all is well"
/// }
///
/// fn app(space: ProtectionSpace) -> Result<auth_runtime::ProtectedRouter, auth_runtime::ProtectError> {
///     GuardedRouter::new()
///         .route("/healthz", get(healthz))
///         .route("/admin", get(dashboard))
///         .protect(space)
/// }
/// ```
///
/// # Layers
///
/// [`layer`](Self::layer) works as in axum: the layer goes around all routes and fallbacks added
/// before it. If some path is hidden, requests to hidden and to unknown paths are authenticated
/// inside the layers that all of them have, and outside all others, so that no layer reveals
/// a path. Layers that authentication needs
/// (sessions), and layers for every request (tracing, timeouts, CORS for hidden paths), go around
/// the protected router: `router.protect(space).layer(…)`.
///
/// On a hidden path, the decision is therefore about the request in front of such layers. If they change the method, the
/// query, or a header field that a scheme reads, the request is authenticated and decided again behind them. If they
/// change another header field, the target or the peer, a policy with `check`, `can` or `network` is decided again for
/// the same caller. The second decision counts; a concealed denial of the first one is final. A change of other
/// extensions alone is not noticed: a layer that sets an extension for a check goes around the protected router.
///
/// A layer can respond in place of any handler, as in axum, without evaluation of its policy. An
/// audit of a service therefore includes its layers.
///
/// # Unknown paths
///
/// The response of an unknown path is a 404, or that of the [`fallback`](Self::fallback) if there
/// is one. A concealed denial runs the same code with the same request. All data that axum adds to
/// the request of a matched route is removed first, path parameters included. So a fallback does not
/// receive the parameters of a plain router around the protected one. A fallback that is nested below
/// `/{tenant}` receives `tenant`.
///
/// Every 404 and 405 is `no-store`. If some path is hidden, so is every response of the fallback: a
/// cache could otherwise send it to callers with more rights.
#[derive(Clone)]
#[must_use = "a `GuardedRouter` serves nothing until `.protect(space)` makes a `ProtectedRouter` of it"]
pub struct GuardedRouter<S = ()> {
    pub(super) routes: Vec<GuardedRoute<S>>,
    pub(super) unguarded: Vec<Unguarded<S>>,
    /// The fallback for unknown paths of this router.
    pub(super) fallback: FallbackRoute<S>,
    /// The fallbacks of nested routers that have one.
    pub(super) nested_fallbacks: Vec<FallbackRoute<S>>,
}

/// The routes of another router, as [`GuardedRouter::merge`] and [`GuardedRouter::nest`] accept them.
///
/// Not sealed: a type of a service implements it together with `Into<GuardedRouter>`, so its routes have policies.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a guarded router [AUTH0046]",
    label = "only a `GuardedRouter` can be added here",
    note = "a plain `axum::Router` is added by `merge_unguarded`, with a reason and its paths, or by `adopt` \
            during a migration",
    note = "a `ProtectedRouter` is added to another `ProtectedRouter`: call `protect` first"
)]
pub trait GuardedRoutes: Into<GuardedRouter<<Self as GuardedRoutes>::State>> {
    /// The type of the state that the handlers extract, which is that of the other router.
    type State;
}

impl<S> GuardedRoutes for GuardedRouter<S> {
    type State = S;
}

impl<S: Clone + Send + Sync + 'static> GuardedRouter<S> {
    /// Creates a router without routes.
    pub fn new() -> Self {
        Self {
            routes: Vec::new(),
            unguarded: Vec::new(),
            fallback: FallbackRoute::default(),
            nested_fallbacks: Vec::new(),
        }
    }

    /// Adds the handlers of a path, like axum's [`Router::route`].
    ///
    /// # Panics
    ///
    /// If the path does not start with `/`, or is not a valid path of axum for another reason.
    #[track_caller]
    pub fn route(mut self, path: &str, methods: impl GuardedMethods<State = S>) -> Self {
        check_path(path);
        for endpoint in methods.into().endpoints {
            self.push(path, Extent::Path, endpoint);
        }
        self
    }

    /// Routes a path to a service, with the policy of a unit struct.
    ///
    /// The service does not receive the caller. If it needs the caller, as an MCP or a GraphQL server does, a handler
    /// calls it with the identity in the extensions of the request:
    ///
    /// ```
    /// use auth_runtime::routing::any;
    /// use auth_runtime::{Guard, GuardedRouter, requires};
    /// use axum::extract::{Request, State};
    /// use axum::response::Response;
    /// use tower::ServiceExt;
    ///
    /// # type Mcp = axum::Router;
    /// #[requires(scope = "tools")]
    /// async fn mcp(guard: Guard, State(service): State<Mcp>, mut request: Request) -> Response {
    ///     request.extensions_mut().insert(guard.identity().clone());
    ///     let Ok(response) = service.oneshot(request).await;
    ///     response
    /// }
    ///
    /// # let service = Mcp::new();
    /// let router: GuardedRouter = GuardedRouter::new().route("/mcp", any(mcp)).with_state(service);
    /// ```
    ///
    /// # Panics
    ///
    /// Like [`route`](Self::route).
    #[track_caller]
    pub fn route_service<P, T>(self, path: &str, policy: P, service: T) -> Self
    where
        P: ServicePolicy,
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send,
    {
        self.route(path, any_service(policy, service))
    }

    /// Routes a path and all paths below it to a service, with the policy of a unit struct.
    ///
    /// ```
    /// use std::convert::Infallible;
    ///
    /// use auth_runtime::{GuardedRouter, requires};
    ///
    /// #[requires(scope = "files:read")]
    /// struct Files;
    ///
    /// let files = tower::service_fn(|_request: axum::extract::Request| async {
    ///     Ok::<_, Infallible>("a file")
    /// });
    /// let router: GuardedRouter = GuardedRouter::new().nest_service("/files", Files, files);
    /// ```
    ///
    /// At `/`, the service takes all paths that no other route matches. In contrast to a
    /// [fallback](Self::fallback_service), it can have a restricted policy: a whole plain router, which has not moved
    /// yet, is behind one policy there. Then no path is unknown, so a hidden path beside it is revealed. If the policy
    /// of the service is hidden, a denial has the response of the fallback, and `assert_hidden` and the access matrix
    /// find no unknown path to compare it with. Beside a route at `/`, the service also responds to the other methods of
    /// `/`; if a handler at `/` is hidden, so are the denials of the service. If this router is nested below `/v1`, the service takes `/v1` and all
    /// paths below it, except `/v1/`.
    ///
    /// # Panics
    ///
    /// Like axum's [`Router::nest_service`], except at `/`.
    #[track_caller]
    pub fn nest_service<P, T>(mut self, prefix: &str, _policy: P, service: T) -> Self
    where
        P: ServicePolicy,
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send,
    {
        if prefix != "/" {
            check_prefix(prefix);
        }
        self.push(
            prefix,
            Extent::Subtree,
            Endpoint::of_service::<P, T>(Methods::Any, service),
        );
        self
    }

    /// Mounts the routes of `router` below `prefix`, like axum's [`Router::nest`]. If `router` has
    /// a fallback, it responds for the unknown and the hidden paths below `prefix`, also for those
    /// of other routers.
    ///
    /// # Panics
    ///
    /// If the prefix is empty or `/`, or contains a wildcard.
    #[track_caller]
    pub fn nest(mut self, prefix: &str, router: impl GuardedRoutes<State = S>) -> Self {
        check_prefix(prefix);
        let router = router.into();
        let nest = Step::nest(prefix);
        let has_fallback = router.has_fallback();
        for mut route in router.routes {
            route.full_path = nested_path(prefix, &route.full_path);
            if let Some(others) = &mut route.others {
                others.prefix = nested_path(prefix, &others.prefix);
                others.steps.push(nest.clone());
            }
            route.steps.push(nest.clone());
            self.routes.push(route);
        }
        for mut unguarded in router.unguarded {
            unguarded.prefix = nested_path(prefix, &unguarded.prefix);
            unguarded.steps.push(nest.clone());
            self.unguarded.push(unguarded);
        }
        let own = has_fallback.then_some(router.fallback);
        for mut fallback in own.into_iter().chain(router.nested_fallbacks) {
            fallback.prefix = nested_path(prefix, &fallback.prefix);
            fallback.steps.push(nest.clone());
            self.nested_fallbacks.push(fallback);
        }
        self
    }

    /// Adds the routes of `other`, like axum's [`Router::merge`]. If neither router has a fallback, the layers
    /// around unknown paths are those of `other`, as in axum.
    ///
    /// # Panics
    ///
    /// If both routers have a fallback.
    #[track_caller]
    pub fn merge(mut self, other: impl GuardedRoutes<State = S>) -> Self {
        let other = other.into();
        if self.has_fallback() {
            assert!(
                !other.has_fallback(),
                "Cannot merge two `GuardedRouter`s that both have a fallback"
            );
        } else {
            self.fallback = other.fallback;
        }
        self.routes.extend(other.routes);
        self.unguarded.extend(other.unguarded);
        self.nested_fallbacks.extend(other.nested_fallbacks);
        self
    }

    /// Adds the routes of a plain axum router, without policies. This method and [`adopt`](Self::adopt)
    /// are the only ways to add routes without guards, and require a reason.
    /// [`protect`](Self::protect) rejects an empty one.
    ///
    /// Only the listed `paths` are served. axum does not disclose the routes of a router, so they
    /// are listed here in axum's syntax, or with `/*` at the end for a path and all paths below it.
    /// The access table and `access.lock` have a row for each. A route that is added to the plain
    /// router is an unknown path until it is listed.
    ///
    /// ```
    /// use auth_runtime::GuardedRouter;
    /// use axum::Router;
    /// use axum::routing::get;
    ///
    /// let metrics = Router::new().route("/metrics", get(async || "requests_total 7"));
    /// let router: GuardedRouter = GuardedRouter::new().merge_unguarded(
    ///     "the network policy admits the scraper only",
    ///     &["/metrics"],
    ///     metrics,
    /// );
    /// ```
    ///
    /// The fallback of the plain router is dropped, so that all unknown paths have the same
    /// response. One exception: if a listed pattern, such as `/pages/{id}`, matches the path of an unlisted route, such
    /// as `/pages/special`, axum adds `Allow` with the methods of that route to the 404 for other methods.
    ///
    /// # Panics
    ///
    /// If one of the paths is not a valid route of axum.
    #[track_caller]
    pub fn merge_unguarded(self, reason: &'static str, paths: &[&str], router: Router<S>) -> Self {
        for path in paths {
            check_path(match path.strip_suffix("/*") {
                Some("") => "/",
                Some(prefix) => prefix,
                None => path,
            });
        }
        self.add_unguarded(reason, paths, router, false)
    }

    #[track_caller]
    pub(super) fn add_unguarded(
        mut self,
        reason: &'static str,
        paths: &[&str],
        router: Router<S>,
        is_adopted: bool,
    ) -> Self {
        self.unguarded.push(Unguarded {
            router: router.reset_fallback(),
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            reason,
            is_adopted,
            written: Location::caller(),
            prefix: "/".to_owned(),
            steps: Vec::new(),
        });
        self
    }

    /// Returns the data that is [attached](super::GuardedMethodRouter::with_extension) to handlers,
    /// each with the path of its route, prefixes included, in the order of the routes.
    pub fn extensions<T: Send + Sync + 'static>(&self) -> impl Iterator<Item = (&str, &T)> {
        self.routes.iter().filter_map(|route| {
            let value = route.endpoint.extensions.get()?;
            Some((route.full_path.as_str(), value))
        })
    }

    /// Returns whether the router has a route, like axum's [`Router::has_routes`]. The paths of an
    /// [unguarded](Self::merge_unguarded) router count.
    #[must_use]
    pub fn has_routes(&self) -> bool {
        !self.routes.is_empty() || !self.unguarded.is_empty()
    }

    /// Provides the state for the handlers, like axum's [`Router::with_state`].
    pub fn with_state<S2>(self, state: S) -> GuardedRouter<S2> {
        let provide = |fallback: FallbackRoute<S>| fallback.with_state(&state);
        let routes = self.routes.into_iter();
        let unguarded = self.unguarded.into_iter();
        GuardedRouter {
            fallback: provide(self.fallback),
            nested_fallbacks: self.nested_fallbacks.into_iter().map(provide).collect(),
            routes: routes.map(|route| route.with_state(&state)).collect(),
            unguarded: unguarded.map(|it| it.with_state(&state)).collect(),
        }
    }

    fn push(&mut self, path: &str, extent: Extent, endpoint: Endpoint<S>) {
        self.routes.push(GuardedRoute {
            path: path.to_owned(),
            full_path: path.to_owned(),
            extent,
            steps: endpoint.steps.clone(),
            endpoint,
            others: None,
        });
    }
}

impl<S: Clone + Send + Sync + 'static> Default for GuardedRouter<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> fmt::Debug for GuardedRouter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let routes = self.routes.iter();
        let unguarded = self.unguarded.iter();
        f.debug_map()
            .entries(routes.map(|route| (&route.full_path, route.endpoint.policy.to_string())))
            .entries(unguarded.map(|unguarded| ("unguarded", unguarded.reason)))
            .finish()
    }
}

/// Validates a path with axum, so that a panic occurs where it is added rather than in `protect`.
#[track_caller]
fn check_path(path: &str) {
    // axum accepts every path without parameters, and another router takes as long as the route itself.
    let is_constant = path.starts_with('/') && !path.contains([':', '*', '{', '}']);
    if !is_constant {
        let _ = Router::<()>::new().route(path, MethodRouter::new());
    }
}

#[track_caller]
pub(super) fn check_prefix(prefix: &str) {
    let _ = Router::<()>::new().nest(prefix, Router::new());
}

/// The paths that have a hidden method.
pub(super) fn hidden_paths<'r, S: 'r>(
    routers: impl Iterator<Item = &'r GuardedRouter<S>>,
) -> HashSet<String> {
    routers
        .flat_map(|router| &router.routes)
        .filter(|route| route.endpoint.policy.is_hidden())
        .map(|route| route.full_path.clone())
        .collect()
}
