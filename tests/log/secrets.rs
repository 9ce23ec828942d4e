//! Secrets are never disclosed: not by `Debug`, not in errors, not in denials, and not in the log
//! at any level.

mod debug;
mod errors;
mod responses;
mod schemes;

use std::sync::OnceLock;

use argon2::password_hash::PasswordHasher;
use auth_runtime::routing::get;
use auth_runtime::schemes::{
    ApiKeys, Basic, Bearer, Dpop, Introspection, Jwt, JwtKey, PasswordHashes,
};
use auth_runtime::{CheckRequest, GuardedRouter, Identity, ProtectionSpace, requires};
use auth_tests::{AUDIENCE, App, ISSUER};
use axum::body::Body;
use axum::extract::Request;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::StatusCode;
use serde_json::json;
use sha2::{Digest, Sha256};
use tower::ServiceExt;

use crate::listen;

/// Long enough for a key, and in the form of a token.
const MARKER: &str = "k33p-th1s-out-of-everything-pl3s";

/// Returns the forms in which the marker could leak.
fn traces() -> Vec<String> {
    let mut traces = traces_of(MARKER);
    traces.extend(traces_of(&format!("ann:{MARKER}")));
    traces.push(hash_of_marker().to_owned());
    traces
}

/// Returns a secret as it is, as bytes, encoded, and hashed.
fn traces_of(secret: &str) -> Vec<String> {
    let digest = Sha256::digest(secret);
    vec![
        secret.to_owned(),
        format!("{:?}", secret.as_bytes())
            .trim_matches(['[', ']'])
            .to_owned(),
        STANDARD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        hex(secret.as_bytes()),
        hex(&digest),
        STANDARD.encode(digest),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash_of_marker() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let cheap = argon2::Params::new(8, 1, 1, None).expect("parameters");
        let argon2 = argon2::Argon2::from(cheap);
        let hash = argon2.hash_password(MARKER.as_bytes()).expect("a hash");
        hash.to_string()
    })
}

/// Returns the secrets that `text` contains.
fn leaks(text: &str, secrets: &[String]) -> Vec<String> {
    let text = text.to_ascii_lowercase();
    let shown = secrets
        .iter()
        .filter(|secret| text.contains(&secret.to_ascii_lowercase()));
    shown.cloned().collect()
}

/// Asserts that the log of all threads has these events, and none of the secrets.
#[track_caller]
fn assert_log(events: &[&str], secrets: &[String]) {
    let log = listen().0.lock().expect("nobody panics").clone();
    let log = String::from_utf8(log).expect("UTF-8");
    for event in events {
        assert!(log.contains(event), "nothing of {event} in {log}");
    }
    let shown: Vec<&str> = log
        .lines()
        .filter(|line| !leaks(line, secrets).is_empty())
        .collect();
    assert_eq!(shown, Vec::<&str>::new());
}

#[track_caller]
fn assert_silent(what: &str, text: &str) {
    let shown = leaks(text, &traces());
    assert!(shown.is_empty(), "{what} shows {shown:?}: {text}");
}

fn signed(mut claims: serde_json::Value) -> String {
    claims["iss"] = ISSUER.into();
    claims["aud"] = AUDIENCE.into();
    claims["sub"] = "ann".into();
    claims["exp"] = 4_000_000_000_u32.into();
    let key = jsonwebtoken::EncodingKey::from_secret(MARKER.as_bytes()).expect("a secret");
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).expect("it can be signed")
}

/// Returns the claims and the signature of a token. The header is not a secret.
fn parts_of(token: &str) -> Vec<String> {
    token.split('.').skip(1).map(str::to_owned).collect()
}

/// Returns an error as displayed and debugged, with its causes.
fn text<T>(result: Result<T, impl std::error::Error>) -> String {
    let error = result.err().expect("it is refused");
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text} {error} {error:?}");
        cause = error.source();
    }
    text
}

async fn send(
    app: &impl App,
    method: &str,
    target: &str,
    fields: &[(&'static str, String)],
    body: &'static str,
) -> (StatusCode, String) {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in fields {
        request = request.header(*name, value);
    }
    let request = request.body(Body::from(body)).expect("a request");
    let answer = app.clone().oneshot(request).await.expect("infallible");
    let (head, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let text = format!("{:?}\n{}", head.headers, String::from_utf8_lossy(&body));
    (head.status, text)
}
