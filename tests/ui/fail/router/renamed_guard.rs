use auth_runtime::routing::get;
use auth_runtime::{Guard as AuthGuard, GuardedRouter, requires};

#[requires(role = "admin")]
async fn users(_guard: AuthGuard) {}

fn main() {
    let _: GuardedRouter = GuardedRouter::new().route("/users", get(users));
}
