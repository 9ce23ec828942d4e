//! Requests that a layer of a hidden route changes, and those that the fallback receives in place of a denied object.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use auth_runtime::routing::any;
use auth_runtime::schemes::CertificateSource;
use auth_runtime::{Caller, ProtectedRouter, ProtectionSpace};
use axum::extract::{ConnectInfo, Extension};
use axum::middleware::map_request;
use http::{HeaderMap, Version};

use super::*;

/// The change of a request by a layer.
type Change = fn(&mut Request);

/// Returns a router with a hidden route behind a layer, and the number of verified tokens.
fn behind(
    change: Change,
    certificates: Option<CertificateSource>,
) -> (ProtectedRouter, Arc<AtomicU32>) {
    let verified = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&verified);
    let bearer = Bearer::new(move |_token| {
        counter.fetch_add(1, Ordering::Relaxed);
        async { Caller::known(Identity::new("ann").with_scopes(["admin"])) }
    });
    let bearer = match certificates {
        Some(source) => bearer.client_certificate(source),
        None => bearer,
    };
    let space = ProtectionSpace::builder().realm("api").scheme(bearer);
    let layer = map_request(move |mut request: Request| {
        change(&mut request);
        async { request }
    });
    let routes = GuardedRouter::new().route("/secret", any(secret).layer(layer));
    let app = routes.protect(space.build().expect("a space"));
    (app.expect("the routes are in order"), verified)
}

/// A decision is about the method, the query and the proofs of a request as well: a signed link or a proof of
/// possession is for one of them. The endpoint behind a layer that changes one of them decides anew.
#[tokio::test]
async fn changed_credentials_are_decided_anew() {
    let proxies = || ["10.0.0.7/32".parse().expect("a network")];
    let [standard, nginx, envoy] = [
        CertificateSource::client_cert(proxies()),
        CertificateSource::ssl_client_cert(proxies()),
        CertificateSource::x_forwarded_client_cert(proxies()),
    ]
    .map(Result::ok);
    let changes: [(&str, Change, _, u32); 9] = [
        ("nothing", |_| {}, None, 1),
        ("another field", |it| set_field(it, "x-other"), None, 1),
        ("method", |it| *it.method_mut() = Method::POST, None, 2),
        (
            "query",
            |it| *it.uri_mut() = http::Uri::from_static("/secret?a=2"),
            None,
            2,
        ),
        ("cookie", |it| set_field(it, "cookie"), None, 2),
        (
            "client-cert",
            |it| set_field(it, "client-cert"),
            standard,
            2,
        ),
        (
            "ssl-client-cert",
            |it| set_field(it, "ssl-client-cert"),
            nginx,
            2,
        ),
        (
            "x-forwarded-client-cert",
            |it| set_field(it, "x-forwarded-client-cert"),
            envoy,
            2,
        ),
        // No scheme reads it.
        ("client-cert", |it| set_field(it, "client-cert"), None, 1),
    ];
    for (name, change, certificates, expected) in changes {
        let (app, verified) = behind(change, certificates);
        let asked = request(&Method::GET, "/secret?a=1", Some("Bearer x"));
        let response = app.oneshot(asked).await.expect("infallible");
        assert_eq!(response.status(), 200, "{name}");
        assert_eq!(verified.load(Ordering::Relaxed), expected, "{name}");
    }
}

fn set_field(request: &mut Request, name: &'static str) {
    let value = HeaderValue::from_static("changed");
    request.headers_mut().append(name, value);
}

/// The fallback may respond by the version of the protocol, or by a value that a layer around the router inserts.
#[tokio::test]
async fn fallbacks_see_version_and_extensions() {
    #[public(reason = "the response of an unknown path")]
    async fn sent(Extension(number): Extension<u32>, request: Request) -> (StatusCode, String) {
        let seen = format!("{:?} {number}", request.version());
        (StatusCode::NOT_FOUND, seen)
    }

    let app = GuardedRouter::new()
        .route("/object", get(guarded_object))
        .route("/layered", get(guarded_object).layer(field("x-layered")))
        .fallback(sent)
        .protect(space())
        .unwrap();
    let admin = format!("Bearer {}", token(json!({ "scope": "admin" })));
    for path in ["/nothing", "/object", "/layered"] {
        let mut asked = request(&Method::GET, path, Some(&admin));
        *asked.version_mut() = Version::HTTP_2;
        asked.extensions_mut().insert(7_u32);
        let response = app.clone().oneshot(asked).await.expect("infallible");
        let body = axum::body::to_bytes(response.into_body(), 1 << 10).await;
        assert_eq!(body.expect("a body"), "HTTP/2.0 7", "{path}");
    }
}

