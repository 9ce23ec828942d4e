use auth_runtime::routing::{any, get, on, post_service};
use auth_runtime::GuardedRouter;
use axum::http::Method;
use axum::routing::MethodFilter;

async fn one(_: Method) {}

#[rustfmt::skip]
async fn sixteen(
    _: Method, _: Method, _: Method, _: Method, _: Method, _: Method, _: Method, _: Method,
    _: Method, _: Method, _: Method, _: Method, _: Method, _: Method, _: Method, _: Method,
) {
}

async fn generic<T: Send + 'static>() {}

struct Files;

fn main() {
    let service = tower::service_fn(|_: axum::extract::Request| async {
        Ok::<_, std::convert::Infallible>("an answer")
    });
    let _: GuardedRouter = GuardedRouter::new()
        .route("/one", get(one))
        .route("/sixteen", any(sixteen))
        .route("/generic", on(MethodFilter::PUT, generic::<u32>))
        .route("/closure", any(|_: Method| async {}))
        .route("/service", post_service(Files, service))
        .route_service("/files", Files, service)
        .nest_service("/nested", Files, service);
}
