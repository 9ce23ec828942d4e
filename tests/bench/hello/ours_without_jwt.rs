use auth_runtime::routing::get;
use auth_runtime::{Caller, GuardedRouter, Identity, ProtectionSpace, requires};
use auth_runtime::schemes::Bearer;

#[requires(scope = "admin")]
async fn page() -> &'static str {
    "the page"
}

async fn look_up(token: String) -> Caller {
    match token.as_str() {
        "a-token" => Caller::known(Identity::new("ann").with_scopes(["admin"])),
        _ => Caller::rejected(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let space = ProtectionSpace::builder().realm("api").scheme(Bearer::new(look_up)).build()?;
    let app = GuardedRouter::new().route("/", get(page)).protect(space)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app).await?)
}
