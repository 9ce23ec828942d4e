use auth_runtime::routing::get;
use auth_runtime::{Guard, GuardedRouter, requires};

#[requires(scope = "a")]
async fn r#type() {}

#[requires(scope = "a")]
async fn r#match(guard: Guard) {
    let _ = guard.identity();
}

pub(crate) fn main() {
    let _: GuardedRouter = GuardedRouter::new()
        .route("/type", get(r#type))
        .route("/match", get(r#match));
}
