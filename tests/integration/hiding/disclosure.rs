//! Callers to whom hidden pages and objects are disclosed.

use auth_runtime::Caller;
use auth_runtime::schemes::Basic;
use auth_runtime::testing::with_identity;
use auth_tests::verifier;

use super::*;

#[requires(scope = "admin", hide_as = 404, hide_unless = scope("read"))]
async fn half_hidden() -> &'static str {
    "half hidden"
}

#[tokio::test]
async fn foreign_objects_are_concealed() {
    let admin = format!("Bearer {}", token(json!({ "scope": "admin" })));
    let owner = token(json!({ "scope": "admin", "roles": ["owner"] }));
    for (name, app) in services() {
        if name == "within another router" {
            continue;
        }
        for hidden in ["/object", "/layered-object"] {
            for method in [Method::GET, Method::HEAD] {
                println!("{name}: {method} {hidden}");
                let request = request(&method, hidden, Some(&admin));
                assert_hidden(app.clone(), request).await;
            }
            let request = request(&Method::GET, hidden, Some(&format!("Bearer {owner}")));
            let response = app.clone().oneshot(request).await.expect("infallible");
            assert_eq!(response.status(), 200, "{name}: {hidden}");
        }
    }
}

#[tokio::test]
async fn hide_unless_discloses_pages() {
    let app = GuardedRouter::new()
        .route("/half", get(half_hidden))
        .route("/half-layered", get(half_hidden).layer(field("x-layered")))
        .protect(space())
        .unwrap();
    for target in ["/half", "/half-layered"] {
        let reader = Identity::new("ann").with_scopes(["read"]);
        let of_reader = with_identity(request(&Method::GET, target, None), reader);
        let response = app.clone().oneshot(of_reader).await.expect("infallible");
        assert_eq!(response.status(), 403);
        assert_eq!(
            response.headers()["www-authenticate"],
            "Bearer realm=\"api\", scope=\"admin\", error=\"insufficient_scope\", \
             error_description=\"the access token lacks a required scope\""
        );
        let stranger = with_identity(request(&Method::GET, target, None), Identity::new("bob"));
        assert_hidden(app.clone(), stranger).await;
        assert_hidden(app.clone(), request(&Method::GET, target, None)).await;
    }
}

/// Ambiguous credentials meet no `hide_unless`: the 400 is that of an unknown path.
#[tokio::test]
async fn ambiguous_credentials_disclose_no_page() {
    #[requires(scope = "admin", hide_as = 404, hide_unless = scope("read"), realm = "vault")]
    async fn vault() {}

    let routes = GuardedRouter::new().route("/vault", get(vault));
    let app = routes.protect(space()).unwrap();
    let reader = format!("Bearer {}", token(json!({ "scope": "read" })));
    let twice = || {
        let mut request = request(&Method::GET, "/vault", Some(&reader));
        let line = HeaderValue::try_from(&reader).expect("a value");
        request.headers_mut().append("authorization", line);
        request
    };
    let response = app.clone().oneshot(twice()).await.expect("infallible");
    assert_eq!(response.status(), 400);
    assert_hidden(app, twice()).await;
}

#[tokio::test]
async fn hide_unless_discloses_objects() {
    #[requires(scope = "write", hide_as = 404, hide_unless = scope("read"))]
    async fn object(guard: Guard) -> Result<(), Denied> {
        guard.permit(false)
    }
    let app = GuardedRouter::new()
        .route("/plain", get(object))
        .route("/layered", get(object).layer(field("x-layered")))
        .fallback(curious)
        .protect(space())
        .unwrap();
    for target in ["/plain", "/layered"] {
        let of = |scopes: &[&str]| {
            let identity = Identity::new("ann").with_scopes(scopes.iter().copied());
            with_identity(request(&Method::GET, target, None), identity)
        };
        let reader = app.clone().oneshot(of(&["read", "write"])).await;
        assert_eq!(reader.expect("infallible").status(), 403, "{target}");
        assert_hidden(app.clone(), of(&["write"])).await;
    }
}

