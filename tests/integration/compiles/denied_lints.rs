#![deny(warnings, missing_docs, unreachable_pub, unused, nonstandard_style)]
//! A crate that documents everything and allows nothing.

use auth_runtime::routing::get;
use auth_runtime::{Guard, GuardedRouter, public, requires};

/// A documented handler.
#[requires(scope = "a")]
pub(crate) async fn handler() {}

pub mod handlers {
    //! Public handlers.

    use super::{Guard, public, requires};

    /// A documented handler.
    #[requires(scope = "a")]
    pub async fn documented(_guard: Guard) {}

    /// Another one.
    #[public(reason = "a test")]
    pub async fn open() {}

    /// The policy of a service.
    #[requires(scope = "files")]
    #[derive(Debug)]
    pub struct Files;
}

pub(crate) fn main() {
    let _: GuardedRouter = GuardedRouter::new()
        .route("/handler", get(handler))
        .route("/documented", get(handlers::documented))
        .route("/open", get(handlers::open));
    let _ = handlers::Files;
}
