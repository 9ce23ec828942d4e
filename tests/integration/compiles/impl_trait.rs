use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, requires};
use axum::response::IntoResponse;

#[requires(scope = "a")]
async fn opaque() -> impl IntoResponse {
    (axum::http::StatusCode::CREATED, "created")
}

#[requires(scope = "a")]
async fn result() -> Result<impl IntoResponse, impl IntoResponse> {
    if true { Ok("fine") } else { Err("not fine") }
}

#[requires(scope = "a")]
async fn argument(_: axum::extract::State<impl Clone + Send + Sync + 'static>) {}

pub(crate) fn main() {
    let _: GuardedRouter = GuardedRouter::new()
        .route("/opaque", get(opaque))
        .route("/result", get(result));
}
