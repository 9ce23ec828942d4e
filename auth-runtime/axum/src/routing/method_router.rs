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
use crate::routing::step::Step;

/// The handlers of one path, each with its methods and its policy.
///
/// Corresponds to axum's [`MethodRouter`].
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
    /// The methods; `None` for all methods that no other endpoint of the path takes.
    pub(crate) filter: Option<MethodFilter>,
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
    Arc<dyn Fn(Arc<RouteAuthorizer>, Place) -> MethodRouter<S> + Send + Sync>;

impl<S: Clone + Send + Sync + 'static> Endpoint<S> {
    fn of_handler<H, T, M>(filter: Option<MethodFilter>, handler: H) -> Self
    where
        H: TakesGuard<T>,
        T: GuardedParameters<H, S, M>,
        M: 'static,
    {
        let borrower = Borrower::find::<H, H::Policy>();
        Self {
            users: T::needed_users(),
            ..Self::new::<H::Policy, _, _>(filter, None, borrower, handler)
        }
    }

    pub(crate) fn of_service<P, T>(filter: Option<MethodFilter>, service: T) -> Self
    where
        P: ServicePolicy,
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send,
    {
        let service_type = Some(TypeId::of::<T>());
        Self::new::<P, _, _>(filter, service_type, None, InnerService(service))
    }

    fn new<P, I, T>(
        filter: Option<MethodFilter>,
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
            filter,
            policy: P::POLICY,
            functions: P::FUNCTIONS,
            location: P::LOCATION,
            service_type,
            borrower,
            uses_guard: P::USES_GUARD,
            users: Vec::new(),
            state: None,
            mount: Arc::new(move |authorizer, place| {
                let handler = Authorized::new(inner.clone(), authorizer, place);
                match filter {
                    // unguarded: the authorizer decides before the handler does anything
                    Some(filter) => axum::routing::on(filter, handler),
                    // unguarded: and so it does here
                    None => axum::routing::any(handler),
                }
            }),
            layers: Vec::new(),
        }
    }

    pub(crate) fn with_state<S2>(self, state: S) -> Endpoint<S2> {
        let mount = self.mount;
        let is_asked_for = self.state.is_none() && !self.functions.is_empty();
        let own = is_asked_for.then(|| Arc::new(state.clone()) as Arc<State>);
        Endpoint {
            filter: self.filter,
            policy: self.policy,
            functions: self.functions,
            location: self.location,
            service_type: self.service_type,
            borrower: self.borrower,
            uses_guard: self.uses_guard,
            users: self.users,
            state: self.state.or(own),
            mount: Arc::new(move |authorizer, place| {
                mount(authorizer, place).with_state(state.clone())
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
        let filter = self.filter?;
        let taken = METHODS
            .iter()
            .filter(|(one, _)| filter.or(*one) == filter)
            .flat_map(|(_, methods)| methods.iter().cloned());
        Some(taken.collect())
    }

    /// The methods that the endpoint was added for, without `HEAD` for a `GET` endpoint. `None`
    /// stands for all methods that no other endpoint of the path takes.
    pub(crate) fn named_methods(&self) -> Vec<Option<Method>> {
        let Some(filter) = self.filter else {
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
        self.and(Endpoint::of_handler(Some(filter), handler))
    }

    /// Adds a service for the methods of `filter`, with the policy of a unit struct.
    pub fn on_service<P, T>(self, filter: MethodFilter, _policy: P, service: T) -> Self
    where
        P: ServicePolicy,
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send,
    {
        self.and(Endpoint::of_service::<P, T>(Some(filter), service))
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
    GuardedMethodRouter::of(Endpoint::of_handler(Some(filter), handler))
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
    GuardedMethodRouter::of(Endpoint::of_service::<P, T>(Some(filter), service))
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
    GuardedMethodRouter::of(Endpoint::of_handler(None, handler))
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
    GuardedMethodRouter::of(Endpoint::of_service::<P, T>(None, service))
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

impl<S> fmt::Debug for GuardedMethodRouter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoints = self.endpoints.iter();
        f.debug_map()
            .entries(endpoints.map(|endpoint| (endpoint.filter, endpoint.policy.to_string())))
            .finish()
    }
}
