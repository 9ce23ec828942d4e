use auth_runtime::routing::{GuardedMethodRouter, get};
use auth_runtime::{GuardedRouter, public};

#[public(reason = "liveness probe")]
async fn healthz() {}

async fn forgotten() {}

fn main() {
    let _: GuardedRouter = GuardedRouter::new().nest("/plain", axum::Router::new());
    let _: GuardedRouter = GuardedRouter::new().route("/plain", axum::Router::new());
    let methods = get(healthz).merge(axum::routing::post(forgotten));
    let _: GuardedRouter = GuardedRouter::new().route("/healthz", methods);
    let _: GuardedRouter = axum::Router::new().into();
    let _: GuardedMethodRouter = axum::routing::post(forgotten).into();
}
