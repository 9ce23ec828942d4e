use auth_runtime::GuardedRouter;
use auth_runtime::routing::get;

fn main() {
    let _: GuardedRouter = GuardedRouter::new().route("/", get(|| async { "hello" }));
}
