use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, ProtectionSpace, requires};
use auth_runtime::schemes::{Bearer, Jwt, JwtKey};

#[requires(scope = "admin")]
async fn page() -> &'static str {
    "the page"
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let jwt = Jwt::builder()
        .issuer("https://issuer.example")
        .audience("https://api.example")
        .key(JwtKey::rs256_pem(std::fs::read("key.pem")?)?)
        .build()?;
    let space = ProtectionSpace::builder().realm("api").scheme(Bearer::jwt(jwt)).build()?;
    let app = GuardedRouter::new().route("/", get(page)).protect(space)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app).await?)
}
