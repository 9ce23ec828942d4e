use auth_runtime::GuardedRouter;

fn main() {
    let guarded: GuardedRouter = GuardedRouter::new();
    let _: axum::Router = axum::Router::new().merge(guarded.clone());
    let _: axum::Router = guarded.into();
}
