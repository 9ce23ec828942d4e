//! Requirements besides the identity: a recent login, a network, a setting, a check.

mod checks;
mod freshness;
mod networks;
mod settings;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use auth_runtime::routing::get;
use auth_runtime::testing::{assert_hidden, with_caller, with_identity};
use auth_runtime::{
    Caller, CheckRequest, Denied, Guard, GuardedRouter, Identity, ProtectedRouter, requires,
};
use auth_tests::{App, space, space_builder};
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode};
use tower::ServiceExt;

fn request(target: &str) -> Request {
    Request::get(target).body(Body::empty()).expect("a request")
}

fn from(address: &str, request: Request) -> Request {
    let mut request = request;
    let address: SocketAddr = format!("{address}:4711").parse().expect("an address");
    request.extensions_mut().insert(ConnectInfo(address));
    request
}

fn known(identity: Identity, target: &str) -> Request {
    with_identity(request(target), identity)
}

async fn send(app: &impl App, request: Request) -> (StatusCode, Vec<String>, String) {
    let response: Response = app.clone().oneshot(request).await.unwrap();
    let challenges = response.headers().get_all("www-authenticate").iter();
    let challenges = challenges
        .map(|line| line.to_str().expect("visible ASCII").to_owned())
        .collect();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    let body = String::from_utf8(body.expect("a body").to_vec()).expect("UTF-8");
    (status, challenges, body)
}

async fn status(app: &impl App, request: Request) -> StatusCode {
    send(app, request).await.0
}

#[requires(network = "2001:db8::/32", authenticated)]
async fn inner() -> &'static str {
    "inner"
}

/// The owners of the documents, and the number of calls.
#[derive(Clone, Default)]
struct Documents {
    asked: Arc<AtomicU32>,
}

/// Checks `/documents/{owner}`. The database is unavailable for documents of `nobody`.
async fn owns_document(request: CheckRequest<'_, Documents>) -> Result<bool, std::io::Error> {
    request.state().asked.fetch_add(1, Ordering::SeqCst);
    // A check may be asynchronous.
    tokio::task::yield_now().await;
    // A subtree has no parameters.
    let path = request.uri().path();
    let owner = match request.parameter("owner") {
        Some(owner) => owner,
        None => path.rsplit('/').next().unwrap_or_default(),
    };
    // Routers may be nested, but the client's target is unchanged.
    if let Some(sent) = request.headers().get("x-sent") {
        assert_eq!(path, sent.to_str().expect("a path"));
        assert_eq!(request.parameter("other"), None);
    }
    if owner == "nobody" {
        return Err(std::io::Error::other("the database is down"));
    }
    Ok(owner == request.identity().subject())
}

#[requires(check = owns_document)]
async fn document(State(_): State<Documents>) -> &'static str {
    "a document"
}

#[requires(any(role = "admin", all(scope = "read", check = owns_document)))]
async fn either() -> &'static str {
    "a document"
}

#[requires(scope = "write", hide_as = 404, hide_unless = check(owns_document))]
async fn half_hidden(guard: Guard) -> Result<&'static str, Denied> {
    guard.permit(false)?;
    Ok("never")
}
