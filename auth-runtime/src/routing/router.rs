//! A router that accepts only handlers with a policy.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::handler::Handler;
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
#[cfg(feature = "resource-metadata")]
use axum::routing::MethodFilter;
use axum::routing::{MethodRouter, Route};
use http::{HeaderValue, Method, StatusCode, header};
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt};

use crate::access_table::{Access, AccessRow, AccessTable, Mounted};
use crate::declaration::Declaration;
use crate::guard::{ForEverybody, ForServices, HasPolicy};
use crate::policy::Policy;
use crate::routing::borrower::Borrower;
use crate::routing::gate::{Gate, uncacheable_if_missing};
use crate::routing::handler::GuardedParameters;
use crate::routing::method_router::{Endpoint, GuardedMethodRouter};
use crate::routing::outer_gate::OuterGate;
use crate::routing::protect_error::{Mistake, ProtectError};
use crate::routing::unknown::{Fallback, UnknownPath, unmatch};
use crate::space::ProtectionSpace;
use crate::witness::{Testimony, Witness};

/// axum's `Router` for handlers that carry a policy, and for no others.
///
/// It becomes a plain [`Router`] only through [`protect`](Self::protect), so an endpoint that
/// nobody thought about does not compile.
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
/// fn app(space: ProtectionSpace) -> Result<axum::Router, auth_runtime::ProtectError> {
///     GuardedRouter::new()
///         .route("/healthz", get(healthz))
///         .route("/admin", get(dashboard))
///         .protect(space)
/// }
/// ```
///
/// # Layers
///
/// [`layer`](Self::layer) does what it does in axum: it goes around the routes and the fallback
/// that were added before it. Where a path has a hidden method, the decision is made outside of
/// those layers that unknown paths do not have, so that no layer can tell the two apart. What
/// authentication itself needs (a session), and what has to see every request (tracing, timeouts,
/// CORS for hidden paths), goes around the protected router: `router.protect(space).layer(…)`.
///
/// A layer can answer in the place of any handler, as in axum, and no policy is asked about that: who
/// audits a service reads its layers, too.
///
/// # Unknown paths
///
/// A path that is not there answers 404, by the [`fallback`](Self::fallback) if there is one, and
/// a hidden denial is answered by the same code with the same request. All that axum has to say
/// about a matched route is taken out of that request, but for the parameters of the path, which
/// axum keeps to itself: a fallback that extracts `Option<Path<…>>` could print them.
///
/// Every 404 and 405 is `no-store`, and where something is hidden so is every answer of the
/// fallback: a stored one would later be given to callers who may see more.
#[must_use = "a `GuardedRouter` serves nothing until `.protect(space)` makes a `Router` of it"]
pub struct GuardedRouter<S = ()> {
    routes: Vec<GuardedRoute<S>>,
    unguarded: Vec<Unguarded<S>>,
    /// For the paths below this router that are not there.
    fallback: FallbackRoute<S>,
    /// The same of nested routers that have one of their own.
    nested_fallbacks: Vec<FallbackRoute<S>>,
}

/// One method of one path.
struct GuardedRoute<S> {
    /// As it was given; the steps add what it is nested under.
    path: String,
    /// As it will be matched.
    full_path: String,
    target: Target,
    endpoint: Endpoint<S>,
    /// What was done to it, from the inside out.
    steps: Vec<Step>,
    /// The nested fallback that answers for its neighbours; `None` for the router's own.
    fallback: Option<FallbackId>,
}

#[derive(Clone, Copy, PartialEq)]
enum Target {
    Path,
    /// A service that takes the path and all below it.
    Subtree,
}

struct Unguarded<S> {
    router: Router<S>,
    reason: &'static str,
    /// Where in the service's source.
    written: &'static Location<'static>,
    /// What it is nested under; `/` if under nothing.
    prefix: String,
    steps: Vec<Step>,
}

