use auth_runtime::{GuardedRouter, public, requires};
use axum::routing::{get, get_service};

#[requires(scope = "reports:read")]
async fn reports() {}

#[public(reason = "liveness probe")]
async fn healthz() {}

fn main() {
    let service = tower::service_fn(async |_| Ok::<_, std::convert::Infallible>(""));
    let _: GuardedRouter = GuardedRouter::new()
        .route("/reports", get(reports))
        .route("/healthz", get(healthz))
        .route("/files", get_service(service));
}
