//! The future of a response, from authorization to the end of the handler.
//!
//! It authenticates and decides before the request reaches inner layers, extractors or the handler.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::response::Response;

use crate::exchange::authorizer::{RouteAuthorization, RouteAuthorizer};
use crate::exchange::response::{BoxedResponse, Secrecy};
use crate::exchange::{Exchange, ExchangePlace, Next};

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
    pub(crate) fn start(
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
            match ready!(self.exchange.poll(context)) {
                Next::Call(called) => {
                    let (decided, request) = *called;
                    self.call(decided, request);
                }
                Next::Respond(response) => return Poll::Ready(response),
            }
        }
    }
}
