//! The fallback of a guarded router, before it is protected.

use std::any::TypeId;
use std::sync::Arc;

use auth_runtime_core::HandlerLocation;
use auth_runtime_policy::Policy;

use crate::routing::borrower::Borrower;
use crate::routing::fallback::FallbackService;
use crate::routing::step::Step;

/// The fallback for the unknown paths of one router.
#[derive(Clone)]
pub(super) struct FallbackRoute<S> {
    /// `None`: the space's own 404.
    pub(super) service: Option<MakeFallback<S>>,
    /// The policy of the fallback of the service, its location and its kind, if it exists.
    pub(super) declared: Option<(&'static Policy, HandlerLocation, Option<TypeId>)>,
    /// The prefix; `/` if the router is not nested.
    pub(super) prefix: String,
    /// The borrower, if the handler takes the guard of another one.
    pub(super) borrower: Option<Borrower>,
    pub(super) steps: Vec<Step>,
}

pub(super) type MakeFallback<S> = Arc<dyn Fn(S) -> FallbackService + Send + Sync>;

impl<S> Default for FallbackRoute<S> {
    /// The 404 of the space.
    fn default() -> Self {
        Self {
            service: None,
            declared: None,
            prefix: "/".to_owned(),
            borrower: None,
            steps: Vec::new(),
        }
    }
}

impl<S: Clone + Send + Sync + 'static> FallbackRoute<S> {
    pub(super) fn with_state<S2>(self, state: S) -> FallbackRoute<S2> {
        FallbackRoute {
            service: self
                .service
                .map(|make| Arc::new(move |_state| make(state.clone())) as MakeFallback<S2>),
            declared: self.declared,
            prefix: self.prefix,
            borrower: self.borrower,
            steps: self.steps,
        }
    }
}
