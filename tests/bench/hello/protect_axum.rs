use std::collections::HashSet;

use axum::response::{IntoResponse, Response};
use axum::{Router, extract::Request, http::StatusCode, routing::get};
use protect_axum::{GrantsLayer, protect};

#[protect("admin")]
async fn page() -> &'static str {
    "the page"
}

async fn extract(request: &mut Request) -> Result<HashSet<String>, Response> {
    match request.headers().get("authorization") {
        Some(value) if value == "Bearer a-token" => Ok(HashSet::from(["admin".to_owned()])),
        _ => Err(StatusCode::UNAUTHORIZED.into_response()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = Router::new().route("/", get(page)).layer(GrantsLayer::with_extractor(extract));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app).await?)
}