struct FallbackRoute<S> {
    id: FallbackId,
    /// `None`: the space's own 404.
    service: Option<MakeFallback<S>>,
    /// What it says of itself, if there is one.
    declared: Option<(Policy, Declaration)>,
    /// What it is nested under; `/` if under nothing.
    prefix: String,
    /// A handler whose guard is for another one.
    borrower: Option<Borrower>,
    steps: Vec<Step>,
}

type MakeFallback<S> = Box<dyn FnOnce(S) -> Fallback + Send>;

/// The address of the fallback's first owner is as good a name as any.
type FallbackId = Arc<()>;

/// Something that was done to routes: applied when the router is protected.
#[derive(Clone)]
pub(crate) struct Step {
    apply: Arc<dyn Fn(Router) -> Router + Send + Sync>,
    kind: StepKind,
}

#[derive(Clone, Copy)]
enum StepKind {
    Layer,
    /// Nested below a prefix of this many segments.
    Nest {
        segments: usize,
    },
}

impl Step {
    pub(crate) fn layer<L>(layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        Self {
            apply: Arc::new(move |router| router.layer(layer.clone())),
            kind: StepKind::Layer,
        }
    }

    fn nest(prefix: &str) -> Self {
        let prefix = prefix.to_owned();
        let segments = prefix.split('/').filter(|part| !part.is_empty()).count();
        Self {
            apply: Arc::new(move |router| Router::new().nest(&prefix, router)),
            kind: StepKind::Nest { segments },
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.apply, &other.apply)
    }

    fn stripped_segments(&self) -> usize {
        match self.kind {
            StepKind::Layer => 0,
            StepKind::Nest { segments } => segments,
        }
    }
}

fn apply(steps: &[Step], router: Router) -> Router {
    steps
        .iter()
        .fold(router, |router, step| (step.apply)(router))
}

