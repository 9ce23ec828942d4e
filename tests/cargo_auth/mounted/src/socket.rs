use axum::Router;
use axum::routing::any;

/// Nothing calls it.
pub(crate) fn router() -> Router {
    rooms().route("/socket", any(socket))
}

/// Only the function above calls it.
fn rooms() -> Router {
    Router::new().route("/rooms", any(socket))
}

async fn socket() {}
