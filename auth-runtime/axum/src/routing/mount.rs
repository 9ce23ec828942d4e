//! Routes behind their authorizers, as a plain axum router.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use auth_runtime_core::adapter::{RouteConstants, Space};
use auth_runtime_core::route_pattern::Pattern;
use auth_runtime_policy::Policy;
use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::routing::MethodRouter;
use tower::util::MapRequestLayer;

use crate::exchange::ExchangePlace;
use crate::exchange::authorizer::RouteAuthorizer;
use crate::exchange::conceal::ConcealLayer;
use crate::exchange::conceal_timing::ConcealTiming;
use crate::exchange::fallback::{BELOW, Fallback};
use crate::exchange::fallback_handler::FallbackHandler;
use crate::exchange::matched::Matched;
#[cfg(feature = "resource-metadata")]
use crate::routing::documents::documents;
use crate::routing::endpoint::{Endpoint, Methods, uncacheable_405};
use crate::routing::member::Member;
use crate::routing::route::{Extent, FallbackRoute, GuardedRoute, OtherMethods, nested_path};
use crate::routing::router::hidden_paths;
use crate::routing::step::{Step, apply, common_steps, split, with_steps};
use crate::routing::unguarded::only_listed;

/// The routes of a protected router.
#[derive(Clone)]
pub(super) struct Routes {
    guarded: Router,
    /// The same with the unguarded routers, if there are any, and the paths that those serve.
    ///
    /// A plain route frames every response on its path, and names its methods in `Allow`. So an unlisted
    /// path, which is an unknown one, is not routed to it, unless a listed pattern matches it as well.
    unguarded: Option<(Router, Arc<[Pattern]>)>,
}

impl Routes {
    /// The router that serves a path.
    pub(super) fn serving(&self, path: &str) -> &Router {
        match &self.unguarded {
            Some((router, listed)) if listed.iter().any(|pattern| pattern.matches(path)) => router,
            _ => &self.guarded,
        }
    }

    pub(super) fn map(self, apply: impl Fn(Router) -> Router) -> Self {
        Self {
            guarded: apply(self.guarded),
            unguarded: self
                .unguarded
                .map(|(router, listed)| (apply(router), listed)),
        }
    }
}

/// Mounts the routes of every member, with one fallback for all unknown paths.
#[track_caller]
pub(super) fn mount(members: &[Member]) -> Routes {
    let hidden_paths = hidden_paths(members.iter().map(|member| &member.router));
    let Some(owner) = fallback_owner(members) else {
        return Routes {
            guarded: Router::new(),
            unguarded: None,
        };
    };
    let (fallback, fallback_steps) = fallback_of(members, owner, &hidden_paths);
    let unknown = FallbackHandler::new(Matched::UnknownPath, &fallback);
    // unguarded: it responds for paths that do not exist
    let unknown = Router::new().fallback(unknown);
    let router = apply(fallback_steps, unknown);
    let router = mount_guarded(members, &hidden_paths, (&fallback, fallback_steps), router);
    #[cfg(feature = "resource-metadata")]
    let router = documents(members, &hidden_paths)
        .into_iter()
        .fold(router, |router, (member, document)| {
            router.merge(apply(&member.steps, document))
        });
    // axum makes the routes of a router without a state anew for each request.
    let unguarded = mount_unguarded(members, (&fallback, fallback_steps), &router)
        .map(|(router, listed)| (router.with_state(()), listed));
    let routes = Routes {
        guarded: router.with_state(()),
        unguarded,
    };
    match longest_interval(members) {
        Some(interval) => {
            let layer = ConcealTiming::new(interval);
            routes.map(|router| router.layer(layer.clone()))
        }
        None => routes,
    }
}

