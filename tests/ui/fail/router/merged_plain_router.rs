use auth_runtime::GuardedRouter;

fn main() {
    let _: GuardedRouter = GuardedRouter::new().merge(axum::Router::new());
}
