#![deny(
    warnings,
    clippy::all,
    clippy::nursery,
    clippy::pedantic,
    clippy::absolute_paths,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::arbitrary_source_item_ordering,
    clippy::as_conversions,
    clippy::exhaustive_structs,
    clippy::min_ident_chars,
    clippy::missing_docs_in_private_items,
    clippy::missing_inline_in_public_items,
    clippy::redundant_pub_crate,
    clippy::single_char_lifetime_names,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    nonstandard_style,
    single_use_lifetimes,
    trivial_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unused,
    unused_lifetimes,
    unused_qualifications,
    unused_results
)]
#![expect(
    clippy::arbitrary_source_item_ordering,
    clippy::exhaustive_structs,
    clippy::redundant_pub_crate,
    reason = "of the code as it is written"
)]
//! A crate that is checked with every lint that an expansion could trigger.

use std::future::ready;

use auth_runtime::routing::get;
use auth_runtime::{CheckRequest, Guard, GuardedRouter, public, requires};
use axum::extract::{OriginalUri, RawQuery};
use axum::http::{HeaderMap, Method, Uri, Version};

/// A handler with a check, a network and a guard.
#[requires(
    any(check = is_fine, network = "10.0.0.0/8", max_age = "5m"),
    role = "admin",
    hide_as = 404,
    hide_unless = role("auditor")
)]
async fn handler(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

/// A handler that nothing mounts yet.
#[expect(dead_code, reason = "of the code as it is written")]
#[requires(role = "admin")]
async fn later() {
    ready(()).await;
}

/// A handler with as many parameters as clippy accepts, without the guard that is added.
#[requires(role = "admin")]
async fn with_parameters(
    _: Method,
    _: Uri,
    _: Version,
    _: HeaderMap,
    _: OriginalUri,
    _: RawQuery,
    _: String,
) {
}

/// A check.
async fn is_fine(request: CheckRequest<'_>) -> bool {
    request.identity().subject() == "ann"
}

/// Handlers with a policy of their module.
#[requires(role = "admin")]
mod admin {
    use auth_runtime::{public, requires};

    /// A handler.
    pub(crate) async fn users() {}

    /// Another one.
    #[requires(scope = "users:write")]
    pub(crate) async fn delete() {}

    /// A public one.
    #[public(reason = "a test")]
    pub(crate) async fn login() {}
}

/// Public items.
pub mod handlers {
    use auth_runtime::{public, requires};

    /// A handler.
    #[requires(scope = "a")]
    #[inline]
    pub async fn documented() {}

    /// A deprecated handler.
    #[requires(scope = "a")]
    #[deprecated(note = "a test")]
    #[inline]
    pub async fn old() {}

    /// The policy of a service.
    #[public(reason = "a test")]
    #[derive(Clone, Copy, Debug)]
    pub struct Files;

    /// The policy of a deprecated service.
    #[requires(scope = "a")]
    #[deprecated(note = "a test")]
    #[derive(Clone, Copy, Debug)]
    pub struct OldFiles;
}

/// A public handler.
#[public(reason = "a test")]
async fn open() {}

/// Mounts everything except deprecated handlers.
pub(crate) fn main() {
    let _: GuardedRouter = GuardedRouter::new()
        .route("/handler", get(handler))
        .route("/open", get(open))
        .route("/parameters", get(with_parameters))
        .route("/documented", get(handlers::documented))
        .route("/login", get(admin::login))
        .route("/users", get(admin::users).delete(admin::delete));
    let _: handlers::Files = handlers::Files;
    #[expect(deprecated, reason = "a test")]
    let _: handlers::OldFiles = handlers::OldFiles;
}
