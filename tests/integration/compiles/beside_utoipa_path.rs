use auth_runtime::routing::post;
use auth_runtime::{Guard, GuardedRouter, requires};

#[utoipa::path(post, path = "/above_plain", responses((status = 200, body = String)))]
#[requires(scope = "a")]
async fn above_plain(body: String) -> String {
    body
}

#[utoipa::path(post, path = "/above_guard", responses((status = 200, body = String)))]
#[requires(scope = "a")]
async fn above_guard(guard: Guard, body: String) -> String {
    let _ = guard.identity();
    body
}

#[requires(scope = "a")]
#[utoipa::path(post, path = "/below_plain", responses((status = 200, body = String)))]
async fn below_plain(body: String) -> String {
    body
}

#[requires(scope = "a")]
#[utoipa::path(post, path = "/below_guard", responses((status = 200, body = String)))]
async fn below_guard(guard: Guard, body: String) -> String {
    let _ = guard.identity();
    body
}

pub(crate) fn main() {
    let _: GuardedRouter = GuardedRouter::new()
        .route("/above_plain", post(above_plain))
        .route("/above_guard", post(above_guard))
        .route("/below_plain", post(below_plain))
        .route("/below_guard", post(below_guard));
}
