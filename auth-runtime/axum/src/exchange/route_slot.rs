//! The decision in front of layers, for the endpoint behind them.

use std::sync::{Arc, Mutex};

use auth_runtime_core::adapter::CredentialFields;
use axum::extract::Request;

use crate::exchange::authorizer::{RouteAuthorization, RouteAuthorizer};
use crate::exchange::handover::{find, hand};
use crate::exchange::lock::lock;
use crate::guard::ConcealMark;
use crate::request::head_of;

/// The decision of a [`ConcealLayer`](super::conceal::ConcealLayer) for the endpoint behind its layers,
/// and the denial of that endpoint for the layer.
pub(super) struct RouteSlot {
    recipient: Arc<RouteAuthorizer>,
    credentials: CredentialFields,
    decided: Mutex<Option<RouteAuthorization>>,
    concealed: Mutex<Option<ConcealMark>>,
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
            credentials: CredentialFields::of(&recipient.space, head_of(request)),
            decided: Mutex::new(Some(decided)),
            concealed: Mutex::new(None),
        });
        hand(Arc::clone(&slot), request);
        slot
    }

    /// The slot for `authorizer` in a request.
    pub(super) fn of(authorizer: &Arc<RouteAuthorizer>, request: &Request) -> Option<Arc<Self>> {
        find::<Self>(request).filter(|slot| Arc::ptr_eq(&slot.recipient, authorizer))
    }

    /// Takes the decision, if the request still carries the same credentials. A body that was read
    /// before the decision has to be compared as well.
    pub(super) fn take(&self, request: &Request) -> Option<RouteAuthorization> {
        let decided = lock(&self.decided).take();
        let space = &self.recipient.space;
        decided.filter(|_| self.credentials == CredentialFields::of(space, head_of(request)))
    }

    /// Leaves the response to the layer in front.
    pub(super) fn conceal(&self, concealed: ConcealMark) {
        *lock(&self.concealed) = Some(concealed);
    }

    /// Takes the denial that the endpoint left to the layer in front.
    pub(super) fn take_concealed(&self) -> Option<ConcealMark> {
        lock(&self.concealed).take()
    }
}
