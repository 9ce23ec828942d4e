//! Digest: valid responses, and all kinds of invalid ones.

mod answers;
mod challenges;
mod counts;
mod nonces;
mod settings;
mod users;

use std::time::Duration;

use auth_runtime::ProtectedRouter;
use auth_runtime::routing::post;
use auth_runtime::schemes::{Digest, DigestAlgorithm, DigestBuilder, DigestSecret};
use auth_tests::App;
use auth_tests::digest::Login;
use http_auth::parse_challenges;

use crate::schemes::*;

const SHA256: DigestAlgorithm = DigestAlgorithm::Sha256;
const MD5: DigestAlgorithm = DigestAlgorithm::Md5;
/// `printf ann:lab:secret | sha256sum`, and `md5sum`.
const ANN_SHA256: &str = "ann:lab:9e3c31432b52c9f473cfa547eda63f50dc9c66927b57216afcd386749f90d25a";
const ANN_MD5: &str = "ann:lab:e2ddb53df762616c294c41e1c3aca2b8";

fn secret(line: &str) -> DigestSecret {
    line.parse().expect("a secret")
}

fn ann() -> Identity {
    Identity::new("ann")
}

/// A realm with the user ann, with SHA-256.
fn lab() -> DigestBuilder {
    Digest::builder("lab").user(secret(ANN_SHA256), ann())
}

/// The same with MD5 as well.
fn lab_with_md5() -> DigestBuilder {
    lab().algorithms([MD5, SHA256]).user(secret(ANN_MD5), ann())
}

#[requires(authenticated)]
async fn subject(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

fn service(builder: DigestBuilder, realm: &str) -> ProtectedRouter {
    let scheme = builder.build().expect("a scheme");
    let space = ProtectionSpace::builder().realm(realm).scheme(scheme);
    let nested = GuardedRouter::new().route("/leaf", get(subject));
    GuardedRouter::new()
        .route("/", get(subject).post(subject))
        .route("/dir/index.html", get(subject).post(subject))
        .route("/doe.json", get(subject))
        .nest("/nested", nested)
        .protect(space.build().expect("a space"))
        .expect("a router")
}

fn lab_service() -> ProtectedRouter {
    service(lab(), "lab")
}

async fn ask(app: &impl App, method: &str, target: &str, authorization: &str) -> Response {
    let mut request = Request::builder().method(method).uri(target);
    if !authorization.is_empty() {
        request = request.header("authorization", authorization);
    }
    let request = request.body(Body::empty()).expect("a request");
    app.clone().oneshot(request).await.expect("infallible")
}

/// Returns a parameter of the challenge at this index.
fn parameter(response: &Response, place: usize, name: &str) -> Option<String> {
    let lines = challenges(response);
    let parsed = parse_challenges(lines.get(place)?).expect("a challenge");
    let [challenge] = parsed.as_slice() else {
        panic!("one challenge a line: {lines:?}");
    };
    let named = challenge.params.iter().find(|(own, _)| *own == name);
    named.map(|(_, value)| value.to_unescaped())
}

fn is_stale(response: &Response) -> bool {
    assert_eq!(response.status(), 401);
    parameter(response, 0, "stale").as_deref() == Some("true")
}

async fn nonce(app: &impl App, place: usize) -> String {
    let refused = ask(app, "GET", "/", "").await;
    assert_eq!(refused.status(), 401);
    parameter(&refused, place, "nonce").expect("a nonce")
}

/// Returns ann's first response to a new challenge.
async fn login(app: &impl App) -> Login {
    Login {
        nonce: nonce(app, 0).await,
        ..Login::new("SHA-256", "ann", "lab", "secret")
    }
}

async fn send_login(app: &impl App, login: &Login) -> Response {
    ask(app, &login.method, &login.uri, &login.authorization()).await
}

#[requires(authenticated, realm = "attic")]
async fn attic() {}
