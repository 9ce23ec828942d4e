//! The methods of a path, each with its policy.

use std::any::TypeId;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use auth_runtime_core::adapter::{State, UserType};
use auth_runtime_core::{HandlerLocation, ServiceFunction};
use auth_runtime_policy::Policy;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, MethodRouter, Route};
use http::Method;
use tower::{Layer, Service};

use crate::guard::{Declared, ServicePolicy};
use crate::routing::authorizer::RouteAuthorizer;
use crate::routing::borrower::Borrower;
use crate::routing::exchange::Place;
use crate::routing::handler::{GuardedParameters, TakesGuard};
use crate::routing::response_future::{Authorized, InnerService};
use crate::routing::step::{NO_ROUTES, Step};

/// The handlers of one path, each with its methods and its policy.
///
/// Corresponds to axum's [`MethodRouter`].
#[derive(Clone)]
#[must_use]
pub struct GuardedMethodRouter<S = ()> {
    pub(crate) endpoints: Vec<Endpoint<S>>,
}

/// The handlers of a path, as [`GuardedRouter::route`](super::GuardedRouter::route) accepts them.
///
/// A type of a service can implement it, since it has to contain a [`GuardedMethodRouter`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no access policies [AUTH0046]",
    label = "not made by the functions of `auth_runtime::routing`",
    note = "use `auth_runtime::routing::get` in place of `axum::routing::get`, and likewise for \
            other methods and for services"
)]
pub trait GuardedMethods<S>: Into<GuardedMethodRouter<S>> {}

impl<S> GuardedMethods<S> for GuardedMethodRouter<S> {}

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
    /// The state for the functions. `None` if no state is set yet, or if no functions exist.
    pub(crate) state: Option<Arc<State>>,
    pub(crate) mount: Mount<S>,
    pub(crate) layers: Vec<Step>,
}

pub(crate) type Mount<S> =
    Arc<dyn Fn(Methods, Arc<RouteAuthorizer>, Place) -> MethodRouter<S> + Send + Sync>;

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
        Self::new::<P, _, _>(methods, service_type, None, InnerService(service))
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
            layers: Vec::new(),
        }
    }

    pub(crate) fn with_state<S2>(self, state: S) -> Endpoint<S2> {
        let mount = self.mount;
        let is_asked_for = self.state.is_none() && !self.functions.is_empty();
        let own = is_asked_for.then(|| Arc::new(state.clone()) as Arc<State>);
        Endpoint {
            methods: self.methods,
            policy: self.policy,
            functions: self.functions,
            location: self.location,
            service_type: self.service_type,
            borrower: self.borrower,
            uses_guard: self.uses_guard,
            users: self.users,
            state: self.state.or(own),
            mount: Arc::new(move |methods, authorizer, place| {
                mount(methods, authorizer, place).with_state(state.clone())
            }),
            layers: self.layers,
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
        let taken = METHODS
            .iter()
            .filter(|(one, _)| filter.or(*one) == filter)
            .flat_map(|(_, methods)| methods.iter().cloned());
        Some(taken.collect())
    }

    /// The methods that the endpoint was added for, without `HEAD` for a `GET` endpoint. `None`
    /// stands for all methods that no other endpoint of the path takes.
    pub(crate) fn named_methods(&self) -> Vec<Option<Method>> {
        let Some(filter) = self.methods.filter() else {
            return vec![None];
        };
        let named = METHODS
            .iter()
            .filter(|(one, _)| filter.or(*one) == filter)
            .map(|(_, methods)| methods.first().cloned());
        named.collect()
    }
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

impl<S: Clone + Send + Sync + 'static> GuardedMethodRouter<S> {
    /// Creates a router without handlers. A path with no handler is an unknown path, unlike in axum.
    pub fn new() -> Self {
        Self {
            endpoints: Vec::new(),
        }
    }

    fn of(endpoint: Endpoint<S>) -> Self {
        Self {
            endpoints: vec![endpoint],
        }
    }

    fn and(mut self, endpoint: Endpoint<S>) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// Adds a handler for the methods of `filter`.
    pub fn on<H, T, M>(self, filter: MethodFilter, handler: H) -> Self
    where
        H: TakesGuard<T>,
        T: GuardedParameters<H, S, M>,
        M: 'static,
    {
        self.and(Endpoint::of_handler(Methods::Of(filter), handler))
    }

    /// Adds a service for the methods of `filter`, with the policy of a unit struct.
    pub fn on_service<P, T>(self, filter: MethodFilter, _policy: P, service: T) -> Self
    where
        P: ServicePolicy,
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send,
    {
        self.and(Endpoint::of_service::<P, T>(Methods::Of(filter), service))
    }

    /// Adds a handler for all other methods of the path, in place of an earlier one, like axum's
    /// [`MethodRouter::fallback`]. It has a policy of its own, like each handler of the path.
    ///
    /// As in axum, `Allow` of its responses lists the methods of the other handlers, unless a method
    /// of the path is hidden. [`any`] adds no such field.
    pub fn fallback<H, T, M>(self, handler: H) -> Self
    where
        H: TakesGuard<T>,
        T: GuardedParameters<H, S, M>,
        M: 'static,
    {
        self.with_others(Endpoint::of_handler(Methods::Others, handler))
    }

    /// Adds a service for all other methods of the path, like [`fallback`](Self::fallback), with the
    /// policy of a unit struct.
    pub fn fallback_service<P, T>(self, _policy: P, service: T) -> Self
    where
        P: ServicePolicy,
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send,
    {
        self.with_others(Endpoint::of_service::<P, T>(Methods::Others, service))
    }

    fn with_others(mut self, endpoint: Endpoint<S>) -> Self {
        self.endpoints
            .retain(|endpoint| endpoint.methods.filter().is_some());
        self.and(endpoint)
    }

    /// Adds the handlers of `other`.
    pub fn merge(mut self, other: Self) -> Self {
        self.endpoints.extend(other.endpoints);
        self
    }

    /// Adds a layer around the handlers added so far. If a method of the path is hidden, the
    /// decision is made outside of the layer.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        let step = Step::layer(layer);
        for endpoint in &mut self.endpoints {
            endpoint.layers.push(step.clone());
        }
        self
    }

    /// Adds a layer around the handlers added so far for a method, like axum's
    /// [`MethodRouter::route_layer`]: neither a handler for all other methods nor the response to
    /// methods without a handler passes through it. If a method of the path is hidden, the decision
    /// is made outside of the layer.
    ///
    /// # Panics
    ///
    /// If the router has no handler for a method yet.
    #[track_caller]
    pub fn route_layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        let step = Step::layer(layer).without_others();
        let endpoints = self.endpoints.iter_mut();
        let mut named = endpoints
            .filter(|endpoint| endpoint.methods.filter().is_some())
            .peekable();
        assert!(named.peek().is_some(), "{NO_ROUTES}");
        for endpoint in named {
            endpoint.layers.push(step.clone());
        }
        self
    }

    /// Provides the state for the handlers.
    pub fn with_state<S2>(self, state: S) -> GuardedMethodRouter<S2> {
        let endpoints = self.endpoints.into_iter();
        GuardedMethodRouter {
            endpoints: endpoints
                .map(|endpoint| endpoint.with_state(state.clone()))
                .collect(),
        }
    }
}

