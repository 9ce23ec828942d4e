//! The schemes with all inputs that a client could send: status and exact challenges, through an
//! axum service for every row.

mod api_key;
mod application;
mod authentication;
mod basic;
mod bearer;
mod carried;
mod cookies;
mod credentials;
mod digest;
mod dpop;
mod expiry;
mod in_cluster;
mod introspection;
mod issuers;
mod jwks;
mod look_ups;
mod lost_connections;
mod messages;
mod mtls;
mod names;
mod own_name;
mod proxy_identity;
mod redis;
mod sessions;
mod signed_urls;
mod space;
mod token_cache;
mod token_kinds;
mod tokens;
mod unaccepted;
mod webhooks;
mod wrapped;

use argon2::password_hash::PasswordHasher;
use auth_runtime::challenge::{Challenge, ChallengeContext, ChallengeError};
use auth_runtime::clock::Clock;
use auth_runtime::decision::{Denial, DenialBody};
use auth_runtime::routing::get;
use auth_runtime::schemes::{
    ApiKeys, ApiKeysError, Basic, Bearer, Claims, Credentials, Jwt, JwtError, JwtKey,
    PasswordHashes, PasswordHashesError, Scheme, Source, Verification,
};
use auth_runtime::{
    Caller, Guard, GuardedRouter, Identity, ProtectedRouter, ProtectionSpace, Rejection,
    SpaceError, requires,
};
use auth_tests::{AUDIENCE, App, ISSUER};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderValue, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::KeyPair;
use serde_json::{Value, json};
use tower::ServiceExt;

/// A scheme with a challenge that is invalid after rejected credentials.
struct Described(Source);

impl Scheme for Described {
    fn name(&self) -> &str {
        "Described"
    }

    fn sources(&self) -> Vec<Source> {
        vec![self.0.clone()]
    }

    fn verify(&self, _: &Credentials<'_>) -> Verification {
        Verification::done(Caller::rejected())
    }

    fn challenge(&self, context: &ChallengeContext<'_>) -> Result<Challenge, ChallengeError> {
        let realm = context.realm().expect("a realm");
        let challenge = Challenge::builder("Described").quoted("realm", realm);
        match context.error() {
            Some(_) => challenge.quoted("reason", "ungültig").build(),
            None => challenge.build(),
        }
    }
}

#[requires(authenticated)]
async fn known(guard: Guard) -> String {
    format!("{:?}", guard.identity())
}

#[requires(scope = "read")]
async fn read() {}

#[requires(role = "admin")]
async fn admin() {}

fn app(space: ProtectionSpace) -> ProtectedRouter {
    GuardedRouter::new()
        .route("/known", get(known))
        .route("/read", get(read))
        .route("/admin", get(admin))
        .protect(space)
        .unwrap()
}

fn space(scheme: impl Scheme) -> ProtectionSpace {
    let space = ProtectionSpace::builder().realm("api").scheme(scheme);
    space.build().expect("the space is in order")
}

/// A space with the clock of its scheme.
fn space_at(time: &Clock, scheme: impl Scheme) -> ProtectionSpace {
    let space = ProtectionSpace::builder().realm("api").clock(time.clone());
    space.scheme(scheme).build().expect("the space is in order")
}

/// The field lines of a request.
type Lines = Vec<(&'static str, Vec<u8>)>;

fn authorization(value: impl Into<Vec<u8>>) -> Lines {
    vec![("authorization", value.into())]
}

fn bearer(token: impl AsRef<str>) -> Lines {
    authorization(format!("Bearer {}", token.as_ref()))
}

async fn send(app: &impl App, target: &str, lines: &Lines) -> Response {
    let mut request = Request::get(target).body(Body::empty()).expect("a request");
    for (name, value) in lines {
        let value = HeaderValue::from_bytes(value).expect("a field value");
        request.headers_mut().append(*name, value);
    }
    app.clone().oneshot(request).await.expect("infallible")
}

fn challenges(response: &Response) -> Vec<&str> {
    let lines = response.headers().get_all("www-authenticate").iter();
    lines.map(|line| line.to_str().expect("ASCII")).collect()
}

async fn text(response: Response) -> String {
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
    String::from_utf8(body.expect("a body").to_vec()).expect("UTF-8")
}

struct Row {
    name: &'static str,
    lines: Lines,
    status: u16,
    challenges: &'static [&'static str],
}

fn row(name: &'static str, lines: Lines, status: u16, challenges: &'static [&'static str]) -> Row {
    Row {
        name,
        lines,
        status,
        challenges,
    }
}

async fn check(app: &impl App, target: &str, rows: Vec<Row>) {
    for Row {
        name,
        lines,
        status,
        challenges: expected,
    } in rows
    {
        let response = send(app, target, &lines).await;
        assert_eq!(response.status(), status, "{name}");
        assert_eq!(challenges(&response), expected, "{name}");
        assert_eq!(
            response.status() == 200,
            expected.is_empty() && status == 200,
            "{name}"
        );
        if status != 200 {
            assert_eq!(response.headers()["cache-control"], "no-store", "{name}");
            let body = text(response).await;
            for (_, value) in &lines {
                let value = String::from_utf8_lossy(value);
                let secret = value.rsplit(' ').next().unwrap_or_default();
                assert!(secret.len() < 8 || !body.contains(secret), "{name}: echoed");
            }
        }
    }
}

const BEARER: &str = "Bearer realm=\"api\"";
const MALFORMED: &str = "Bearer realm=\"api\", error=\"invalid_token\", \
                         error_description=\"the access token is malformed\"";
const EXPIRED: &str = "Bearer realm=\"api\", error=\"invalid_token\", \
                       error_description=\"the access token expired\"";
const INVALID: &str = "Bearer realm=\"api\", error=\"invalid_token\", \
                                            error_description=\"the access token is not valid\"";
const TWICE: &str = "Bearer realm=\"api\", error=\"invalid_request\", \
                     error_description=\"the request carries credentials in a way that is not \
                     accepted, or a body that cannot be read\"";

const BASIC: &str = "Basic realm=\"api\", charset=\"UTF-8\"";

fn basic(login: &str) -> Lines {
    authorization(format!("Basic {}", STANDARD.encode(login)))
}
