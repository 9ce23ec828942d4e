//! An API that accepts the tokens of an authorization server and fetches its keys. Run
//! `cargo run --example resource_server` and paste its `curl` lines, or add `-- --tour`.
//!
//! With `-- --issuer URL`, it accepts the tokens of that server instead of those of its own.

use auth_examples::{Authority, ProofKey};
use auth_runtime::resource::ProtectedResource;
use auth_runtime::routing::{get, post};
use auth_runtime::schemes::{Bearer, Dpop, Jwt};
use auth_runtime::{Guard, GuardedRouter, ProtectionSpace, public, requires};
use auth_tour::Persona;

#[public(reason = "liveness probe")]
async fn healthz() -> &'static str {
    "ok\n"
}

#[requires(scope = "orders:read")]
async fn orders(guard: Guard) -> String {
    format!("the orders of {}\n", guard.identity().subject())
}

/// A stolen token alone is not sufficient.
#[requires(scope = "orders:write", sender_constrained)]
async fn buy(guard: Guard) -> String {
    format!("bought, for {}\n", guard.identity().subject())
}

/// The requests of the tour, with the expected status and challenge. `ben` and `bea` have a token,
/// `dora` has one that is bound to her key, and `thief` has stolen hers.
const TOUR: &str = r#"
GET  /healthz  anonymous  200
GET  /orders   ben        200
POST /buy      ben        403  Bearer realm="orders", scope="orders:write", error="insufficient_scope", resource_metadata="{metadata}", error_description="the access token lacks a required scope"
POST /buy      bea        401  DPoP realm="orders", algs="ES256 PS256 EdDSA", resource_metadata="{metadata}"
POST /buy      dora       401  DPoP realm="orders", scope="orders:write", error="use_dpop_nonce", algs="ES256 PS256 EdDSA", resource_metadata="{metadata}", error_description="the proof of possession must contain the nonce of this response"
POST /buy      dora       200
POST /buy      thief      401  DPoP realm="orders", scope="orders:write", error="invalid_token", algs="ES256 PS256 EdDSA", resource_metadata="{metadata}", error_description="the access token is not valid"
"#;

/// Returns a caller with a DPoP token.
fn with_key(name: &'static str, token: String, key: ProofKey) -> Persona {
    Persona::new(name, token)
        .with_proof(move |method, url, token, nonce| key.prove(method, url, token, nonce))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (listener, base) = auth_tour::listen().await?;
    let authority = Authority::new()?.publish().await?;
    let mut arguments = std::env::args().skip_while(|argument| argument != "--issuer");
    let issuer = arguments.nth(1).unwrap_or(authority.issuer().to_owned());

    let jwt = Jwt::builder()
        .issuer(&issuer)
        .audience(&base)
        .discover()
        .build()?;
    // A wrong issuer is detected at start, not by the first request. With `?`, the service does not start during an
    // outage of the issuer either: to start then, log the error instead.
    jwt.fetch_keys().await?;
    let dpop = Dpop::jwt(jwt.clone()).origin(&base).nonces().build()?;
    let resource = ProtectedResource::builder(&base)
        .authorization_server(&issuer)
        .build()?;
    let tour = TOUR.replace("{metadata}", resource.metadata_url());
    let space = ProtectionSpace::builder()
        .realm("orders")
        .scheme(Bearer::jwt(jwt))
        .scheme(dpop)
        .resource(resource)
        .build()?;
    let app = GuardedRouter::new()
        .route("/healthz", get(healthz))
        .route("/orders", get(orders))
        .route("/buy", post(buy))
        .protect(space)?;

    let (key, stolen_with) = (ProofKey::new()?, ProofKey::new()?);
    let bound = authority.bound_token("dora", &base, "orders:write", &key);
    let personas = [
        Persona::new(
            "ben",
            authority.token("ben", &base, "orders:read", "", 3600),
        ),
        Persona::new(
            "bea",
            authority.token("bea", &base, "orders:write", "", 3600),
        ),
        with_key("dora", bound.clone(), key),
        with_key("thief", bound, stolen_with),
    ];
    auth_tour::run_on(listener, &base, app, &personas, &tour).await
}
