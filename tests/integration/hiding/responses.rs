//! Leaks through fields, caches, parsing and time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use auth_runtime::{Caller, CheckRequest, ProtectionSpace};

use super::*;

#[tokio::test]
async fn extra_fields() {
    let inner = GuardedRouter::new()
        .route("/secret", get(secret).layer(field("x-method")))
        .layer(field("x-nested"));
    let app = GuardedRouter::new()
        .nest("/n", inner)
        .protect(space())
        .unwrap();
    let admin = format!("Bearer {}", token(json!({ "scope": "admin" })));

    let granted = request(&Method::GET, "/n/secret", Some(&admin));
    let granted = app.clone().oneshot(granted).await.expect("infallible");
    assert!(granted.headers().contains_key("x-method"));
    assert!(granted.headers().contains_key("x-nested"));

    let pair = ("/n/secret", "/n/zzzzzz");
    assert_like_unknown(&app, Method::GET, pair, None).await;
    let hidden = request(&Method::GET, "/n/secret", None);
    let hidden = app.oneshot(hidden).await.expect("infallible");
    assert!(!hidden.headers().contains_key("x-method"));
    assert!(!hidden.headers().contains_key("x-nested"));
}

#[tokio::test]
async fn no_404_or_405_is_stored() {
    #[public(reason = "answers 404 itself")]
    async fn missing() -> (StatusCode, [(&'static str, &'static str); 1]) {
        (StatusCode::NOT_FOUND, [("cache-control", "max-age=60")])
    }
    #[public(reason = "the answer of a path that was never there")]
    async fn cacheable() -> [(&'static str, &'static str); 1] {
        [("cache-control", "max-age=60")]
    }
    let routes = || {
        GuardedRouter::new()
            .route("/secret", get(secret))
            .route("/missing", get(missing))
            .route("/shown", post(shown))
    };
    for app in [
        routes().protect(space()).unwrap(),
        routes().fallback(curious).protect(space()).unwrap(),
        routes().fallback(cacheable).protect(space()).unwrap(),
    ] {
        for (method, target) in [
            (Method::GET, "/secret"),
            (Method::GET, "/zzzzzz"),
            (Method::GET, "/missing"),
            (Method::GET, "/shown"),
        ] {
            let response = app
                .clone()
                .oneshot(request(&method, target, None))
                .await
                .expect("infallible");
            assert_eq!(response.headers()["cache-control"], "no-store", "{target}");
        }
        let pair = ("/secret", "/zzzzzz");
        assert_like_unknown(&app, Method::GET, pair, None).await;
        let address = serve(app).await;
        let answer = send_raw(address, raw(&Method::GET, "", "/secret", None)).await;
        assert!(
            answer.contains("\r\ncache-control: no-store\r\n"),
            "{answer}"
        );
        assert!(!answer.contains("max-age"), "{answer}");
    }
}

/// A cache of a content delivery network prefers the field that targets it to `Cache-Control` (RFC 9213 §2.2). It would
/// send the concealed response to callers with more rights.
#[tokio::test]
async fn fields_for_caches_never_allow_storing() {
    type Fields = [(&'static str, &'static str); 7];
    const FIELDS: Fields = [
        ("cdn-cache-control", "max-age=3600"),
        ("cloudflare-cdn-cache-control", "max-age=3600"),
        ("example-cache-control", "max-age=3600"),
        ("surrogate-control", "max-age=3600"),
        ("edge-control", "max-age=3600"),
        ("x-accel-expires", "3600"),
        ("x-kept", "yes"),
    ];
    #[public(reason = "a single-page application")]
    async fn page() -> (Fields, &'static str) {
        (FIELDS, "the page")
    }
    #[public(reason = "answers 404 itself")]
    async fn missing() -> (StatusCode, Fields) {
        (StatusCode::NOT_FOUND, FIELDS)
    }

    let app = GuardedRouter::new()
        .route("/secret", get(secret))
        .route("/missing", get(missing))
        .fallback(page)
        .protect(space())
        .unwrap();
    for (target, status) in [("/secret", 200), ("/zzzzzz", 200), ("/missing", 404)] {
        let asked = request(&Method::GET, target, None);
        let response = app.clone().oneshot(asked).await.expect("infallible");
        assert_eq!(response.status(), status, "{target}");
        let fields = response.headers();
        assert_eq!(fields["cache-control"], "no-store", "{target}");
        assert_eq!(fields["x-kept"], "yes", "{target}");
        for (name, _) in &FIELDS[..6] {
            assert!(!fields.contains_key(*name), "{target}: {name}");
        }
    }
    assert_like_unknown(&app, Method::GET, ("/secret", "/zzzzzz"), None).await;
}

