use std::sync::Arc;

use axum::{Router, extract::FromRef, http::StatusCode, routing::get};
use axum_jwt_auth::{Claims, Decoder, LocalDecoder};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

#[derive(Clone, Deserialize)]
struct Granted {
    scope: String,
}

#[derive(Clone, FromRef)]
struct State {
    decoder: Decoder<Granted>,
}

async fn page(user: Claims<Granted>) -> Result<&'static str, StatusCode> {
    match user.claims.scope.split(' ').any(|scope| scope == "admin") {
        true => Ok("the page"),
        false => Err(StatusCode::FORBIDDEN),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&["https://api.example"]);
    let key = DecodingKey::from_rsa_pem(&std::fs::read("key.pem")?)?;
    let decoder = LocalDecoder::builder().keys(vec![key]).validation(validation).build()?;
    let decoder: Decoder<Granted> = Arc::new(decoder);
    let app = Router::new().route("/", get(page)).with_state(State { decoder });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app).await?)
}
