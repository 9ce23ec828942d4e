//! The fallbacks of a guarded router: for unknown paths, and for the other methods of its paths.

use std::any::TypeId;
use std::convert::Infallible;
use std::sync::Arc;

use auth_runtime_core::Caller;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt, service_fn};

use crate::exchange::Handling;
use crate::guard::{Guard, HasPolicy, Proof, PublicPolicy, ServicePolicy};
use crate::routing::borrower::Borrower;
use crate::routing::endpoint::{Endpoint, Methods};
use crate::routing::handler::{GuardedParameters, TakesGuard};
use crate::routing::route::{DeclaredFallback, FallbackRoute, MakeFallback, OtherMethods};
use crate::routing::router::GuardedRouter;

impl<S: Clone + Send + Sync + 'static> GuardedRouter<S> {
    /// Responds to unknown paths, and in place of concealed denials, with `handler`, like axum's
    /// [`Router::fallback`](axum::Router::fallback). The handler has to be public:
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
    /// If the router hides a path, or if its space has
    /// [`UnknownPaths::Challenge`](auth_runtime_core::UnknownPaths::Challenge), requests with
    /// invalid credentials do not reach the handler: the response is 401, as on a hidden path. With
    /// `UnknownPaths::Challenge`, neither do requests without credentials. Otherwise the fallback ignores
    /// credentials.
    pub fn fallback<H, T, M>(self, handler: H) -> Self
    where
        H: TakesGuard<T>,
        H::Policy: PublicPolicy,
        T: GuardedParameters<H, S, M>,
        M: 'static,
    {
        self.set_fallback::<H::Policy>(
            None,
            Borrower::find::<H, H::Policy>(),
            Arc::new(move |state: S| {
                let handler = handler.clone();
                BoxCloneSyncService::new(service_fn(move |request| {
                    let (handler, state) = (handler.clone(), state.clone());
                    async move { Ok(respond_as_public(handler, request, state).await) }
                }))
            }),
        )
    }

    /// Responds to unknown paths, and in place of concealed denials, with a service. The policy is
    /// a unit struct with `#[public]` and a reason. A whole router is a service, too: its routes
    /// would then be reachable without guards.
    pub fn fallback_service<P, T>(self, _policy: P, service: T) -> Self
    where
        P: ServicePolicy + PublicPolicy,
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send + 'static,
    {
        self.set_fallback::<P>(
            Some(TypeId::of::<T>()),
            None,
            Arc::new(move |_state| {
                let service = service.clone();
                BoxCloneSyncService::new(service.map_response(IntoResponse::into_response))
            }),
        )
    }

    /// Responds to methods that a path has no handler for, like axum's
    /// [`Router::method_not_allowed_fallback`](axum::Router::method_not_allowed_fallback): on the
    /// paths added so far. The handler has to be public. The field `Allow` is added as in axum. Layers that were
    /// added before are not around the handler, as in axum.
    ///
    /// On a path with a hidden method the handler is never called: the other methods of such a path
    /// respond as on an unknown path. An [unguarded](Self::merge_unguarded) router has responses of
    /// its own.
    ///
    /// ```
    /// use auth_runtime::routing::get;
    /// use auth_runtime::{GuardedRouter, public};
    /// use axum::http::StatusCode;
    ///
    /// #[public(reason = "the list of articles is public")]
    /// async fn articles() {}
    ///
    /// #[public(reason = "states that the method is wrong, and no more")]
    /// async fn not_allowed() -> (StatusCode, &'static str) {
    ///     (StatusCode::METHOD_NOT_ALLOWED, "no such method")
    /// }
    ///
    /// let router: GuardedRouter = GuardedRouter::new()
    ///     .route("/articles", get(articles))
    ///     .method_not_allowed_fallback(not_allowed);
    /// ```
    pub fn method_not_allowed_fallback<H, T, M>(mut self, handler: H) -> Self
    where
        H: TakesGuard<T>,
        H::Policy: PublicPolicy,
        T: GuardedParameters<H, S, M>,
        M: 'static,
    {
        let endpoint = Endpoint::of_handler(Methods::Others, handler);
        for route in &mut self.routes {
            route.others.get_or_insert_with(|| {
                Box::new(OtherMethods {
                    endpoint: endpoint.clone(),
                    prefix: "/".to_owned(),
                    path: route.full_path.clone(),
                    steps: Vec::new(),
                })
            });
        }
        self
    }

    /// Removes the [`fallback`](Self::fallback), like axum's
    /// [`Router::reset_fallback`](axum::Router::reset_fallback), so that the router can be merged
    /// with another one that has a fallback.
    pub fn reset_fallback(mut self) -> Self {
        self.fallback = FallbackRoute::default();
        self
    }

    fn set_fallback<P: HasPolicy>(
        mut self,
        service_type: Option<TypeId>,
        borrower: Option<Borrower>,
        make: MakeFallback<S>,
    ) -> Self {
        let declared = DeclaredFallback {
            make,
            policy: P::POLICY,
            location: P::LOCATION,
            service_type,
            borrower,
        };
        self.fallback = FallbackRoute {
            declared: Some(declared),
            ..FallbackRoute::default()
        };
        self
    }
}

impl<S> GuardedRouter<S> {
    /// Returns whether the router has a fallback of the service for its own unknown paths.
    pub(super) fn has_fallback(&self) -> bool {
        self.fallback.declared.is_some()
    }

    /// The fallbacks of the service with their prefixes, for the unknown paths of this router and of nested ones.
    pub(super) fn declared_fallbacks(&self) -> impl Iterator<Item = (&str, &DeclaredFallback<S>)> {
        let fallbacks = self.nested_fallbacks.iter().chain([&self.fallback]);
        fallbacks.filter_map(|fallback| Some((&*fallback.prefix, fallback.declared.as_ref()?)))
    }
}

/// Calls a public handler, with a guard without an identity.
async fn respond_as_public<H, T, S, M>(handler: H, request: Request, state: S) -> Response
where
    H: TakesGuard<T>,
    T: GuardedParameters<H, S, M>,
{
    let proof = Proof {
        caller: Caller::Anonymous,
        objects: None,
    };
    match Guard::prove(proof) {
        Ok(guard) => T::call(handler, guard, request, state, Handling(None)).await,
        Err(denied) => denied.into_response(),
    }
}
