//! Routing that accepts only handlers with a policy.
//!
//! [`GuardedRouter`] corresponds to axum's `Router`, and the functions of this module correspond to
//! those of [`axum::routing`]. The difference: they accept only handlers with a policy.
//!
//! ```
//! use auth_runtime::routing::get;
//! use auth_runtime::{GuardedRouter, requires};
//!
//! #[requires(scope = "repo:read", hide_as = 404)]
//! async fn read() {}
//!
//! #[requires(scope = "repo:write", hide_as = 404, hide_unless = scope("repo:read"))]
//! async fn write() {}
//!
//! let router: GuardedRouter = GuardedRouter::new().route("/repo", get(read).put(write));
//! ```

mod adopted;
mod authorized;
mod borrower;
#[cfg(feature = "resource-metadata")]
mod documents;
mod endpoint;
mod extract;
mod fallbacks;
mod handler;
mod has_state;
mod layers;
mod member;
mod method_router;
mod mistakes;
mod mount;
mod protect_error;
mod protected;
mod route;
mod router;
mod step;
mod table;
mod unguarded;

pub use self::extract::{
    FromGranted, FromGrantedRequest, FromIdentity, ViaHead, ViaIdentity, ViaOptionalIdentity,
    ViaParts, ViaRequest,
};
pub use self::handler::{GuardedParameters, TakesGuard};
pub use self::has_state::HasState;
pub use self::method_router::{
    GuardedMethodRouter, GuardedMethods, any, any_service, connect, connect_service, delete,
    delete_service, get, get_service, head, head_service, on, on_service, options, options_service,
    patch, patch_service, post, post_service, put, put_service, trace, trace_service,
};
pub use self::protect_error::ProtectError;
pub use self::protected::ProtectedRouter;
pub use self::router::{GuardedRouter, GuardedRoutes};
