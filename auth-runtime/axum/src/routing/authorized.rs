//! Handlers and services behind their authorizers. No tower layer is added: axum calls them as handlers.

use std::convert::Infallible;
use std::future::ready;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::IntoResponse;
use tower::{Service, ServiceExt};

use crate::exchange::ExchangePlace;
use crate::exchange::authorizer::{RouteAuthorization, RouteAuthorizer};
use crate::exchange::response::{BoxedResponse, Secrecy, response_of};
use crate::exchange::response_future::{Inner, ResponseFuture};
use crate::guard::Guard;
use crate::routing::handler::{GuardedParameters, Seal, TakesGuard};

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
    type Future = ResponseFuture<HandlerCall<H, T, S, M>>;

    fn call(self, request: Request, state: S) -> Self::Future {
        let call = HandlerCall {
            handler: self.inner,
            state,
            parameters: PhantomData,
        };
        ResponseFuture::start(self.authorizer, self.place, request, call)
    }
}

pub(crate) struct HandlerCall<H, T, S, M> {
    handler: H,
    state: S,
    parameters: PhantomData<fn() -> (T, M)>,
}

impl<H, T, S, M> Inner for HandlerCall<H, T, S, M>
where
    H: TakesGuard<T>,
    T: GuardedParameters<H, S, M>,
{
    fn call(
        self,
        authorizer: &Arc<RouteAuthorizer>,
        decided: RouteAuthorization,
        request: Request,
    ) -> Option<(BoxedResponse, Secrecy)> {
        let (proof, secrecy) = authorizer.grant(decided, &request)?;
        let response = match Guard::prove(proof) {
            Ok(guard) => T::call(self.handler, guard, request, self.state, Seal(())),
            Err(denied) => Box::pin(ready(denied.into_response())),
        };
        Some((response, secrecy))
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
    type Future = ResponseFuture<InnerService<T>>;

    fn call(self, request: Request, _state: S) -> Self::Future {
        ResponseFuture::start(self.authorizer, self.place, request, self.inner)
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
        authorizer: &Arc<RouteAuthorizer>,
        decided: RouteAuthorization,
        request: Request,
    ) -> Option<(BoxedResponse, Secrecy)> {
        let (_, secrecy) = authorizer.grant(decided, &request)?;
        let response = Box::pin(async move { response_of(self.0.oneshot(request).await) });
        Some((response, secrecy))
    }
}
