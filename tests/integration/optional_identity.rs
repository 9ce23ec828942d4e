//! Public handlers that identify known callers: `#[public(reason = "…", identity = optional)]` (rule 6).

mod records;

use auth_runtime::routing::{delete, get};
use auth_runtime::schemes::{Bearer, Credentials, Scheme, Source, Verification};
use auth_runtime::{
    Caller, Denied, Guard, GuardedRouter, Identity, ProtectionSpace, ProtectionSpaceBuilder,
    Rejection, public, requires,
};
use auth_tests::App;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, Request, StatusCode};
use axum::response::IntoResponse;
use axum::{Extension, Router};
use tower::ServiceExt;

#[public(reason = "the page is for all; members see their menu", identity = optional)]
async fn page(guard: Guard) -> String {
    match guard.identity() {
        Some(identity) => format!("hello {}", identity.subject()),
        None => "hello".to_owned(),
    }
}

#[public(reason = "for all, and cacheable for a while", identity = optional)]
async fn cached() -> impl IntoResponse {
    [("cache-control", "public, max-age=60"), ("vary", "accept")]
}

#[public(reason = "a page of the browser", identity = optional, schemes("Session"))]
async fn menu(guard: Guard) -> String {
    match guard.identity() {
        Some(identity) => format!("hello {}", identity.subject()),
        None => "hello".to_owned(),
    }
}

fn is_ann(identity: Option<&Identity>) -> bool {
    identity.is_some_and(|identity| identity.subject() == "ann")
}

#[public(reason = "most pages are for all, this one is for ann", identity = optional)]
async fn internal_page(guard: Guard) -> Result<&'static str, Denied> {
    guard.permit(is_ann(guard.identity()))?;
    Ok("internal")
}

#[requires(any(network = "10.0.0.0/8", authenticated))]
async fn internal_in_network(guard: Guard) -> Result<&'static str, Denied> {
    guard.permit(is_ann(guard.identity()))?;
    Ok("internal")
}

#[requires(any(network = "10.0.0.0/8", authenticated), hide_as = 404)]
async fn hidden_in_network(guard: Guard) -> Result<&'static str, Denied> {
    guard.permit(is_ann(guard.identity()))?;
    Ok("internal")
}

#[public(reason = "nothing depends on the caller")]
async fn plain() -> &'static str {
    "plain"
}

#[requires(role = "admin", hide_as = 404)]
async fn remove() {}

fn caller(value: &str) -> Caller {
    match value {
        "expired" => Caller::Rejected(Rejection::Expired),
        "forged" => Caller::rejected(),
        "down" => Caller::unverifiable(),
        name => Caller::known(Identity::new(name)),
    }
}

/// A session cookie.
struct Cookie;

impl Scheme for Cookie {
    fn name(&self) -> &str {
        "Session"
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::Cookie("session".to_owned())]
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        Verification::done(caller(credentials.value()))
    }
}

fn builder() -> ProtectionSpaceBuilder {
    let bearer = Bearer::new(async |token| caller(token.as_str()));
    let space = ProtectionSpace::builder().realm("api");
    space.scheme(bearer).scheme(Cookie)
}

fn space() -> ProtectionSpace {
    builder().build().expect("the space is valid")
}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/", get(page))
        .route("/cached", get(cached))
        .route("/plain", get(plain))
        .route("/mixed", get(page).merge(delete(remove)))
}

struct Seen {
    status: StatusCode,
    challenges: Vec<String>,
    vary: Vec<String>,
    cache_control: Option<String>,
    body: String,
}

