//! Results of authentication and authorization, passed through layers of the service.

use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use auth_runtime_core::adapter::{Authorization, CredentialFields};
use axum::extract::Request;
use bytes::Bytes;

use crate::guard::{Concealed, ObjectRequest};
use crate::request::head_of;
use crate::routing::authorizer::RouteAuthorizer;
use crate::routing::fallback::{Fallback, UnknownCaller};

/// The decision about a request, and the parts of the request that it was made on.
pub(super) struct RouteAuthorization {
    pub(super) authorization: Authorization,
    /// The form of the request, if it was searched for credentials.
    pub(super) form: Option<Bytes>,
    /// The request in front of the layers, if the decision was made there.
    pub(super) objects: Option<Box<ObjectRequest>>,
}

impl RouteAuthorization {
    pub(super) fn new(authorization: Authorization) -> Self {
        Self {
            authorization,
            form: None,
            objects: None,
        }
    }
}

/// A result that was obtained in front of some layers, for the code behind them.
///
/// It is stored in the extensions of the request, which a layer or a handler can copy into another
/// request. It is therefore valid once, and for its recipient only.
#[derive(Clone)]
enum Handover {
    Route(Arc<RouteSlot>),
    Fallback(Arc<FallbackSlot>),
}

struct FallbackSlot {
    recipient: Fallback,
    caller: Mutex<Option<UnknownCaller>>,
}

/// The decision of a [`ConcealLayer`](super::conceal::ConcealLayer) for the endpoint behind its layers,
/// and the denial of that endpoint for the layer.
pub(super) struct RouteSlot {
    recipient: Arc<RouteAuthorizer>,
    credentials: CredentialFields,
    decided: Mutex<Option<RouteAuthorization>>,
    concealed: Mutex<Option<Concealed>>,
}

impl RouteSlot {
    /// Passes the decision about a request to the endpoint behind the layers.
    pub(super) fn hand(
        recipient: &Arc<RouteAuthorizer>,
        decided: RouteAuthorization,
        request: &mut Request,
    ) -> Arc<Self> {
        let slot = Arc::new(Self {
            recipient: Arc::clone(recipient),
            credentials: CredentialFields::of(slice::from_ref(&recipient.space), head_of(request)),
            decided: Mutex::new(Some(decided)),
            concealed: Mutex::new(None),
        });
        let handover = Handover::Route(Arc::clone(&slot));
        request.extensions_mut().insert(handover);
        slot
    }

    /// The slot for `authorizer` in a request.
    pub(super) fn of(authorizer: &Arc<RouteAuthorizer>, request: &Request) -> Option<Arc<Self>> {
        match request.extensions().get()? {
            Handover::Route(slot) if Arc::ptr_eq(&slot.recipient, authorizer) => {
                Some(Arc::clone(slot))
            }
            _ => None,
        }
    }

    /// Takes the decision, if the request still carries the same credentials. A form in its body has to
    /// be compared as well.
    pub(super) fn take(&self, request: &Request) -> Option<RouteAuthorization> {
        let decided = lock(&self.decided).take();
        let spaces = slice::from_ref(&self.recipient.space);
        decided.filter(|_| self.credentials == CredentialFields::of(spaces, head_of(request)))
    }

    /// Leaves the response to the layer in front.
    pub(super) fn conceal(&self, concealed: Concealed) {
        *lock(&self.concealed) = Some(concealed);
    }

    /// Takes the denial that the endpoint left to the layer in front.
    pub(super) fn take_concealed(&self) -> Option<Concealed> {
        lock(&self.concealed).take()
    }
}

/// Passes the caller of an unknown path to the fallback behind the layers. Layers may change the
/// credentials: the caller is that of the request as it was sent, as in front of hidden paths.
pub(super) fn hand_to_fallback(fallback: &Fallback, caller: UnknownCaller, request: &mut Request) {
    let slot = Arc::new(FallbackSlot {
        recipient: fallback.clone(),
        caller: Mutex::new(Some(caller)),
    });
    request.extensions_mut().insert(Handover::Fallback(slot));
}

/// Takes the caller for `fallback` from a request.
pub(super) fn take_for_fallback(fallback: &Fallback, request: &Request) -> Option<UnknownCaller> {
    match request.extensions().get()? {
        Handover::Fallback(slot) if slot.recipient.is_same(fallback) => lock(&slot.caller).take(),
        _ => None,
    }
}

/// Removes the result from a request. A fallback of the service must not find it there.
pub(super) fn forget(request: &mut Request) {
    request.extensions_mut().remove::<Handover>();
}

fn lock<T>(slot: &Mutex<T>) -> MutexGuard<'_, T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