/// A custom fallback is called only for callers that receive a 404.
#[tokio::test]
async fn fallbacks_do_not_answer_401() {
    let space = space_builder().unknown_paths(UnknownPaths::Challenge);
    let app = GuardedRouter::new()
        .route("/secret", get(secret))
        .fallback(curious)
        .protect(space.build().expect("a space"))
        .unwrap();
    let late = format!("Bearer {}", expired_token(json!({"sub": "ann"})));
    let bob = format!("Bearer {}", token(json!({"sub": "bob"})));
    for target in ["/secret", "/zzzzzz"] {
        for (credentials, status) in [(None, 401), (Some(&*late), 401), (Some(&*bob), 404)] {
            let request = request(&Method::GET, target, credentials);
            let response = app.clone().oneshot(request).await.expect("infallible");
            assert_eq!(response.status(), status, "{target}");
            let headers = response.headers();
            assert_eq!(headers.contains_key("www-authenticate"), status == 401);
            assert_eq!(headers.contains_key("x-fallback"), status == 404);
        }
    }
}

#[tokio::test]
async fn unknown_paths_can_challenge() {
    let space = space_builder().unknown_paths(UnknownPaths::Challenge);
    let app = GuardedRouter::new()
        .route("/secret", get(secret))
        .protect(space.build().expect("a space"))
        .unwrap();
    for target in ["/secret", "/zzzzzz"] {
        let response = app
            .clone()
            .oneshot(request(&Method::GET, target, None))
            .await
            .expect("infallible");
        assert_eq!(response.status(), 401, "{target}");
        assert_eq!(
            response.headers()["www-authenticate"],
            "Bearer realm=\"api\""
        );
        let known = with_identity(request(&Method::GET, target, None), Identity::new("bob"));
        let response = app.clone().oneshot(known).await.expect("infallible");
        assert_eq!(response.status(), 404, "{target}");
    }
}

/// An application that hides nothing may hide something in its next version.
#[tokio::test]
async fn unknown_paths_challenge_without_hidden_ones() {
    let passwords = Basic::new(async |_, _| Caller::rejected());
    let space = space_builder().scheme(passwords);
    let space = space.unknown_paths(UnknownPaths::Challenge);
    let space = space.build().expect("a space");
    let routes = || GuardedRouter::new().route("/shown", post(shown));
    for routes in [routes(), routes().fallback(curious)] {
        let app = routes.protect(space.clone()).unwrap();
        let bob = format!("Bearer {}", token(json!({"sub": "bob"})));
        for (credentials, status) in [
            (None, 401),
            (Some("Bearer garbage"), 401),
            (Some(&*bob), 404),
        ] {
            let request = request(&Method::GET, "/zzzzzz", credentials);
            let response = app.clone().oneshot(request).await.expect("infallible");
            assert_eq!(response.status(), status, "{credentials:?}");
            let challenges = response.headers().get_all("www-authenticate").iter();
            let names: Vec<_> = challenges
                .map(|line| line.to_str().expect("ASCII").split(' ').next())
                .collect();
            let all = [Some("Bearer"), Some("Basic")];
            assert_eq!(names, if status == 401 { &all[..] } else { &[] });
        }
    }
}

/// Files that callers without credentials receive are a nested service.
#[tokio::test]
async fn fallback_services_challenge_without_hidden_paths() {
    #[public(reason = "the files of the web application")]
    struct WebApp;

    let files = || Router::new().fallback(async || "a file");
    let space = space_builder().unknown_paths(UnknownPaths::Challenge);
    let app = GuardedRouter::new()
        .nest_service("/assets", WebApp, files())
        .fallback_service(WebApp, files())
        .protect(space.build().expect("a space"))
        .expect("a router");
    let bob = format!("Bearer {}", token(json!({"sub": "bob"})));
    for (target, credentials, status) in [
        ("/index.html", None, 401),
        ("/index.html", Some(&*bob), 200),
        ("/assets/index.html", None, 200),
    ] {
        let request = request(&Method::GET, target, credentials);
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), status, "{target} {credentials:?}");
    }
}

