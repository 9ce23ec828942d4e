use auth_runtime::routing::get;
use auth_runtime::{Denied, Guard, GuardedRouter, public, requires};
use axum::extract::State;

#[requires(scope = "a")]
async fn written(guard: Guard, State(_): State<u8>) -> Result<String, Denied> {
    guard.permit(true)?;
    Ok(guard.identity().subject().to_owned())
}

#[requires(scope = "a")]
async fn by_path(guard: auth_runtime::Guard) {
    let _ = guard.identity();
}

#[requires(scope = "a")]
async fn unused(_: Guard) {}

#[requires(scope = "a")]
async fn mutable(mut guard: Guard) {
    let _ = &mut guard;
}

#[requires(scope = "a")]
async fn added(State(_): State<u8>) {}

#[public(reason = "a test")]
async fn public_with_guard(_guard: Guard) {}

pub(crate) fn main() {
    let _: GuardedRouter<u8> = GuardedRouter::new()
        .route("/written", get(written))
        .route("/by-path", get(by_path))
        .route("/unused", get(unused))
        .route("/mutable", get(mutable))
        .route("/added", get(added))
        .route("/public", get(public_with_guard));
}
