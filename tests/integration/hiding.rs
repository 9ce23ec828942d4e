//! Hidden paths are undetectable: the rows of the table in `design.md`, and every combination of
//! routes, layers, fallbacks, methods and callers that could reveal one.

mod behind_layers;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use auth_runtime::routing::{get, post};
use auth_runtime::schemes::Bearer;
use auth_runtime::testing::{assert_hidden, with_identity};
use auth_runtime::{
    Caller, Denied, Guard, GuardedRouter, Identity, ProtectionSpace, UnknownPaths, public, requires,
};
use auth_tests::{App, BoxedApp, expired_token, send_raw, serve, space, space_builder, token};
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, NestedPath, OriginalUri, Path, Request};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::json;
use tower::ServiceExt;
use tower_http::cors::CorsLayer;
use tower_http::set_header::SetResponseHeaderLayer;

#[requires(scope = "admin", hide_as = 404)]
async fn secret() -> &'static str {
    "the secret"
}

#[requires(scope = "admin", hide_as = 404)]
async fn numbered(Path(number): Path<u32>) -> String {
    format!("secret {number}")
}

#[requires(scope = "admin", hide_as = 404)]
async fn twice_nested(Path((version, number)): Path<(u32, u32)>) -> String {
    format!("secret {version}/{number}")
}

#[requires(scope = "admin", hide_as = 404)]
async fn guarded_object(guard: Guard) -> Result<&'static str, Denied> {
    guard.permit(guard.identity().has_role("owner"))?;
    Ok("the object")
}

#[requires(scope = "write")]
async fn shown() -> &'static str {
    "written"
}

#[public(reason = "for the test of mixed paths")]
async fn open() -> &'static str {
    "open"
}

#[requires(scope = "admin", hide_as = 404, hide_unless = scope("read"))]
async fn half_hidden() -> &'static str {
    "half hidden"
}

#[requires(scope = "admin", hide_as = 404)]
struct Files;

/// Responds with all visible data of the request.
#[public(reason = "the answer of a path that was never there")]
async fn curious(
    method: Method,
    matched: Option<MatchedPath>,
    OriginalUri(original): OriginalUri,
    request: Request,
) -> Response {
    let uri = request.uri().clone();
    let fields: Vec<_> = request.headers().keys().map(ToString::to_string).collect();
    let matched = matched.as_ref().map(MatchedPath::as_str);
    let nested = request.extensions().get::<NestedPath>();
    let nested = nested.map(|path| path.as_str().to_owned());
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await;
    let text = format!(
        "{method} {uri} {original} {matched:?} {nested:?} {fields:?} {:?}",
        body.ok()
    );
    (StatusCode::NOT_FOUND, [("x-fallback", "yes")], text).into_response()
}

#[public(reason = "the answer of a path that was never there")]
async fn without_length() -> Response {
    let chunks = ["no ", "length"].map(|chunk| Ok::<_, Infallible>(chunk.to_owned()));
    Body::from_stream(Chunks(chunks.into_iter().collect())).into_response()
}

/// A body of unknown length.
struct Chunks(std::collections::VecDeque<Result<String, Infallible>>);

impl futures_core::Stream for Chunks {
    type Item = Result<String, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.pop_front())
    }
}

fn field(name: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    let name = HeaderName::from_static(name);
    SetResponseHeaderLayer::appending(name, HeaderValue::from_static("layer"))
}

/// Returns routes in every possible position, with layers in every position.
fn routes() -> GuardedRouter {
    let files = tower::service_fn(|_: Request| async { Ok::<_, Infallible>("a file") });
    let innermost = GuardedRouter::new()
        .route("/secret", get(secret))
        .route("/{number}", get(twice_nested).post(shown))
        .route("/", get(secret))
        .layer(field("x-innermost"));
    let with_fallback = GuardedRouter::new()
        .route("/before", get(secret))
        .layer(field("x-inner-before"))
        .fallback(curious)
        .layer(field("x-inner-after"))
        .route("/after", get(secret))
        .nest("/deep", GuardedRouter::new().route("/secret", get(secret)))
        .layer(field("x-inner-last"));
    GuardedRouter::new()
        .route("/secret", get(secret))
        .route("/object", get(guarded_object))
        .route("/numbered/{number}", get(numbered))
        .route("/layered", get(secret).layer(field("x-layered")))
        .route(
            "/layered-object",
            get(guarded_object).layer(field("x-layered")),
        )
        .route("/mixed", get(secret).post(shown).put(open))
        .route(
            "/mixed-layered",
            get(secret).layer(field("x-mixed")).post(shown).put(open),
        )
        .route("/all", auth_runtime::routing::any(secret))
        .nest("/n", GuardedRouter::new().nest("/{version}", innermost))
        .nest("/plain", GuardedRouter::new().route("/secret", get(secret)))
        .nest("/own", with_fallback)
        .nest_service("/files", Files, files)
        .merge(
            GuardedRouter::new()
                .route("/merged", get(secret))
                .layer(field("x-merged")),
        )
}

