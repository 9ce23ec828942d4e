use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, requires};
use axum::http::Method;

#[requires(scope = "a")]
async fn many(
    _: Method,
    _: Method,
    _: Method,
    _: Method,
    _: Method,
    _: Method,
    _: Method,
    _: Method,
    _: Method,
    _: Method,
    _: Method,
    _: Method,
    _: Method,
    _: Method,
    _: Method,
) {
}

pub(crate) fn main() {
    let _: GuardedRouter = GuardedRouter::new().route("/", get(many));
}
