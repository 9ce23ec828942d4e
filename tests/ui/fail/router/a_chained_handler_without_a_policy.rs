use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, public};

#[public(reason = "a test")]
async fn fine() {}

async fn forgotten() {}

fn main() {
    let _: GuardedRouter = GuardedRouter::new().route("/", get(fine).post(forgotten));
}
