use auth_runtime::routing::get;
use auth_runtime::{Guard, GuardedRouter, requires};

#[requires(role = "admin")]
async fn users(_guard: Option<Guard>) {}

#[requires(role = "admin")]
async fn user((_guard, _id): (Guard, u8)) {}

fn main() {
    let _: GuardedRouter = GuardedRouter::new()
        .route("/users", get(users))
        .route("/user", get(user));
}
