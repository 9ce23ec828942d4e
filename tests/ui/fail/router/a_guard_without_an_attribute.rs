use auth_runtime::routing::get;
use auth_runtime::{Guard, GuardedRouter};

async fn forgotten(_guard: Guard) {}

fn main() {
    let _: GuardedRouter = GuardedRouter::new().route("/", get(forgotten));
}
