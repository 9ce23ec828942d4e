//! Decisions that were made in front of layers, at the endpoint behind them.

use std::net::SocketAddr;

use axum::extract::Request;
use http::{HeaderMap, Uri};

use crate::exchange::authorizer::{
    AuthorizationOrPending, PendingAuthorization, RouteAuthorization, RouteAuthorizer,
};
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
    fn of(request: &Request) -> Self {
        let head = head_of(request);
        Self {
            target: head.sent_uri().clone(),
            fields: head.headers.clone(),
            peer: head.peer(),
        }
    }

    /// Returns whether a request has the same parts.
    fn are_in(&self, request: &Request) -> bool {
        let head = head_of(request);
        self.target == *head.sent_uri() && self.fields == *head.headers && self.peer == head.peer()
    }
}

impl RouteAuthorization {
    /// Returns whether layers changed a part of the request that the requirements depend on.
    pub(super) fn is_outdated(&self, request: &Request) -> bool {
        let checked = self.checked.as_ref();
        checked.is_some_and(|checked| !checked.are_in(request))
    }
}

impl RouteAuthorizer {
    /// The parts of a request that the requirements of the policy depend on, if they depend on any.
    pub(super) fn checked_parts(&self, request: &Request) -> Option<Box<CheckedParts>> {
        let policy = &self.policy;
        let depends_on_request =
            !self.functions.is_empty() || policy.asks_about_objects() || policy.asks_for_network();
        depends_on_request.then(|| Box::new(CheckedParts::of(request)))
    }

    /// Uses a decision that was made in front of layers, unless they changed the parts of the request that it depends
    /// on.
    pub(super) fn confirm(
        decided: RouteAuthorization,
        request: &Request,
    ) -> AuthorizationOrPending {
        let authentication = decided.authentication.to_policy();
        if decided.body.is_some() && !authentication.is_in_authorization() {
            return AuthorizationOrPending::Later(PendingAuthorization::Body(Some(decided)));
        }
        if decided.is_outdated(request) {
            return AuthorizationOrPending::Later(PendingAuthorization::Again(decided));
        }
        AuthorizationOrPending::Now(decided)
    }

    /// Decides again behind layers, for the same authentication: a proof of the client is valid once. Later questions to
    /// the decision point are about the request behind the layers as well.
    pub(super) async fn decide_again(
        &self,
        decided: RouteAuthorization,
        request: &mut Request,
    ) -> RouteAuthorization {
        let again = self.decide_with_checks(decided.authentication, request, self.watch());
        RouteAuthorization {
            body: decided.body,
            ..again.await
        }
    }
}
