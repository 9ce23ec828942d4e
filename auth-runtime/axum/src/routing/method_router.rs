//! The methods of a path, each with its policy.

use std::convert::Infallible;
use std::fmt;

use axum::extract::Request;
use axum::response::IntoResponse;
#[cfg(doc)]
use axum::routing::MethodRouter;
use axum::routing::{MethodFilter, Route};
use tower::{Layer, Service};

use crate::guard::ServicePolicy;
use crate::routing::endpoint::{Endpoint, Methods};
use crate::routing::handler::{GuardedParameters, TakesGuard};
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
/// Not sealed: a type of a service implements it together with `Into<GuardedMethodRouter>`, so its handlers have
/// policies.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no access policies [AUTH0046]",
    label = "not made by the functions of `auth_runtime::routing`",
    note = "use `auth_runtime::routing::get` in place of `axum::routing::get`, and likewise for \
            other methods and for services"
)]
pub trait GuardedMethods: Into<GuardedMethodRouter<<Self as GuardedMethods>::State>> {
    /// The type of the state that the handlers extract, which is that of the router.
    // Not a parameter of the trait: a type of another state would then have no policies, in the message.
    type State;
}

impl<S> GuardedMethods for GuardedMethodRouter<S> {
    type State = S;
}

impl<S: Clone + Send + Sync + 'static> GuardedMethodRouter<S> {
    /// Creates a router without handlers. A path with no handler is an unknown path, unlike in axum.
    pub fn new() -> Self {
        Self {
            endpoints: Vec::new(),
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
    /// decision is made outside the layer.
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
            endpoint.steps.push(step.clone());
        }
        self
    }

    /// Adds a layer around the handlers added so far for a method, like axum's
    /// [`MethodRouter::route_layer`]: neither a handler for all other methods nor the response to
    /// methods without a handler passes through it. If a method of the path is hidden, the decision
    /// is made outside the layer.
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
            endpoint.steps.push(step.clone());
        }
        self
    }

    /// Attaches data to the handlers added so far, for tools that describe routes. Requests do not
    /// see it; [`GuardedRouter::extensions`](super::GuardedRouter::extensions) returns it. A handler
    /// has one value of each type.
    ///
    /// ```
    /// use auth_runtime::routing::get;
    /// use auth_runtime::{GuardedRouter, public};
    ///
    /// #[derive(Clone)]
    /// struct Since(u32);
    ///
    /// #[public(reason = "liveness probe")]
    /// async fn healthz() {}
    ///
    /// let inner = GuardedRouter::new().route("/healthz", get(healthz).with_extension(Since(2)));
    /// let router: GuardedRouter = GuardedRouter::new().nest("/v2", inner);
    /// let found: Vec<_> = router.extensions::<Since>().map(|(path, since)| (path, since.0)).collect();
    /// assert_eq!(found, [("/v2/healthz", 2)]);
    /// ```
    pub fn with_extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        for endpoint in &mut self.endpoints {
            endpoint.extensions.insert(value.clone());
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
    GuardedMethodRouter::new().on(filter, handler)
}

/// Routes the methods of `filter` to a service, with the policy of a unit struct.
pub fn on_service<P, T, S>(filter: MethodFilter, policy: P, service: T) -> GuardedMethodRouter<S>
where
    P: ServicePolicy,
    T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    T::Response: IntoResponse,
    T::Future: Send,
    S: Clone + Send + Sync + 'static,
{
    GuardedMethodRouter::new().on_service(filter, policy, service)
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
    GuardedMethodRouter::new().and(Endpoint::of_handler(Methods::Any, handler))
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
    GuardedMethodRouter::new().and(Endpoint::of_service::<P, T>(Methods::Any, service))
}

macro_rules! methods {
    ($($function:ident $service_function:ident $method:ident)*) => {
        $(
            #[doc = concat!("Routes `", stringify!($method), "` to a handler with a policy.")]
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
