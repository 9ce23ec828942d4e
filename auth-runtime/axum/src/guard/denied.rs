//! The denial that a handler returns.

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use http::StatusCode;

/// The denial of a request, which the handler returns as its response.
///
/// The status, the challenges and, if the policy is hidden, every byte of the response are those of
/// the handler's policy.
///
/// It is `Send` and `Sync`, so that an error of the service can contain it, and a handler can hold a reference to
/// that error across an `await`.
#[derive(Debug)]
#[must_use = "a denial has to be returned from the handler, or the caller is not denied"]
pub struct Denied(Box<http::Response<Bytes>>);

impl Denied {
    pub(super) fn new(response: http::Response<Bytes>) -> Self {
        Self(Box::new(response))
    }

    /// Fails closed. The error is logged, and not disclosed to the client.
    pub(super) fn misconfigured(problem: &str) -> Self {
        tracing::error!("{problem}; the response is 500");
        let mut response = http::Response::default();
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(response)
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        self.0.map(Body::from)
    }
}
