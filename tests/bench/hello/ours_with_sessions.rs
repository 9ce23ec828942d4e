use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, ProtectionSpace, requires};
use auth_runtime::schemes::Sessions;
use tower_sessions::{MemoryStore, SessionManagerLayer};

#[requires(role = "admin")]
async fn page() -> &'static str {
    "the page"
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sessions = Sessions::builder().build()?;
    let space = ProtectionSpace::builder().realm("shop").scheme(sessions).build()?;
    let app = GuardedRouter::new().route("/", get(page)).protect(space)?;
    let app = app.layer(SessionManagerLayer::new(MemoryStore::default()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app).await?)
}
