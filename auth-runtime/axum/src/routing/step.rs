//! Layers and prefixes of routes, applied when their router is protected.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::Route;
use tower::{Layer, Service};

use crate::exchange::fallback::Fallback;

/// A layer or prefix that was added to routes, and is applied when the router is protected.
#[derive(Clone)]
pub(crate) struct Step {
    apply: Arc<dyn Fn(Router) -> Router + Send + Sync>,
    /// Whether the response to methods without a handler does not pass through the layer.
    pub(super) skips_others: bool,
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
            skips_others: false,
        }
    }

    /// The step around the handlers of a path, without the response to its other methods.
    pub(super) fn without_others(self) -> Self {
        Self {
            skips_others: true,
            ..self
        }
    }

    pub(super) fn nest(prefix: &str) -> Self {
        let prefix = prefix.to_owned();
        Self {
            apply: Arc::new(move |router| Router::new().nest(&prefix, router)),
            skips_others: false,
        }
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.apply, &other.apply)
    }
}

pub(super) fn apply(steps: &[Step], router: Router) -> Router {
    steps
        .iter()
        .fold(router, |router, step| (step.apply)(router))
}

/// Returns the number of outermost steps that are equal.
pub(super) fn common_steps(steps: &[Step], others: &[Step]) -> usize {
    let pairs = steps.iter().rev().zip(others.iter().rev());
    pairs.take_while(|(one, other)| one.is_same(other)).count()
}

pub(super) fn split(steps: &[Step], common: usize) -> (&[Step], &[Step]) {
    steps.split_at(steps.len().saturating_sub(common))
}

/// Returns the same fallback with these steps around it.
pub(super) fn with_steps(fallback: &Fallback, steps: &[Step]) -> Fallback {
    if steps.is_empty() {
        return fallback.clone();
    }
    // unguarded: it responds for paths that do not exist
    fallback.with_layers(|service| apply(steps, Router::new().fallback_service(service)))
}

/// The message of the panic of a `route_layer` without effect.
pub(super) const NO_ROUTES: &str = "Adding a `route_layer` before any routes is a no-op. Add the \
                                    routes you want the layer to apply to first.";