/// Adds the guarded routes of every member to `router`.
fn mount_guarded(
    members: &[Member],
    hidden_paths: &HashSet<String>,
    (fallback, fallback_steps): (&Fallback, &[Step]),
    mut router: Router,
) -> Router {
    let mut missing_methods: HashMap<&str, MissingMethods<'_>> = HashMap::new();
    for route in members.iter().flat_map(|member| &member.router.routes) {
        let missing = missing_methods.entry(&route.full_path).or_default();
        missing.have_response |= route.endpoint.methods.filter().is_none();
        missing.handler = missing.handler.or(route.others.as_deref());
    }
    let mut with_405 = Vec::new();
    for member in members {
        // Many routes have the same policy.
        let mut constants: HashMap<Cow<'_, Policy>, Arc<RouteConstants>> = HashMap::new();
        for route in &member.router.routes {
            let missing = missing_methods.entry(&route.full_path).or_default();
            let path_is_hidden = hidden_paths.contains(&route.full_path);
            let policy = policy_of(&route.endpoint, path_is_hidden);
            let computed = constants
                .entry(policy.clone())
                .or_insert_with(|| Arc::new(member.space.constants_of(&policy)));
            let placed = Placed {
                space: &member.space,
                constants: Arc::clone(computed),
                fallback,
                fallback_steps,
                path_is_hidden,
                missing_methods: (!std::mem::replace(&mut missing.have_response, true))
                    .then_some(*missing),
            };
            if placed.has_405() {
                with_405.push(route);
            }
            router = placed.mount(route, router);
        }
    }
    // Of several default responses on one path, axum keeps the last one.
    with_405
        .into_iter()
        .fold(router, |router, route| mount_405(route, router))
}

/// Returns `guarded` with the unguarded routers of every member, and the paths that those serve. `None` if there are
/// no unguarded routers.
fn mount_unguarded(
    members: &[Member],
    (fallback, fallback_steps): (&Fallback, &[Step]),
    guarded: &Router,
) -> Option<(Router, Arc<[Pattern]>)> {
    let mut router = None;
    let mut listed = Vec::new();
    for unguarded in members.iter().flat_map(|member| &member.router.unguarded) {
        let paths = unguarded.paths.iter();
        listed.extend(paths.map(|path| Pattern::of(&nested_path(&unguarded.prefix, path))));
        let route = only_listed(unguarded, fallback, fallback_steps);
        router = Some(router.unwrap_or_else(|| guarded.clone()).merge(route));
    }
    Some((router?, Arc::from(listed)))
}

/// Returns the interval of the times of concealed responses. All unknown paths have one, so it is the longest.
fn longest_interval(members: &[Member]) -> Option<Duration> {
    members.iter().filter_map(|member| member.interval).max()
}

/// Returns the fallback of the application, and the steps around all fallbacks and all hidden routes. The
/// unknown paths below some prefixes belong to the fallbacks that were nested there.
///
/// A request is authenticated behind these steps, and in front of all others, whether its path is hidden
/// or unknown: other layers could change the credentials or the body, or respond.
///
/// axum does not nest the fallbacks: it loses those that are nested twice, and a concealed path in any
/// nested router has to find the same fallback as the unknown paths beside it.
#[track_caller]
fn fallback_of<'m>(
    members: &'m [Member],
    owner: &'m Member,
    hidden_paths: &HashSet<String>,
) -> (Fallback, &'m [Step]) {
    let new = |route: &FallbackRoute<()>| {
        Fallback::new(
            Arc::clone(&owner.space),
            members.iter().map(|member| Arc::clone(&member.space)),
            route.declared.as_ref().map(|it| (it.make)(())),
            route.declared.as_ref().map(|it| it.location),
            !hidden_paths.is_empty(),
            longest_interval(members).is_some(),
        )
    };
    let own = &owner.router.fallback;
    let nested_fallbacks = || members.iter().flat_map(|it| &it.router.nested_fallbacks);
    let hidden = members.iter().flat_map(|member| &member.router.routes);
    let hidden = hidden.filter(|route| hidden_paths.contains(&route.full_path));
    let steps = nested_fallbacks().map(|route| &route.steps);
    let steps = steps.chain(hidden.map(|route| &route.steps));
    let common = steps.map(|steps| common_steps(steps, &own.steps)).min();
    let common = common.unwrap_or(own.steps.len());

    let (inside, around) = split(&own.steps, common);
    let fallback = with_steps(&new(own), inside);
    let mut nested: Vec<(Pattern, Fallback)> = Vec::new();
    for route in nested_fallbacks() {
        let (inside, _) = split(&route.steps, common);
        let fallback = new(route).with_layers(|service| {
            // unguarded: it responds for paths that do not exist
            let below = Router::new().route_service(BELOW, service.clone());
            // unguarded: and so it does at the prefix itself
            let all = below.route_service("/", service);
            apply(inside, all)
        });
        for path in ["/", BELOW] {
            let pattern = Pattern::of(&nested_path(&route.prefix, path));
            assert!(
                nested.iter().all(|(other, _)| *other != pattern),
                "Cannot nest two `GuardedRouter`s that both have a fallback at `{}`",
                route.prefix
            );
            nested.push((pattern, fallback.clone()));
        }
    }
    (fallback.with_nested(nested), around)
}