#[tokio::test]
#[should_panic(expected = "differs from an unknown path")]
async fn assert_hidden_detects_shown_pages() {
    let app = GuardedRouter::new()
        .route("/shown", post(shown))
        .protect(space())
        .unwrap();
    assert_hidden(app, request(&Method::POST, "/shown", None)).await;
}

#[tokio::test]
#[should_panic(expected = "no route matches /zzzzzz")]
async fn assert_hidden_needs_a_hidden_page() {
    let app = GuardedRouter::new()
        .route("/secret", get(secret))
        .protect(space())
        .unwrap();
    assert_hidden(app, request(&Method::GET, "/zzzzzz", None)).await;
}

/// The password counts on an unknown path, and not for this handler. The 401 for it depends on more fields of
/// the request than the credentials.
#[tokio::test]
async fn the_401_depends_on_same_fields() {
    #[requires(authenticated, schemes("Cookie"), hide_as = 404)]
    async fn object(guard: Guard) -> Result<(), Denied> {
        guard.permit(false)
    }
    let in_cookie = verifier().in_cookie("t").login_page("/login").build();
    let app = GuardedRouter::new()
        .route("/object", get(object))
        .route("/layered", get(object).layer(field("x-layered")));
    let space = space_builder()
        .scheme(Basic::new(async |_, _| Caller::rejected()))
        .scheme(in_cookie.expect("a scheme"));
    let app = app.protect(space.build().expect("a space"));
    let app = app.expect("the routes are in order");
    let of = |path: &str, mode: Option<&str>, accept: Option<&str>| {
        let mut request = request(&Method::GET, path, Some("Basic YW5uOndyb25n"));
        let cookie = format!("t={}", token(json!({})));
        for (name, value) in [
            ("cookie", Some(cookie.as_str())),
            ("sec-fetch-site", mode.map(|_| "same-origin")),
            ("sec-fetch-mode", mode),
        ] {
            if let Some(value) = value {
                let value = HeaderValue::try_from(value).expect("a value");
                request.headers_mut().insert(name, value);
            }
        }
        for line in accept.into_iter().flat_map(str::lines) {
            let line = HeaderValue::try_from(line).expect("a value");
            request.headers_mut().append("accept", line);
        }
        request
    };
    for mode in [None, Some("navigate"), Some("cors"), Some("same-origin")] {
        let two_lines = "text/plain;q=0.5\ntext/html";
        for accept in [
            None,
            Some("text/html"),
            Some("application/json"),
            Some(two_lines),
        ] {
            for path in ["/object", "/layered"] {
                let response = app.clone().oneshot(of(path, mode, accept)).await;
                let response = response.expect("infallible");
                assert_eq!(response.status(), 401, "{path} {mode:?} {accept:?}");
                let lines = response.headers().get_all("www-authenticate").iter();
                let prompts = lines.filter(|line| line.as_bytes().starts_with(b"Basic"));
                let expected = usize::from(matches!(mode, None | Some("navigate")));
                assert_eq!(prompts.count(), expected, "{path} {mode:?} {accept:?}");
                assert_hidden(app.clone(), of(path, mode, accept)).await;
            }
        }
    }
}

/// Routes of a space with a verifier that knows a token and is down for another one.
fn of_realm(
    name: &'static str,
    known: &'static str,
    down: &'static str,
    unknown_paths: UnknownPaths,
    routes: GuardedRouter,
) -> auth_runtime::ProtectedRouter {
    let bearer = auth_runtime::schemes::Bearer::new(move |token: String| {
        std::future::ready(match token {
            token if token == known => auth_runtime::Caller::known(Identity::new(name)),
            token if token == down => auth_runtime::Caller::unverifiable(),
            _ => auth_runtime::Caller::rejected(),
        })
    });
    let space = auth_runtime::ProtectionSpace::builder()
        .realm(name)
        .scheme(bearer)
        .unknown_paths(unknown_paths);
    let path = format!("/{name}");
    let routes = routes.route(&path, post(shown));
    routes.protect(space.build().expect("a space")).unwrap()
}

