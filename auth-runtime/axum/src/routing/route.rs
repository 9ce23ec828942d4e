//! The routes and fallbacks of a guarded router, before it is protected.

use std::any::TypeId;
use std::sync::Arc;

use auth_runtime_core::HandlerLocation;
use auth_runtime_policy::Policy;

use crate::exchange::fallback::FallbackService;
use crate::routing::borrower::Borrower;
use crate::routing::endpoint::Endpoint;
use crate::routing::step::Step;

/// One method of one path.
#[derive(Clone)]
pub(super) struct GuardedRoute<S> {
    /// The path as given. The steps add the prefixes.
    pub(super) path: String,
    /// The path as matched, with all prefixes.
    pub(super) full_path: String,
    pub(super) extent: Extent,
    pub(super) endpoint: Endpoint<S>,
    /// The handler for the methods that the path has no endpoint for. `None`: the 405 of axum, or the response of a
    /// plain router on the path. It is boxed, since few routes have one.
    pub(super) others: Option<Box<OtherMethods<S>>>,
    /// The layers and prefixes of the route, from the inside out.
    pub(super) steps: Vec<Step>,
}

impl<S: Clone + Send + Sync + 'static> GuardedRoute<S> {
    pub(super) fn with_state<S2>(self, state: &S) -> GuardedRoute<S2> {
        GuardedRoute {
            path: self.path,
            full_path: self.full_path,
            extent: self.extent,
            endpoint: self.endpoint.with_state(state.clone()),
            others: self.others.map(|others| Box::new(others.with_state(state))),
            steps: self.steps,
        }
    }
}

/// The handler for the methods that the paths of one router have no endpoint for.
#[derive(Clone)]
pub(super) struct OtherMethods<S> {
    pub(super) endpoint: Endpoint<S>,
    /// The prefix of that router; `/` if it is not nested.
    pub(super) prefix: String,
    /// The path of the route in that router, with the prefixes that it had before the handler was added.
    pub(super) path: String,
    /// The layers and prefixes that were added after the handler, from the inside out.
    pub(super) steps: Vec<Step>,
}

impl<S: Clone + Send + Sync + 'static> OtherMethods<S> {
    fn with_state<S2>(self, state: &S) -> OtherMethods<S2> {
        OtherMethods {
            endpoint: self.endpoint.with_state(state.clone()),
            prefix: self.prefix,
            path: self.path,
            steps: self.steps,
        }
    }
}

/// The paths of a route.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Extent {
    Path,
    /// A service for the path and all paths below it.
    Subtree,
}

/// The fallback for the unknown paths of one router.
#[derive(Clone)]
pub(super) struct FallbackRoute<S> {
    /// `None`: the space's own 404.
    pub(super) declared: Option<DeclaredFallback<S>>,
    /// The prefix; `/` if the router is not nested.
    pub(super) prefix: String,
    pub(super) steps: Vec<Step>,
}

impl<S> Default for FallbackRoute<S> {
    /// The 404 of the space.
    fn default() -> Self {
        Self {
            declared: None,
            prefix: "/".to_owned(),
            steps: Vec::new(),
        }
    }
}

impl<S: Clone + Send + Sync + 'static> FallbackRoute<S> {
    pub(super) fn with_state<S2>(self, state: &S) -> FallbackRoute<S2> {
        FallbackRoute {
            declared: self.declared.map(|declared| declared.with_state(state)),
            prefix: self.prefix,
            steps: self.steps,
        }
    }
}

/// A fallback of the service.
#[derive(Clone)]
pub(super) struct DeclaredFallback<S> {
    pub(super) make: MakeFallback<S>,
    pub(super) policy: &'static Policy,
    pub(super) location: HandlerLocation,
    /// `None` for a handler.
    pub(super) service_type: Option<TypeId>,
    /// The borrower, if the handler takes the guard of another one.
    pub(super) borrower: Option<Borrower>,
}

pub(super) type MakeFallback<S> = Arc<dyn Fn(S) -> FallbackService + Send + Sync>;

impl<S: Clone + Send + Sync + 'static> DeclaredFallback<S> {
    fn with_state<S2>(self, state: &S) -> DeclaredFallback<S2> {
        let state = state.clone();
        DeclaredFallback {
            make: Arc::new(move |_state| (self.make)(state.clone())),
            policy: self.policy,
            location: self.location,
            service_type: self.service_type,
            borrower: self.borrower,
        }
    }
}

/// Joins a prefix and a path, like axum.
pub(super) fn nested_path(prefix: &str, path: &str) -> String {
    match prefix.strip_suffix('/') {
        // The same as in axum.
        Some(prefix) => format!("{prefix}/{}", path.trim_start_matches('/')),
        None if path == "/" => prefix.to_owned(),
        None => format!("{prefix}{path}"),
    }
}
