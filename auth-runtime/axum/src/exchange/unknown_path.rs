//! The handler of unknown paths.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;

use crate::exchange::authorizer::{RouteAuthorization, RouteAuthorizer};
use crate::exchange::fallback::{Fallback, strip_match};
use crate::exchange::matched::Matched;
use crate::exchange::response::{BoxedResponse, Secrecy};
use crate::exchange::response_future::{Inner, ResponseFuture};
use crate::exchange::{Exchange, ExchangePlace};

/// Responds to requests on unknown paths, through the same code as to requests that are concealed: the
/// time of a response must not depend on whether the path exists.
#[derive(Clone)]
pub(crate) struct UnknownPath(Arc<RouteAuthorizer>);

/// Marks the handler of unknown paths.
pub(crate) enum ByFallback {}

impl UnknownPath {
    pub(crate) fn new(matched: Matched, fallback: &Fallback) -> Self {
        Self(Arc::new(RouteAuthorizer::of_unknown(
            matched,
            fallback.clone(),
        )))
    }

    pub(crate) fn respond<I: Inner>(&self, mut request: Request) -> ResponseFuture<I> {
        let authorizer = Arc::clone(&self.0);
        if authorizer.matched == Matched::UnknownMethod {
            strip_match(&mut request);
        }
        let authenticates = authorizer.fallback.authenticates(request.uri().path());
        let mut exchange = Exchange::new(authorizer, ExchangePlace::Endpoint, &mut request);
        if !authenticates {
            exchange.respond_unauthenticated(&mut request);
        } else if exchange.authorize(&mut request).is_some() {
            exchange.fail();
        }
        ResponseFuture::of_unknown(exchange)
    }
}

impl<S> Handler<ByFallback, S> for UnknownPath {
    type Future = ResponseFuture<NoHandler>;

    fn call(self, request: Request, _state: S) -> Self::Future {
        self.respond(request)
    }
}

/// The handler of an unknown path: there is none.
pub(crate) type NoHandler = Infallible;

impl Inner for NoHandler {
    fn call(
        self,
        _: &Arc<RouteAuthorizer>,
        _: RouteAuthorization,
        _: Request,
    ) -> Option<(BoxedResponse, Secrecy)> {
        match self {}
    }
}
