//! Layers of a hidden route that change a field which a scheme reads beside the credentials: the decision is made anew.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::clock::ManualClock;
use auth_runtime::routing::any;
use auth_runtime::schemes::{
    CertificateSource, Credentials, Dpop, MutualTls, PeerCertificate, ProxyIdentity, Scheme,
    SchemeExt, Sessions, Source, Verification, Webhooks,
};
use auth_runtime::{Caller, ProtectionSpace};
use auth_tests::proof::ProofKey;
use auth_tests::verifier;
use axum::middleware::map_request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};

use super::*;

#[requires(role = "admin", hide_as = 404)]
async fn hidden() -> &'static str {
    "hidden"
}

type Fields<'f> = &'f [(&'static str, &'f str)];

fn admin() -> Identity {
    Identity::new("ann").with_roles(["admin"])
}

/// Returns the status of a request that has the first fields in front of the layers, and the changed ones behind them.
async fn status(
    scheme: impl Scheme,
    mut request: Request,
    (name, value): (&'static str, &str),
) -> u16 {
    let space = ProtectionSpace::builder().realm("api").scheme(scheme);
    let value = HeaderValue::try_from(value).expect("a value");
    let layer = map_request(move |mut request: Request| {
        request.headers_mut().insert(name, value.clone());
        async { request }
    });
    let app = GuardedRouter::new()
        .route("/", any(hidden).layer(layer))
        .protect(space.build().expect("a space"))
        .expect("the route is in order");
    let peer = SocketAddr::from(([10, 0, 0, 7], 4711));
    request.extensions_mut().insert(peer);
    let response = app.oneshot(request).await.expect("infallible");
    response.status().as_u16()
}

fn with_fields(method: Method, fields: Fields<'_>) -> Request {
    let mut request = Request::builder().method(method).uri("/");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).expect("a request")
}

fn proxy() -> ProxyIdentity {
    let proxies = ["10.0.0.7/32".parse().expect("a network")];
    let scheme = ProxyIdentity::builder(proxies).roles_field("Remote-Groups");
    scheme.build().expect("the scheme is in order")
}

#[tokio::test]
async fn changed_roles_of_proxy_are_decided() {
    let request = || {
        with_fields(
            Method::GET,
            &[("remote-user", "ann"), ("remote-groups", "admin")],
        )
    };
    for (change, expected) in [
        (("x-other", "changed"), 200),
        (("remote-groups", "dev"), 404),
    ] {
        assert_eq!(
            status(proxy(), request(), change).await,
            expected,
            "{change:?}"
        );
    }
}

/// Whether a login of a browser counts depends on the origin of the request.
#[tokio::test]
async fn changed_origins_are_decided() {
    const SITE: (&str, &str) = ("sec-fetch-site", "same-origin");
    const FOREIGN: (&str, &str) = ("sec-fetch-site", "cross-site");
    const ORIGIN: (&str, &str) = ("origin", "https://api.example");
    const HOST: (&str, &str) = ("host", "api.example");
    let jwt = format!("login={}", token(json!({ "roles": ["admin"] })));
    for (method, fields, change, expected) in [
        (Method::POST, &[SITE][..], ("x-other", "changed"), 200),
        (Method::POST, &[SITE], FOREIGN, 404),
        (
            Method::POST,
            &[ORIGIN, HOST],
            ("origin", "https://evil.example"),
            404,
        ),
        (
            Method::POST,
            &[ORIGIN, HOST],
            ("host", "other.example"),
            404,
        ),
        (Method::GET, &[FOREIGN], ("x-other", "changed"), 200),
        (Method::GET, &[FOREIGN], ("upgrade", "websocket"), 404),
        (Method::GET, &[FOREIGN], ("sec-websocket-key", "key"), 404),
    ] {
        let request =
            |credentials: Fields<'_>| with_fields(method.clone(), &[credentials, fields].concat());
        let by_proxy = request(&[("remote-user", "ann"), ("remote-groups", "admin")]);
        assert_eq!(
            status(proxy(), by_proxy, change).await,
            expected,
            "proxy: {change:?}"
        );

        let sessions = Sessions::look_up(async |_| Caller::known(admin()));
        let sessions = sessions.cookie("session").build().expect("sessions");
        let by_session = request(&[("cookie", "session=ann")]);
        let seen = status(sessions, by_session, change).await;
        assert_eq!(seen, expected, "session: {change:?}");

        let carried = verifier().in_cookie("login").build();
        let by_jwt = request(&[("cookie", jwt.as_str())]);
        let seen = status(carried.expect("a scheme"), by_jwt, change).await;
        assert_eq!(seen, expected, "JWT: {change:?}");

        let certificates = CertificateSource::connection();
        let devices = MutualTls::new(certificates, async |_| Caller::known(admin()));
        let mut by_certificate = request(&[]);
        let certificate = PeerCertificate::new(vec![1]);
        by_certificate.extensions_mut().insert(certificate);
        let seen = status(devices, by_certificate, change).await;
        assert_eq!(seen, expected, "certificate: {change:?}");
    }
}

