//! A router with an authorizer in front of every route.

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use auth_runtime_core::ProtectionSpace;
use axum::body::HttpBody;
use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::future::RouteFuture;
use axum::routing::{IntoMakeService, Route};
use axum::serve::{IncomingStream, Listener};
use axum::{BoxError, Router, ServiceExt};
use bytes::Bytes;
use tower::{Layer, Service};

use crate::routing::adopted::matched_paths;
#[cfg(feature = "resource-metadata")]
use crate::routing::documents::documents;
use crate::routing::has_state::HasState;
use crate::routing::member::Member;
use crate::routing::mistakes::{mistakes_of, repeated_parameters};
use crate::routing::mount::{Routes, mount};
use crate::routing::protect_error::ProtectError;
use crate::routing::router::GuardedRouter;
#[cfg(feature = "resource-metadata")]
use crate::routing::router::hidden_paths;
use crate::routing::step::Step;

/// A router that is ready to serve. Every route authorizes its requests, and routes without a policy can be added only
/// after [`into_router`](Self::into_router), which requires a reason.
///
/// [`GuardedRouter::protect`] creates it. It accepts [layers](Self::layer) and the routes of
/// [other](Self::merge) protected routers, and serves:
///
/// ```no_run
/// use auth_runtime::{GuardedRouter, ProtectionSpace};
///
/// # async fn serve(routes: GuardedRouter, space: ProtectionSpace)
/// # -> Result<(), Box<dyn std::error::Error>> {
/// let app = routes.protect(space)?;
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
/// axum::serve(listener, app).await?;
/// # Ok(())
/// # }
/// ```
///
/// Within an application of plain axum routes it is a service, for [`Router::nest_service`] or
/// [`Router::fallback_service`].
#[derive(Clone)]
#[must_use = "a `ProtectedRouter` responds to requests only if it is served"]
pub struct ProtectedRouter(pub(super) Arc<ProtectedRoutes>);

/// The content of a protected router. It is shared, since the router is cloned for each request.
#[derive(Clone)]
pub(super) struct ProtectedRoutes {
    routes: Routes,
    /// The members, from which a merge builds a new router.
    pub(super) members: Vec<Member>,
}

impl<S> GuardedRouter<S> {
    /// Protects every route with `space`.
    ///
    /// If the space has a [`ProtectedResource`](auth_runtime_core::ProtectedResource), its metadata document is
    /// an additional route, at the root of the host.
    ///
    /// # Errors
    ///
    /// [`ProtectError`] lists every mistake:
    ///
    /// - a policy that names a scheme that the space does not accept;
    /// - a policy that requires sender-constrained credentials, without an accepted scheme that
    ///   provides them;
    /// - a realm for which an accepted scheme has no challenge;
    /// - a policy that can lead to a 401, if no scheme that can meet it has a challenge;
    /// - a check that takes another type of state than the router has;
    /// - a path with two parameters of one name, as nested routers can have;
    /// - a `setting` that the space has no value for;
    /// - a handler that takes a [`CurrentUser`](crate::CurrentUser), with an accepted scheme that does not
    ///   provide users of that type;
    /// - a `can` requirement that the decision point of the space does not know, or without a decision
    ///   point; an object with a path parameter that the route does not have, or with a constant id that is
    ///   the name of one;
    /// - a handler that takes the guard of another one;
    /// - a router that was merged unguarded or adopted without a reason;
    /// - an adopted router with a route that matches a hidden path.
    ///
    /// # Panics
    ///
    /// If two routes have the same method and path, or if two paths conflict, like axum's `Router`. It
    /// also panics if two nested routers with a fallback have the same prefix.
    #[track_caller]
    pub fn protect(self, space: ProtectionSpace) -> Result<ProtectedRouter, ProtectError>
    where
        Self: HasState,
    {
        let router: GuardedRouter = self.into();
        let space = space.for_adapters();
        let mistakes = mistakes_of(&router, space);
        if mistakes.is_empty() {
            Ok(ProtectedRouter::of(vec![Member {
                router,
                space: Arc::clone(space),
                interval: None,
                steps: Vec::new(),
            }]))
        } else {
            Err(ProtectError { mistakes })
        }
    }
}

