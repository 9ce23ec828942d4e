//! A request body that lives until the response.
//!
//! A server shows on the connection that a body was dropped before the response, by `Connection: close`.
//! The body of a request to an unknown path is not. That of a request to a handler, which may deny an
//! object on a hidden path, must not be dropped either while the handler runs.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::routing::handover::lock;

/// A handle to the body. It lives as long as its last handle.
pub(super) struct KeptBody(Arc<Mutex<Body>>);

impl KeptBody {
    /// Keeps the body of a request, unless it has none.
    pub(super) fn of(request: &mut Request) -> Option<Self> {
        if request.body().is_end_stream() {
            return None;
        }
        let body = std::mem::take(request.body_mut());
        let shared = Arc::new(Mutex::new(body));
        *request.body_mut() = Body::new(Self(Arc::clone(&shared)));
        Some(Self(shared))
    }
}

impl HttpBody for KeptBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *lock(&self.0)).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        lock(&self.0).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        lock(&self.0).size_hint()
    }
}