/// The caller of one space is denied an object, and the credentials may be those of another space.
#[tokio::test]
async fn denied_objects_respond_as_all_spaces() {
    #[requires(any(network = "10.0.0.0/8", authenticated), hide_as = 404)]
    async fn in_network(guard: Guard, body: String) -> Result<String, Denied> {
        guard.permit(false)?;
        Ok(body)
    }

    let of = |realm: &str, known: &'static str| {
        let bearer = Bearer::new(move |token: String| {
            let is_known = token == known;
            async move {
                match is_known {
                    true => Caller::known(Identity::new(known)),
                    false => Caller::rejected(),
                }
            }
        });
        (ProtectionSpace::builder().realm(realm), bearer)
    };
    let (plain, bearer) = of("a", "ann");
    let plain = plain.scheme(bearer).build().expect("a space");
    let (forms, bearer) = of("b", "bob");
    let forms = forms.scheme(bearer.accept_form());
    let forms = forms.unknown_paths(UnknownPaths::Challenge);
    let forms = forms.build().expect("a space");
    let object = GuardedRouter::new().route("/object", post(in_network));
    let other = GuardedRouter::new().route("/other", get(secret));
    let app = object.protect(plain).unwrap();
    let app = app.merge(other.protect(forms).unwrap());

    let ask = async |path: &str, token: Option<&str>, form: &'static str| {
        let mut asked = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .extension(ConnectInfo(SocketAddr::from(([10, 1, 1, 1], 1))));
        if let Some(token) = token {
            asked = asked.header("authorization", format!("Bearer {token}"));
        }
        let asked = asked.body(Body::from(form)).expect("a request");
        let response = app.clone().oneshot(asked).await.expect("infallible");
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 16).await.expect("a body");
        let fields: HeaderMap = head.headers;
        (head.status.as_u16(), fields, body)
    };
    let unreadable: &'static str = "a".repeat(ProtectionSpace::MAX_BODY + 1).leak();
    for (token, form, status) in [
        // No space knows the caller of a request with a body that one of them cannot read.
        (Some("ann"), unreadable, 400),
        (Some("bob"), unreadable, 400),
        (None, "a=1", 401),
        (None, "access_token=bob", 404),
        (None, "access_token=forged", 401),
        (Some("ann"), "a=1", 404),
        (Some("forged"), "a=1", 401),
        (Some("bob"), "a=1", 404),
    ] {
        let unknown = ask("/nothing", token, form).await;
        let length = form.len();
        assert_eq!(unknown.0, status, "{token:?} {length}");
        for path in ["/object", "/other"] {
            let found = ask(path, token, form).await;
            assert_eq!(found, unknown, "{path} {token:?} {length}");
        }
    }
}

/// Of the fallbacks of nested routers, the one of the innermost router responds, in whatever order they were nested.
#[tokio::test]
async fn innermost_fallback_responds_in_every_order() {
    #[public(reason = "the response of an unknown path")]
    async fn outer() -> (StatusCode, &'static str) {
        (StatusCode::NOT_FOUND, "outer")
    }
    #[public(reason = "the response of an unknown path")]
    async fn inner() -> (StatusCode, &'static str) {
        (StatusCode::NOT_FOUND, "inner")
    }

    let with_secret = || GuardedRouter::new().route("/secret", get(secret));
    let deep = || with_secret().fallback(inner);
    let shallow = || with_secret().fallback(outer);
    for routes in [
        GuardedRouter::new().nest("/a", shallow().nest("/b", deep())),
        GuardedRouter::new()
            .nest("/a", shallow())
            .nest("/a/b", deep()),
        GuardedRouter::new()
            .nest("/a/b", deep())
            .nest("/a", shallow()),
    ] {
        let app = routes.protect(space()).unwrap();
        for (path, expected) in [
            ("/a/secret", "outer"),
            ("/a/nothing", "outer"),
            ("/a/b/secret", "inner"),
            ("/a/b/nothing", "inner"),
        ] {
            let asked = request(&Method::GET, path, None);
            let response = app.clone().oneshot(asked).await.expect("infallible");
            let body = axum::body::to_bytes(response.into_body(), 1 << 10).await;
            assert_eq!(body.expect("a body"), expected, "{path}");
        }
    }
}