/// Routes the methods of `filter` to a handler with a policy.
pub fn on<H, T, S, M>(filter: MethodFilter, handler: H) -> GuardedMethodRouter<S>
where
    H: TakesGuard<T>,
    T: GuardedParameters<H, S, M>,
    M: 'static,
    S: Clone + Send + Sync + 'static,
{
    GuardedMethodRouter::of(Endpoint::of_handler(Methods::Of(filter), handler))
}

/// Routes the methods of `filter` to a service, with the policy of a unit struct.
pub fn on_service<P, T, S>(filter: MethodFilter, _policy: P, service: T) -> GuardedMethodRouter<S>
where
    P: ServicePolicy,
    T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    T::Response: IntoResponse,
    T::Future: Send,
    S: Clone + Send + Sync + 'static,
{
    GuardedMethodRouter::of(Endpoint::of_service::<P, T>(Methods::Of(filter), service))
}

/// Routes every method to a handler with a policy, except methods that are added with handlers of
/// their own.
pub fn any<H, T, S, M>(handler: H) -> GuardedMethodRouter<S>
where
    H: TakesGuard<T>,
    T: GuardedParameters<H, S, M>,
    M: 'static,
    S: Clone + Send + Sync + 'static,
{
    GuardedMethodRouter::of(Endpoint::of_handler(Methods::Any, handler))
}

/// Routes every method to a service, with the policy of a unit struct.
pub fn any_service<P, T, S>(_policy: P, service: T) -> GuardedMethodRouter<S>
where
    P: ServicePolicy,
    T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    T::Response: IntoResponse,
    T::Future: Send,
    S: Clone + Send + Sync + 'static,
{
    GuardedMethodRouter::of(Endpoint::of_service::<P, T>(Methods::Any, service))
}

macro_rules! methods {
    ($($function:ident $service_function:ident $method:ident)*) => {
        $(
            #[doc = concat!("Routes `", stringify!($method), "` to a handler that carries a policy.")]
            pub fn $function<H, T, S, M>(handler: H) -> GuardedMethodRouter<S>
            where
                H: TakesGuard<T>,
                T: GuardedParameters<H, S, M>,
                M: 'static,
                S: Clone + Send + Sync + 'static,
            {
                on(MethodFilter::$method, handler)
            }

            #[doc = concat!(
                "Routes `", stringify!($method),
                "` to a service, with the policy of a unit struct."
            )]
            pub fn $service_function<P, T, S>(policy: P, service: T) -> GuardedMethodRouter<S>
            where
                P: ServicePolicy,
                T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
                T::Response: IntoResponse,
                T::Future: Send,
                S: Clone + Send + Sync + 'static,
            {
                on_service(MethodFilter::$method, policy, service)
            }
        )*

        impl<S: Clone + Send + Sync + 'static> GuardedMethodRouter<S> {
            $(
                #[doc = concat!("Adds a handler for `", stringify!($method), "`.")]
                pub fn $function<H, T, M>(self, handler: H) -> Self
                where
                    H: TakesGuard<T>,
                    T: GuardedParameters<H, S, M>,
                    M: 'static,
                {
                    self.on(MethodFilter::$method, handler)
                }

                #[doc = concat!(
                    "Adds a service for `", stringify!($method),
                    "`, with the policy of a unit struct."
                )]
                pub fn $service_function<P, T>(self, policy: P, service: T) -> Self
                where
                    P: ServicePolicy,
                    T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
                    T::Response: IntoResponse,
                    T::Future: Send,
                {
                    self.on_service(MethodFilter::$method, policy, service)
                }
            )*
        }
    };
}

methods! {
    connect connect_service CONNECT
    delete delete_service DELETE
    get get_service GET
    head head_service HEAD
    options options_service OPTIONS
    patch patch_service PATCH
    post post_service POST
    put put_service PUT
    trace trace_service TRACE
}

impl<S: Clone + Send + Sync + 'static> Default for GuardedMethodRouter<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> fmt::Debug for GuardedMethodRouter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoints = self.endpoints.iter();
        f.debug_map()
            .entries(
                endpoints.map(|endpoint| (endpoint.methods.filter(), endpoint.policy.to_string())),
            )
            .finish()
    }
}
