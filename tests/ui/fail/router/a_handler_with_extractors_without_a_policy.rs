use auth_runtime::GuardedRouter;
use auth_runtime::routing::get;
use axum::extract::{Path, State};

async fn forgotten(State(_): State<String>, Path(_): Path<u32>) {}

fn main() {
    let _: GuardedRouter<String> = GuardedRouter::new().route("/{id}", get(forgotten));
}