/// A hidden path, and an unknown one of the same length beside it.
const HIDDEN: [(&str, &str); 19] = [
    ("/secret", "/zzzzzz"),
    ("/secret?a=b", "/zzzzzz?a=b"),
    ("/object", "/zzzzzz"),
    ("/numbered/7", "/zzzzzzzz/7"),
    ("/numbered/no-number", "/zzzzzzzz/no-number"),
    ("/layered", "/zzzzzzz"),
    ("/layered-object", "/zzzzzzzzzzzzzz"),
    ("/mixed", "/zzzzz"),
    ("/mixed-layered", "/zzzzzzzzzzzzz"),
    ("/all", "/zzz"),
    ("/n/1/secret", "/z/1/secret"),
    ("/n/1/77", "/z/1/77"),
    ("/n/1", "/z/1"),
    ("/plain/secret", "/plain/zzzzzz"),
    ("/own/before", "/own/zzzzzz"),
    ("/own/after", "/own/zzzzz"),
    ("/own/deep/secret", "/own/deep/zzzzzz"),
    ("/files/a/b", "/zzzzz/a/b"),
    ("/merged", "/zzzzzz"),
];

/// Some kinds of service, by name.
fn services() -> Vec<(&'static str, BoxedApp)> {
    let mut services = Vec::new();
    for unknown_paths in [UnknownPaths::NotFound, UnknownPaths::Challenge] {
        let space = || {
            space_builder()
                .unknown_paths(unknown_paths)
                .build()
                .expect("a space")
        };
        let protected: [(_, GuardedRouter); 8] = [
            ("bare", routes()),
            ("layered last", routes().layer(field("x-root"))),
            ("its own fallback", routes().fallback(curious)),
            (
                "fallback, then layer",
                routes().fallback(curious).layer(field("x-root")),
            ),
            (
                "layer, then fallback",
                routes().layer(field("x-root")).fallback(curious),
            ),
            (
                "layer on the fallback only",
                GuardedRouter::new()
                    .fallback(curious)
                    .layer(field("x-fallback-layer"))
                    .merge(routes()),
            ),
            (
                "fallback of unknown length",
                routes().fallback(without_length),
            ),
            ("CORS", routes().layer(CorsLayer::permissive())),
        ];
        for (name, routes) in protected {
            let app = routes.protect(space()).unwrap();
            // A layer around the protected router encloses every path.
            let layered = app
                .clone()
                .layer(field("x-around"))
                .layer(CorsLayer::permissive());
            services.push((name, BoxedApp::new(app)));
            services.push((name, BoxedApp::new(layered)));
        }
        let inner = routes().fallback(curious).protect(space()).unwrap();
        let within = Router::new().nest_service("/outer", inner.clone());
        services.push(("within another router", BoxedApp::new(within)));
        let given_up = inner.into_router("a test").layer(field("x-around"));
        services.push(("given up to a plain router", BoxedApp::new(given_up)));
    }
    services
}

/// The value of `Authorization` for every kind of caller that may not see the secret.
fn strangers() -> Vec<(&'static str, Option<String>)> {
    let bearer = |token: String| Some(format!("Bearer {token}"));
    vec![
        ("nobody", None),
        ("known", bearer(token(json!({ "scope": "read" })))),
        (
            "expired",
            bearer(expired_token(json!({ "scope": "admin" }))),
        ),
        ("garbage", bearer("garbage".to_owned())),
        ("not even a scheme", Some("?".to_owned())),
    ]
}

fn methods() -> Vec<Method> {
    let mut methods = vec![Method::from_bytes(b"PROPFIND").expect("a method")];
    methods.extend([
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
        Method::PATCH,
        Method::TRACE,
    ]);
    methods
}