impl<S: Clone + Send + Sync + 'static> GuardedRouter<S> {
    /// A router without routes: every path is unknown.
    pub fn new() -> Self {
        Self {
            routes: Vec::new(),
            unguarded: Vec::new(),
            fallback: FallbackRoute {
                id: FallbackId::default(),
                service: None,
                declared: None,
                prefix: "/".to_owned(),
                borrower: None,
                steps: Vec::new(),
            },
            nested_fallbacks: Vec::new(),
        }
    }

    /// Adds the handlers of a path, as axum's [`Router::route`] does.
    ///
    /// # Panics
    ///
    /// If the path does not start with `/` or is no route of axum's for another reason.
    #[track_caller]
    pub fn route(mut self, path: &str, methods: GuardedMethodRouter<S>) -> Self {
        check_path(path);
        for endpoint in methods.endpoints {
            self.push(path, Target::Path, endpoint);
        }
        self
    }

    /// Routes a path to a service, with the policy of a unit struct.
    ///
    /// # Panics
    ///
    /// As [`route`](Self::route).
    #[track_caller]
    pub fn route_service<P, T>(self, path: &str, policy: P, service: T) -> Self
    where
        P: ForServices,
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send,
    {
        self.route(path, crate::routing::any_service(policy, service))
    }

    /// Routes a path and all below it to a service, with the policy of a unit struct.
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
    /// # Panics
    ///
    /// As axum's [`Router::nest_service`].
    #[track_caller]
    pub fn nest_service<P, T>(mut self, prefix: &str, _policy: P, service: T) -> Self
    where
        P: ForServices,
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send,
    {
        check_prefix(prefix);
        self.push(
            prefix,
            Target::Subtree,
            Endpoint::of_service::<P, T>(None, service),
        );
        self
    }

    /// Puts the routes of `router` below `prefix`, as axum's [`Router::nest`] does. A fallback of
    /// its own answers the unknown paths below `prefix`.
    ///
    /// # Panics
    ///
    /// If the prefix is empty or `/`, or has a wildcard.
    #[track_caller]
    pub fn nest(mut self, prefix: &str, router: Self) -> Self {
        check_prefix(prefix);
        let nest = Step::nest(prefix);
        let own_fallback = router.fallback.service.is_some();
        for mut route in router.routes {
            route.full_path = nested_path(prefix, &route.full_path);
            route.steps.push(nest.clone());
            if own_fallback && route.fallback.is_none() {
                route.fallback = Some(Arc::clone(&router.fallback.id));
            }
            self.routes.push(route);
        }
        for mut unguarded in router.unguarded {
            unguarded.prefix = nested_path(prefix, &unguarded.prefix);
            unguarded.steps.push(nest.clone());
            self.unguarded.push(unguarded);
        }
        let own = own_fallback.then_some(router.fallback);
        for mut fallback in own.into_iter().chain(router.nested_fallbacks) {
            fallback.prefix = nested_path(prefix, &fallback.prefix);
            fallback.steps.push(nest.clone());
            self.nested_fallbacks.push(fallback);
        }
        self
    }

    /// Adds the routes of `other`, as axum's [`Router::merge`] does.
    ///
    /// # Panics
    ///
    /// If both have a fallback.
    #[track_caller]
    pub fn merge(mut self, other: Self) -> Self {
        if other.fallback.service.is_some() {
            assert!(
                self.fallback.service.is_none(),
                "Cannot merge two `GuardedRouter`s that both have a fallback"
            );
            self.fallback = other.fallback;
        }
        self.routes.extend(other.routes);
        self.unguarded.extend(other.unguarded);
        self.nested_fallbacks.extend(other.nested_fallbacks);
        self
    }

    /// Adds the routes of a plain axum router, which carry no policy: the one way around the
    /// guards, with the reason why that is right. [`protect`](Self::protect) refuses an empty one.
    ///
    /// Its fallback is dropped, so that unknown paths keep one answer.
    #[track_caller]
    pub fn merge_unguarded(mut self, reason: &'static str, router: Router<S>) -> Self {
        self.unguarded.push(Unguarded {
            router: router.reset_fallback(),
            reason,
            written: Location::caller(),
            prefix: "/".to_owned(),
            steps: Vec::new(),
        });
        self
    }

    /// Puts a layer around the routes and the fallback added so far, as axum's [`Router::layer`]
    /// does; see [Layers](Self#layers).
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        let step = Step::layer(layer);
        let routes = self.routes.iter_mut().map(|route| &mut route.steps);
        let unguarded = self.unguarded.iter_mut().map(|route| &mut route.steps);
        let fallbacks = std::iter::once(&mut self.fallback)
            .chain(&mut self.nested_fallbacks)
            .map(|fallback| &mut fallback.steps);
        for steps in routes.chain(unguarded).chain(fallbacks) {
            steps.push(step.clone());
        }
        self
    }

    /// Answers unknown paths, and hidden denials, with `handler`, as axum's [`Router::fallback`]
    /// does. It has to be public, since there is nothing there to guard, and says so:
    ///
    /// ```
    /// use auth_runtime::{GuardedRouter, public};
    /// use axum::http::StatusCode;
    ///
    /// #[public(reason = "tells nothing but that there is nothing")]
    /// async fn not_found() -> (StatusCode, &'static str) {
    ///     (StatusCode::NOT_FOUND, "nothing here")
    /// }
    ///
    /// let router: GuardedRouter = GuardedRouter::new().fallback(not_found);
    /// ```
    ///
    /// Requests with bad credentials do not reach it: they are answered 401, as on every path.
    pub fn fallback<H, T>(self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: GuardedParameters<H> + 'static,
        T::Policy: ForEverybody,
    {
        self.set_fallback::<T::Policy>(
            Borrower::find::<H, T::Policy>(),
            Box::new(move |state| BoxCloneSyncService::new(handler.with_state(state))),
        )
    }

    /// The same with a service, and a unit struct with `#[public]` that says why everybody may call
    /// it. A whole router is a service, too, and then this is a way around all guards.
    pub fn fallback_service<P, T>(self, _policy: P, service: T) -> Self
    where
        P: ForServices + ForEverybody,
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send + 'static,
    {
        self.set_fallback::<P>(
            None,
            Box::new(move |_state| {
                BoxCloneSyncService::new(service.map_response(IntoResponse::into_response))
            }),
        )
    }

    /// Gives the handlers their state, as axum's [`Router::with_state`] does.
    pub fn with_state<S2>(self, state: S) -> GuardedRouter<S2> {
        let provide = |fallback: FallbackRoute<S>| fallback.with_state(state.clone());
        GuardedRouter {
            fallback: provide(self.fallback),
            nested_fallbacks: self.nested_fallbacks.into_iter().map(provide).collect(),
            routes: self
                .routes
                .into_iter()
                .map(|route| GuardedRoute {
                    path: route.path,
                    full_path: route.full_path,
                    target: route.target,
                    endpoint: route.endpoint.with_state(state.clone()),
                    steps: route.steps,
                    fallback: route.fallback,
                })
                .collect(),
            unguarded: self
                .unguarded
                .into_iter()
                .map(|unguarded| Unguarded {
                    router: unguarded.router.with_state(state.clone()),
                    reason: unguarded.reason,
                    written: unguarded.written,
                    prefix: unguarded.prefix,
                    steps: unguarded.steps,
                })
                .collect(),
        }
    }

    fn push(&mut self, path: &str, target: Target, endpoint: Endpoint<S>) {
        self.routes.push(GuardedRoute {
            path: path.to_owned(),
            full_path: path.to_owned(),
            target,
            steps: endpoint.layers.clone(),
            endpoint,
            fallback: None,
        });
    }

    fn set_fallback<P: HasPolicy>(
        mut self,
        borrower: Option<Borrower>,
        service: MakeFallback<S>,
    ) -> Self {
        self.fallback = FallbackRoute {
            id: FallbackId::default(),
            service: Some(service),
            declared: Some((P::POLICY, P::DECLARATION)),
            prefix: "/".to_owned(),
            borrower,
            steps: Vec::new(),
        };
        self
    }
}