/// The responses of an unknown path to callers with and without a token.
async fn statuses_of_unknown(app: &auth_runtime::ProtectedRouter, tokens: &[&str]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for token in tokens {
        let credentials = format!("Bearer {token}");
        let credentials = Some(&*credentials).filter(|_| !token.is_empty());
        let request = request(&Method::GET, "/zzzzzz", credentials);
        let response = app.clone().oneshot(request).await.expect("infallible");
        statuses.push(response.status().as_u16());
    }
    statuses
}

/// A caller that one space knows is no caller of another one that is out of order.
#[tokio::test]
async fn outages_elsewhere_conceal_no_known_caller() {
    let of = |name, known, down| {
        let routes = GuardedRouter::new();
        of_realm(name, known, down, UnknownPaths::NotFound, routes)
    };
    let (a, b) = (of("a", "x", "y"), of("b", "y", "x"));
    for app in [a.clone().merge(b.clone()), b.merge(a)] {
        assert_eq!(
            statuses_of_unknown(&app, &["x", "y", "z"]).await,
            [404, 404, 401]
        );
    }
}

/// Any space of an application can ask anonymous callers for credentials, also with a fallback of the service and
/// without hidden paths.
#[tokio::test]
async fn any_space_challenges_unknown_paths() {
    for (one, other) in [
        (UnknownPaths::Challenge, UnknownPaths::NotFound),
        (UnknownPaths::NotFound, UnknownPaths::Challenge),
    ] {
        let with_fallback = GuardedRouter::new().fallback(curious);
        let app = of_realm("a", "x", "", one, with_fallback);
        let app = app.merge(of_realm("b", "y", "", other, GuardedRouter::new()));
        assert_eq!(
            statuses_of_unknown(&app, &["", "x", "y", "z"]).await,
            [401, 404, 404, 401]
        );
    }
}

/// The fallback of an application belongs to either router.
#[tokio::test]
async fn fallback_of_later_router_responds() {
    #[public(reason = "the answer of a path that was never there")]
    async fn gone() -> StatusCode {
        StatusCode::GONE
    }
    let of = |name, routes| of_realm(name, "x", "", UnknownPaths::NotFound, routes);
    let plain = of("a", GuardedRouter::new().route("/secret", get(secret)));
    let with_fallback = of("b", GuardedRouter::new().fallback(gone));
    for app in [
        plain.clone().merge(with_fallback.clone()),
        with_fallback.merge(plain),
    ] {
        for path in ["/secret", "/zzzzzz"] {
            let request = request(&Method::GET, path, Some("Bearer x"));
            let response = app.clone().oneshot(request).await.expect("infallible");
            assert_eq!(response.status(), StatusCode::GONE, "{path}");
        }
    }
}

/// The prefix itself is a path of the nested router, as in axum.
#[tokio::test]
async fn nested_fallbacks_respond_at_their_prefix() {
    #[public(reason = "the answer of a path that was never there")]
    async fn gone() -> StatusCode {
        StatusCode::GONE
    }
    let inner = || GuardedRouter::new().route("/x", get(secret)).fallback(gone);
    let hidden = inner().route("/", get(secret));
    let app = GuardedRouter::new()
        .nest("/unknown", inner())
        .nest("/hidden", hidden)
        .protect(space())
        .unwrap();
    for (path, status) in [
        ("/unknown", 410),
        ("/unknown/y", 410),
        ("/hidden", 410),
        ("/hidden/y", 410),
        ("/zzzzzz", 404),
    ] {
        let request = request(&Method::GET, path, None);
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), status, "{path}");
    }
}
