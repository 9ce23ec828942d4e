//! Adopted routers in the audits of a service that moves one file of routes at a time.

use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, Identity, ProtectError, ProtectedRouter, requires};
use auth_runtime_audit::{AccessMatrix, AccessReport, Persona, internal_openapi, public_openapi};
use auth_tests::{space, token};
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use serde_json::{Value, json};

#[requires(scope = "users:read")]
async fn users() -> &'static str {
    "ada"
}

#[requires(role = "auditor", hide_as = 404)]
async fn log() {}

/// A file of routes that has not moved: it denies on its own.
fn orders() -> Router {
    Router::new()
        .route("/orders", axum::routing::get(async || "none"))
        .route(
            "/orders/{id}",
            axum::routing::delete(async || StatusCode::FORBIDDEN),
        )
}

fn routes() -> GuardedRouter {
    let old = GuardedRouter::new().adopt(orders(), "its handlers check the session");
    GuardedRouter::new()
        .route("/users", get(users))
        .route("/log", get(log))
        .nest("/v1", old)
}

fn app() -> Result<ProtectedRouter, ProtectError> {
    routes().protect(space())
}

/// The documented operations of both files.
fn written() -> Value {
    let operation = |id: &str| json!({ "operationId": id, "responses": {} });
    json!({
        "openapi": "3.1.0",
        "info": { "title": "shop", "version": "1" },
        "paths": {
            "/users": { "get": operation("users") },
            "/log": { "get": operation("log") },
            "/v1/orders": { "get": {
                "operationId": "orders",
                "security": [{ "session": [] }],
                "responses": { "401": { "description": "No session." } },
            } },
        },
        "components": { "securitySchemes": {
            "session": { "type": "apiKey", "in": "cookie", "name": "session" },
        } },
    })
}

#[tokio::test]
async fn matrix_lists_them_without_requests() {
    let token = token(json!({ "sub": "ann", "scope": "users:read" }));
    let ann = Identity::new("ann").with_scopes(["users:read"]);
    let reader = Persona::known("reader", ann).header(AUTHORIZATION, format!("Bearer {token}"));
    let matrix = AccessMatrix::builder(&routes().access_table(), &space())
        .persona(Persona::anonymous())
        .persona(reader);
    let matrix = matrix.send(&app().expect("a router")).await;
    let matrix = matrix.expect("a matrix");
    let differences = matrix.differences();
    let differences =
        differences.map(|(row, persona, why)| format!("{row} {} {why}", persona.name()));
    assert_eq!(differences.collect::<Vec<_>>(), Vec::<String>::new());
    let shown = matrix.to_markdown();
    for row in [
        "| GET | `/users` | 401 | 200 |\n",
        "| GET | `/log` | 404 hidden | 404 hidden |\n",
        "| unguarded | `/v1/*` | - | - |\n",
    ] {
        assert!(shown.contains(row), "{row}\n{shown}");
    }
    // The handlers of an adopted router are not called.
    assert!(!shown.contains("/orders"), "{shown}");
    let report = AccessReport::new(&routes().access_table())
        .with_matrix(&matrix)
        .to_html();
    assert!(
        report.contains("3 rows: 0 public, 1 hidden, 1 unguarded."),
        "{report}"
    );
}

#[test]
fn report_has_their_reason() {
    let report = AccessReport::new(&routes().access_table()).to_html();
    let report = report.replace("<wbr>", "");
    assert!(
        report.contains("3 rows: 0 public, 1 hidden, 1 unguarded."),
        "{report}"
    );
    for text in ["/v1/*", "its handlers check the session"] {
        assert!(report.contains(text), "{text}\n{report}");
    }
    assert!(!report.contains("/orders"), "{report}");
}

#[test]
fn operations_keep_what_is_written() {
    let table = routes().access_table();
    let document = public_openapi(&table, &space(), written()).expect("a document");
    let orders = &written()["paths"]["/v1/orders"];
    assert_eq!(document["paths"]["/v1/orders"], *orders);
    let scheme = &written()["components"]["securitySchemes"]["session"];
    assert_eq!(
        document["components"]["securitySchemes"]["session"],
        *scheme
    );
    let security = json!([{ "Bearer": ["users:read"] }]);
    assert_eq!(document["paths"]["/users"]["get"]["security"], security);
    assert_eq!(document["paths"].get("/log"), None);

    let document = internal_openapi(&table, &space(), written()).expect("a document");
    let access = json!({ "unguarded_reason": "its handlers check the session" });
    assert_eq!(document["paths"]["/v1/orders"]["get"]["x-access"], access);
    assert_eq!(document["paths"]["/log"]["get"]["x-access"]["hidden"], true);
    // The routes of an adopted router are unknown, so none is added.
    assert_eq!(document["paths"].as_object().expect("paths").len(), 3);
}

/// An adopted router cannot have an operation outside its prefix.
#[test]
fn operations_elsewhere_are_an_error() {
    let mut document = written();
    document["paths"]["/v2/orders"] = json!({ "get": { "responses": {} } });
    let error = public_openapi(&routes().access_table(), &space(), document);
    assert_eq!(
        error.expect_err("no such route").to_string(),
        "`GET /v2/orders` is documented, and the router has no such path"
    );
}
