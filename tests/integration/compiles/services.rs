use auth_runtime::{GuardedRouter, public, requires};

#[requires(scope = "files", hide_as = 404)]
struct Files;

#[public(reason = "a logo is for everybody")]
#[derive(Clone, Copy, Debug)]
pub struct Logo;

pub(crate) fn main() {
    let service = tower::service_fn(|_: axum::extract::Request| async {
        Ok::<_, std::convert::Infallible>("a file")
    });
    let _: GuardedRouter = GuardedRouter::new()
        .nest_service("/files", Files, service)
        .route_service("/logo", Logo, service);
}