impl<S: Clone + Send + Sync + 'static> Default for GuardedRouter<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> GuardedRouter<S> {
    /// Who may call what: every route as it is mounted, with its policy and where that stands. It needs
    /// neither a space nor a running server.
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
        let hidden_paths = self.hidden_paths();
        let routes = self.routes.iter().flat_map(|route| {
            let mounted = match route.target {
                Target::Path => Mounted::Route,
                Target::Subtree => Mounted::Subtree,
            };
            let endpoint = &route.endpoint;
            let is_hidden = hidden_paths.contains(&route.full_path);
            endpoint.named_methods().into_iter().map(move |method| {
                let access = Access::Guarded {
                    policy: endpoint.policy,
                    declaration: endpoint.declaration,
                };
                let row = AccessRow::new(mounted, &route.full_path, method, access);
                if is_hidden { row.on_hidden_path() } else { row }
            })
        });
        let fallbacks = self.nested_fallbacks.iter().chain([&self.fallback]);
        let fallbacks = fallbacks.filter_map(|fallback| {
            let (policy, declaration) = fallback.declared?;
            let access = Access::Guarded {
                policy,
                declaration,
            };
            let mounted = Mounted::Fallback;
            Some(AccessRow::new(mounted, &fallback.prefix, None, access))
        });
        let unguarded = self.unguarded.iter().map(|unguarded| {
            let access = Access::Unguarded {
                reason: unguarded.reason,
                written: unguarded.written,
            };
            AccessRow::new(Mounted::Unguarded, &unguarded.prefix, None, access)
        });
        AccessTable::new(routes.chain(fallbacks).chain(unguarded).collect())
    }

    /// The paths with a method that is hidden.
    fn hidden_paths(&self) -> HashSet<String> {
        let hidden = self
            .routes
            .iter()
            .filter(|route| route.endpoint.policy.is_hidden());
        hidden.map(|route| route.full_path.clone()).collect()
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

impl<S: Clone + 'static> FallbackRoute<S> {
    fn with_state<S2>(self, state: S) -> FallbackRoute<S2>
    where
        S: Send,
    {
        FallbackRoute {
            id: self.id,
            service: self
                .service
                .map(|make| Box::new(move |_state| make(state)) as MakeFallback<S2>),
            declared: self.declared,
            prefix: self.prefix,
            borrower: self.borrower,
            steps: self.steps,
        }
    }
}

