//! The decisions of a handler about single objects, and the mark of concealed responses.

use std::sync::Arc;

use auth_runtime_core::adapter::{
    Authentication, EvaluationResult, ObjectReport, RequestView, Space,
};
use auth_runtime_core::{
    Denial, DenialDetails, EvaluationRequest, HandlerLocation, Identity, RequestData,
    RequestSnapshot,
};
use auth_runtime_policy::Policy;
use http::StatusCode;
use http::request::Parts;

use super::denied::Denied;
use crate::request::Reported;

/// The protection space and the parts of a request that a [`Guard`](super::Guard) keeps, for decisions about objects,
/// their records and denials.
pub(crate) struct ObjectAuthorizer {
    pub(crate) space: Arc<Space>,
    pub(crate) authentication: Authentication,
    pub(crate) request: KeptRequest,
    /// The data that the decision point keeps for the request.
    pub(crate) data: Option<Box<RequestData>>,
    /// True if the denial is concealed from this caller.
    pub(crate) conceal: bool,
    /// True if an authorizer in front of the handler replaces a concealed denial by the response of
    /// the router's fallback. Otherwise the fallback is not known, and the 404 of the space is
    /// sent.
    pub(crate) has_router: bool,
}

/// The parts of a request that the denial of an object depends on.
#[derive(Clone)]
pub(crate) struct KeptRequest {
    pub(crate) snapshot: RequestSnapshot,
    /// The parts for records and for questions to the decision point, if there may be any.
    pub(crate) reported: Option<Reported>,
    /// The head of the request, for a fallback that needs it.
    pub(crate) head: Option<Arc<Parts>>,
}

impl ObjectAuthorizer {
    pub(super) fn report(
        &self,
        policy: &Policy,
        location: HandlerLocation,
        denial: Option<&Denial>,
        evaluated: Option<&EvaluationResult>,
        is_concealed: bool,
    ) {
        let reported = self.request.reported.as_ref();
        self.space.report_object(ObjectReport {
            policy,
            location,
            authentication: &self.authentication,
            request: &self.request.snapshot,
            recorded: reported.map(|reported| &reported.recorded),
            matched_path: reported.and_then(Reported::matched_path),
            denial,
            evaluated,
            is_concealed,
        });
    }

    /// A request to the decision point, without questions.
    pub(super) fn about<'r>(&'r self, identity: &'r Identity) -> EvaluationRequest<'r> {
        let KeptRequest {
            snapshot, reported, ..
        } = &self.request;
        let recorded = reported.as_ref().map(|reported| &reported.recorded);
        self.space
            .about_kept(identity, snapshot, recorded, self.data.as_deref())
    }

    pub(super) fn deny(
        &self,
        policy: &Policy,
        location: HandlerLocation,
        denial: &Denial,
        evaluated: Option<&EvaluationResult>,
    ) -> Denied {
        // The request for a new login is disclosed, as it is by the policy (rule 3a).
        let conceal = self.conceal && !matches!(denial, Denial::StepUp { .. });
        self.report(policy, location, Some(denial), evaluated, conceal);
        let Self {
            space,
            authentication,
            request,
            ..
        } = self;
        if conceal && self.has_router {
            // The router replaces this response by that of the fallback.
            let object = (authentication.clone(), request.clone());
            let concealed = ConcealMark {
                object: Some(object),
            };
            return Denied::new(concealed.marked());
        }
        let request = RequestView::Snapshot(&request.snapshot);
        Denied::new(if conceal {
            space.respond_to_unknown_path(authentication, request)
        } else {
            let details = DenialDetails::of_policy(denial, policy, &[]);
            space.respond(details, authentication, request)
        })
    }
}

/// Marks a response that the authorizer in front of the handler replaces by that of an unknown
/// path.
#[derive(Clone)]
pub(crate) struct ConcealMark {
    /// The request for an object that the handler denied. `None` if the policy denied the request: the layer in front
    /// keeps it.
    pub(crate) object: Option<(Authentication, KeptRequest)>,
}

impl ConcealMark {
    /// A response with this mark.
    pub(crate) fn marked<B: Default>(self) -> http::Response<B> {
        let mut response = http::Response::default();
        *response.status_mut() = StatusCode::NOT_FOUND;
        response.extensions_mut().insert(self);
        response
    }
}
