//! The reasons for rejecting tokens, one for each cause, without data of the token.

mod servers;

use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime::routing::get;
use auth_runtime::schemes::{Bearer, Jwt, JwtBuilder, JwtKey};
use auth_runtime::{
    GuardedRouter, Identity, ProtectedRouter, ProtectionSpace, Rejection, requires,
};
use auth_tests::proof::ProofKey;
use auth_tests::{AUDIENCE, ISSUER};
use axum::body::Body;
use axum::extract::Request;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{OF_THIS_THREAD, listen};

/// A part of all values that a client chooses.
const MARKER: &str = "k33p-th1s-out";
const SECRET: [u8; 32] = [7; 32];

#[requires(authenticated)]
async fn page() {}

fn app(scheme: Bearer) -> ProtectedRouter {
    let space = ProtectionSpace::builder().realm("api").scheme(scheme);
    let routes = GuardedRouter::new().route("/", get(page));
    routes
        .protect(space.build().expect("a space"))
        .expect("a router")
}

/// Returns the status, and the issuer and the reason of each event about a rejected token.
async fn reasons(app: &ProtectedRouter, token: &str) -> (u16, Vec<(Value, Value)>) {
    let request = Request::get("/").header("authorization", format!("Bearer {token}"));
    let request = request.body(Body::empty()).expect("a request");
    OF_THIS_THREAD.take();
    let response = app.clone().oneshot(request).await.expect("infallible");
    let log = String::from_utf8(OF_THIS_THREAD.take()).expect("UTF-8");
    let lines = log.lines().map(|line| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        line
    });
    let events = lines.filter(|line| line["fields"]["message"] == "a token is rejected");
    let events = events.map(|event| {
        assert_eq!(event["level"], "DEBUG");
        let target = event["target"].as_str().expect("a target");
        assert!(target.starts_with("auth_runtime_schemes::"), "{target}");
        assert!(!event.to_string().contains(MARKER), "{event}");
        let fields = &event["fields"];
        for name in fields.as_object().expect("fields").keys() {
            assert!(
                ["message", "issuer", "reason"].contains(&name.as_str()),
                "{event}"
            );
        }
        (fields["issuer"].clone(), fields["reason"].clone())
    });
    (response.status().as_u16(), events.collect())
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_secs()
}

/// The claims of a valid token with these changes. `null` removes a claim.
fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": MARKER, "exp": now() + 600, "client_id": MARKER,
        "scope": MARKER,
    });
    let all = claims.as_object_mut().expect("an object");
    all.extend(changes.as_object().expect("an object").clone());
    all.retain(|_, value| !value.is_null());
    claims
}

fn signed(header: &Value, claims: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let input = format!("{}.{}", part(&header.to_string()), part(claims));
    let key = EncodingKey::from_secret(&SECRET).expect("a secret");
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &key, Algorithm::HS256);
    format!("{input}.{}", signature.expect("a signature"))
}

fn hs256() -> Value {
    json!({ "alg": "HS256", "typ": "JWT" })
}

fn token(changes: Value) -> String {
    signed(&hs256(), &claims(changes).to_string())
}

fn key() -> JwtKey {
    JwtKey::hs256(SECRET).expect("it is long enough")
}

fn verifier() -> JwtBuilder {
    Jwt::builder().issuer(ISSUER).audience(AUDIENCE).key(key())
}

fn built(builder: JwtBuilder) -> Jwt {
    builder.build().expect("a verifier")
}