impl ProtectedRouter {
    #[track_caller]
    fn of(members: Vec<Member>) -> Self {
        check_adopted(&members);
        Self(Arc::new(ProtectedRoutes {
            routes: mount(&members),
            members,
        }))
    }

    fn into_members(self) -> Vec<Member> {
        Arc::unwrap_or_clone(self.0).members
    }

    /// Adds a layer around every route, the metadata documents and the fallback, like axum's
    /// [`Router::layer`].
    pub fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        let step = Step::layer(layer.clone());
        let ProtectedRoutes {
            routes,
            mut members,
        } = Arc::unwrap_or_clone(self.0);
        for member in &mut members {
            member.router.push_step(&step);
            member.steps.push(step.clone());
        }
        Self(Arc::new(ProtectedRoutes {
            routes: routes.map(|router| router.layer(layer.clone())),
            members,
        }))
    }

    /// Conceals the time of a `check`, of a decision point and of code before
    /// [`Guard::permit`](crate::Guard::permit): the responses of unknown paths, and those in place of concealed
    /// denials, wait for the end of an interval. Default: no waiting.
    ///
    /// The intervals follow one another from the start of the router. A response waits for the end of the interval
    /// after the one in which its request began. All responses that end with an interval are sent in a random order,
    /// since a client that sends two requests in one segment of an HTTP/2 connection sees the order.
    ///
    /// `interval` has to be longer than nearly all of these responses take. A response that takes longer waits for the
    /// end of a later interval, so that its duration reveals the number of intervals only. Timers have a resolution of
    /// one millisecond.
    ///
    /// The costs: the response of each unknown path and of each concealed denial takes one to two intervals, and stays
    /// in memory for that time. Other responses do not wait.
    ///
    /// Work that occupies a thread is not concealed: it delays the other requests of that thread, and an attacker can
    /// measure those. A check has to wait for slow work, or pass it to another thread.
    ///
    /// On a Tokio runtime without timers, these responses are 503. `#[tokio::main]` enables timers.
    ///
    /// Layers inside this router may add fields to a response. A layer that makes another response of it ends
    /// the waiting. In a merged router, the longest interval applies to all routes.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use auth_runtime::{GuardedRouter, ProtectError, ProtectedRouter, ProtectionSpace};
    ///
    /// fn app(routes: GuardedRouter, space: ProtectionSpace) -> Result<ProtectedRouter, ProtectError> {
    ///     Ok(routes.protect(space)?.conceal_timing(Duration::from_millis(20)))
    /// }
    /// ```
    #[track_caller]
    pub fn conceal_timing(self, interval: Duration) -> Self {
        let mut members = self.into_members();
        for member in &mut members {
            member.interval = Some(interval);
        }
        Self::of(members)
    }

    /// Adds the routes of another protected router, with the same space or another one.
    ///
    /// The resulting application has one fallback, and one response for unknown and for concealed
    /// paths of both routers. Credentials that no space accepts lead to the 401 of the first space
    /// that rejects them. Credentials that one space accepts are also accepted on unknown paths.
    ///
    /// Every space authenticates the requests to unknown paths. Layers that authentication needs, such
    /// as that of the sessions, therefore go around the merged router. If only one of the two has
    /// them and something is hidden, the response to a session cookie on hidden and unknown paths is
    /// 503.
    ///
    /// ```
    /// use auth_runtime::{GuardedRouter, ProtectError, ProtectedRouter, ProtectionSpace};
    ///
    /// fn app(
    ///     api: (GuardedRouter, ProtectionSpace),
    ///     pages: (GuardedRouter, ProtectionSpace),
    /// ) -> Result<ProtectedRouter, ProtectError> {
    ///     Ok(api.0.protect(api.1)?.merge(pages.0.protect(pages.1)?))
    /// }
    /// ```
    ///
    /// # Panics
    ///
    /// If both routers have a fallback of the service, or if they have the same route, like axum's
    /// [`Router::merge`]. It also panics if a route of an [adopted](GuardedRouter::adopt) router matches a hidden
    /// path of the other router: the route would reveal the path.
    #[track_caller]
    pub fn merge(self, other: Self) -> Self {
        let mut members = self.into_members();
        members.extend(other.into_members());
        let with_fallback = members
            .iter()
            .filter(|member| member.router.has_fallback())
            .count();
        assert!(
            with_fallback < 2,
            "Cannot merge two `ProtectedRouter`s that both have a fallback"
        );
        Self::of(members)
    }

    /// Adds the routes of another protected router below `prefix`, like axum's [`Router::nest`].
    /// The metadata documents of `other` stay at the root of the host, where clients expect them
    /// (RFC 9728 §3.1).
    ///
    /// # Panics
    ///
    /// Like [`GuardedRouter::nest`] and [`merge`](Self::merge). It also panics if a parameter of the prefix has the
    /// name of a parameter of a route.
    #[track_caller]
    pub fn nest(self, prefix: &str, other: Self) -> Self {
        let mut members = self.into_members();
        let nested = other.into_members();
        members.extend(nested.into_iter().map(|member| Member {
            router: GuardedRouter::new().nest(prefix, member.router),
            ..member
        }));
        let routers = members.iter().map(|member| &member.router);
        let mistakes: Vec<_> = routers.flat_map(repeated_parameters).collect();
        assert!(mistakes.is_empty(), "{}", ProtectError { mistakes });
        Self::of(members)
    }

    /// A router with the metadata documents only (RFC 9728), without [layers](Self::layer). An application that
    /// nests this router in a plain one merges it at the root of the host, where clients expect the documents.
    ///
    /// ```
    /// use auth_runtime::ProtectedRouter;
    ///
    /// fn app(api: ProtectedRouter) -> axum::Router {
    ///     let metadata = api.metadata_router();
    ///     axum::Router::new().nest_service("/api", api).merge(metadata)
    /// }
    /// ```
    #[cfg(feature = "resource-metadata")]
    pub fn metadata_router(&self) -> Router {
        let hidden_paths = hidden_paths(self.0.members.iter().map(|member| &member.router));
        documents(&self.0.members, &hidden_paths)
            .into_iter()
            .fold(Router::new(), |router, (_, document)| {
                router.merge(document)
            })
    }

    /// Converts into a plain axum [`Router`]. Routes that are added to it later have no policy, and
    /// appear in no access table or lock. `reason` is for audits, which find it with `grep -rn
    /// into_router`.
    pub fn into_router(self, reason: &'static str) -> Router {
        tracing::debug!(reason, "a protected router becomes a plain router");
        // unguarded: each of its routes has an authorizer of its own
        Router::new().fallback_service(self)
    }

    /// Converts into a make service, like [`Router::into_make_service`].
    pub fn into_make_service(self) -> IntoMakeService<Self> {
        ServiceExt::<Request>::into_make_service(self)
    }

    /// Converts into a service that adds the peer's address to each request, like
    /// [`Router::into_make_service_with_connect_info`]. Policies with `network` need that address.
    pub fn into_make_service_with_connect_info<C>(self) -> IntoMakeServiceWithConnectInfo<Self, C> {
        ServiceExt::<Request>::into_make_service_with_connect_info(self)
    }
}

