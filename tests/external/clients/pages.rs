//! A service whose pages are for Chromium: Swagger UI beside a session cookie, and WebSockets.

use std::path::Path;

use auth_runtime::routing::{any, get};
use auth_runtime::schemes::Bearer;
use auth_runtime::{Guard, GuardedRouter, ProtectionSpace, requires};
use auth_runtime_audit::public_openapi;
use auth_tests::{token, verifier};
use axum::extract::WebSocketUpgrade;
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use axum::response::{Html, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use utoipa::openapi::path::{HttpMethod, Operation};
use utoipa::openapi::{Info, OpenApi, Paths};

/// Returns the caller and the scheme of its credentials.
#[requires(authenticated)]
async fn who(guard: Guard) -> Json<Value> {
    Json(json!({ "subject": guard.identity().subject() }))
}

#[requires(scope = "admin")]
async fn admin(guard: Guard) -> Json<Value> {
    Json(json!({ "subject": guard.identity().subject() }))
}

#[requires(scope = "chat")]
async fn chat(guard: Guard, upgrade: WebSocketUpgrade) -> Response {
    let subject = guard.identity().subject().to_owned();
    upgrade.on_upgrade(async move |mut socket| {
        let _ = socket.send(subject.into()).await;
    })
}

const PAGE: &str = r#"<!doctype html>
<meta charset="utf-8">
<title>orders</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({ url: '/openapi.json', dom_id: '#ui', tryItOutEnabled: true })</script>
"#;

/// The page and the files of Swagger UI. The page sets the cookie of a session of bob.
fn pages(folder: &Path, document: Value) -> Router {
    let cookie = format!(
        "session={}; Path=/; HttpOnly",
        token(json!({ "sub": "bob", "scope": "admin chat" }))
    );
    let page = move || async move { ([(SET_COOKIE, cookie)], Html(PAGE)) };
    let file = |name: &str, media_type: &'static str| {
        let text = std::fs::read_to_string(folder.join("node_modules/swagger-ui-dist").join(name));
        let text = text.expect("a file of Swagger UI");
        axum::routing::get(move || async move { ([(CONTENT_TYPE, media_type)], text) })
    };
    Router::new()
        .route("/docs", axum::routing::get(page))
        .route("/docs/swagger-ui.css", file("swagger-ui.css", "text/css"))
        .route(
            "/docs/swagger-ui-bundle.js",
            file("swagger-ui-bundle.js", "text/javascript"),
        )
        .route(
            "/openapi.json",
            axum::routing::get(move || async move { Json(document) }),
        )
}

/// Serves as long as the runtime lives.
pub(crate) fn start(folder: &Path) -> (Runtime, String) {
    let jwt = verifier();
    let session = jwt.in_cookie("session").build().expect("a scheme");
    let in_browsers = jwt
        .in_subprotocol("bearer")
        .scheme_name("WebSocket")
        .without_challenge();
    let space = ProtectionSpace::builder()
        .realm("orders")
        .scheme(Bearer::jwt(jwt))
        .scheme(session)
        .scheme(in_browsers.build().expect("a scheme"));
    let space = space.build().expect("a space");
    let routes = GuardedRouter::new()
        .route("/who", get(who))
        .route("/admin", get(admin))
        .route("/chat", any(chat));
    let mut paths = Paths::new();
    for path in ["/who", "/admin"] {
        paths.add_path_operation(path, vec![HttpMethod::Get], Operation::new());
    }
    let document = OpenApi::new(Info::new("Orders", "1"), paths);
    let document = public_openapi(&routes.access_table(), &space, document).expect("a document");
    let document = serde_json::to_value(document).expect("JSON");
    let protected = routes.protect(space).expect("a router");
    let app = pages(folder, document).fallback_service(protected);
    let runtime = Runtime::new().expect("a runtime");
    let address = runtime.block_on(auth_tests::serve(app));
    (runtime, format!("http://{address}"))
}

/// The token of ann, which does not have the scope of the cookie, and an expired one.
pub(crate) fn tokens() -> [String; 2] {
    let claims = json!({ "sub": "ann", "scope": "chat" });
    [token(claims.clone()), auth_tests::expired_token(claims)]
}

pub(crate) fn expected() -> Vec<(&'static str, &'static str, Value)> {
    let bearer = "Bearer realm=\"orders\"";
    vec![
        (
            "Swagger UI",
            "sends the cookie of the session before its user authorizes",
            json!([{ "status": 200, "subject": "bob" }, { "status": 200, "subject": "bob" }]),
        ),
        (
            "Swagger UI",
            "is the caller of its token, with a cookie of another beside it",
            json!([
                { "status": 200, "subject": "ann" },
                { "status": 403, "challenge": format!(
                    "{bearer}, scope=\"admin\", error=\"insufficient_scope\", \
                     error_description=\"the access token lacks a required scope\"") },
            ]),
        ),
        (
            "Swagger UI",
            "learns that its token expired, in spite of the cookie",
            json!([{ "status": 401, "challenge": format!(
                "{bearer}, error=\"invalid_token\", error_description=\"the access token expired\"") }]),
        ),
        (
            "Chromium",
            "opens a WebSocket with a token among its subprotocols",
            json!({ "protocol": "bearer", "message": "ann" }),
        ),
        (
            "Chromium",
            "opens no WebSocket with an expired token",
            json!({ "error": true, "opened": false }),
        ),
    ]
}