/// Lets axum say what is wrong with a path where it is given, and not where it is protected.
#[track_caller]
fn check_path(path: &str) {
    let _ = Router::<()>::new().route(path, MethodRouter::new());
}

#[track_caller]
fn check_prefix(prefix: &str) {
    let _ = Router::<()>::new().nest(prefix, Router::new());
}

/// How axum joins a prefix and a path.
fn nested_path(prefix: &str, path: &str) -> String {
    match prefix.strip_suffix('/') {
        Some(prefix) => format!("{prefix}{path}"),
        None if path == "/" => prefix.to_owned(),
        None => format!("{prefix}{path}"),
    }
}

impl GuardedRouter {
    /// Puts every route behind its gate, and makes a plain axum [`Router`] of them.
    ///
    /// With a [`ProtectedResource`](crate::ProtectedResource) in the space, its metadata document
    /// is one more route.
    ///
    /// A plain router takes everything: what is added to it is in no access table and in no lock, and
    /// nobody asks for a policy. `cargo auth check` finds it.
    ///
    /// # Errors
    ///
    /// If a policy names a scheme that the space does not accept, a check asks for another state than
    /// its handler was given, a handler takes the guard of another one, or a router was merged unguarded
    /// without a reason: [`ProtectError`] lists all of them.
    ///
    /// # Panics
    ///
    /// If two routes take the same method of the same path, or two paths cannot be told apart: as
    /// axum's `Router` does.
    #[track_caller]
    pub fn protect(self, space: ProtectionSpace) -> Result<Router, ProtectError> {
        let of_routes = self
            .routes
            .iter()
            .flat_map(|route| mistakes_of(&route.endpoint, &space));
        let fallbacks = self.nested_fallbacks.iter().chain([&self.fallback]);
        let of_fallbacks = fallbacks
            .filter_map(|fallback| fallback.borrower)
            .map(Mistake::Borrowed);
        let of_unguarded = self.unguarded.iter().filter_map(|unguarded| {
            let is_empty = unguarded.reason.trim().is_empty();
            is_empty.then_some(Mistake::Reason {
                written: unguarded.written,
            })
        });
        let mistakes: Vec<Mistake> = of_routes.chain(of_fallbacks).chain(of_unguarded).collect();
        if !mistakes.is_empty() {
            return Err(ProtectError { mistakes });
        }
        #[cfg(feature = "resource-metadata")]
        let metadata = self.resource_metadata(&space);
        let hidden_paths = self.hidden_paths();
        let something_is_hidden = !hidden_paths.is_empty();

        let mut router = Router::new();
        let mut unknown = Vec::new();
        let own_id = Arc::clone(&self.fallback.id);
        // The router's own comes last: of two fallbacks, axum keeps the one merged later.
        for fallback in self.nested_fallbacks.into_iter().chain([self.fallback]) {
            let service = fallback.service.map(|make| make(()));
            let declaration = fallback.declared.map(|(_, declaration)| declaration);
            let answer = UnknownPath::new(space.clone(), service, declaration, something_is_hidden);
            let answering = answer.clone();
            // unguarded: it answers paths that are not there, and the policy of its service is asked there
            let route = Router::new().fallback(async move |request: Request| {
                let witness = Witness::of(request.extensions());
                let response = answering.clone().receive(request).await;
                witness.tell(|| Testimony::NotRouted {
                    fallback: declaration,
                });
                response
            });
            let route = apply(&fallback.steps, route);
            router = if Arc::ptr_eq(&fallback.id, &own_id) {
                route.merge(router)
            } else {
                router.merge(route)
            };
            unknown.push((fallback.id, answer, fallback.steps));
        }

        let answers_for = |route: &GuardedRoute<()>| {
            let id = route.fallback.as_ref().unwrap_or(&own_id);
            unknown.iter().find(|(other, ..)| Arc::ptr_eq(id, other))
        };
        let mut answers_other_methods: HashMap<String, bool> = HashMap::new();
        for route in &self.routes {
            let takes_all = route.endpoint.filter.is_none();
            *answers_other_methods
                .entry(route.full_path.clone())
                .or_default() |= takes_all;
        }
        for route in self.routes {
            let Some((_, answer, fallback_steps)) = answers_for(&route) else {
                continue;
            };
            let path_is_hidden = hidden_paths.contains(&route.full_path);
            let answered = answers_other_methods.get_mut(&route.full_path);
            let other_methods = match answered {
                Some(answered) if !*answered => {
                    *answered = true;
                    true
                }
                _ => false,
            };
            let placed = Placed {
                space: &space,
                answer,
                fallback_steps,
                path_is_hidden,
                other_methods,
            };
            router = router.merge(placed.mount(route));
        }
        let uncacheable = map_response(async |response| uncacheable_if_missing(response));
        for unguarded in self.unguarded {
            let route = unguarded.router.layer(uncacheable.clone());
            router = router.merge(apply(&unguarded.steps, route));
        }
        #[cfg(feature = "resource-metadata")]
        let router = router.merge(metadata);
        Ok(router)
    }

