//! A value in the extensions of a request, for the code behind layers of the service.
//!
//! A layer or a handler can copy the extensions into another request. The value therefore names its
//! recipient, and is taken out once. A `RequestBody`, which was read before authentication, is in the extensions as
//! well. It has no recipient, and `forget_body` removes it.

use std::any::Any;
use std::sync::Arc;

use axum::extract::Request;

#[derive(Clone)]
struct Handover(Arc<dyn Any + Send + Sync>);

/// Puts a value into a request, in place of an earlier one.
pub(super) fn hand<T: Send + Sync + 'static>(value: Arc<T>, request: &mut Request) {
    request.extensions_mut().insert(Handover(value));
}

/// Finds the value in a request, if it is of this type.
pub(super) fn find<T: Send + Sync + 'static>(request: &Request) -> Option<Arc<T>> {
    let Handover(value) = request.extensions().get()?;
    Arc::downcast(Arc::clone(value)).ok()
}

/// Removes the value from a request. A fallback of the service must not find it there.
pub(super) fn forget(request: &mut Request) {
    request.extensions_mut().remove::<Handover>();
}
