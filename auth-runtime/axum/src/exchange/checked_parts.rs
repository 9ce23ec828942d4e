//! The parts of a request that a decision in front of layers depends on.

use std::net::SocketAddr;

use axum::extract::Request;
use http::{HeaderMap, Uri};

use crate::request::head_of;

/// The parts of a request that checks, decision points and `network` requirements read.
///
/// The method and the query are not among them: they belong to the credentials. A check can also read extensions,
/// which cannot be compared.
pub(super) struct CheckedParts {
    target: Uri,
    fields: HeaderMap,
    peer: Option<SocketAddr>,
}

impl CheckedParts {
    /// Copies them from a request.
    pub(super) fn of(request: &Request) -> Self {
        let head = head_of(request);
        Self {
            target: head.sent_uri().clone(),
            fields: head.headers.clone(),
            peer: head.peer(),
        }
    }

    /// Returns whether a request has the same parts.
    pub(super) fn are_in(&self, request: &Request) -> bool {
        let head = head_of(request);
        self.target == *head.sent_uri() && self.fields == *head.headers && self.peer == head.peer()
    }
}