    /// The route of the metadata document, if there is one (RFC 9728).
    #[cfg(feature = "resource-metadata")]
    fn resource_metadata(&self, space: &ProtectionSpace) -> Router {
        let Some(resource) = space.resource() else {
            return Router::new();
        };
        let policies = self.routes.iter().map(|route| &route.endpoint.policy);
        let scopes = crate::resource::scopes_supported(policies);
        let document = resource.document(&scopes, &space.bearer_methods());
        let answer =
            async move |method: Method| crate::resource::answer(&document, &method).map(Body::from);
        let methods = MethodFilter::GET.or(MethodFilter::OPTIONS);
        // unguarded: the metadata say how to get credentials, so they need none (RFC 9728)
        let handler = axum::routing::on(methods, answer).fallback(method_not_allowed);
        Router::new().route(resource.metadata_path(), handler)
    }
}

/// What about a policy cannot be kept in `space`.
fn mistakes_of(endpoint: &Endpoint<()>, space: &ProtectionSpace) -> Vec<Mistake> {
    let handler = endpoint.declaration.handler();
    let names = endpoint.policy.accepted_schemes().unwrap_or_default();
    let schemes = names
        .iter()
        .filter(|scheme| !space.accepts(scheme))
        .map(|scheme| Mistake::Scheme {
            handler,
            scheme,
            accepted: space.schemes().map(str::to_owned).collect(),
        });
    let state = endpoint.state_for_checks();
    let checks = endpoint.policy.checks().into_iter();
    let states = checks
        .filter(|check| !check.state().is_met_by(&*state))
        .map(|check| Mistake::State {
            handler,
            check: check.name(),
            state: check.state().name,
        });
    let demands = endpoint.policy.demands_bound_credentials();
    let unbound = (demands && !space.can_constrain_senders(&endpoint.policy))
        .then_some(Mistake::Unbound { handler });
    let refused = space.refuses_realm(&endpoint.policy);
    let realm = refused.map(|(scheme, error)| Mistake::Realm {
        handler,
        scheme: scheme.to_owned(),
        error,
    });
    let unasked = space
        .cannot_ask_for(&endpoint.policy)
        .then_some(Mistake::Unasked { handler });
    let borrowed = endpoint.borrower.map(Mistake::Borrowed);
    let offers = unbound.into_iter().chain(realm).chain(unasked);
    schemes
        .chain(states)
        .chain(offers)
        .chain(borrowed)
        .collect()
}

