//! The denial that a handler returns.

use axum::response::{IntoResponse, Response};
use http::StatusCode;

/// The denial of a request, which the handler returns as its response.
///
/// The status, the challenges and, if the policy is hidden, every byte of the response are those of
/// the handler's policy.
#[derive(Debug)]
#[must_use = "a denial has to be returned from the handler, or the caller is not denied"]
pub struct Denied(Box<Response>);

impl Denied {
    pub(crate) fn new(response: impl IntoResponse) -> Self {
        Self(Box::new(response.into_response()))
    }

    /// Fails closed. The error is logged, and not disclosed to the client.
    pub(super) fn misconfigured(problem: &str) -> Self {
        tracing::error!("{problem}; the response is 500");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        *self.0
    }
}
