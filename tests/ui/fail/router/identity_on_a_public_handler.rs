use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, Identity, public};

#[public(reason = "a test")]
async fn unknown(_: Identity) {}

fn main() {
    let _: GuardedRouter = GuardedRouter::new().route("/", get(unknown));
}
