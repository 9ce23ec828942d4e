//! The adapter of `auth-runtime` to axum: the guard in a handler's signature, the router that accepts
//! only handlers with a policy, and support for tests.
//!
//! Services use these types through `auth-runtime`.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod current_user;
mod exchange;
mod guard;
#[cfg(feature = "inspection")]
mod indistinguishable;
mod probe;
mod request;
pub mod routing;
#[cfg(feature = "testing")]
pub mod testing;

pub use crate::current_user::{CurrentUser, MissingUser};
pub use crate::guard::{
    AuthenticatesCaller, Declared, Denied, FromCaller, Guard, HasIdentity, HasPolicy, KnowsCaller,
    OfHandler, OfService, PublicCaller, PublicPolicy, ServicePolicy, Undeclared, type_id_of,
    uses_guard,
};
pub use crate::routing::{GuardedRouter, ProtectError, ProtectedRouter};

/// Tools for tests that send requests to a router: the responder of a request, and the comparison
/// of responses. Without the feature `inspection`, nothing is recorded.
pub mod inspection {
    #[cfg(feature = "inspection")]
    pub use crate::indistinguishable::{
        App, call, fallback_of, neighbours, same_but_for_the_path, transcript,
    };
    pub use crate::probe::{Probe, Responder};
    pub use crate::request::head_of_parts;
}
