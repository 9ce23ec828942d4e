//! The guard as an extractor, which decides on a plain axum router.

use std::sync::Arc;

use auth_runtime_core::adapter::{Route, Space, State, Surroundings};
use auth_runtime_core::{Caller, ProtectionSpace, RequestSnapshot};
use axum::extract::FromRequestParts;
use http::request::Parts;

use super::denied::Denied;
use super::object_authorizer::{KeptRequest, ObjectAuthorizer};
use super::policy::{Declared, HasPolicy};
use super::{Guard, Proof};
use crate::request::{head_of_parts, parameters_in, parts_to_report, path_parameters, stand_in};

impl<S: Send + Sync + 'static, P: Declared> FromRequestParts<S> for Guard<P> {
    type Rejection = Denied;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Denied> {
        if P::POLICY.ignores_credentials() {
            if let Some(space) = head.extensions.get::<ProtectionSpace>() {
                let space = space.for_adapters();
                space.report_public(P::POLICY, Some(&P::LOCATION), head_of_parts(head));
            }
            return Self::prove(Proof {
                caller: Caller::Anonymous,
                objects: None,
            });
        }
        let Some(space) = head.extensions.get::<ProtectionSpace>() else {
            return Err(Denied::misconfigured(
                "a guarded handler is mounted outside a `GuardedRouter`, on a router without \
                 a protection space: add `.layer(Extension(space))` to the router",
            ));
        };
        let space = Arc::clone(space.for_adapters());
        Self::decide(space, head, state).await
    }
}

impl<P: HasPolicy> Guard<P> {
    /// Decides on a plain axum router.
    async fn decide(space: Arc<Space>, head: &mut Parts, state: &State) -> Result<Self, Denied> {
        let request = P::USES_GUARD.then(|| KeptRequest {
            snapshot: RequestSnapshot::of(head_of_parts(head)),
            reported: parts_to_report(&space, head_of_parts(head)),
            head: None,
        });
        let needs_parameters = !P::FUNCTIONS.is_empty() || P::POLICY.has_object_requirements();
        let path = if needs_parameters {
            Some(path_parameters(head).await)
        } else {
            None
        };
        let parameters = path
            .as_ref()
            .map_or_else(|| Some(Vec::new()), parameters_in);
        let route = Route {
            policy: P::POLICY,
            functions: P::FUNCTIONS,
            location: Some(&P::LOCATION),
            uses_guard: P::USES_GUARD,
            constants: None,
            is_unknown_path: false,
        };
        let surroundings = Surroundings {
            head: head_of_parts(head),
            parameters: parameters.as_deref(),
            state,
        };
        let (authentication, authorization) = space
            .authorize_route(route, surroundings, stand_in(&head.extensions))
            .await
            .map_err(Denied::new)?;
        let caller = space.caller_for(P::POLICY, &authentication).cloned();
        let objects = request.map(|request| {
            Arc::new(ObjectAuthorizer {
                data: authorization.data.or_else(|| space.request_data()),
                space,
                authentication,
                request,
                conceal: authorization.conceal,
                has_router: false,
            })
        });
        Self::prove(Proof {
            // Ambiguous credentials are never granted.
            caller: caller.unwrap_or(Caller::Anonymous),
            objects,
        })
    }
}
