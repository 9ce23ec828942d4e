use auth_runtime::{GuardedRouter, ProtectionSpace};

async fn unseen() {}

fn files() -> axum::Router {
    axum::Router::new()
}

fn main() {
    let space = ProtectionSpace::builder().realm("api").build().unwrap();
    let app = GuardedRouter::new().protect(space).unwrap();
    let _ = app.clone().route("/unseen", axum::routing::get(unseen));
    let _ = app.clone().fallback(unseen);
    let _ = app.clone().fallback_service(files());
    let _ = app.clone().method_not_allowed_fallback(unseen);
    let _ = app.clone().route_service("/files", files());
    let _ = app.clone().nest_service("/files", files());
    let _ = app.clone().nest("/unseen", axum::Router::new());
    let _ = app.clone().merge_unguarded("a reason", &["/unseen"], axum::Router::new());
    let _ = app.clone().adopt(axum::Router::new(), "a reason");
    let _ = app.clone().merge(axum::Router::new());
    let _: axum::Router = axum::Router::new().nest("/app", app.clone());
    let _: axum::Router = axum::Router::new().merge(app);
}
