//! Every place where a policy can stand.

pub mod admin;
#[path = "stock_room.rs"]
pub mod stock;

use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, public, requires};

#[public(reason = "liveness probe")]
pub async fn healthz() -> &'static str {
    "ok"
}

#[requires(
    any(scope = "orders:read", role = "auditor"),
    schemes(Bearer),
    realm = "orders"
)]
pub async fn orders() {}

#[requires(can = "read", on = "Order::{order}", scope = "orders:read", hide_as = 404)]
pub async fn order_of_caller() {}

/// A service.
#[requires(policy = "staff")]
pub struct Files;

pub fn routes() -> GuardedRouter {
    #[requires(scope = "orders:write")]
    async fn order() {}

    GuardedRouter::new()
        .route("/healthz", get(healthz))
        .route("/orders", get(orders).post(order))
        .route("/orders/{order}", get(order_of_caller))
        .nest_service("/files", Files, files())
        .merge(admin::routes())
}

/// Only called a test, and only with a feature.
#[cfg_attr(feature = "never", cfg(test))]
#[public(reason = "it is there without the feature")]
pub async fn seldom() {}

#[cfg(test)]
mod tests {
    #[auth_runtime::public(reason = "only a test")]
    async fn not_listed() {}
}
