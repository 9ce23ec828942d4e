use auth_runtime::GuardedRouter;
use auth_runtime::routing::{GuardedMethodRouter, any_service, get, on_service};
use auth_runtime::public;
use axum::routing::MethodFilter;

#[public(reason = "liveness probe")]
async fn healthz() {}

async fn forgotten() {}

struct Files;

fn files() -> axum::Router {
    axum::Router::new()
}

fn main() {
    let _: GuardedRouter = GuardedRouter::new()
        .route("/on", get(healthz).on(MethodFilter::PUT, forgotten))
        .route("/fallback", get(healthz).fallback(forgotten))
        .route("/new", GuardedMethodRouter::new().trace(forgotten))
        .route("/any", any_service(Files, files()))
        .route("/service", on_service(MethodFilter::GET, Files, files()))
        .route("/chained", get(healthz).put_service(Files, files()))
        .route("/on_service", get(healthz).on_service(MethodFilter::PUT, Files, files()))
        .route("/others", get(healthz).fallback_service(Files, files()))
        .route("/of_a_handler", any_service(policy_of_healthz {}, files()));
}
