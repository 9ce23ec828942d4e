//! Layers around the routes of a guarded router.

use std::convert::Infallible;

use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::Route;
use tower::{Layer, Service};

use crate::routing::router::GuardedRouter;
use crate::routing::step::{NO_ROUTES, Step};

impl<S: Clone + Send + Sync + 'static> GuardedRouter<S> {
    /// Adds a layer around the routes and the fallback added so far, like axum's
    /// [`Router::layer`](axum::Router::layer); see [Layers](Self#layers).
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.push_step(&Step::layer(layer));
        self
    }

    /// Adds a layer around the routes added so far, and around no fallback, like axum's
    /// [`Router::route_layer`](axum::Router::route_layer). The response to a method that a route has
    /// no handler for passes through the layer as well, as in axum.
    ///
    /// On a hidden path the decision is made outside the layer, since unknown paths do not have
    /// it. Elsewhere the layer is called first, and can respond in place of the handler.
    ///
    /// # Panics
    ///
    /// If the router has no routes yet.
    #[track_caller]
    pub fn route_layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        assert!(self.has_routes(), "{NO_ROUTES}");
        self.push_route_step(&Step::layer(layer));
        self
    }

    /// Adds a step to the routes and the fallbacks.
    pub(super) fn push_step(&mut self, step: &Step) {
        self.push_route_step(step);
        let fallbacks = std::iter::once(&mut self.fallback).chain(&mut self.nested_fallbacks);
        for fallback in fallbacks {
            fallback.steps.push(step.clone());
        }
    }

    fn push_route_step(&mut self, step: &Step) {
        let routes = self.routes.iter_mut().flat_map(|route| {
            let others = route.others.as_mut().map(|others| &mut others.steps);
            others.into_iter().chain([&mut route.steps])
        });
        let unguarded = self.unguarded.iter_mut().map(|route| &mut route.steps);
        for steps in routes.chain(unguarded) {
            steps.push(step.clone());
        }
    }
}
