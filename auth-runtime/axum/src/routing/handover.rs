//! Results of authentication and authorization, passed through layers of the service.

use std::slice;
use std::sync::{Arc, Mutex, PoisonError};

use auth_runtime_core::adapter::{Authorization, CredentialFields, Target};
use auth_runtime_core::{Decision, ProtectionSpace};
use axum::extract::Request;
use http::Uri;

use crate::guard::ObjectRequest;
use crate::request::head_of;
use crate::routing::authorizer::RouteAuthorizer;
use crate::routing::fallback::{Fallback, UnknownCaller};

/// The decision about a request, and the parts of the request that it was made on, if layers have
/// seen the request since.
pub(super) struct Decided {
    pub(super) authorization: Authorization,
    pub(super) objects: Option<ObjectRequest>,
}

impl Decided {
    pub(super) fn new(authorization: Authorization) -> Self {
        Self {
            authorization,
            objects: None,
        }
    }

    fn is_in_authorization(&self) -> bool {
        let authentication = &self.authorization.authentication;
        authentication.to_policy().is_in_authorization()
    }
}

/// A result that was obtained in front of some layers, for the code behind them.
///
/// It is stored in the extensions of the request, which a layer or a handler can copy into another
/// request. It is therefore valid once, for its recipient only, and only if the request still
/// carries the same credentials. Otherwise the recipient authenticates again.
#[derive(Clone)]
struct Handover(Arc<Slot>);

struct Slot {
    /// The URI in front of the layers, with the segments that nesting removes.
    uri: Uri,
    credentials: CredentialFields,
    result: Mutex<Handed>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "it is made in place, behind an `Arc`"
)]
enum Handed {
    Route(Arc<RouteAuthorizer>, Option<Decided>),
    Fallback(Fallback, Option<UnknownCaller>),
}

impl Handed {
    /// Returns whether the credentials that the result depends on were in `Authorization`.
    fn is_in_authorization(&self) -> bool {
        match self {
            Self::Route(_, decided) => decided.as_ref().is_some_and(Decided::is_in_authorization),
            Self::Fallback(_, caller) => caller
                .as_ref()
                .is_some_and(UnknownCaller::is_in_authorization),
        }
    }
}

/// Passes the decision about a request to the endpoint behind the layers.
pub(super) fn hand_to_route(
    authorizer: &Arc<RouteAuthorizer>,
    authorization: Authorization,
    request: &mut Request,
) {
    let decided = Decided {
        objects: match authorization.decision {
            Decision::Grant => authorizer.object_request(request),
            _ => None,
        },
        authorization,
    };
    let result = Handed::Route(Arc::clone(authorizer), Some(decided));
    hand(result, slice::from_ref(&authorizer.space), request);
}

/// Passes the caller of an unknown path to the fallback behind the layers.
pub(super) fn hand_to_fallback(fallback: &Fallback, caller: UnknownCaller, request: &mut Request) {
    let result = Handed::Fallback(fallback.clone(), Some(caller));
    hand(result, fallback.spaces(), request);
}

/// Takes the decision for `authorizer` from a request.
pub(super) fn take_for_route(
    authorizer: &Arc<RouteAuthorizer>,
    request: &Request,
) -> Option<Decided> {
    let Handover(slot) = request.extensions().get()?;
    let mut handed = slot.result.lock().unwrap_or_else(PoisonError::into_inner);
    match &mut *handed {
        Handed::Route(recipient, decided) if Arc::ptr_eq(recipient, authorizer) => decided
            .take()
            .filter(|_| slot.applies(slice::from_ref(&authorizer.space), request)),
        _ => None,
    }
}

/// Takes the caller for `fallback` from a request.
pub(super) fn take_for_fallback(fallback: &Fallback, request: &Request) -> Option<UnknownCaller> {
    let Handover(slot) = request.extensions().get()?;
    let mut handed = slot.result.lock().unwrap_or_else(PoisonError::into_inner);
    match &mut *handed {
        Handed::Fallback(recipient, caller) if recipient.is_same(fallback) => caller
            .take()
            .filter(|_| slot.applies(fallback.spaces(), request)),
        _ => None,
    }
}

/// The URI that a request had in front of the layers of the endpoint behind `authorizer`.
pub(super) fn uri_in_front(authorizer: &RouteAuthorizer, request: &Request) -> Option<Uri> {
    let Handover(slot) = request.extensions().get()?;
    let handed = slot.result.lock().unwrap_or_else(PoisonError::into_inner);
    match &*handed {
        Handed::Route(recipient, _) if std::ptr::eq(&raw const **recipient, authorizer) => {
            Some(slot.uri.clone())
        }
        _ => None,
    }
}

/// Removes the result from a request. A fallback of the service must not find it there.
pub(super) fn forget(request: &mut Request) {
    request.extensions_mut().remove::<Handover>();
}

fn hand(result: Handed, spaces: &[ProtectionSpace], request: &mut Request) {
    // On hidden and unknown paths alike, all schemes count. A form may carry a token, and a layer could replace the body unnoticed. Credentials in
    // `Authorization` are compared, and some of them are valid once: a proof of possession.
    let reads_form = spaces
        .iter()
        .any(|space| space.reads_form_of(head_of(request), Target::Unknown));
    if reads_form && !result.is_in_authorization() {
        return;
    }
    let slot = Slot {
        uri: request.uri().clone(),
        credentials: CredentialFields::of(spaces, head_of(request)),
        result: Mutex::new(result),
    };
    request.extensions_mut().insert(Handover(Arc::new(slot)));
}

impl Slot {
    fn applies(&self, spaces: &[ProtectionSpace], request: &Request) -> bool {
        self.credentials == CredentialFields::of(spaces, head_of(request))
    }
}
