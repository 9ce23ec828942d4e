//! Decisions that were made in front of layers, at the endpoint behind them.

use axum::extract::Request;

use crate::exchange::authorizer::{
    AuthorizationOrPending, PendingAuthorization, RouteAuthorization, RouteAuthorizer,
};
use crate::exchange::checked_parts::CheckedParts;

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
        let depends_on_request = !self.functions.is_empty()
            || policy.has_object_requirements()
            || policy.depends_on_network();
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