#[tokio::test]
async fn each_cause_has_a_reason() {
    listen();
    let with_header = |changes: Value| {
        let mut header = hs256();
        let members = header.as_object_mut().expect("an object");
        members.extend(changes.as_object().expect("an object").clone());
        signed(&header, &claims(json!({})).to_string())
    };
    let valid = token(json!({}));
    let (unsigned, _) = valid.rsplit_once('.').expect("a signature");
    let other = Jwt::builder().issuer("https://other.example").audience("a");
    let two = Jwt::any_of([built(verifier()), built(other.key(key()))]).expect("two issuers");
    let named = key().with_id("2026");
    let named = || {
        Jwt::builder()
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .key(named.clone())
    };
    let by_client = || Jwt::builder().issuer(ISSUER).client("app").key(key());
    let tenants = Jwt::builder().audience(AUDIENCE).key(key());
    let tenants = tenants.issuer_per_tenant("https://login.example/{tid}", |tid| tid == "ours");
    let unnamed = Jwt::builder()
        .without_issuer()
        .audience(AUDIENCE)
        .key(key());
    let authority = ProofKey::new();
    let its_key = JwtKey::es256_pem(authority.public_pem()).expect("a key");
    let workloads = Jwt::builder().audience(AUDIENCE).key(its_key);
    let workloads = workloads.spiffe_trust_domain("shop.example");
    let to_nobody = verifier().identity(|_| Ok(Identity::new("")));
    let to_error = verifier().identity(|_| Err(Rejection::Expired));
    let nothing = json!({});
    for (jwt, token, issuer, reason) in [
        (
            built(verifier()),
            MARKER.to_owned(),
            Value::Null,
            "it is not a JWT, or has an unknown algorithm",
        ),
        (
            built(verifier()),
            with_header(json!({ "alg": MARKER })),
            Value::Null,
            "it is not a JWT, or has an unknown algorithm",
        ),
        (
            two.clone(),
            token(json!({ "iss": format!("https://{MARKER}.example") })),
            Value::Null,
            "no issuer has its `iss`",
        ),
        (
            two,
            signed(&hs256(), "[]"),
            Value::Null,
            "its claims cannot be read, or one of them occurs twice",
        ),
        (
            built(verifier()),
            signed(&hs256(), r#"{"a":1,"a":1}"#),
            json!(ISSUER),
            "its claims cannot be read, or one of them occurs twice",
        ),
        (
            built(verifier()),
            with_header(json!({ "crit": [MARKER] })),
            json!(ISSUER),
            "its header has `crit`",
        ),
        (
            built(verifier()),
            with_header(json!({ "typ": MARKER })),
            json!(ISSUER),
            "the `typ` of its header is not that of an access token",
        ),
        (
            built(verifier().rfc9068_only()),
            token(nothing.clone()),
            json!(ISSUER),
            "the `typ` of its header is not that of an access token",
        ),
        (
            built(verifier()),
            with_header(json!({ "zip": "DEF" })),
            json!(ISSUER),
            "it is encrypted or compressed",
        ),
        (
            built(named()),
            with_header(json!({ "kid": MARKER })),
            json!(ISSUER),
            "no key of the issuer has its `kid` and `alg`",
        ),
        (
            built(verifier()),
            with_header(json!({ "alg": "HS384" })),
            json!(ISSUER),
            "no key of the issuer has its `kid` and `alg`",
        ),
        (
            built(verifier()),
            format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode([0; 32])),
            json!(ISSUER),
            "no key of the issuer signed it",
        ),
        (
            built(verifier()),
            format!("{unsigned}.A"),
            json!(ISSUER),
            "its signature cannot be read",
        ),
        (
            built(verifier()),
            token(json!({ "exp": MARKER })),
            json!(ISSUER),
            "its `exp` is not a time",
        ),
        (
            built(verifier()),
            token(json!({ "exp": now() - 600 })),
            json!(ISSUER),
            "it has expired",
        ),
        (
            built(verifier()),
            token(json!({ "nbf": MARKER })),
            json!(ISSUER),
            "its `nbf` is not a time",
        ),
        (
            built(verifier()),
            token(json!({ "nbf": now() + 600 })),
            json!(ISSUER),
            "its `nbf` is in the future",
        ),
        (
            built(verifier()),
            token(json!({ "iss": format!("{ISSUER}/") })),
            json!(ISSUER),
            "its `iss` is not the issuer",
        ),
        (
            built(unnamed),
            token(nothing.clone()),
            json!("unnamed"),
            "it has an `iss`",
        ),
        (
            built(tenants),
            token(json!({ "iss": "https://login.example/theirs", "tid": "theirs" })),
            json!("https://login.example/{tid}"),
            "its `iss` is not that of its `tid`, or the tenant is not allowed",
        ),
        (
            built(workloads),
            authority.sign(
                &json!({ "alg": "ES256" }),
                &claims(json!({ "sub": format!("spiffe://{MARKER}.example/a") })),
            ),
            json!("spiffe://shop.example"),
            "its `sub` is not in the trust domain",
        ),
        (
            built(verifier()),
            token(json!({ "exp": null })),
            json!(ISSUER),
            "it has no `exp`",
        ),
        (
            built(verifier()),
            token(json!({ "aud": MARKER })),
            json!(ISSUER),
            "its `aud` is not an accepted audience",
        ),
        (
            built(verifier()),
            token(json!({ "aud": null })),
            json!(ISSUER),
            "it has no `aud`",
        ),
        (
            built(by_client()),
            token(json!({ "aud": null })),
            json!(ISSUER),
            "it has no `aud`, and its `client_id` is not an accepted client",
        ),
        (
            built(by_client()),
            token(nothing.clone()),
            json!(ISSUER),
            "it has an `aud`, and no audience is accepted",
        ),
        (
            built(verifier().rfc9068_only()),
            with_header(json!({ "typ": "at+jwt" })),
            json!(ISSUER),
            "it lacks a claim that RFC 9068 requires",
        ),
        (
            built(verifier()),
            token(json!({ "token_use": "id" })),
            json!(ISSUER),
            "it is not an access token, by its claims",
        ),
        (
            built(verifier().accept_if(|_| true).accept_if(|_| false)),
            token(nothing.clone()),
            json!(ISSUER),
            "it does not meet a condition of `accept_if`",
        ),
        (
            built(verifier()),
            token(json!({ "sub": null })),
            json!(ISSUER),
            "its subject is missing, or is not a text",
        ),
        (
            built(to_nobody),
            token(nothing.clone()),
            json!(ISSUER),
            "the function of `identity` returned an empty subject",
        ),
        (
            built(to_error),
            token(nothing.clone()),
            json!(ISSUER),
            "the function of `identity` rejected it",
        ),
        (
            built(verifier().revoked_if(|_| true)),
            token(nothing),
            json!(ISSUER),
            "it is revoked",
        ),
    ] {
        let (status, reasons) = reasons(&app(Bearer::jwt(jwt)), &token).await;
        assert_eq!(status, 401, "{reason}");
        assert_eq!(reasons, [(issuer, json!(reason))]);
    }
    let (status, reasons) = reasons(&app(Bearer::jwt(built(verifier()))), &valid).await;
    assert_eq!((status, reasons), (200, Vec::new()));
}
