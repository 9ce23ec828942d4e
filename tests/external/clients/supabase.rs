//! A service for supabase-js: routes in the style of PostgREST, and a login. The client sends the key of its
//! application beside the token of the user, and the key twice for visitors.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime::routing::{get, post};
use auth_runtime::schemes::{ApiKeys, Bearer, Jwt, JwtKey, SchemeExt};
use auth_runtime::{Guard, GuardedRouter, Identity, ProtectionSpace, public, requires};
use axum::Json;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// The key of the application, which every browser receives.
pub(crate) const KEY: &str = "sb_publishable_4f1c0b6e9a8d47d2";
/// The key of a program of the service.
pub(crate) const SECRET_KEY: &str = "sb_secret_0b6e9a8d47d24f1c";

const ISSUER: &str = "https://project.example/auth/v1";
const SIGNING_KEY: &[u8] = b"a signing key of the tests that has at least 32 bytes";
const USER: &str = "7f0a3c1e-5f0e-4b6c-9a55-1f1c2d3e4f50";

/// Visitors see the public notes, users also their own ones.
#[public(reason = "visitors read public notes", identity = optional)]
async fn notes(guard: Guard) -> Json<Value> {
    let own = guard
        .identity()
        .map(|user| json!({ "text": "own", "owner": user.subject() }));
    let public = json!({ "text": "public" });
    Json([public].into_iter().chain(own).collect())
}

#[requires(authenticated, schemes(Bearer))]
async fn add_note(guard: Guard, Json(mut note): Json<Value>) -> (StatusCode, Json<Value>) {
    let user = guard.identity();
    note["owner"] = json!(user.subject());
    note["application"] = json!(user.application().map(Identity::subject));
    (StatusCode::CREATED, Json(json!([note])))
}

#[requires(authenticated, schemes("ApiKey"))]
async fn accounts(guard: Guard) -> Json<Value> {
    Json(json!([{ "read_by": guard.identity().subject() }]))
}

#[requires(authenticated, schemes(Bearer))]
async fn user(guard: Guard) -> Json<Value> {
    Json(json!({ "id": guard.identity().subject(), "aud": "authenticated" }))
}

#[public(reason = "the login")]
async fn log_in(Json(login): Json<Value>) -> Result<Json<Value>, StatusCode> {
    if login["email"] != "ann@shop.example" || login["password"] != "secret" {
        return Err(StatusCode::BAD_REQUEST);
    }
    Ok(Json(json!({
        "access_token": token(), "token_type": "bearer", "expires_in": 600, "refresh_token": "refresh",
        "user": { "id": USER, "aud": "authenticated", "email": "ann@shop.example" },
    })))
}

/// Returns a token with the claims of Supabase Auth.
fn token() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("after 1970").as_secs();
    let claims = json!({
        "iss": ISSUER, "aud": "authenticated", "sub": USER, "role": "authenticated", "aal": "aal1",
        "amr": [{ "method": "password", "timestamp": now }], "session_id": "1", "is_anonymous": false,
        "email": "ann@shop.example", "iat": now, "exp": now + 600,
    });
    let key = jsonwebtoken::EncodingKey::from_secret(SIGNING_KEY).expect("a secret");
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).expect("it can be signed")
}

fn keys(key: &str, application: &str) -> ApiKeys {
    let keys = ApiKeys::builder().field("apikey");
    let keys = keys.key(key, Identity::new(application)).build();
    keys.expect("a key")
}

fn space() -> ProtectionSpace {
    let jwt = Jwt::builder()
        .issuer(ISSUER)
        .audience("authenticated")
        .key(JwtKey::hs256(SIGNING_KEY).expect("a key"))
        .accept_if(|claims| {
            claims
                .get("is_anonymous")
                .is_none_or(|anonymous| anonymous == false)
        })
        .build();
    let users = Bearer::jwt(jwt.expect("a verifier")).with_application(keys(KEY, "web"));
    let space = ProtectionSpace::builder()
        .realm("notes")
        .scheme(users)
        .scheme(keys(SECRET_KEY, "service_role"));
    space.build().expect("a space")
}

/// Serves as long as the runtime lives.
pub(crate) fn start() -> (Runtime, String) {
    let app = GuardedRouter::new()
        .route("/rest/v1/notes", get(notes).post(add_note))
        .route("/rest/v1/accounts", get(accounts))
        .route("/auth/v1/user", get(user))
        .route("/auth/v1/token", post(log_in))
        .protect(space())
        .expect("routes");
    let runtime = Runtime::new().expect("a runtime");
    let address: SocketAddr = runtime.block_on(auth_tests::serve(app));
    (runtime, format!("http://{address}"))
}

/// Returns the expected interpretation of the client.
pub(crate) fn expected() -> Vec<(&'static str, &'static str, Value)> {
    let public = json!({ "text": "public" });
    let visitor = json!({ "status": 200, "data": [public] });
    let user = json!({ "status": 200, "data": [public, { "text": "own", "owner": USER }] });
    let unauthorized = json!({ "status": 401, "title": "Unauthorized" });
    let logged_in = json!({ "user": USER });
    let row = |behaviour, understood: &Value| ("supabase-js", behaviour, understood.clone());
    vec![
        row("reads as a visitor", &visitor),
        row("is asked to log in as a visitor", &unauthorized),
        row("logs in with a password", &logged_in),
        row("reads as a user", &user),
        row(
            "writes as a user",
            &json!({
                "status": 201,
                "data": [{ "text": "new", "owner": USER, "application": "web" }],
            }),
        ),
        row("restores a session (setSession)", &logged_in),
        row("reads with a restored session", &user),
        row("reads as a visitor after the logout", &visitor),
        row(
            "reads with the token of another issuer (accessToken)",
            &user,
        ),
        row("is told that its token is invalid", &unauthorized),
        row("is told that its key is invalid", &unauthorized),
        row(
            "reads as a program, with a secret key",
            &json!({
                "status": 200,
                "data": [public, { "text": "own", "owner": "service_role" }],
            }),
        ),
        row(
            "has the rights of a secret key",
            &json!({ "status": 200, "data": [{ "read_by": "service_role" }] }),
        ),
        row("has no such rights as a user", &unauthorized),
    ]
}
