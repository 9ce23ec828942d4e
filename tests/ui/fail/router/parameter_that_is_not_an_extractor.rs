use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, requires};

struct Plain;

#[requires(authenticated)]
async fn plain(_: Plain) {}

fn main() {
    let _: GuardedRouter = GuardedRouter::new().route("/", get(plain));
}
