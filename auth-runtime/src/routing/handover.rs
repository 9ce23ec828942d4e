//! Results of authentication and authorization, passed through layers of the service.

use std::slice;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::Request;

use crate::head::Head;
use crate::routing::authorizer::{Authorization, RouteAuthorizer};
use crate::routing::fallback::{Fallback, UnknownCaller};
use crate::space::{CredentialFields, ProtectionSpace};

/// A result that was obtained in front of some layers, for the code behind them.
///
/// It is stored in the extensions of the request, which a layer or a handler can copy into another
/// request. It is therefore valid once, for its recipient only, and only if the request still
/// carries the same credentials. Otherwise the recipient authenticates again.
#[derive(Clone)]
struct Handover(Arc<Mutex<Option<Handed>>>);

struct Handed {
    result: Handled,
    credentials: CredentialFields,
}

enum Handled {
    Route(Arc<RouteAuthorizer>, Authorization),
    Fallback(Fallback, UnknownCaller),
}

impl Handled {
    /// Returns whether the credentials that the result depends on were in `Authorization`.
    fn is_in_authorization(&self) -> bool {
        match self {
            Self::Route(_, authorization) => authorization.sender.to_policy().is_in_authorization(),
            Self::Fallback(_, caller) => caller.is_in_authorization(),
        }
    }
}

/// Passes the decision about a request to the endpoint behind the layers.
pub(super) fn hand_to_route(
    authorizer: &Arc<RouteAuthorizer>,
    authorization: Authorization,
    request: &mut Request,
) {
    let result = Handled::Route(Arc::clone(authorizer), authorization);
    hand(result, slice::from_ref(&authorizer.space), request);
}

/// Passes the caller of an unknown path to the fallback behind the layers.
pub(super) fn hand_to_fallback(fallback: &Fallback, caller: UnknownCaller, request: &mut Request) {
    let result = Handled::Fallback(fallback.clone(), caller);
    hand(result, fallback.spaces(), request);
}

/// Takes the decision for `authorizer` from a request.
pub(super) fn take_for_route(
    authorizer: &Arc<RouteAuthorizer>,
    request: &mut Request,
) -> Option<Authorization> {
    match take(request, slice::from_ref(&authorizer.space))? {
        Handled::Route(other, authorization) if Arc::ptr_eq(&other, authorizer) => {
            Some(authorization)
        }
        _ => None,
    }
}

/// Takes the caller for `fallback` from a request.
pub(super) fn take_for_fallback(
    fallback: &Fallback,
    request: &mut Request,
) -> Option<UnknownCaller> {
    match take(request, fallback.spaces())? {
        Handled::Fallback(other, caller) if other.is_same(fallback) => Some(caller),
        _ => None,
    }
}

fn hand(result: Handled, spaces: &[ProtectionSpace], request: &mut Request) {
    // A form may carry a token, and a layer could replace the body unnoticed. Credentials in
    // `Authorization` are compared, and some of them are valid once: a proof of possession.
    let reads_form = spaces.iter().any(|space| space.reads_form_of(request));
    if reads_form && !result.is_in_authorization() {
        return;
    }
    let credentials = CredentialFields::of(spaces, Head::of(request));
    let handed = Handed {
        result,
        credentials,
    };
    let slot = Handover(Arc::new(Mutex::new(Some(handed))));
    request.extensions_mut().insert(slot);
}

fn take(request: &mut Request, spaces: &[ProtectionSpace]) -> Option<Handled> {
    let Handover(slot) = request.extensions_mut().remove()?;
    let handed = slot.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    let is_unchanged = handed.credentials == CredentialFields::of(spaces, Head::of(request));
    is_unchanged.then_some(handed.result)
}
