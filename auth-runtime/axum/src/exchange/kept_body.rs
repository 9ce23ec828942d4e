//! A request body that lives until the handler has responded, and then goes to the fallback.
//!
//! A server shows on the connection that a body was dropped before the response, by `Connection: close`.
//! On an unknown path, the fallback receives the body, and drops or reads it. The body of a request to a
//! handler, which may deny an object on a hidden path, must not be dropped either while the handler runs.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::exchange::lock::lock;

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
        let mut body = lock(&self.0);
        let polled = Pin::new(&mut *body).poll_frame(context);
        if matches!(polled, Poll::Ready(None)) {
            // A body must not be polled after its end, and the next reader does not know of it.
            *body = Body::empty();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        lock(&self.0).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        lock(&self.0).size_hint()
    }
}
