//! The handler of unknown paths.

use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;

use crate::exchange::authorizer::{RouteAuthorization, RouteAuthorizer};
use crate::exchange::fallback::{Fallback, strip_match};
use crate::exchange::matched::Matched;
use crate::exchange::response::{ResponseOrFuture, internal_error};
use crate::exchange::{Exchange, ExchangePlace, Inner};

/// Responds to requests on unknown paths, through the same code as to requests that are concealed: the
/// time of a response must not depend on whether the path exists.
#[derive(Clone)]
pub(crate) struct FallbackHandler(Arc<RouteAuthorizer>);

/// Marks the handler of unknown paths.
pub(crate) enum ByFallback {}

impl FallbackHandler {
    pub(crate) fn new(matched: Matched, fallback: &Fallback) -> Self {
        Self(Arc::new(RouteAuthorizer::of_unknown(
            matched,
            fallback.clone(),
        )))
    }

    pub(crate) fn respond(&self, mut request: Request) -> ResponseOrFuture {
        let authorizer = Arc::clone(&self.0);
        if authorizer.matched == Matched::UnknownMethod {
            // Records of the request would name the route.
            strip_match(&mut request);
        }
        let authenticates = authorizer.fallback.authenticates(request.uri().path());
        let exchange = Exchange::new(authorizer, ExchangePlace::Endpoint, &mut request);
        if authenticates {
            exchange.respond(request, NoHandler)
        } else {
            exchange.respond_unauthenticated(&mut request)
        }
    }
}

impl<S> Handler<ByFallback, S> for FallbackHandler {
    type Future = ResponseOrFuture;

    fn call(self, request: Request, _state: S) -> ResponseOrFuture {
        self.respond(request)
    }
}

/// The handler of an unknown path: there is none, and every request is concealed.
struct NoHandler;

impl Inner for NoHandler {
    fn call(self, _: Exchange, _: RouteAuthorization, _: Request) -> ResponseOrFuture {
        ResponseOrFuture::Now(internal_error())
    }
}
