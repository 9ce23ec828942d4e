#![forbid(dead_code, nonstandard_style, unused, unreachable_pub, missing_docs)]
//! A crate that forbids to allow anything.

use auth_runtime::routing::get;
use auth_runtime::{Guard, GuardedRouter, public, requires};

/// A handler.
#[requires(scope = "a")]
pub(crate) async fn handler(_guard: Guard) {}

#[public(reason = "a test")]
async fn open() {}

#[requires(role = "admin")]
mod admin {
    pub(crate) async fn users() {}
}

pub(crate) fn main() {
    let _: GuardedRouter = GuardedRouter::new()
        .route("/handler", get(handler))
        .route("/open", get(open))
        .route("/users", get(admin::users));
}
