//! A handler or service with its methods and its policy.

use std::any::TypeId;
use std::convert::Infallible;
use std::sync::Arc;

use auth_runtime_core::adapter::{State, UserType};
use auth_runtime_core::{HandlerLocation, ServiceFunction};
use auth_runtime_policy::Policy;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, MethodRouter};
use http::{Extensions, Method};
use tower::Service;
use tower::util::MapResponseLayer;

use crate::exchange::ExchangePlace;
use crate::exchange::authorizer::RouteAuthorizer;
use crate::exchange::secrecy::uncacheable_if_missing;
use crate::guard::{Declared, ServicePolicy};
use crate::routing::authorized::{Authorized, InnerService};
use crate::routing::borrower::Borrower;
use crate::routing::handler::{GuardedParameters, TakesGuard};
use crate::routing::step::Step;

/// A handler or service that does not have an authorizer yet.
#[derive(Clone)]
pub(crate) struct Endpoint<S> {
    pub(crate) methods: Methods,
    pub(crate) policy: &'static Policy,
    /// The functions that the policy names.
    pub(crate) functions: &'static [ServiceFunction],
    pub(crate) location: HandlerLocation,
    /// The type of the service; `None` for a handler.
    pub(crate) service_type: Option<TypeId>,
    /// A handler with the guard of another one.
    pub(crate) borrower: Option<Borrower>,
    pub(crate) uses_guard: bool,
    /// The users of the service that its parameters need.
    pub(crate) users: Vec<UserType>,
    /// The state for the functions. `None` if no state is set yet.
    pub(crate) state: Option<Arc<State>>,
    pub(crate) mount: Mount<S>,
    pub(crate) steps: Vec<Step>,
    /// Data about the endpoint, for other crates.
    pub(crate) extensions: Extensions,
}

pub(crate) type Mount<S> =
    Arc<dyn Fn(Methods, Arc<RouteAuthorizer>, ExchangePlace) -> MethodRouter<S> + Send + Sync>;

/// The methods that an endpoint takes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Methods {
    /// The methods of a filter.
    Of(MethodFilter),
    /// All methods that no other endpoint of the path takes.
    Any,
    /// The same; `Allow` of the response lists the methods of the other endpoints.
    Others,
}

impl Methods {
    pub(crate) fn filter(self) -> Option<MethodFilter> {
        match self {
            Self::Of(filter) => Some(filter),
            Self::Any | Self::Others => None,
        }
    }

    /// Routes the methods to a handler that decides before it does anything.
    fn route<H, T, S>(self, handler: H) -> MethodRouter<S>
    where
        H: Handler<T, S>,
        T: 'static,
        S: Clone + Send + Sync + 'static,
    {
        match self {
            // unguarded: the handler has an authorizer
            Self::Of(filter) => axum::routing::on(filter, handler),
            // unguarded: and so it has here
            Self::Any => axum::routing::any(handler),
            // unguarded: and here
            Self::Others => MethodRouter::new().fallback(handler),
        }
    }
}

impl<S: Clone + Send + Sync + 'static> Endpoint<S> {
    pub(crate) fn of_handler<H, T, M>(methods: Methods, handler: H) -> Self
    where
        H: TakesGuard<T>,
        T: GuardedParameters<H, S, M>,
        M: 'static,
    {
        let borrower = Borrower::find::<H, H::Policy>();
        Self {
            users: T::needed_users(),
            ..Self::new::<H::Policy, _, _>(methods, None, borrower, handler)
        }
    }

    pub(crate) fn of_service<P, T>(methods: Methods, service: T) -> Self
    where
        P: ServicePolicy,
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send,
    {
        let service_type = Some(TypeId::of::<T>());
        Self {
            // A service takes no guard.
            uses_guard: false,
            ..Self::new::<P, _, _>(methods, service_type, None, InnerService(service))
        }
    }

    fn new<P, I, T>(
        methods: Methods,
        service_type: Option<TypeId>,
        borrower: Option<Borrower>,
        inner: I,
    ) -> Self
    where
        P: Declared,
        I: Clone + Send + Sync + 'static,
        Authorized<I>: Handler<T, S>,
        T: 'static,
    {
        Self {
            methods,
            policy: P::POLICY,
            functions: P::FUNCTIONS,
            location: P::LOCATION,
            service_type,
            borrower,
            uses_guard: P::USES_GUARD,
            users: Vec::new(),
            state: None,
            mount: Arc::new(move |methods, authorizer, place| {
                methods.route(Authorized::new(inner.clone(), authorizer, place))
            }),
            steps: Vec::new(),
            extensions: Extensions::new(),
        }
    }

    pub(crate) fn with_state<S2>(self, state: S) -> Endpoint<S2> {
        let mount = self.mount;
        let own = || Arc::new(state.clone()) as Arc<State>;
        let state_for_functions = self.state.unwrap_or_else(own);
        Endpoint {
            methods: self.methods,
            policy: self.policy,
            functions: self.functions,
            location: self.location,
            service_type: self.service_type,
            borrower: self.borrower,
            uses_guard: self.uses_guard,
            users: self.users,
            state: Some(state_for_functions),
            mount: Arc::new(move |methods, authorizer, place| {
                mount(methods, authorizer, place).with_state(state.clone())
            }),
            steps: self.steps,
            extensions: self.extensions,
        }
    }
}

impl<S> Endpoint<S> {
    /// The state for the functions.
    pub(crate) fn state_for_functions(&self) -> Arc<State> {
        self.state.clone().unwrap_or_else(|| Arc::new(()))
    }

    /// The methods that the endpoint takes; `None` for all.
    pub(crate) fn methods(&self) -> Option<Vec<Method>> {
        let filter = self.methods.filter()?;
        Some(methods_of(filter).flatten().cloned().collect())
    }

    /// The methods that the endpoint was added for, without `HEAD` for a `GET` endpoint. `None`
    /// stands for all methods that no other endpoint of the path takes.
    pub(crate) fn named_methods(&self) -> Vec<Option<Method>> {
        let Some(filter) = self.methods.filter() else {
            return vec![None];
        };
        methods_of(filter)
            .map(|methods| methods.first().cloned())
            .collect()
    }
}

/// The default response of axum to the methods without a handler, as `no-store`.
pub(super) fn uncacheable_405() -> MethodRouter {
    let no_handler = MethodRouter::<(), Infallible>::new();
    no_handler.layer(MapResponseLayer::new(uncacheable_if_missing))
}

/// The methods of each part of a filter.
fn methods_of(filter: MethodFilter) -> impl Iterator<Item = &'static [Method]> {
    let parts = METHODS.iter();
    let parts = parts.filter(move |(one, _)| filter.or(*one) == filter);
    parts.map(|(_, methods)| *methods)
}

/// The methods of each filter. In axum, a `GET` handler also responds to `HEAD`.
const METHODS: [(MethodFilter, &[Method]); 9] = [
    (MethodFilter::CONNECT, &[Method::CONNECT]),
    (MethodFilter::DELETE, &[Method::DELETE]),
    (MethodFilter::GET, &[Method::GET, Method::HEAD]),
    (MethodFilter::HEAD, &[Method::HEAD]),
    (MethodFilter::OPTIONS, &[Method::OPTIONS]),
    (MethodFilter::PATCH, &[Method::PATCH]),
    (MethodFilter::POST, &[Method::POST]),
    (MethodFilter::PUT, &[Method::PUT]),
    (MethodFilter::TRACE, &[Method::TRACE]),
];
