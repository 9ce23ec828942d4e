use auth_runtime::GuardedRouter;

fn app() -> axum::Router {
    GuardedRouter::new()
}

fn main() {
    app();
}