/// Returns the member that provides the fallback of the application: the first one with a fallback
/// of the service, or else the first one.
fn fallback_owner(members: &[Member]) -> Option<&Member> {
    let mut owners = members.iter();
    let owner = owners.find(|member| member.router.has_fallback());
    owner.or(members.first())
}

/// The methods that a path has no handler for.
#[derive(Clone, Copy, Default)]
struct MissingMethods<'r> {
    /// Whether a route responds to them already.
    have_response: bool,
    /// The handler of the service in place of a 405.
    handler: Option<&'r OtherMethods<()>>,
}

/// A route with its space and its fallback.
struct Placed<'a> {
    space: &'a Arc<Space>,
    /// The constants of the route.
    constants: Arc<RouteConstants>,
    fallback: &'a Fallback,
    /// The steps around the fallback, from the inside out.
    fallback_steps: &'a [Step],
    path_is_hidden: bool,
    /// The other methods of the path, if this route responds to them.
    missing_methods: Option<MissingMethods<'a>>,
}

impl Placed<'_> {
    /// Adds the route behind its authorizer to `router`.
    ///
    /// Steps that the route shares with the unknown paths beside it go around both. The other steps
    /// are inside, and unknown paths do not have them. If such a step is observable and the path is
    /// hidden, the decision has to be made outside it.
    fn mount(self, route: &GuardedRoute<()>, router: Router) -> Router {
        let common = common_steps(&route.steps, self.fallback_steps);
        let (inside, around) = split(&route.steps, common);
        let subtree = route.extent == Extent::Subtree;
        let decided_outside = self.path_is_hidden && (subtree || !inside.is_empty());
        let constants = Arc::clone(&self.constants);
        let authorizer = self.authorizer(&route.endpoint, constants, subtree);
        let place = if decided_outside {
            ExchangePlace::BehindLayers
        } else {
            ExchangePlace::Endpoint
        };

        let unknown = || FallbackHandler::new(Matched::UnknownMethod, &authorizer.fallback);
        let taken = match route.endpoint.methods {
            // `Allow` would list a hidden method.
            Methods::Others if self.path_is_hidden => Methods::Any,
            methods => methods,
        };
        let methods = route.endpoint.methods();
        let mut method_router = (route.endpoint.mount)(taken, Arc::clone(&authorizer), place);
        let router = match &self.missing_methods {
            Some(_) if self.path_is_hidden => {
                // Merging into `any` keeps axum from adding `Allow`.
                // unguarded: it responds as for a path that does not exist
                method_router = axum::routing::any(unknown()).merge(method_router);
                router
            }
            Some(MissingMethods {
                handler: Some(others),
                ..
            }) => self.mount_others(others, router),
            _ => router,
        };
        if !subtree && inside.is_empty() && around.is_empty() {
            return router.route(&route.path, method_router);
        }
        let mut own = if subtree {
            subtree_of(&route.path, &method_router)
        } else {
            Router::new().route(&route.path, method_router)
        };
        own = apply(inside, own);
        if decided_outside {
            own = own.layer(ConcealLayer {
                unknown: unknown(),
                authorizer,
                methods: methods.map(Arc::from),
            });
        }
        router.merge(apply(around, own))
    }

    /// Returns whether methods without a handler lead to a 405 of axum.
    fn has_405(&self) -> bool {
        let has_no_handler = |missing: MissingMethods<'_>| missing.handler.is_none();
        !self.path_is_hidden && self.missing_methods.is_some_and(has_no_handler)
    }

    /// Adds the handler of the service for the methods that a visible path has no handler for.
    fn mount_others(&self, others: &OtherMethods<()>, router: Router) -> Router {
        let endpoint = &others.endpoint;
        let constants = Arc::new(self.space.constants_of(endpoint.policy));
        let authorizer = self.authorizer(endpoint, constants, false);
        let handler = (endpoint.mount)(Methods::Others, authorizer, ExchangePlace::Endpoint);
        router.merge(apply(
            &others.steps,
            Router::new().route(&others.path, handler),
        ))
    }

    fn authorizer(
        &self,
        endpoint: &Endpoint<()>,
        constants: Arc<RouteConstants>,
        is_subtree: bool,
    ) -> Arc<RouteAuthorizer> {
        let policy = policy_of(endpoint, self.path_is_hidden);
        Arc::new(RouteAuthorizer {
            constants,
            vary: if policy.has_optional_identity() {
                self.space.vary(&policy)
            } else {
                None
            },
            policy,
            functions: endpoint.functions,
            matched: Matched::Handler(endpoint.location),
            is_subtree,
            uses_guard: endpoint.uses_guard,
            space: Arc::clone(self.space),
            state: endpoint.state_for_functions(),
            // The steps of unknown paths go around each hidden path as well, and visible paths use no fallback.
            fallback: self.fallback.clone(),
        })
    }
}

