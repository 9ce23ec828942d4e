use axum::{Extension, Router, http::StatusCode, routing::get};
use serde::Deserialize;
use tower_oauth2_resource_server::server::OAuth2ResourceServer;
use tower_oauth2_resource_server::tenant::TenantConfiguration;

#[derive(Clone, Deserialize)]
struct Granted {
    scope: String,
}

async fn page(Extension(claims): Extension<Granted>) -> Result<&'static str, StatusCode> {
    match claims.scope.split(' ').any(|scope| scope == "admin") {
        true => Ok("the page"),
        false => Err(StatusCode::FORBIDDEN),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tenant = TenantConfiguration::static_builder(std::fs::read_to_string("keys.json")?)
        .audiences(&["https://api.example"])
        .build()?;
    let server = OAuth2ResourceServer::<Granted>::builder().add_tenant(tenant).build().await?;
    let app = Router::new().route("/", get(page)).layer(server.into_layer());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app).await?)
}
