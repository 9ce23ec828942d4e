//! The key that a token is bound to (RFC 7800).

use auth_runtime_core::{Caller, Identity};
use serde_json::Value;

use super::claims::Claims;

/// Rejects a token that is bound to a key, since the client has not proved possession of it.
pub(crate) fn unless_bound(caller: Caller) -> Caller {
    match confirmation(&caller) {
        Some(_) => Caller::rejected(),
        None => caller,
    }
}

/// Returns the claim with the key that a token is bound to (RFC 7800 §3.1).
pub(crate) fn confirmation(caller: &Caller) -> Option<&Value> {
    let claims = caller.identity().and_then(Identity::extension::<Claims>)?;
    claims.get("cnf")
}
