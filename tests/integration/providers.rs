//! Access tokens of real issuers, in the form of their documentation, with keys of the tests.

mod ad_fs;
mod algorithms;
mod auth0;
mod clerk;
mod cloudflare;
mod cognito;
mod entra;
mod github_actions;
mod google;
mod keycloak;
mod kubernetes;
mod load_balancer;
mod logto;
mod okta;
mod passport;
mod spiffe;
mod supabase;
mod zitadel;

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime::routing::get;
use auth_runtime::schemes::{Bearer, Jwt, JwtAlgorithm, JwtBuilder, JwtKey, Scheme};
use auth_runtime::{Guard, GuardedRouter, ProtectedRouter, ProtectionSpace, requires};
use axum::body::{Body, to_bytes};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Request;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::KeyPair;
use serde_json::{Value, json};
use tower::ServiceExt;

/// The subject, the roles among `admin`, `editor` and `user`, and the issuer.
#[requires(authenticated)]
async fn caller(guard: Guard) -> String {
    let identity = guard.identity();
    let roles = ["admin", "editor", "user"].map(|role| match identity.has_role(role) {
        true => role,
        false => "-",
    });
    let issuer = identity.issuer().unwrap_or("-");
    format!("{} {} {issuer}", identity.subject(), roles.join(","))
}

#[requires(role = "admin")]
async fn admin() {}

#[requires(scope = "orders:read")]
async fn orders() {}

#[requires(permission = "orders:write")]
async fn change_orders() {}

fn key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| {
        let key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048);
        key.expect("an RSA key")
    })
}

/// Adds the key of the issuer.
fn with_key(builder: JwtBuilder) -> JwtBuilder {
    let key = JwtKey::pem(JwtAlgorithm::RS256, key().public_key_pem());
    builder.key(key.expect("a public key"))
}

fn app(builder: JwtBuilder) -> ProtectedRouter {
    app_of(with_key(builder).build().expect("a verifier"))
}

fn app_of(jwt: Jwt) -> ProtectedRouter {
    app_with(Bearer::jwt(jwt))
}

fn app_with(scheme: impl Scheme) -> ProtectedRouter {
    let space = ProtectionSpace::builder().realm("orders").scheme(scheme);
    GuardedRouter::new()
        .route("/caller", get(caller))
        .route("/admin", get(admin))
        .route("/orders", get(orders))
        .route("/orders/change", get(change_orders))
        .protect(space.build().expect("a space"))
        .expect("the router is in order")
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_secs()
}

/// Signs claims, with `iat` and `exp` of a new token, and with these changes. `null` removes a
/// claim.
fn token(claims: &Value, changes: Value) -> String {
    signed(&Header::new(Algorithm::RS256), claims, changes)
}

/// The same with this header.
fn signed(header: &Header, claims: &Value, changes: Value) -> String {
    let key = EncodingKey::from_rsa_pem(key().serialize_pem().as_bytes()).expect("an RSA key");
    signed_by(&key, header, claims, changes)
}

fn signed_by(key: &EncodingKey, header: &Header, claims: &Value, changes: Value) -> String {
    let mut claims = claims.clone();
    let all = claims.as_object_mut().expect("an object");
    all.insert("iat".to_owned(), json!(now()));
    all.insert("exp".to_owned(), json!(now() + 300));
    if let Value::Object(changes) = changes {
        all.extend(changes);
    }
    all.retain(|_, value| !value.is_null());
    encode(header, &claims, key).expect("a token")
}

async fn ask(app: &ProtectedRouter, path: &str, token: &str) -> (u16, String) {
    let request = Request::get(path).header("authorization", format!("Bearer {token}"));
    let request = request.body(Body::empty()).expect("a request");
    let Ok(response) = app.clone().oneshot(request).await;
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1 << 16)
        .await
        .expect("a body");
    (status, String::from_utf8_lossy(&body).into_owned())
}

async fn status(app: &ProtectedRouter, path: &str, token: &str) -> u16 {
    ask(app, path, token).await.0
}
