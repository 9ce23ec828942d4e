use std::sync::Arc;

use axum::{Router, routing::get};
use axum_gate::codecs::jwt::{JsonWebToken, JwtClaims};
use axum_gate::prelude::{AccessPolicy, Account, Gate, Group, Role};

type Token = JsonWebToken<JwtClaims<Account<Role, Group>>>;

async fn page() -> &'static str {
    "the page"
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let gate = Gate::bearer::<Token, Role, Group>("https://issuer.example", Arc::new(Token::default()))
        .with_policy(AccessPolicy::require_role(Role::Admin));
    let app = Router::new().route("/", get(page)).layer(gate);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app).await?)
}