fn request(method: &Method, target: &str, authorization: Option<&str>) -> Request {
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header("origin", "https://elsewhere.example");
    if *method == Method::OPTIONS {
        request = request.header("access-control-request-method", "GET");
    }
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    request.body(Body::from("a body")).expect("a request")
}

/// Returns whether a method of a mixed path is public, and therefore visible.
fn is_open(target: &str, method: &Method) -> bool {
    target.starts_with("/mixed") && *method == Method::PUT
}

#[tokio::test]
async fn no_combination_shows_a_hidden_path_in_process() {
    let mut compared = 0;
    for (name, app) in services() {
        for (hidden, _) in HIDDEN {
            for (caller, authorization) in strangers() {
                for method in methods() {
                    if is_open(hidden, &method) || name == "within another router" {
                        continue;
                    }
                    println!("{name}: {method} {hidden} by {caller}");
                    let request = request(&method, hidden, authorization.as_deref());
                    assert_hidden(app.clone(), request).await;
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 10_000, "only {compared} were compared");
}

/// The same request as [`request`], as bytes.
fn raw(method: &Method, prefix: &str, target: &str, authorization: Option<&str>) -> String {
    let authorization =
        authorization.map_or(String::new(), |value| format!("authorization: {value}\r\n"));
    format!(
        "{method} {prefix}{target} HTTP/1.1\r\nhost: x\r\n{authorization}\
         origin: https://elsewhere.example\r\naccess-control-request-method: GET\r\n\
         content-length: 6\r\nconnection: close\r\n\r\na body"
    )
}

/// Asserts, in process and over a socket, that a path responds like an unknown one beside it.
async fn assert_like_unknown(
    app: &impl App,
    method: Method,
    (hidden, unknown): (&str, &str),
    authorization: Option<&str>,
) {
    assert_hidden(app.clone(), request(&method, hidden, authorization)).await;
    let address = serve(app.clone()).await;
    let subject = send_raw(address, raw(&method, "", hidden, authorization)).await;
    let control = send_raw(address, raw(&method, "", unknown, authorization)).await;
    assert!(control.starts_with("HTTP/1.1 "), "{control:?}");
    assert_eq!(
        moved(&subject, hidden, unknown),
        control,
        "{method} {hidden}"
    );
}

#[tokio::test]
async fn no_combination_shows_a_hidden_path_over_a_socket() {
    for (name, app) in services() {
        let prefix = if name == "within another router" {
            "/outer"
        } else {
            ""
        };
        let address = serve(app).await;
        for (hidden, unknown) in HIDDEN {
            for (caller, authorization) in strangers() {
                for method in methods() {
                    if is_open(hidden, &method) {
                        continue;
                    }
                    let raw = |target| raw(&method, prefix, target, authorization.as_deref());
                    let subject = send_raw(address, raw(hidden)).await;
                    let control = send_raw(address, raw(unknown)).await;
                    assert!(!control.is_empty());
                    assert_eq!(
                        moved(&subject, hidden, unknown),
                        control,
                        "{name}: {method} {hidden} by {caller}"
                    );
                }
            }
        }
    }
}

/// Returns the response with one path in place of the other, also in the form that nested routers
/// see.
fn moved(answer: &str, from: &str, to: &str) -> String {
    let path = |target: &str| target.split('?').next().unwrap_or(target).to_owned();
    let (from, to) = (path(from), path(to));
    let tails = from.match_indices('/').map(|(start, _)| &from[start..]);
    let other_tails = to.match_indices('/').map(|(start, _)| &to[start..]);
    tails
        .zip(other_tails)
        .filter(|(tail, other)| tail != other)
        .fold(answer.to_owned(), |text, (tail, other)| {
            text.replace(tail, other)
        })
}

#[tokio::test]
async fn whoever_may_see_the_hidden_pages_sees_them() {
    let admin = format!("Bearer {}", token(json!({ "scope": "admin" })));
    for (name, app) in services() {
        for (hidden, _) in HIDDEN {
            if hidden.contains("object") || hidden.contains("no-number") || name.contains("within")
            {
                continue;
            }
            let request = request(&Method::GET, hidden, Some(&admin));
            let response = app.clone().oneshot(request).await.expect("infallible");
            assert_eq!(response.status(), 200, "{name}: {hidden}");
        }
    }
}

#[tokio::test]
async fn an_object_that_is_not_ones_own_looks_like_a_path_that_is_not_there() {
    let admin = format!("Bearer {}", token(json!({ "scope": "admin" })));
    let owner = token(json!({ "scope": "admin", "roles": ["owner"] }));
    for (name, app) in services() {
        if name == "within another router" {
            continue;
        }
        for hidden in ["/object", "/layered-object"] {
            for method in [Method::GET, Method::HEAD] {
                println!("{name}: {method} {hidden}");
                let mut request = request(&method, hidden, Some(&admin));
                // The handler has consumed the body.
                *request.body_mut() = Body::empty();
                assert_hidden(app.clone(), request).await;
            }
            let request = request(&Method::GET, hidden, Some(&format!("Bearer {owner}")));
            let response = app.clone().oneshot(request).await.expect("infallible");
            assert_eq!(response.status(), 200, "{name}: {hidden}");
        }
    }
}

#[tokio::test]
async fn leak_405_on_another_method() {
    let app = GuardedRouter::new()
        .route("/secret", get(secret))
        .protect(space())
        .unwrap();
    for method in methods() {
        let response = app
            .clone()
            .oneshot(request(&method, "/secret", None))
            .await
            .expect("infallible");
        assert_eq!(response.status(), 404, "{method}");
        assert_eq!(response.headers().get("allow"), None, "{method}");
        assert_like_unknown(&app, method, ("/secret", "/zzzzzz"), None).await;
    }
}

#[tokio::test]
async fn leak_options_and_head() {
    let bare = GuardedRouter::new().route("/secret", get(secret));
    let nested = GuardedRouter::new().route("/secret", get(secret).layer(CorsLayer::permissive()));
    let app = bare.nest("/n", nested).protect(space()).unwrap();
    for method in [Method::OPTIONS, Method::HEAD] {
        for pair in [("/secret", "/zzzzzz"), ("/n/secret", "/n/zzzzzz")] {
            assert_like_unknown(&app, method.clone(), pair, None).await;
        }
        let response = app
            .clone()
            .oneshot(request(&method, "/n/secret", None))
            .await;
        assert_eq!(
            response.expect("infallible").status(),
            404,
            "no preflight is answered"
        );
    }
}

#[tokio::test]
async fn leak_nested_routers() {
    let inner = GuardedRouter::new().route("/secret", get(secret));
    let app = GuardedRouter::new()
        .nest("/n", GuardedRouter::new().nest("/{version}", inner))
        .fallback(curious)
        .protect(space())
        .unwrap();
    let pair = ("/n/1/secret?x=y", "/n/1/zzzzzz?x=y");
    assert_like_unknown(&app, Method::GET, pair, None).await;
    let response = app
        .oneshot(request(&Method::GET, "/n/1/secret?x=y", None))
        .await
        .expect("infallible");
    let body = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .expect("a body");
    let body = String::from_utf8_lossy(&body).into_owned();
    assert!(
        body.starts_with("GET /n/1/secret?x=y /n/1/secret?x=y None None"),
        "the fallback has to see the whole path: {body}"
    );
}

/// The same fallback responds for a hidden path and for an unknown one in the same place, in any
/// nested router.
#[tokio::test]
async fn leak_nested_fallbacks() {
    let api = || {
        GuardedRouter::new()
            .route("/secret", get(secret))
            .fallback(curious)
    };
    let plain = || GuardedRouter::new().route("/secret", get(secret));
    let copied = api();
    let protected = |routes: GuardedRouter| routes.protect(space()).unwrap();
    for (name, app, target) in [
        (
            "a route of the outer router below a nested fallback",
            protected(
                GuardedRouter::new()
                    .route("/api/admin", get(secret))
                    .nest("/api", api()),
            ),
            "/api/admin",
        ),
        (
            "another router at the same prefix",
            protected(
                GuardedRouter::new()
                    .nest("/api", api())
                    .nest("/api", GuardedRouter::new().nest("/admin", plain())),
            ),
            "/api/admin/secret",
        ),
        (
            "a parameter in place of the prefix",
            protected(
                GuardedRouter::new()
                    .route("/{tenant}/admin", get(secret))
                    .nest("/api", api()),
            ),
            "/api/admin",
        ),
        (
            "a prefix that is a parameter",
            protected(
                GuardedRouter::new()
                    .route("/api/admin", get(secret))
                    .nest("/{tenant}", api()),
            ),
            "/api/admin",
        ),
        (
            "one router nested twice",
            protected(
                GuardedRouter::new()
                    .nest("/v1", copied.clone())
                    .nest("/v2", copied),
            ),
            "/v2/secret",
        ),
        (
            "a fallback nested in a nested router",
            protected(
                GuardedRouter::new().nest("/api", GuardedRouter::new().nest("/admin", api())),
            ),
            "/api/admin/secret",
        ),
        (
            "a service below a nested fallback",
            protected(
                GuardedRouter::new()
                    .nest_service(
                        "/api/files",
                        Files,
                        tower::service_fn(|_: Request| async { Ok::<_, Infallible>("a file") }),
                    )
                    .nest("/api", api()),
            ),
            "/api/files",
        ),
        (
            "merged routers, nested together",
            protected(GuardedRouter::new()).nest(
                "/api",
                protected(GuardedRouter::new().route("/admin", get(secret)))
                    .merge(protected(api())),
            ),
            "/api/admin",
        ),
        (
            "a layer around the outer fallback only",
            protected(
                GuardedRouter::new()
                    .fallback(without_length)
                    .layer(field("x-fallback-layer"))
                    .merge(GuardedRouter::new().nest("/api", api())),
            ),
            "/api/secret",
        ),
    ] {
        for (caller, authorization) in strangers() {
            for method in methods() {
                println!("{name}: {method} by {caller}");
                let request = request(&method, target, authorization.as_deref());
                assert_hidden(app.clone(), request).await;
            }
        }
        let response = app.oneshot(request(&Method::GET, target, None)).await;
        let response = response.expect("infallible");
        assert_eq!(response.headers()["x-fallback"], "yes", "{name}");
        assert!(
            !response.headers().contains_key("x-fallback-layer"),
            "{name}"
        );
    }
}

/// axum keeps the names of nested services private, and adds them to the names of routes in a
/// fallback.
#[tokio::test]
async fn leak_names_of_routes() {
    #[public(reason = "the answer of a path that was never there")]
    struct Pages;

    let pages = Router::new().route(
        "/{*page}",
        axum::routing::any(async |path: MatchedPath| path.as_str().to_owned()),
    );
    let files = tower::service_fn(|_: Request| async { Ok::<_, Infallible>("a file") });
    let app = GuardedRouter::new()
        .route("/secret", get(secret))
        .nest_service("/files", Files, files)
        .fallback_service(Pages, pages)
        .protect(space())
        .unwrap();
    for around in [
        Router::new().nest_service("/outer/{name}", app.clone()),
        Router::new().route_service("/{*path}", app.clone()),
        Router::new().fallback_service(app),
    ] {
        for (path, other) in [("/secret", "/zzzzzz"), ("/files/a", "/filez/a")] {
            let of = async |prefix: &str, path: &str| {
                let request = request(&Method::GET, &format!("{prefix}{path}"), None);
                let response = around.clone().oneshot(request).await.expect("infallible");
                let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
                body.expect("a body")
            };
            for prefix in ["", "/outer/a"] {
                assert_eq!(of(prefix, path).await, of(prefix, other).await, "{path}");
            }
        }
    }
}

/// A fallback behind layers sees the same data in requests to concealed and to unknown paths.
#[tokio::test]
async fn leak_number_of_extensions() {
    #[public(reason = "the answer of a path that was never there")]
    struct Pages;

    let pages = tower::service_fn(|request: Request| async move {
        Ok::<_, Infallible>(request.extensions().len().to_string())
    });
    let app = GuardedRouter::new()
        .route("/secret", get(secret))
        .nest(
            "/nested",
            GuardedRouter::new().route("/secret", get(secret)),
        )
        .fallback_service(Pages, pages)
        .layer(SetResponseHeaderLayer::overriding(
            HeaderName::from_static("x-late"),
            HeaderValue::from_static("layer"),
        ))
        .route("/late", get(secret))
        .protect(space())
        .unwrap();
    for path in ["/secret", "/nested/secret", "/late"] {
        let of = async |path: &str| {
            let request = request(&Method::GET, path, None);
            let response = app.clone().oneshot(request).await.expect("infallible");
            let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
            body.expect("a body")
        };
        assert_eq!(of(path).await, of("/absent").await, "{path}");
    }
}

#[tokio::test]
async fn leak_unlisted_paths_of_unguarded_routers() {
    let page = || axum::routing::get(async || "a page");
    let service = tower::service_fn(|_: Request| async { Ok::<_, Infallible>("a file") });
    for plain in [
        Router::new()
            .route("/pages/a", page())
            .route("/{page}", page()),
        Router::new().route("/{*page}", page()),
        Router::new().route_service("/{*page}", service),
        Router::new()
            .route_service("/pages/{*page}", service)
            .route_service("/{page}", service),
    ] {
        for outer in [GuardedRouter::new(), GuardedRouter::new().fallback(curious)] {
            let app = outer
                .route("/secret", get(secret))
                .nest(
                    "/own",
                    GuardedRouter::new()
                        .route("/secret", get(secret))
                        .fallback(curious)
                        .merge_unguarded("a test", &["/pages/a"], plain.clone()),
                )
                .merge_unguarded("a test", &["/pages/a"], plain.clone())
                .protect(space())
                .unwrap()
                .layer(field("x-around"));
            for path in ["/pages/a", "/own/pages/a"] {
                let listed = request(&Method::GET, path, None);
                let response = app.clone().oneshot(listed).await.expect("infallible");
                assert_eq!(response.status(), 200, "{path}");
            }
            for method in methods() {
                for pair in [("/secret", "/zzzzzz"), ("/own/secret", "/own/zzzzzz")] {
                    assert_like_unknown(&app, method.clone(), pair, None).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn leak_extra_fields() {
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
async fn leak_caches_may_not_store_any_404_or_405() {
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

#[tokio::test]
async fn leak_bad_credentials_get_the_same_401_on_hidden_and_unknown_paths() {
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
}

#[tokio::test]
async fn leak_parsing_first() {
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
async fn leak_mixed_paths() {
    let app = GuardedRouter::new()
        .route("/mixed", get(secret).post(shown).put(open))
        .protect(space())
        .unwrap();
    let writer = format!("Bearer {}", token(json!({ "scope": "write" })));
    let admin = format!("Bearer {}", token(json!({ "scope": "admin" })));
    for (method, authorization, status) in [
        (Method::GET, None, 404),
        (Method::POST, None, 404),
        (Method::PUT, None, 200),
        (Method::DELETE, None, 404),
        (Method::GET, Some(&writer), 404),
        (Method::POST, Some(&writer), 200),
        (Method::DELETE, Some(&writer), 404),
        (Method::GET, Some(&admin), 200),
        (Method::POST, Some(&admin), 404),
        (Method::DELETE, Some(&admin), 404),
    ] {
        let request = request(&method, "/mixed", authorization.map(String::as_str));
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), status, "{method} {authorization:?}");
        assert_eq!(response.headers().get("allow"), None, "{method}");
        if status == 404 {
            let authorization = authorization.map(String::as_str);
            assert_like_unknown(&app, method, ("/mixed", "/zzzzz"), authorization).await;
        }
    }
}

#[tokio::test]
async fn leak_time_both_paths_verify_the_credentials_once() {
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

#[tokio::test]
async fn hide_unless_tells_those_who_know_of_the_page() {
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
             error_description=\"the access token does not grant what is needed\""
        );
        let stranger = with_identity(request(&Method::GET, target, None), Identity::new("bob"));
        assert_hidden(app.clone(), stranger).await;
        assert_hidden(app.clone(), request(&Method::GET, target, None)).await;
    }
}

#[tokio::test]
async fn hide_unless_tells_of_objects_too() {
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
            let mut request = with_identity(request(&Method::GET, target, None), identity);
            // The handler has consumed the body.
            *request.body_mut() = Body::empty();
            request
        };
        let reader = app.clone().oneshot(of(&["read", "write"])).await;
        assert_eq!(reader.expect("infallible").status(), 403, "{target}");
        assert_hidden(app.clone(), of(&["write"])).await;
    }
}

/// A custom fallback is called only for callers that receive a 404.
#[tokio::test]
async fn an_own_fallback_does_not_answer_who_is_told_401() {
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
async fn unknown_paths_can_ask_anonymous_callers_to_log_in() {
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

#[tokio::test]
#[should_panic(expected = "differs from an unknown path")]
async fn assert_hidden_fails_on_a_page_that_is_shown() {
    let app = GuardedRouter::new()
        .route("/shown", post(shown))
        .protect(space())
        .unwrap();
    assert_hidden(app, request(&Method::POST, "/shown", None)).await;
}

#[tokio::test]
#[should_panic(expected = "no route matches /zzzzzz")]
async fn assert_hidden_fails_where_there_is_nothing_to_hide() {
    let app = GuardedRouter::new()
        .route("/secret", get(secret))
        .protect(space())
        .unwrap();
    assert_hidden(app, request(&Method::GET, "/zzzzzz", None)).await;
}
