//! The future of a response, from authorization to the end of the handler.
//!
//! It authenticates and decides before the request reaches inner layers, extractors or the handler.
//! It adds no tower layer: axum calls it as the handler.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready as ready_or_return};

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use tower::{Service, ServiceExt};

use crate::guard::Guard;
use crate::routing::authorizer::{RouteAuthorization, RouteAuthorizer};
use crate::routing::exchange::{Exchange, ExchangePlace, Next};
use crate::routing::handler::{GuardedParameters, Seal, TakesGuard};
use crate::routing::response::{BoxedResponse, Secrecy, response_of};

/// The code behind an authorizer.
pub(crate) trait Inner {
    /// Calls the code with a request that was not concealed. To code in front of layers, the request may
    /// be denied; to all other code, it is granted. `None` if the decision has no caller.
    fn call(
        self,
        authorizer: &Arc<RouteAuthorizer>,
        decided: RouteAuthorization,
        request: Request,
    ) -> Option<(BoxedResponse, Secrecy)>;
}

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

/// The response to one request, starting with its authorization.
///
/// All but the call of the handler is in [`Exchange`], which does not depend on the handler's type.
pub(crate) struct ResponseFuture<I> {
    exchange: Exchange,
    /// The handler, until it is called. Unknown paths have none.
    inner: Option<I>,
}

impl<I: Inner> ResponseFuture<I> {
    /// Starts to authorize a request, and calls the code behind if that takes no time.
    pub(super) fn start(
        authorizer: Arc<RouteAuthorizer>,
        place: ExchangePlace,
        mut request: Request,
        inner: I,
    ) -> Self {
        let mut future = Self {
            exchange: Exchange::new(authorizer, place, &mut request),
            inner: Some(inner),
        };
        if let Some(decided) = future.exchange.authorize(&mut request) {
            future.call(decided, request);
        }
        future
    }

    /// The response of an exchange with an unknown path, which has no code to call.
    pub(super) fn of_unknown(exchange: Exchange) -> Self {
        Self {
            exchange,
            inner: None,
        }
    }

    fn call(&mut self, decided: RouteAuthorization, request: Request) {
        let called = match self.inner.take() {
            Some(inner) => inner.call(self.exchange.authorizer(), decided, request),
            None => None,
        };
        match called {
            Some((response, secrecy)) => self.exchange.handle(response, secrecy),
            None => self.exchange.fail(),
        }
    }
}

// There is no structural pinning: the inner futures are boxed.
impl<I> Unpin for ResponseFuture<I> {}

impl<I: Inner> Future for ResponseFuture<I> {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        loop {
            match ready_or_return!(self.exchange.poll(context)) {
                Next::Call(called) => {
                    let (decided, request) = *called;
                    self.call(decided, request);
                }
                Next::Respond(response) => return Poll::Ready(response),
            }
        }
    }
}
