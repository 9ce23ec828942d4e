//! A service that prints its responses. Its output is the same with every set of features.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};

use auth_runtime::routing::{get, post};
use auth_runtime::schemes::{Bearer, Jwt, JwtKey};
use auth_runtime::{
    Denied, Guard, GuardedRouter, ProtectedRouter, ProtectionSpace, public, requires,
};
use axum::Form;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tower::ServiceExt;

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "https://api.example";
const SECRET: [u8; 32] = [7; 32];

#[public(reason = "liveness probe")]
async fn healthz() -> &'static str {
    "ok"
}

#[requires(scope = "read")]
async fn read(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(scope = "write")]
async fn write(Form(fields): Form<Vec<(String, String)>>) -> String {
    format!("{fields:?}")
}

#[requires(scope = "write", hide_as = 404)]
async fn hidden() {}

#[requires(scope = "read", hide_as = 404)]
async fn concealed(guard: Guard) -> Result<(), Denied> {
    guard.permit(false)?;
    Ok(())
}

#[requires(acr = "strong")]
async fn strong() {}

/// The revocation of the token with the `jti` `two`.
static IS_REVOKED: AtomicBool = AtomicBool::new(false);

fn service() -> Result<ProtectedRouter, Box<dyn Error>> {
    let jwt = Jwt::builder()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .key(JwtKey::hs256(SECRET)?)
        .revoked_if(|claims| {
            let id = claims.get("jti").and_then(Value::as_str);
            id == Some("two") && IS_REVOKED.load(Ordering::Relaxed)
        })
        .build()?;
    let space = ProtectionSpace::builder()
        .realm("features")
        .scheme(Bearer::jwt(jwt))
        .build()?;
    let router = GuardedRouter::new()
        .route("/healthz", get(healthz))
        .route("/read", get(read))
        .route("/write", post(write))
        .route("/hidden", get(hidden))
        .route("/concealed", get(concealed))
        .route("/strong", get(strong));
    print!("{}", router.access_table());
    Ok(router.protect(space)?)
}

fn token(subject: &str, id: &str, expiry: u64) -> Result<String, Box<dyn Error>> {
    // The order of members in a `Value` depends on a feature of `serde_json`.
    let claims = BTreeMap::from([
        ("iss", json!(ISSUER)),
        ("aud", json!(AUDIENCE)),
        ("sub", json!(subject)),
        ("jti", json!(id)),
        ("scope", json!("read")),
        ("exp", json!(expiry)),
    ]);
    let key = EncodingKey::from_secret(&SECRET)?;
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)?;
    Ok(token)
}

/// Sends a request, and prints the response.
async fn print(
    app: &ProtectedRouter,
    title: &str,
    request: Request<Body>,
) -> Result<(), Box<dyn Error>> {
    println!("\n# {title}: {} {}", request.method(), request.uri());
    let (head, body) = app.clone().oneshot(request).await?.into_parts();
    println!("{}", head.status);
    for (name, value) in &head.headers {
        println!("{name}: {value:?}");
    }
    println!("{:?}", to_bytes(body, usize::MAX).await?);
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let app = service()?;
    let far = 4_000_000_000;
    let (ann, bob) = (token("ann", "one", far)?, token("bob", "two", far)?);
    let expired = token("ann", "three", 1_000_000_000)?;
    let paths = [
        "/healthz",
        "/read",
        "/hidden",
        "/concealed",
        "/strong",
        "/unknown",
    ];
    for round in ["first", "second"] {
        for path in paths {
            let get = || Request::get(path);
            print(&app, "anonymous", get().body(Body::empty())?).await?;
            for (title, credentials) in [
                ("ann", format!("Bearer {ann}")),
                ("bob", format!("Bearer {bob}")),
                ("expired", format!("Bearer {expired}")),
                ("forged", format!("Bearer {ann}x")),
                ("malformed", "Bearer ?".to_owned()),
                ("another scheme", "Basic YW5uOnNlY3JldA==".to_owned()),
                ("a bound token", format!("DPoP {ann}")),
            ] {
                let request = get().header(AUTHORIZATION, credentials);
                let title = format!("{title}, {round}");
                print(&app, &title, request.body(Body::empty())?).await?;
            }
            let two = get().header(AUTHORIZATION, format!("Bearer {ann}"));
            let two = two.header(AUTHORIZATION, format!("Bearer {bob}"));
            print(&app, "two fields", two.body(Body::empty())?).await?;
            // No accepted scheme reads these.
            let cookie = get().header(COOKIE, format!("session={ann}; id={ann}"));
            print(&app, "a cookie", cookie.body(Body::empty())?).await?;
            let field = get().header("x-api-key", &ann);
            print(&app, "an API key", field.body(Body::empty())?).await?;
            let query = format!("{path}?access_token={ann}&expires=4000000000&signature=YQ");
            let query = Request::get(query);
            print(&app, "a query", query.body(Body::empty())?).await?;
            let options = Request::options(path).body(Body::empty())?;
            print(&app, "options", options).await?;
        }
        for fields in ["a=b".to_owned(), format!("access_token={ann}")] {
            let form = Request::post("/write")
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(fields))?;
            print(&app, "a form", form).await?;
        }
        // A token that is remembered from the first round is revoked nevertheless.
        IS_REVOKED.store(true, Ordering::Relaxed);
    }
    Ok(())
}
