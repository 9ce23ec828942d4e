//! Responses, available now or later.

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tower::ServiceExt;

/// A response that is not available yet.
pub(crate) type BoxedResponse = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A response, available now or later.
pub(crate) enum ResponseOrFuture {
    Now(Response),
    Later(BoxedResponse),
    /// It was returned.
    Returned,
}

impl Future for ResponseOrFuture {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        if let Self::Later(response) = &mut *self {
            return response.as_mut().poll(context);
        }
        match std::mem::replace(&mut *self, Self::Returned) {
            Self::Now(response) => Poll::Ready(response),
            // Polled after completion, nothing is granted.
            Self::Returned | Self::Later(_) => Poll::Ready(internal_error()),
        }
    }
}

/// The response of a service that does not fail.
pub(crate) fn response_of(result: Result<impl IntoResponse, Infallible>) -> Response {
    match result {
        Ok(response) => response.into_response(),
        Err(never) => match never {},
    }
}

/// The response of a router, if nothing has to be awaited.
pub(crate) fn response_now(router: Router, request: Request) -> Option<Response> {
    let response = pin!(router.oneshot(request));
    match response.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(response) => Some(response_of(response)),
        Poll::Pending => None,
    }
}

/// The response if the state of a request is inconsistent: nothing is granted.
pub(crate) fn internal_error() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
