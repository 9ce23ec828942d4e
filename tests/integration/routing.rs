//! `GuardedRouter` behaves like axum's `Router`, with authorization.

mod debug;
mod guards;
mod methods;
mod mirrors;
mod mistakes;
mod nesting;
mod requests;
mod streams;
mod unguarded;

use auth_runtime::routing::{any, get, on, post, put};
use auth_runtime::testing::with_identity;
use auth_runtime::{Guard, GuardedRouter, Identity, public, requires};
use auth_tests::{App, space};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use tower::ServiceExt;
use tower_http::set_header::SetResponseHeaderLayer;

#[requires(scope = "read")]
async fn read() -> &'static str {
    "read"
}

#[requires(scope = "write")]
async fn write() -> &'static str {
    "written"
}

#[public(reason = "for everybody")]
async fn open() -> &'static str {
    "open"
}

#[requires(authenticated)]
async fn whoami(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

fn field(name: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    let name = HeaderName::from_static(name);
    SetResponseHeaderLayer::appending(name, HeaderValue::from_static("layer"))
}

fn by(identity: Identity, method: Method, target: &str) -> Request {
    with_identity(nobody(method, target), identity)
}

fn nobody(method: Method, target: &str) -> Request {
    let request = Request::builder().method(method).uri(target);
    request.body(Body::empty()).expect("a request")
}

fn ann() -> Identity {
    Identity::new("ann").with_scopes(["read", "write"])
}

async fn send(app: &impl App, request: Request) -> (StatusCode, Response) {
    let response = app.clone().oneshot(request).await.expect("infallible");
    (response.status(), response)
}

async fn text(response: Response) -> String {
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
    String::from_utf8_lossy(&body.expect("a body")).into_owned()
}

#[requires(scope = "read")]
struct Readers;

fn refused(router: GuardedRouter) -> Vec<String> {
    let error = router.protect(space()).unwrap_err().to_string();
    error.lines().map(str::to_owned).collect()
}
