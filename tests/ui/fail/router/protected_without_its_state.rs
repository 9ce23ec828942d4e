use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, ProtectionSpace, requires};
use axum::extract::State;

#[derive(Clone)]
struct Db;

#[requires(authenticated)]
async fn read(_: State<Db>) {}

fn app(space: ProtectionSpace) {
    let _ = GuardedRouter::new().route("/", get(read)).protect(space);
}

fn main() {}
