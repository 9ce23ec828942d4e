use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, requires};
use axum::extract::State;

struct Plain;

#[requires(authenticated)]
#[axum::debug_handler]
async fn plain(_: State<u8>, _: Plain) {}

fn main() {
    let _ = GuardedRouter::<u8>::new().route("/", get(plain));
}
