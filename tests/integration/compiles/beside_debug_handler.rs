use auth_runtime::routing::post;
use auth_runtime::{Guard, GuardedRouter, requires};

// Below `requires`: above it, it would check the function without its guard.
#[requires(scope = "a")]
#[axum::debug_handler]
async fn below_plain(body: String) -> String {
    body
}

#[requires(scope = "a")]
#[axum::debug_handler]
async fn below_guard(guard: Guard, body: String) -> String {
    let _ = guard.identity();
    body
}

pub(crate) fn main() {
    let _: GuardedRouter = GuardedRouter::new()
        .route("/below_plain", post(below_plain))
        .route("/below_guard", post(below_guard));
}
