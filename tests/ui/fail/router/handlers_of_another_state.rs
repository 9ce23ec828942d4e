use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, requires};
use axum::extract::State;

#[derive(Clone)]
struct Db;

#[derive(Clone)]
struct Mailer;

#[requires(authenticated)]
async fn send(_: State<Mailer>) {}

fn main() {
    let _ = GuardedRouter::<Db>::new().route("/send", get(send));
}
