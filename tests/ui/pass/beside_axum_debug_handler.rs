use auth_runtime::routing::post;
use auth_runtime::{Guard, GuardedRouter, requires};

// Above `requires`, it checks the function as it is written, so the guard has to be written too.
#[axum::debug_handler]
#[requires(scope = "a")]
async fn above_guard(guard: Guard, body: String) -> String {
    let _ = guard.identity();
    body
}

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

fn main() {
    let _: GuardedRouter = GuardedRouter::new()
        .route("/above_guard", post(above_guard))
        .route("/below_plain", post(below_plain))
        .route("/below_guard", post(below_guard));
}
