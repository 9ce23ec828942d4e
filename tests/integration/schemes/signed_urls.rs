//! Links that grant access to every holder, and become invalid if one byte changes.

mod links;
mod other_schemes;
mod signing;

use std::time::{Duration, SystemTime};

use auth_runtime::routing::post;
use auth_runtime::schemes::SignedUrls;
use auth_runtime::testing::assert_hidden;
use auth_runtime::{Denied, ProtectedRouter};
use auth_tests::App;
use axum::extract::Path;
use http::Method;
use proptest::prelude::*;

use crate::schemes::*;

const OLD: &[u8; 32] = b"the key of last month: 32 bytes.";
const NEW: &[u8; 32] = b"the key of this month: 32 bytes!";
const HOUR: Duration = Duration::from_secs(3600);

#[requires(scope = "files:read", schemes("SignedUrl"), hide_as = 404)]
async fn download(guard: Guard, Path(name): Path<String>) -> Result<String, Denied> {
    guard.permit(name != "deleted")?;
    Ok(format!("{name} from {}", guard.identity().subject()))
}

#[requires(permission = "upload", schemes("SignedUrl"), hide_as = 404)]
async fn upload() -> &'static str {
    "thanks"
}

#[requires(role = "editor", hide_as = 404)]
async fn join(guard: Guard) -> String {
    format!("{:?}", guard.identity())
}

fn urls(keys: &[(&str, &[u8; 32])]) -> SignedUrls {
    let builder = keys
        .iter()
        .fold(SignedUrls::builder(), |builder, (id, key)| {
            builder.key(*id, *key)
        });
    builder.build().expect("the keys are in order")
}

fn new_urls() -> SignedUrls {
    urls(&[("2026-11", NEW)])
}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/files/{name}", get(download).post(upload))
        .route("/join", get(join))
}

/// The routes at the root and below `/v1`.
fn links_only(urls: SignedUrls) -> ProtectedRouter {
    links_at(&Clock::system(), urls)
}

/// The same with the clock of the links.
fn links_at(time: &Clock, urls: SignedUrls) -> ProtectedRouter {
    let space = ProtectionSpace::builder().clock(time.clone());
    let space = space.scheme(urls).build();
    routes()
        .nest("/v1", routes())
        .protect(space.expect("links need no realm"))
        .expect("all of it is hidden")
}

fn reader() -> Identity {
    Identity::new("user-17").with_scopes(["files:read"])
}

fn link_to(target: &str) -> String {
    let link = new_urls().sign(&Method::GET, target, HOUR, &reader());
    link.expect("it can be signed")
}

fn request(method: Method, target: &str) -> Request {
    let request = http::Request::builder().method(method).uri(target);
    request.body(Body::empty()).expect("a request")
}

async fn call(app: &impl App, method: Method, target: &str) -> Response {
    let answer = app.clone().oneshot(request(method, target));
    answer.await.expect("infallible")
}

async fn assert_404(app: &impl App, method: Method, target: &str, why: &str) {
    let answer = call(app, method.clone(), target).await;
    assert_eq!(answer.status(), 404, "{why}: {method} {target}");
    assert!(challenges(&answer).is_empty(), "{why}");
    assert_hidden(app.clone(), request(method, target)).await;
}
