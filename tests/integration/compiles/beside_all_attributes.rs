use auth_runtime::routing::post;
use auth_runtime::{Guard, GuardedRouter, requires};

/// Documentation stays where it is.
#[utoipa::path(post, path = "/x", responses((status = 200, body = String)))]
#[requires(scope = "a", hide_as = 404)]
#[tracing::instrument(skip(body))]
#[axum::debug_handler]
async fn handler(guard: Guard, body: String) -> String {
    format!("{guard:?} {body}")
}

pub(crate) fn main() {
    let _: GuardedRouter = GuardedRouter::new().route("/", post(handler));
}
