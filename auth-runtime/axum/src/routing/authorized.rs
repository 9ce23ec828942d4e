//! Handlers and services with their authorizers.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::IntoResponse;
use tower::{Service, ServiceExt};

use crate::exchange::authorizer::{RouteAuthorization, RouteAuthorizer};
use crate::exchange::response::{ResponseOrFuture, internal_error, response_of};
use crate::exchange::{Exchange, ExchangePlace, Handling, Inner};
use crate::guard::Guard;
use crate::routing::handler::{GuardedParameters, TakesGuard};

/// A handler or service with its authorizer. It implements axum's `Handler`.
pub(crate) struct Authorized<H> {
    inner: H,
    authorizer: Arc<RouteAuthorizer>,
    place: ExchangePlace,
}

impl<H> Authorized<H> {
    pub(crate) fn new(inner: H, authorizer: Arc<RouteAuthorizer>, place: ExchangePlace) -> Self {
        Self {
            inner,
            authorizer,
            place,
        }
    }
}

impl<H: Clone> Clone for Authorized<H> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            authorizer: Arc::clone(&self.authorizer),
            place: self.place,
        }
    }
}

/// Marks a handler that takes a guard, with its parameters `T` and the ways `M` to extract them.
pub(crate) struct ByHandler<T, M>(PhantomData<(T, M)>);

impl<H, T, S, M> Handler<ByHandler<T, M>, S> for Authorized<H>
where
    H: TakesGuard<T>,
    T: GuardedParameters<H, S, M>,
    M: 'static,
    S: Send + Sync + 'static,
{
    type Future = ResponseOrFuture;

    fn call(self, mut request: Request, state: S) -> ResponseOrFuture {
        let call = HandlerCall {
            handler: self.inner,
            state,
            parameters: PhantomData,
        };
        let exchange = Exchange::new(self.authorizer, self.place, &mut request);
        exchange.respond(request, call)
    }
}

struct HandlerCall<H, T, S, M> {
    handler: H,
    state: S,
    parameters: PhantomData<fn() -> (T, M)>,
}

impl<H, T, S, M> Inner for HandlerCall<H, T, S, M>
where
    H: TakesGuard<T>,
    T: GuardedParameters<H, S, M>,
    M: 'static,
    S: Send + Sync + 'static,
{
    fn call(
        self,
        mut exchange: Exchange,
        decided: RouteAuthorization,
        request: Request,
    ) -> ResponseOrFuture {
        let Some(proof) = exchange.grant(decided, &request) else {
            return ResponseOrFuture::Now(internal_error());
        };
        match Guard::prove(proof) {
            Ok(guard) => ResponseOrFuture::Later(T::call(
                self.handler,
                guard,
                request,
                self.state,
                Handling(Some(exchange)),
            )),
            Err(denied) => exchange.handled(denied.into_response()),
        }
    }
}

/// A service without a guard.
#[derive(Clone)]
pub(crate) struct InnerService<T>(pub(crate) T);

/// Marks a service that is called as a handler.
pub(crate) enum ByService {}

impl<T, S> Handler<ByService, S> for Authorized<InnerService<T>>
where
    T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    T::Response: IntoResponse,
    T::Future: Send,
{
    type Future = ResponseOrFuture;

    fn call(self, mut request: Request, _state: S) -> ResponseOrFuture {
        let exchange = Exchange::new(self.authorizer, self.place, &mut request);
        exchange.respond(request, self.inner)
    }
}

impl<T> Inner for InnerService<T>
where
    T: Service<Request, Error = Infallible> + Send + 'static,
    T::Response: IntoResponse,
    T::Future: Send,
{
    fn call(
        self,
        mut exchange: Exchange,
        decided: RouteAuthorization,
        request: Request,
    ) -> ResponseOrFuture {
        if exchange.grant(decided, &request).is_none() {
            return ResponseOrFuture::Now(internal_error());
        }
        ResponseOrFuture::Later(Box::pin(async move {
            let response = response_of(self.0.oneshot(request).await);
            exchange.handled(response).await
        }))
    }
}
