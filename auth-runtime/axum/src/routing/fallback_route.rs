//! The fallback of a guarded router, before it is protected.

use std::any::TypeId;
use std::sync::Arc;

use auth_runtime_core::HandlerLocation;
use auth_runtime_policy::Policy;

use crate::exchange::fallback::FallbackService;
use crate::routing::borrower::Borrower;
use crate::routing::step::Step;

/// The fallback for the unknown paths of one router.
#[derive(Clone)]
pub(super) struct FallbackRoute<S> {
    /// `None`: the space's own 404.
    pub(super) declared: Option<DeclaredFallback<S>>,
    /// The prefix; `/` if the router is not nested.
    pub(super) prefix: String,
    pub(super) steps: Vec<Step>,
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
    pub(super) fn with_state<S2>(self, state: S) -> FallbackRoute<S2> {
        FallbackRoute {
            declared: self.declared.map(|declared| DeclaredFallback {
                make: Arc::new(move |_state| (declared.make)(state.clone())),
                policy: declared.policy,
                location: declared.location,
                service_type: declared.service_type,
                borrower: declared.borrower,
            }),
            prefix: self.prefix,
            steps: self.steps,
        }
    }
}
