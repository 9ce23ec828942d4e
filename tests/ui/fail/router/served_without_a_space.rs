use auth_runtime::GuardedRouter;

fn served<T: tower::Service<axum::extract::Request>>(_: T) {}

fn main() {
    let guarded: GuardedRouter = GuardedRouter::new();
    served(guarded.clone());
    let _: axum::Router = axum::Router::new().merge(guarded.clone());
    let _: axum::Router = axum::Router::new().nest_service("/app", guarded.clone());
    let _: axum::Router = axum::Router::new().fallback_service(guarded.clone());
    let _: axum::Router = guarded.into();
}
