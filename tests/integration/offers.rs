//! The offered and the accepted credentials of a protection space: the schemes, their order, their
//! audience, and the place in a request.

mod bindings;
mod bodies;
mod challenges;
mod resource;
mod responses;
mod schemes;
mod tokens;
mod without_challenge;

use auth_runtime::decision::{DenialBody, DenialDetails, RequestSnapshot};
use auth_runtime::resource::ProtectedResource;
use auth_runtime::routing::{get, post};
use auth_runtime::schemes::{ApiKeys, Basic, Bearer, Jwt};
use auth_runtime::testing::{assert_hidden, with_identity};
use auth_runtime::{
    Caller, GuardedRouter, Identity, ProtectionSpace, ProtectionSpaceBuilder, public, requires,
};
use auth_tests::{App, space, space_builder, token, verifier};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::json;
use tower::ServiceExt;
use tower_http::cors::CorsLayer;

const BEARER: &str = "Bearer realm=\"api\"";
const BASIC: &str = "Basic realm=\"api\", charset=\"UTF-8\"";

#[requires(authenticated)]
async fn known() -> &'static str {
    "known"
}

#[requires(scope = "read")]
async fn read() -> &'static str {
    "read"
}

/// The body of a denial that lists its missing requirements.
fn missing_as_text(denial: &DenialDetails<'_>, _: &RequestSnapshot) -> DenialBody {
    let missing: Vec<_> = denial.missing().iter().map(ToString::to_string).collect();
    DenialBody::new(HeaderValue::from_static("text/plain"), missing.join(", "))
}

fn basic() -> Basic {
    Basic::new(
        async |user, password| match (user.as_str(), password.as_str()) {
            ("ann", "secret") => Caller::known(Identity::new("ann")),
            _ => Caller::rejected(),
        },
    )
}

fn jwt() -> Jwt {
    verifier()
}

fn keys() -> ApiKeys {
    let keys = ApiKeys::builder().key("a-key-of-a-length-that-is-accepted", Identity::new("job"));
    keys.build().expect("keys")
}

fn request(target: &str) -> Request {
    Request::get(target).body(Body::empty()).expect("a request")
}

fn with(target: &str, fields: &[(&str, &str)]) -> Request {
    let mut builder = Request::get(target);
    for (name, value) in fields {
        builder = builder.header(*name, *value);
    }
    builder.body(Body::empty()).expect("a request")
}

fn good() -> String {
    format!("Bearer {}", token(json!({ "scope": "read" })))
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn challenges(&self) -> Vec<&str> {
        let lines = self.headers.get_all(WWW_AUTHENTICATE).iter();
        lines
            .map(|line| line.to_str().expect("visible ASCII"))
            .collect()
    }

    fn cache_control(&self) -> &str {
        let mut lines = self.headers.get_all(CACHE_CONTROL).iter();
        let line = lines
            .next()
            .map_or("", |line| line.to_str().expect("visible ASCII"));
        assert!(lines.next().is_none(), "one line");
        line
    }
}

async fn send(app: &impl App, request: Request) -> Answer {
    let response = app.clone().oneshot(request).await.expect("an answer");
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .expect("a body");
    Answer {
        status: head.status,
        headers: head.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

fn both() -> ProtectionSpaceBuilder {
    space_builder().scheme(basic())
}

#[requires(authenticated, schemes(Basic), realm = "vault")]
async fn by_password() -> &'static str {
    "by password"
}

#[requires(sender_constrained, scope = "read")]
async fn bound() -> &'static str {
    "bound"
}

fn resource() -> ProtectedResource {
    ProtectedResource::builder("https://api.example/v1")
        .authorization_server("https://issuer.example")
        .name("The \"API\"")
        .documentation("https://api.example/docs")
        .build()
        .expect("a resource")
}

#[requires(scope = "secret", hide_as = 404, hide_unless = scope("hint"))]
async fn secret() {}

#[public(reason = "a test")]
async fn open() {}

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(HeaderValue::from_static("https://app.example"))
        .allow_methods([Method::GET])
        .allow_headers([AUTHORIZATION])
        .expose_headers([WWW_AUTHENTICATE])
}

#[requires(scope = "admin", hide_as = 404)]
async fn hidden() -> &'static str {
    "hidden"
}
