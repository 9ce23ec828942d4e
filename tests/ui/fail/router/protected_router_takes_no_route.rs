use auth_runtime::{GuardedRouter, ProtectionSpace};

async fn unseen() {}

fn main() {
    let space = ProtectionSpace::builder().realm("api").build().unwrap();
    let app = GuardedRouter::new().protect(space).unwrap();
    let _ = app.clone().route("/unseen", axum::routing::get(unseen));
    let _ = app.clone().fallback(unseen);
    let _ = app.clone().merge(axum::Router::new());
    let _: axum::Router = axum::Router::new().merge(app);
}
