use axum::{Router, routing::get};
use jwt_authorizer::{IntoLayer, JwtAuthorizer, Validation};
use serde::Deserialize;

#[derive(Clone, Deserialize)]
struct Granted {
    scope: String,
}

async fn page() -> &'static str {
    "the page"
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let authorizer = JwtAuthorizer::from_rsa_pem("key.pem")
        .validation(Validation::new().aud(&["https://api.example"]))
        .check(|claims: &Granted| claims.scope.split(' ').any(|scope| scope == "admin"))
        .build()
        .await?;
    let app = Router::new().route("/", get(page)).layer(authorizer.into_layer());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app).await?)
}