/// Panics if a route of an adopted router matches a hidden path of another member. Those of its own router are
/// errors of [`protect`](GuardedRouter::protect).
#[track_caller]
fn check_adopted(members: &[Member]) {
    for (index, member) in members.iter().enumerate() {
        let adopted = member.router.unguarded.iter().filter(|it| it.is_adopted);
        for adopted in adopted {
            let others = members.iter().enumerate();
            for (_, other) in others.filter(|(other, _)| *other != index) {
                let paths = matched_paths(&other.router, adopted);
                assert!(
                    paths.is_empty(),
                    "A route of the adopted router ({}) also matches the hidden path `{}`",
                    adopted.reason,
                    paths.join("`, `"),
                );
            }
        }
    }
}

impl fmt::Debug for ProtectedRouter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.0.members.iter();
        f.debug_list()
            .entries(members.map(|member| (&member.space, &member.router)))
            .finish()
    }
}

impl<B> Service<http::Request<B>> for ProtectedRouter
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A router is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        // The name of a route around this router would be in requests to unknown paths only.
        request.extensions_mut().remove::<MatchedPath>();
        let mut serving = self.0.routes.serving(request.uri().path()).clone();
        serving.call(request)
    }
}

impl<L: Listener> Service<IncomingStream<'_, L>> for ProtectedRouter {
    type Response = Self;
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: IncomingStream<'_, L>) -> Self::Future {
        ready(Ok(self.clone()))
    }
}