/// What a route has to know of the router around it.
struct Placed<'a> {
    space: &'a ProtectionSpace,
    answer: &'a UnknownPath,
    fallback_steps: &'a [Step],
    path_is_hidden: bool,
    /// Whether this route answers for the methods that none of the path's handlers takes.
    other_methods: bool,
}

impl Placed<'_> {
    /// The route behind its gate.
    ///
    /// The steps it has in common with the unknown paths beside it go around both. The others lie
    /// inside, where an unknown path has none: if they could be seen and something is hidden, the
    /// decision has to be made outside of them.
    fn mount(&self, route: GuardedRoute<()>) -> Router {
        let common = route
            .steps
            .iter()
            .rev()
            .zip(self.fallback_steps.iter().rev())
            .take_while(|(of_route, of_fallback)| of_route.is_same(of_fallback))
            .count();
        let (inside, around) = split(&route.steps, common);
        let (fallback_inside, _) = split(self.fallback_steps, common);

        let unknown = if fallback_inside.is_empty() {
            self.answer.clone()
        } else {
            self.answer
                .with_layers(|router| apply(fallback_inside, router))
        };
        let stripped = inside.iter().map(Step::stripped_segments).sum();
        let layered = inside
            .iter()
            .any(|step| matches!(step.kind, StepKind::Layer));
        // What nesting leaves in a request cannot be taken out again for a fallback to see.
        let nested = stripped > 0 && unknown.needs_request();
        let subtree = route.target == Target::Subtree;
        let decided_outside = self.path_is_hidden && (layered || nested || subtree);
        let gate = Arc::new(Gate {
            policy: route.endpoint.policy,
            policy_type: route.endpoint.policy_type,
            declaration: route.endpoint.declaration,
            uses_guard: route.endpoint.uses_guard,
            space: self.space.clone(),
            state: route.endpoint.state_for_checks(),
            path_is_hidden: self.path_is_hidden,
            unknown: unknown.clone(),
            stripped,
            decided_outside,
        });

        let methods = route.endpoint.methods();
        let mut method_router = (route.endpoint.mount)(Arc::clone(&gate));
        if self.other_methods {
            method_router = if self.path_is_hidden {
                let hidden = move |request| unknown.clone().receive(unmatch(request, stripped));
                // Merging into `any` keeps axum from adding `Allow`.
                // unguarded: it answers as a path that was never there
                axum::routing::any(hidden).merge(method_router)
            } else {
                // unguarded: it says that there is no such method, and where nothing is hidden only
                method_router.fallback(method_not_allowed)
            };
        }
        let mut router = if subtree {
            // unguarded: each of its endpoints has a gate of its own
            Router::new().nest_service(&route.path, method_router)
        } else {
            Router::new().route(&route.path, method_router)
        };
        router = apply(inside, router);
        if decided_outside {
            router = router.layer(OuterGate { gate, methods });
        }
        router = apply(around, router);
        if subtree {
            router = router.layer(from_fn(finish));
        }
        router
    }
}

async fn method_not_allowed() -> Response {
    uncacheable_if_missing(StatusCode::METHOD_NOT_ALLOWED.into_response())
}

/// Does for the answers of a nested service what axum does for those of handlers and fallbacks
/// only, so that a hidden one looks like theirs: it gives them their length, and `HEAD` no body.
async fn finish(request: Request, next: Next) -> Response {
    let is_head = request.method() == Method::HEAD;
    let mut response = next.run(request).await;
    let length = response.body().size_hint().exact();
    if let Some(length) = length {
        let headers = response.headers_mut();
        headers
            .entry(header::CONTENT_LENGTH)
            .or_insert_with(|| HeaderValue::from(length));
    }
    if is_head {
        *response.body_mut() = Body::empty();
    }
    response
}

fn split(steps: &[Step], common: usize) -> (&[Step], &[Step]) {
    steps.split_at(steps.len().saturating_sub(common))
}
