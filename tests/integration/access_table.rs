//! The access table of a router.

mod formats;
mod open_patterns;
mod rows;

use std::convert::Infallible;

use auth_runtime::routing::AccessTable;
use auth_runtime::routing::{any, any_service, get, post};
use auth_runtime::{Guard, GuardedRouter, public, requires};
use auth_tests::space;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request};
use serde_json::{Value, json};
use tower::ServiceExt;

#[public(reason = "liveness probe")]
async fn healthz() {}

#[requires(scope = "repo:read", hide_as = 404)]
async fn show() {}

#[requires(scope = "repo:write")]
async fn change() {}

#[requires(any(role = "admin", network = "192.0.2.0/24"))]
async fn everything() {}

#[requires(authenticated)]
struct Files;

#[requires(role = "auditor")]
struct Log;

#[public(reason = "tells \"nothing\" | not even `why`")]
async fn not_found() {}

#[public(reason = "another 404")]
struct Elsewhere;

fn service()
-> impl tower::Service<Request, Response = &'static str, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    tower::service_fn(|_request: Request| async { Ok("a file") })
}

const MERGED: u32 = line!() + 14;

fn router() -> GuardedRouter {
    let repos = GuardedRouter::new()
        .route("/", any(everything))
        .route("/{id}", get(show).put(change))
        .nest_service("/{id}/files", Files, service())
        .fallback_service(Elsewhere, service());
    GuardedRouter::new()
        .route("/healthz", get(healthz))
        .route("/log", post(async |_: Guard<Log>| ()))
        .nest("/v1", GuardedRouter::new().nest("/repos", repos))
        .nest(
            "/ops",
            GuardedRouter::new().merge_unguarded("for the scraper", &["/*"], Router::new()),
        )
        .fallback(not_found)
}

fn row(table: &AccessTable, method: Option<&str>, path: &str) -> Value {
    let rows = serde_json::to_value(table).expect("JSON");
    let rows = rows.as_array().expect("a list");
    let mut found = rows
        .iter()
        .filter(|row| row["path"] == path && row["method"].as_str() == method);
    let row = found.next().expect("a row").clone();
    assert_eq!(found.next(), None);
    row
}

#[public(reason = "tells its own path")]
async fn matched(path: MatchedPath) -> String {
    path.as_str().to_owned()
}

#[requires(role = "admin")]
async fn secret() -> &'static str {
    "secret"
}

#[public(reason = "files for everybody")]
async fn page(path: axum::extract::Path<String>) -> String {
    format!("page {}", path.0)
}

#[requires(authenticated)]
async fn known(path: axum::extract::Path<String>) -> String {
    format!("page {}", path.0)
}

#[requires(scope = "repo:read")]
async fn other(path: axum::extract::Path<String>) -> String {
    format!("page {}", path.0)
}

#[requires(all(role = "admin", max_age = "5m"))]
async fn narrower(path: axum::extract::Path<String>) -> String {
    format!("page {}", path.0)
}

#[requires(role = "admin")]
struct Staff;

#[public(reason = "files for everybody")]
struct Pages;

#[requires(scope = "repo:read")]
struct Readers;

/// A segment unchanged, with its first character encoded, and with its last one encoded.
fn spellings(segment: &str) -> Vec<String> {
    let encoded = |at: usize| {
        let byte = segment.as_bytes()[at];
        format!("{}%{byte:02x}{}", &segment[..at], &segment[at + 1..])
    };
    vec![segment.to_owned(), encoded(0), encoded(segment.len() - 1)]
}
