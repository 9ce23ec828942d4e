use auth_runtime::GuardedRouter;
use auth_runtime::routing::get;
use axum::extract::{Path, Request, State};

async fn forgotten(State(_): State<String>, Path(_): Path<u32>) {}

async fn forgotten_too(_: Request) {}

fn main() {
    let _: GuardedRouter<String> = GuardedRouter::new().route("/{id}", get(forgotten));
    let _: GuardedRouter = GuardedRouter::new().route("/", get(forgotten_too));
}
