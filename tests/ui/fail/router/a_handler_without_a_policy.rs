use auth_runtime::GuardedRouter;
use auth_runtime::routing::get;

async fn forgotten() -> &'static str {
    "nobody thought about this"
}

fn main() {
    let _: GuardedRouter = GuardedRouter::new().route("/", get(forgotten));
}