async fn send(app: &impl App, path: &str, fields: &[(&str, &str)]) -> Seen {
    let mut request = Request::get(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    let response = app.clone().oneshot(request).await.expect("infallible");
    let lines = |name: &str| {
        let lines = response.headers().get_all(name).iter();
        let lines = lines.map(|line| line.to_str().expect("visible ASCII").to_owned());
        lines.collect::<Vec<_>>()
    };
    Seen {
        status: response.status(),
        challenges: lines("www-authenticate"),
        vary: lines("vary"),
        cache_control: lines("cache-control").first().cloned(),
        body: {
            let body = to_bytes(response.into_body(), usize::MAX).await;
            String::from_utf8(body.expect("a body").to_vec()).expect("UTF-8")
        },
    }
}

/// Request fields with credentials, the status, and the body of a granted request.
type Case = (&'static [(&'static str, &'static str)], u16, &'static str);

const CASES: &[Case] = &[
    (&[], 200, "hello"),
    (&[("authorization", "Bearer ann")], 200, "hello ann"),
    (&[("cookie", "session=bob")], 200, "hello bob"),
    // A browser sends a dead cookie on its own.
    (&[("cookie", "session=expired")], 200, "hello"),
    (&[("cookie", "session=forged")], 200, "hello"),
    (&[("cookie", "session=down")], 200, "hello"),
    (
        &[("cookie", "session=expired; session=bob")],
        200,
        "hello bob",
    ),
    // The owner of a token has to learn that it expired.
    (&[("authorization", "Bearer expired")], 401, ""),
    (&[("authorization", "Bearer forged")], 401, ""),
    (&[("authorization", "Bearer down")], 503, ""),
    // Explicit credentials count, and not the cookie beside them.
    (
        &[("authorization", "Bearer ann"), ("cookie", "session=bob")],
        200,
        "hello ann",
    ),
    (
        &[
            ("authorization", "Bearer forged"),
            ("cookie", "session=bob"),
        ],
        401,
        "",
    ),
    // Ambiguous (rule 5).
    (
        &[
            ("authorization", "Bearer ann"),
            ("authorization", "Bearer bob"),
        ],
        400,
        "",
    ),
    (&[("cookie", "session=ann; session=bob")], 400, ""),
    // Credentials of another scheme count as none.
    (&[("authorization", "Basic YW5uOmE=")], 200, "hello"),
];

async fn check_cases(app: &impl App, path: &str) {
    for (fields, status, body) in CASES {
        let seen = send(app, path, fields).await;
        assert_eq!(seen.status, *status, "{path} {fields:?}");
        if seen.status == 200 {
            assert_eq!(seen.body, *body, "{path} {fields:?}");
        }
    }
}

#[tokio::test]
async fn valid_credentials_identify_the_caller() {
    let app = routes().protect(space()).expect("the router is valid");
    check_cases(&app, "/").await;
    check_cases(&app, "/mixed").await;
}

#[tokio::test]
async fn plain_router_decides_alike() {
    let app: Router = Router::new()
        .route("/", axum::routing::get(page))
        .layer(Extension(space()));
    check_cases(&app, "/").await;
}

#[tokio::test]
async fn plain_router_without_space_is_failure() {
    let app: Router = Router::new()
        .route("/", axum::routing::get(page))
        .route("/plain", axum::routing::get(plain));
    for (path, status) in [("/", 500), ("/plain", 200)] {
        for fields in [&[][..], &[("authorization", "Bearer ann")]] {
            assert_eq!(send(&app, path, fields).await.status, status, "{path}");
        }
    }
}

#[tokio::test]
async fn rejected_token_gets_its_challenge() {
    let app = routes().protect(space()).expect("the router is valid");
    let seen = send(&app, "/", &[("authorization", "Bearer expired")]).await;
    let [bearer, session] = seen.challenges.as_slice() else {
        panic!("{:?}", seen.challenges);
    };
    assert!(
        bearer.starts_with(r#"Bearer realm="api", error="invalid_token""#),
        "{bearer}"
    );
    assert_eq!(session, r#"Session realm="api""#);
    assert_eq!(seen.cache_control.as_deref(), Some("no-store"));
}

#[tokio::test]
async fn varying_response_is_private_with_identity() {
    let app = routes().protect(space()).expect("the router is valid");
    let anonymous = send(&app, "/", &[]).await;
    assert_eq!(anonymous.vary, ["authorization, cookie"]);
    assert_eq!(anonymous.cache_control, None);
    for fields in [("authorization", "Bearer ann"), ("cookie", "session=ann")] {
        let known = send(&app, "/", &[fields]).await;
        assert_eq!(known.vary, ["authorization, cookie"]);
        assert_eq!(known.cache_control.as_deref(), Some("private"));
    }
    let own = send(&app, "/cached", &[]).await;
    assert_eq!(own.vary, ["accept", "authorization, cookie"]);
    assert_eq!(own.cache_control.as_deref(), Some("public, max-age=60"));
    let own = send(&app, "/cached", &[("authorization", "Bearer ann")]).await;
    assert_eq!(own.cache_control.as_deref(), Some("private, max-age=60"));
    let plain = send(&app, "/plain", &[("authorization", "Bearer forged")]).await;
    assert_eq!((plain.status, plain.vary.len()), (StatusCode::OK, 0));
}

#[test]
fn access_table_shows_the_option() {
    let table = routes().access_table().to_string();
    let expected = "identity = optional";
    assert!(table.contains(expected), "{table}");
}

/// Credentials of the other schemes count as none.
#[tokio::test]
async fn schemes_that_identify_callers_are_named() {
    let routes = GuardedRouter::new().route("/menu", get(menu));
    let table = routes.access_table().to_string();
    assert!(
        table.contains("identity = optional, schemes(\"Session\")"),
        "{table}"
    );
    let app = routes.protect(space()).expect("the router is valid");
    let bob = ("cookie", "session=bob");
    for (fields, status, body) in [
        (&[][..], 200, "hello"),
        (&[bob], 200, "hello bob"),
        (&[("authorization", "Bearer ann")], 200, "hello"),
        (&[("authorization", "Bearer forged")], 200, "hello"),
        (&[("authorization", "Bearer forged"), bob], 200, "hello bob"),
        (&[("cookie", "session=forged")], 200, "hello"),
        (&[("cookie", "session=ann; session=bob")], 400, ""),
    ] {
        let seen = send(&app, "/menu", fields).await;
        assert_eq!(seen.status, status, "{fields:?}");
        if seen.status == 200 {
            assert_eq!(seen.body, body, "{fields:?}");
            assert_eq!(seen.vary, ["cookie"], "{fields:?}");
        }
    }
    let unknown = ProtectionSpace::builder()
        .realm("api")
        .scheme(Bearer::new(async |_| Caller::rejected()));
    let routes = GuardedRouter::new().route("/menu", get(menu));
    let refused = routes.protect(unknown.build().expect("the space is valid"));
    let refused = refused.expect_err("no scheme of that name").to_string();
    assert!(refused.contains("Session"), "{refused}");
}

/// Request fields with credentials, the status of a page for ann only, and the first challenge.
type ObjectCase = (
    &'static [(&'static str, &'static str)],
    u16,
    Option<&'static str>,
);

const OBJECT_CASES: &[ObjectCase] = &[
    (&[], 401, Some(r#"Bearer realm="api""#)),
    (&[("authorization", "Bearer ann")], 200, None),
    // The realm alone, by RFC 6750 §3.
    (
        &[("authorization", "Bearer bob")],
        403,
        Some(r#"Bearer realm="api""#),
    ),
    (&[("cookie", "session=ann")], 200, None),
    (&[("cookie", "session=bob")], 403, None),
    // No error: a browser sends a dead cookie on its own.
    (
        &[("cookie", "session=expired")],
        401,
        Some(r#"Bearer realm="api""#),
    ),
];

/// A login may help a caller without an identity (rule 2).
#[tokio::test]
async fn object_denial_is_401_or_403() {
    let guarded = GuardedRouter::new().route("/", get(internal_page));
    let guarded = guarded.protect(space()).expect("the router is valid");
    let plain: Router = Router::new()
        .route("/", axum::routing::get(internal_page))
        .layer(Extension(space()));
    for (fields, status, challenge) in OBJECT_CASES {
        for seen in [
            send(&guarded, "/", fields).await,
            send(&plain, "/", fields).await,
        ] {
            assert_eq!(seen.status, *status, "{fields:?}");
            let first = seen.challenges.first().map(String::as_str);
            assert_eq!(first, *challenge, "{fields:?}");
            if *status == 401 {
                assert_eq!(seen.challenges.len(), 2, "{fields:?}");
                assert_eq!(seen.cache_control.as_deref(), Some("no-store"));
            }
        }
    }
}

/// Each caller in the network is granted, and the object is for ann.
#[tokio::test]
async fn network_admitted_callers_are_denied_objects() {
    let app = GuardedRouter::new()
        .route("/", get(internal_in_network))
        .route("/hidden", get(hidden_in_network))
        .protect(space())
        .expect("the router is valid");
    let from = |path: &'static str, fields: &'static [(&'static str, &'static str)]| {
        let app = app.clone();
        async move {
            let mut request = Request::get(path);
            for (name, value) in fields {
                request = request.header(*name, *value);
            }
            let peer = std::net::SocketAddr::from(([10, 1, 1, 1], 1));
            let request = request.extension(axum::extract::ConnectInfo(peer));
            let request = request.body(Body::empty()).expect("a request");
            let response = app.oneshot(request).await.expect("infallible");
            let challenge = response.headers().get("www-authenticate");
            let challenge = challenge.map(|value| value.to_str().expect("ASCII").to_owned());
            (response.status().as_u16(), challenge)
        }
    };
    let bearer = r#"Bearer realm="api""#;
    assert_eq!(from("/", &[]).await, (401, Some(bearer.to_owned())));
    let (status, challenge) = from("/", &[("authorization", "Bearer expired")]).await;
    let challenge = challenge.expect("a challenge");
    assert_eq!(status, 401);
    assert!(
        challenge.starts_with(r#"Bearer realm="api", error="invalid_token""#),
        "{challenge}"
    );
    let down = &[("authorization", "Bearer down")];
    assert_eq!(from("/", down).await, (503, None));
    let bob = &[("authorization", "Bearer bob")];
    assert_eq!(from("/", bob).await, (403, Some(bearer.to_owned())));
    let ann = &[("authorization", "Bearer ann")];
    assert_eq!(from("/", ann).await, (200, None));
    assert_eq!(from("/hidden", &[]).await, (404, None));
    assert_eq!(from("/hidden", bob).await, (404, None));
    assert_eq!(from("/hidden", ann).await, (200, None));
    let (status, challenge) = from("/hidden", &[("authorization", "Bearer expired")]).await;
    let challenge = challenge.expect("a challenge");
    assert!(
        status == 401 && challenge.contains("expired"),
        "{challenge}"
    );
    assert_eq!(from("/hidden", down).await, (503, None));
}

/// A concealed object of a plain router has the response of an unknown path of the space.
#[tokio::test]
async fn plain_router_concealment_reports_rejected_credentials() {
    let app: Router = Router::new()
        .route("/", axum::routing::get(hidden_in_network))
        .layer(Extension(space()));
    for (token, status) in [
        (None, 404),
        (Some("bob"), 404),
        (Some("ann"), 200),
        (Some("expired"), 401),
        (Some("down"), 503),
    ] {
        let peer = std::net::SocketAddr::from(([10, 1, 1, 1], 1));
        let mut request = Request::get("/").extension(axum::extract::ConnectInfo(peer));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Body::empty()).expect("a request");
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), status, "{token:?}");
        let challenged = response.headers().contains_key("www-authenticate");
        assert_eq!(challenged, status == 401, "{token:?}");
    }
}

/// The certificate of a connection, as a proxy describes it.
struct Certificate;

impl Scheme for Certificate {
    fn name(&self) -> &str {
        "Mutual"
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::Connection(Some(HeaderName::from_static("x-cert")))]
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let certificate = credentials.headers().get("x-cert");
        let certificate = certificate.and_then(|value| value.to_str().ok());
        Verification::done(caller(certificate.unwrap_or_default()))
    }
}

/// A browser sends the certificate of a connection on its own, like a cookie (rule 6).
#[tokio::test]
async fn certificates_of_nobody_count_as_none() {
    let space = builder().scheme(Certificate).build();
    let app = routes().protect(space.expect("the space is valid"));
    let app = app.expect("the router is valid");
    for (certificate, body) in [
        ("ann", "hello ann"),
        ("expired", "hello"),
        ("forged", "hello"),
        ("down", "hello"),
    ] {
        let seen = send(&app, "/", &[("x-cert", certificate)]).await;
        assert_eq!(seen.status, 200, "{certificate}");
        assert_eq!(seen.body, body, "{certificate}");
    }
}