/// The policy of an endpoint. On a path with a hidden method, it is hidden as well.
fn policy_of(endpoint: &Endpoint<()>, path_is_hidden: bool) -> Cow<'static, Policy> {
    if path_is_hidden {
        endpoint.policy.on_hidden_path()
    } else {
        Cow::Borrowed(endpoint.policy)
    }
}

/// Adds the 405 of a visible path, inside the layers of a route. It remains axum's default response and not a
/// fallback, since axum does not merge two fallbacks: a plain router may handle the other methods of the path.
fn mount_405(route: &GuardedRoute<()>, router: Router) -> Router {
    let steps = route.steps.iter().filter(|step| !step.skips_others);
    let steps: Vec<_> = steps.cloned().collect();
    if steps.is_empty() {
        return router.route(&route.path, uncacheable_405());
    }
    let own = Router::new().route(&route.path, uncacheable_405());
    router.merge(apply(&steps, own))
}

/// axum's own name for the path below a nested service. It does not appear in `Path`, nor at the
/// end of `MatchedPath`.
const TAIL: &str = "/{*__private__axum_nest_tail_param}";

/// Routes a path and all paths below it, like axum's [`Router::nest_service`], but to method
/// routers. axum frames the bodies of their responses outside all layers, as for unknown paths,
/// but leaves those of nested services to the layers.
fn subtree_of(prefix: &str, methods: &MethodRouter) -> Router {
    // Each of the endpoints has an authorizer of its own.
    if prefix == "/" {
        let at_root = methods
            .clone()
            .layer(MapRequestLayer::new(without_name_of_root));
        let router = Router::new().route("/", at_root);
        return router.route(TAIL, methods.clone());
    }
    let at_prefix = Router::new().route("/", methods.clone());
    let below = at_prefix.clone().route(TAIL, methods.clone());
    let router = Router::new().nest(prefix, below);
    if prefix.ends_with('/') {
        return router;
    }
    router.nest(&format!("{prefix}/"), at_prefix)
}

/// axum would put this name in front of the names of the service's routes, as if it were a prefix.
fn without_name_of_root(mut request: Request) -> Request {
    let name = request.extensions().get::<MatchedPath>();
    if name.is_some_and(|name| name.as_str() == "/") {
        request.extensions_mut().remove::<MatchedPath>();
    }
    request
}
