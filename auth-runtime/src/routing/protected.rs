//! A router whose every route is authorized.

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::HttpBody;
use axum::extract::Request;
use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use axum::response::{IntoResponse, Response};
use axum::routing::future::RouteFuture;
use axum::routing::{IntoMakeService, Route};
use axum::serve::{IncomingStream, Listener};
use axum::{BoxError, Router, ServiceExt};
use bytes::Bytes;
use tower::{Layer, Service};

use crate::access_table::AccessTable;
#[cfg(feature = "resource-metadata")]
use crate::routing::mount::metadata;
use crate::routing::mount::{mount, table_of};
use crate::routing::router::GuardedRouter;
use crate::routing::step::Step;
use crate::space::ProtectionSpace;

/// A router that serves: every route authorizes its requests, and no other route can be added unseen.
///
/// Made by [`GuardedRouter::protect`]. It takes [layers](Self::layer), the routes of
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
/// In an application of plain axum routes it is a service, for [`Router::nest_service`] or
/// [`Router::fallback_service`].
#[derive(Clone)]
pub struct ProtectedRouter {
    router: Router,
    /// What the router was made of, for a merge to make a new one.
    members: Arc<Vec<Member>>,
}

/// The routes of one protection space.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) routes: GuardedRouter,
    pub(super) space: ProtectionSpace,
}

impl ProtectedRouter {
    #[track_caller]
    pub(super) fn new(routes: GuardedRouter, space: ProtectionSpace) -> Self {
        Self::of(vec![Member { routes, space }])
    }

    #[track_caller]
    fn of(members: Vec<Member>) -> Self {
        Self {
            router: mount(&members),
            members: Arc::new(members),
        }
    }

    /// Puts a layer around every route and the fallback, as axum's [`Router::layer`] does.
    pub fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        let step = Step::layer(layer.clone());
        let mut members = Arc::unwrap_or_clone(self.members);
        for member in &mut members {
            member.routes.push_step(&step);
        }
        Self {
            router: self.router.layer(layer),
            members: Arc::new(members),
        }
    }

    /// Adds the routes of another protected router, of the same space or another one.
    ///
    /// The application then has one fallback, and gives one response for unknown and for concealed
    /// paths, whichever router they are in. Credentials that no space accepts get the 401 of the first
    /// space that rejects them; those that one space accepts are accepted on unknown paths.
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
    /// If both have a fallback of the service, or the same route: as axum's [`Router::merge`].
    #[track_caller]
    pub fn merge(self, other: Self) -> Self {
        let mut members = Arc::unwrap_or_clone(self.members);
        members.extend(Arc::unwrap_or_clone(other.members));
        let with_fallback = members
            .iter()
            .filter(|member| member.routes.has_fallback())
            .count();
        assert!(
            with_fallback < 2,
            "Cannot merge two `ProtectedRouter`s that both have a fallback"
        );
        Self::of(members)
    }

    /// Adds the routes of another protected router below `prefix`, as axum's [`Router::nest`] does. Its
    /// metadata documents stay at the root of the host, where clients look for them (RFC 9728 §3.1).
    ///
    /// # Panics
    ///
    /// As [`GuardedRouter::nest`] and [`merge`](Self::merge).
    #[track_caller]
    pub fn nest(self, prefix: &str, other: Self) -> Self {
        let mut members = Arc::unwrap_or_clone(self.members);
        let nested = Arc::unwrap_or_clone(other.members);
        members.extend(nested.into_iter().map(|member| Member {
            routes: GuardedRouter::new().nest(prefix, member.routes),
            space: member.space,
        }));
        Self::of(members)
    }

    /// The access table of every route, as [`GuardedRouter::access_table`].
    pub fn access_table(&self) -> AccessTable {
        let routers: Vec<_> = self.members.iter().map(|member| &member.routes).collect();
        table_of(&routers)
    }

    /// The metadata documents alone (RFC 9728), for the root of an application that nests this router in
    /// a plain one: clients look for them at the root of the host.
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
        metadata(&self.members)
    }

    /// Gives the routes up to a plain axum [`Router`], to which anything can be added: no policy guards
    /// such routes, and no access table or lock lists them. The reason is for the audit:
    /// `grep -rn into_router`.
    pub fn into_router(self, reason: &'static str) -> Router {
        tracing::debug!(reason, "a protected router becomes a plain router");
        // unguarded: each of its routes has an authorizer of its own
        Router::new().fallback_service(self)
    }

    /// Makes a service of connections of it, as [`Router::into_make_service`] does.
    pub fn into_make_service(self) -> IntoMakeService<Self> {
        ServiceExt::<Request>::into_make_service(self)
    }

    /// Makes a service of connections of it that adds the peer's address to each request, as
    /// [`Router::into_make_service_with_connect_info`] does: policies with `network` need it.
    pub fn into_make_service_with_connect_info<C>(self) -> IntoMakeServiceWithConnectInfo<Self, C> {
        ServiceExt::<Request>::into_make_service_with_connect_info(self)
    }
}

impl fmt::Debug for ProtectedRouter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.members.iter();
        f.debug_list()
            .entries(members.map(|member| (&member.space, &member.routes)))
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

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<http::Request<B>>::poll_ready(&mut self.router, context)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        self.router.call(request)
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