#[tokio::test]
async fn changed_fields_of_webhook_are_decided() {
    const SECRET: &str = "the secret of the sender";
    const TIME: &str = "1731705121";
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
    mac.update(format!("msg_1.{TIME}.").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    for (change, expected) in [
        (("x-other", "changed"), 200),
        (("webhook-id", "msg_2"), 404),
        (("webhook-timestamp", "1731705122"), 404),
    ] {
        let clock = ManualClock::new(UNIX_EPOCH + Duration::from_secs(1_731_705_121));
        let hooks = Webhooks::standard().secret(SECRET).identity(admin());
        let hooks = hooks.clock(clock.clock()).build().expect("the scheme");
        let signed = with_fields(
            Method::POST,
            &[
                ("webhook-id", "msg_1"),
                ("webhook-timestamp", TIME),
                ("webhook-signature", &signature),
            ],
        );
        assert_eq!(status(hooks, signed, change).await, expected, "{change:?}");
    }
}

/// The application of a user, with a stamp in a further field.
struct Stamped;

impl Scheme for Stamped {
    fn name(&self) -> &str {
        "Stamped"
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::Field(HeaderName::from_static("x-app"))]
    }

    fn request_fields(&self) -> Vec<HeaderName> {
        vec![HeaderName::from_static("x-stamp")]
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let stamp = credentials.headers().get("x-stamp");
        Verification::done(match stamp.is_some_and(|stamp| stamp == "valid") {
            true => Caller::known(Identity::new("app")),
            false => Caller::rejected(),
        })
    }
}

#[tokio::test]
async fn changed_fields_of_application_are_decided() {
    for (change, expected) in [(("x-other", "changed"), 200), (("x-stamp", "changed"), 404)] {
        let user = Bearer::new(async |_| Caller::known(admin()));
        let fields = [
            ("authorization", "Bearer x"),
            ("x-app", "a"),
            ("x-stamp", "valid"),
        ];
        let request = with_fields(Method::GET, &fields);
        let seen = status(user.with_application(Stamped), request, change).await;
        assert_eq!(seen, expected, "{change:?}");
    }
}

/// A proof is valid once, so only the changed one is verified again.
#[tokio::test]
async fn changed_proofs_are_decided() {
    for (change, expected) in [(("x-other", "changed"), 200), (("dpop", "changed"), 404)] {
        let key = ProofKey::new();
        let bound = json!({ "roles": ["admin"], "cnf": { "jkt": key.thumbprint() } });
        let token = token(bound);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = i64::try_from(now.expect("after 1970").as_secs()).expect("a time");
        let proof = key.prove("GET", "https://api.example/", &token, now);
        let dpop = Dpop::jwt(verifier()).origin("https://api.example");
        let authorization = format!("DPoP {token}");
        let fields = [("authorization", &*authorization), ("dpop", &*proof)];
        let request = with_fields(Method::GET, &fields);
        let dpop = dpop.build().expect("the scheme");
        assert_eq!(status(dpop, request, change).await, expected, "{change:?}");
    }
}
