//! The program beside the library.

use auth_runtime::requires;

#[requires(network = "cluster")]
async fn metrics() {}

/// A plain router can have guarded handlers too.
fn app() -> axum::Router {
    axum::Router::new()
        .route("/metrics", axum::routing::get(metrics))
        .route("/orders", axum::routing::get(shop::orders))
        // unguarded: whoever wants to know the version may,
        // and nobody learns more
        .route("/version", axum::routing::get(async || "1.0"))
}

fn main() {}