#[tokio::test]
async fn rejected_credentials_get_one_401() {
    let app = GuardedRouter::new()
        .route("/secret", get(secret))
        .protect(space())
        .unwrap();
    let expired = format!("Bearer {}", expired_token(json!({})));
    for target in ["/secret", "/zzzzzz"] {
        let request = request(&Method::GET, target, Some(&expired));
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), 401, "{target}");
        assert_eq!(
            response.headers()["www-authenticate"],
            "Bearer realm=\"api\", error=\"invalid_token\", \
             error_description=\"the access token expired\"",
            "{target}: the scope would tell what is hidden"
        );
    }
    let pair = ("/secret", "/zzzzzz");
    assert_like_unknown(&app, Method::GET, pair, Some(&expired)).await;
    // A guard on a plain router responds as for an unknown path of a guarded one.
    let plain = Router::new()
        .route("/secret", axum::routing::get(secret))
        .layer(axum::Extension(space()));
    let request = || request(&Method::GET, "/secret", Some(&expired));
    let by_guard = plain.oneshot(request()).await.expect("infallible");
    let by_router = app.oneshot(request()).await.expect("infallible");
    assert_eq!(by_guard.status(), by_router.status());
    assert_eq!(by_guard.headers(), by_router.headers());
}

#[tokio::test]
async fn parsing_comes_last() {
    #[requires(scope = "admin", hide_as = 404)]
    async fn picky(Path(_): Path<u32>, _: axum::Json<u32>) {}

    let app = GuardedRouter::new()
        .route("/picky/{n}", post(picky))
        .protect(space())
        .unwrap();
    let pair = ("/picky/no-number", "/zzzzz/no-number");
    assert_like_unknown(&app, Method::POST, pair, None).await;
}

#[tokio::test]
async fn both_paths_verify_once() {
    let verified = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&verified);
    let bearer = Bearer::new(move |_token| {
        counter.fetch_add(1, Ordering::Relaxed);
        async { Caller::known(Identity::new("ann")) }
    });
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(bearer)
        .build()
        .expect("a space");
    let app = GuardedRouter::new()
        .route("/secret", get(secret))
        .route("/layered", get(secret).layer(field("x-layered")))
        .nest(
            "/own",
            GuardedRouter::new()
                .route("/secret", get(secret))
                .fallback(curious),
        )
        .fallback(curious)
        .layer(field("x-root"))
        .protect(space)
        .unwrap();
    for target in [
        "/secret",
        "/layered",
        "/own/secret",
        "/own/zzzzzz",
        "/zzzzzz",
    ] {
        for method in [Method::GET, Method::DELETE] {
            let address = serve(app.clone()).await;
            let before = verified.load(Ordering::Relaxed);
            let answer = send_raw(address, raw(&method, "", target, Some("Bearer abc"))).await;
            assert!(answer.contains(" 404 "), "{answer}");
            assert_eq!(
                verified.load(Ordering::Relaxed) - before,
                1,
                "{method} {target}"
            );
            let before = verified.load(Ordering::Relaxed);
            let request = request(&method, target, Some("Bearer abc"));
            let response = app.clone().oneshot(request).await.expect("infallible");
            assert_eq!(response.status(), 404);
            let times = verified.load(Ordering::Relaxed) - before;
            assert_eq!(times, 1, "{method} {target}");
        }
    }
}

/// A method that is shown elsewhere is hidden beside a hidden one, whatever it requires.
#[tokio::test]
async fn hidden_paths_conceal_each_requirement() {
    async fn never(_: CheckRequest<'_>) -> bool {
        false
    }

    macro_rules! hidden_beside {
        ($($requirement:tt)*) => {{
            #[requires($($requirement)*)]
            async fn beside() {}
            let method = get(secret).post(beside);
            (stringify!($($requirement)*), GuardedRouter::new().route("/secret", method))
        }};
    }
    for (requirement, routes) in [
        hidden_beside!(authenticated),
        hidden_beside!(scope = "write"),
        hidden_beside!(role = "owner"),
        hidden_beside!(permission = "write"),
        hidden_beside!(acr = "gold"),
        hidden_beside!(amr = "otp"),
        hidden_beside!(max_age = "1m"),
        hidden_beside!(check = never),
        hidden_beside!(network = "10.0.0.0/8"),
        hidden_beside!(scope = "write", network = "10.0.0.0/8"),
        hidden_beside!(any(scope = "write", network = "10.0.0.0/8")),
    ] {
        let app = routes.layer(field("x-layer")).fallback(curious);
        let app = app.protect(space()).expect("a router");
        // A known caller receives a 401 if a new login would do.
        let of_a_login = ["authenticated", "acr", "amr", "max_age"];
        let is_met_by_a_login = of_a_login.iter().any(|key| requirement.starts_with(key));
        for (caller, authorization) in strangers() {
            if caller == "known" && is_met_by_a_login {
                continue;
            }
            println!("{requirement} by {caller}");
            let pair = ("/secret", "/zzzzzz");
            assert_like_unknown(&app, Method::POST, pair, authorization.as_deref()).await;
        }
    }
}
