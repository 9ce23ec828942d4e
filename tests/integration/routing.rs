//! `GuardedRouter` behaves like axum's `Router`, with authorization.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};

use auth_runtime::routing::{any, delete, get, get_service, on, patch, post, put};
use auth_runtime::testing::with_identity;
use auth_runtime::{Denied, Guard, GuardedRouter, Identity, ProtectedRouter, public, requires};
use auth_tests::{App, send_raw, serve, space, token};
use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, MatchedPath, NestedPath, OriginalUri, Path, Query, Request, State};
use axum::response::Response;
use axum::routing::MethodFilter;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::json;
use tower::ServiceExt;
use tower_http::set_header::SetResponseHeaderLayer;

#[requires(scope = "read")]
async fn read() -> &'static str {
    "read"
}

#[requires(scope = "write")]
async fn write() -> &'static str {
    "written"
}

#[public(reason = "for everybody")]
async fn open() -> &'static str {
    "open"
}

#[requires(authenticated)]
async fn whoami(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

fn field(name: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    let name = HeaderName::from_static(name);
    SetResponseHeaderLayer::appending(name, HeaderValue::from_static("layer"))
}

fn by(identity: Identity, method: Method, target: &str) -> Request {
    with_identity(nobody(method, target), identity)
}

fn nobody(method: Method, target: &str) -> Request {
    let request = Request::builder().method(method).uri(target);
    request.body(Body::empty()).expect("a request")
}

fn ann() -> Identity {
    Identity::new("ann").with_scopes(["read", "write"])
}

async fn send(app: &impl App, request: Request) -> (StatusCode, Response) {
    let response = app.clone().oneshot(request).await.expect("infallible");
    (response.status(), response)
}

async fn text(response: Response) -> String {
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
    String::from_utf8_lossy(&body.expect("a body")).into_owned()
}

#[tokio::test]
async fn every_method_function_routes_its_method() {
    use auth_runtime::routing::{connect, head, options, trace};
    let app: ProtectedRouter = GuardedRouter::new()
        .route("/connect", connect(read))
        .route("/delete", delete(read))
        .route("/get", get(read))
        .route("/head", head(read))
        .route("/options", options(read))
        .route("/patch", patch(read))
        .route("/post", post(read))
        .route("/put", put(read))
        .route("/trace", trace(read))
        .route("/on", on(MethodFilter::GET.or(MethodFilter::PUT), read))
        .route("/any", any(read))
        .protect(space())
        .unwrap();
    let methods = [
        Method::CONNECT,
        Method::DELETE,
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::PATCH,
        Method::POST,
        Method::PUT,
        Method::TRACE,
    ];
    for path in [
        "connect", "delete", "get", "head", "options", "patch", "post", "put", "trace", "on", "any",
    ] {
        for method in &methods {
            let name = method.as_str().to_ascii_lowercase();
            let taken = match path {
                "any" => true,
                "on" => ["get", "head", "put"].contains(&name.as_str()),
                "get" => ["get", "head"].contains(&name.as_str()),
                _ => path == name,
            };
            let target = format!("/{path}");
            let (status, _) = send(&app, by(ann(), method.clone(), &target)).await;
            assert_eq!(status, if taken { 200 } else { 405 }, "{method} {target}");
            let (status, _) = send(&app, nobody(method.clone(), &target)).await;
            assert_eq!(status, if taken { 401 } else { 405 }, "{method} {target}");
        }
    }
}

#[tokio::test]
async fn methods_chain_each_with_its_policy() {
    let app = GuardedRouter::new()
        .route("/x", get(read).post(write).delete(open))
        .route("/y", get(read))
        .route("/y", post(write))
        .route("/z", get(read).merge(put(write)))
        .protect(space())
        .unwrap();
    let reader = || Identity::new("ann").with_scopes(["read"]);
    for (method, target, status) in [
        (Method::GET, "/x", 200),
        (Method::POST, "/x", 403),
        (Method::DELETE, "/x", 200),
        (Method::GET, "/y", 200),
        (Method::POST, "/y", 403),
        (Method::GET, "/z", 200),
        (Method::PUT, "/z", 403),
        (Method::DELETE, "/z", 405),
    ] {
        let (seen, _) = send(&app, by(reader(), method.clone(), target)).await;
        assert_eq!(seen, status, "{method} {target}");
    }
    let (status, response) = send(&app, nobody(Method::PATCH, "/x")).await;
    assert_eq!(status, 405);
    assert_eq!(response.headers()["allow"], "GET,HEAD,POST,DELETE");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let (_, response) = send(&app, nobody(Method::PATCH, "/y")).await;
    assert_eq!(response.headers()["allow"], "GET,HEAD,POST");
}

#[tokio::test]
async fn nested_handlers_see_what_axum_shows_them() {
    #[requires(authenticated)]
    async fn see(
        matched: MatchedPath,
        nested: NestedPath,
        OriginalUri(original): OriginalUri,
        Path((version, id)): Path<(u32, String)>,
        Query(query): Query<Vec<(String, String)>>,
        request: Request,
    ) -> String {
        let (matched, nested) = (matched.as_str(), nested.as_str());
        let uri = request.uri();
        format!("{matched} {nested} {original} {uri} {version} {id} {query:?}")
    }
    let inner = GuardedRouter::new().route("/things/{id}", get(see));
    let app = GuardedRouter::new()
        .nest("/api", GuardedRouter::new().nest("/{version}", inner))
        .protect(space())
        .unwrap();
    let (status, response) = send(&app, by(ann(), Method::GET, "/api/1/things/a?b=c")).await;
    assert_eq!(status, 200);
    assert_eq!(
        text(response).await,
        "/api/{version}/things/{id} /api/{version} /api/1/things/a?b=c /things/a?b=c 1 a \
         [(\"b\", \"c\")]"
    );
}

#[tokio::test]
async fn state_reaches_handlers_fallbacks_and_nested_routers() {
    #[derive(Clone)]
    struct Name(&'static str);

    #[requires(authenticated)]
    async fn name(State(Name(name)): State<Name>) -> &'static str {
        name
    }
    #[public(reason = "the answer of a path that was never there")]
    async fn fallback(State(Name(name)): State<Name>) -> (StatusCode, &'static str) {
        (StatusCode::NOT_FOUND, name)
    }

    let inner = GuardedRouter::new().route("/name", get(name));
    let other = GuardedRouter::new()
        .route("/name", get(name))
        .fallback(fallback)
        .with_state(Name("inner"));
    let app = GuardedRouter::new()
        .route("/name", get(name))
        .nest("/nested", inner)
        .fallback(fallback)
        .with_state(Name("outer"))
        .nest("/own", other)
        .protect(space())
        .unwrap();
    for (target, expected) in [
        ("/name", "outer"),
        ("/nested/name", "outer"),
        ("/nowhere", "outer"),
        ("/own/name", "inner"),
        ("/own/nowhere", "inner"),
    ] {
        let (_, response) = send(&app, by(ann(), Method::GET, target)).await;
        assert_eq!(text(response).await, expected, "{target}");
    }
}

#[tokio::test]
async fn layers_go_around_what_was_added_before() {
    let nested = GuardedRouter::new()
        .route("/", get(read))
        .layer(field("x-nested"));
    let app = GuardedRouter::new()
        .route("/before", get(read))
        .nest("/nested", nested)
        .layer(field("x-first"))
        .route("/after", get(read).layer(field("x-method")).post(write))
        .layer(field("x-second"))
        .protect(space())
        .unwrap();
    let fields = |response: &Response| -> Vec<String> {
        let names = response.headers().keys().map(HeaderName::to_string);
        names.filter(|name| name.starts_with("x-")).collect()
    };
    for (method, target, expected) in [
        (Method::GET, "/before", vec!["x-first", "x-second"]),
        (
            Method::GET,
            "/nested",
            vec!["x-nested", "x-first", "x-second"],
        ),
        (Method::GET, "/after", vec!["x-method", "x-second"]),
        (Method::POST, "/after", vec!["x-second"]),
        (Method::GET, "/nowhere", vec!["x-first", "x-second"]),
    ] {
        let (_, granted) = send(&app, by(ann(), method.clone(), target)).await;
        assert_eq!(fields(&granted), expected, "{method} {target}");
        let (_, denied) = send(&app, nobody(method.clone(), target)).await;
        assert_eq!(fields(&denied), expected, "{method} {target}, denied");
    }
}

#[tokio::test]
async fn services_are_mounted_with_a_policy_of_their_own() {
    #[requires(scope = "files")]
    struct Files;
    #[public(reason = "a logo is for everybody")]
    struct Logo;

    let service = || {
        tower::service_fn(|request: Request| async move {
            Ok::<_, Infallible>(format!("{} {}", request.method(), request.uri()))
        })
    };
    let app = GuardedRouter::new()
        .nest_service("/files", Files, service())
        .route_service("/one", Files, service())
        .route(
            "/logo",
            get_service(Logo, service()).post_service(Files, service()),
        )
        .protect(space())
        .unwrap();
    let holder = || Identity::new("ann").with_scopes(["files"]);
    for (method, target, anonymous, seen) in [
        (Method::GET, "/files", 401, "GET /"),
        (Method::GET, "/files/", 401, "GET /"),
        (Method::PUT, "/files/a/b?c", 401, "PUT /a/b?c"),
        (Method::DELETE, "/one", 401, "DELETE /one"),
        (Method::GET, "/logo", 200, "GET /logo"),
        (Method::POST, "/logo", 401, "POST /logo"),
    ] {
        let (status, _) = send(&app, nobody(method.clone(), target)).await;
        assert_eq!(status, anonymous, "{method} {target}");
        let (_, response) = send(&app, by(holder(), method.clone(), target)).await;
        assert_eq!(text(response).await, seen, "{method} {target}");
    }
}

#[tokio::test]
async fn unguarded_routers_are_merged_with_a_reason_and_lose_their_fallback() {
    async fn metrics() -> &'static str {
        "metrics"
    }
    async fn wrong() -> &'static str {
        "the wrong fallback"
    }
    let unguarded = Router::new()
        .route("/metrics", axum::routing::get(metrics))
        .fallback(wrong);
    let app = GuardedRouter::new()
        .route("/read", get(read))
        .merge_unguarded(
            "served on a port of its own in production",
            &["/metrics"],
            unguarded,
        )
        .protect(space())
        .unwrap();
    let (status, _) = send(&app, nobody(Method::GET, "/metrics")).await;
    assert_eq!(status, 200);
    let (status, _) = send(&app, nobody(Method::GET, "/nowhere")).await;
    assert_eq!(status, 404);
    let (status, response) = send(&app, nobody(Method::POST, "/metrics")).await;
    assert_eq!(status, 405);
    assert_eq!(response.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn of_an_unguarded_router_only_the_listed_paths_are_served() {
    async fn there(uri: axum::http::Uri) -> String {
        format!("plain {uri}")
    }
    let plain = || {
        Router::new()
            .route("/metrics", axum::routing::get(there).post(there))
            .route("/users/{id}", axum::routing::get(there))
            .route("/users/secret", axum::routing::get(there))
            .route("/pages/{*page}", axum::routing::get(there))
            .route("/pages/secret", axum::routing::get(there))
            .route("/pages/secret/page", axum::routing::get(there))
            .route("/later", axum::routing::get(there))
            .nest(
                "/docs",
                Router::new().route("/{name}", axum::routing::get(there)),
            )
            .nest_service("/files", Router::new().fallback(there))
    };
    let listed: &[&str] = &[
        "/metrics",
        "/users/{id}",
        "/pages/{*page}",
        "/docs/{name}",
        "/files/*",
    ];
    for prefix in ["", "/v1"] {
        let router = GuardedRouter::new().merge_unguarded("a test", listed, plain());
        let router = match prefix {
            "" => router,
            prefix => GuardedRouter::new().nest(prefix, router),
        };
        let table = router.access_table();
        let paths: Vec<_> = table.rows().iter().map(|row| row.path()).collect();
        let mut expected: Vec<_> = listed
            .iter()
            .map(|path| format!("{prefix}{path}"))
            .collect();
        expected.sort();
        assert_eq!(paths, expected);
        let app = router.protect(space()).unwrap();
        for (path, status) in [
            ("/metrics", 200),
            ("/users/7", 200),
            ("/users/%37", 200),
            ("/pages/a/b", 200),
            ("/docs/a", 200),
            ("/files", 200),
            ("/files/", 200),
            ("/files/a/b", 200),
            ("/users/secret", 404),
            ("/pages/secret", 404),
            ("/pages/secret/page", 404),
            ("/later", 404),
            ("/later/", 404),
            ("/metric%73", 404),
            ("/users/", 404),
            ("/nowhere", 404),
        ] {
            let path = format!("{prefix}{path}");
            let (found, response) = send(&app, nobody(Method::GET, &path)).await;
            assert_eq!(found, status, "{path}");
            if status == 404 {
                assert_eq!(response.headers()["cache-control"], "no-store", "{path}");
            }
        }
        // An outer router adds its prefix to the names of routes.
        let outer = Router::new().nest_service("/outer", app.clone());
        for (path, status) in [
            ("/users/7", 200),
            ("/users/secret", 404),
            ("/pages/a/b", 200),
            ("/pages/secret/page", 404),
        ] {
            let path = format!("/outer{prefix}{path}");
            let response = outer.clone().oneshot(nobody(Method::GET, &path)).await;
            assert_eq!(response.unwrap().status(), status, "{path}");
        }
        // The other methods of an unlisted path are unknown as well.
        let path = format!("{prefix}/later");
        assert_eq!(send(&app, nobody(Method::POST, &path)).await.0, 404);
    }
}

#[test]
#[should_panic(expected = "Paths must start with a `/`")]
fn a_listed_path_is_a_route() {
    let _ = GuardedRouter::<()>::new().merge_unguarded("a test", &["metrics"], Router::new());
}

#[tokio::test]
async fn a_layered_route_keeps_its_policy() {
    let app = GuardedRouter::new()
        .route("/x", get(read).layer(field("x-handler")))
        .protect(space())
        .unwrap();
    let (status, response) = send(&app, by(ann(), Method::GET, "/x")).await;
    assert_eq!(status, 200);
    assert!(response.headers().contains_key("x-handler"));
    assert_eq!(send(&app, nobody(Method::GET, "/x")).await.0, 401);
}

#[tokio::test]
async fn nothing_of_a_denied_request_is_parsed_and_no_layer_of_a_hidden_one_runs() {
    #[requires(scope = "write")]
    async fn picky(_: Path<u32>, _: axum::Json<u32>) {}

    let app = GuardedRouter::new()
        .route("/{number}", post(picky))
        .protect(space())
        .unwrap();
    let (status, _) = send(&app, nobody(Method::POST, "/no-number")).await;
    assert_eq!(status, 401);
    let (status, _) = send(&app, by(ann(), Method::POST, "/no-number")).await;
    assert_eq!(status, 400, "who may write is told what is wrong");
}

#[tokio::test]
async fn public_handlers_ignore_credentials_bad_ones_included() {
    let app = GuardedRouter::new()
        .route("/open", get(open))
        .protect(space())
        .unwrap();
    let mut request = nobody(Method::GET, "/open");
    let headers = request.headers_mut();
    headers.append("authorization", HeaderValue::from_static("Bearer garbage"));
    headers.append("authorization", HeaderValue::from_static("Basic twice"));
    assert_eq!(send(&app, request).await.0, 200);
}

#[tokio::test]
async fn handlers_take_the_identity_as_a_parameter() {
    #[requires(authenticated)]
    async fn known(identity: Identity) -> String {
        identity.subject().to_owned()
    }
    let app = GuardedRouter::new()
        .route("/known", get(known))
        .protect(space())
        .unwrap();
    let (_, response) = send(&app, by(ann(), Method::GET, "/known")).await;
    assert_eq!(text(response).await, "ann");
}

#[tokio::test]
async fn guards_work_on_a_plain_router_with_the_space_as_a_layer() {
    #[requires(scope = "admin", hide_as = 404)]
    async fn hidden(guard: Guard) -> Result<&'static str, Denied> {
        guard.permit(guard.identity().subject() == "ada")?;
        Ok("hidden")
    }
    let app = Router::new()
        .route("/open", axum::routing::get(open))
        .route("/whoami", axum::routing::get(whoami))
        .route("/read", axum::routing::get(read))
        .route("/hidden", axum::routing::get(hidden))
        .layer(axum::Extension(space()));
    let admin = |name: &str| Identity::new(name).with_scopes(["admin"]);
    for (target, identity, status) in [
        ("/open", None, 200),
        ("/whoami", None, 401),
        ("/whoami", Some(ann()), 200),
        ("/read", Some(ann()), 200),
        ("/read", Some(Identity::new("bob")), 403),
        ("/hidden", None, 404),
        ("/hidden", Some(ann()), 404),
        ("/hidden", Some(admin("eve")), 404),
        ("/hidden", Some(admin("ada")), 200),
    ] {
        let request = match identity.clone() {
            Some(identity) => by(identity, Method::GET, target),
            None => nobody(Method::GET, target),
        };
        assert_eq!(send(&app, request).await.0, status, "{target} {identity:?}");
    }
}

#[tokio::test]
async fn a_plain_router_without_a_space_is_closed() {
    let app = Router::new().route("/read", axum::routing::get(read));
    let mut request = nobody(Method::GET, "/read");
    let value = format!("Bearer {}", token(json!({ "scope": "read" })));
    let value = HeaderValue::from_str(&value).expect("a value");
    request.headers_mut().insert("authorization", value);
    assert_eq!(send(&app, request).await.0, 500);
}

#[tokio::test]
async fn an_inner_guard_decides_for_itself() {
    /// Forwards the request, with all extensions of its own authorization.
    #[requires(scope = "read")]
    async fn forwarding(request: Request) -> Response {
        let inner: Router = Router::new().route("/forward", axum::routing::get(write));
        match inner.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
    let app = GuardedRouter::new()
        .route("/forward", get(forwarding))
        .protect(space())
        .unwrap();
    let (status, _) = send(&app, by(ann(), Method::GET, "/forward")).await;
    assert_eq!(status, 500, "no space is in sight of the inner guard");
}

#[tokio::test]
async fn a_denied_body_is_not_read_and_the_connection_ends_well() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[requires(scope = "write")]
    async fn upload(body: axum::body::Bytes) -> String {
        RUNS.fetch_add(1, Ordering::Relaxed);
        body.len().to_string()
    }
    let app = GuardedRouter::new()
        .route("/upload", post(upload))
        .protect(space())
        .unwrap();
    let address = serve(app).await;
    let waiting = "POST /upload HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\
                   content-length: 1000000\r\nconnection: close\r\n\r\n";
    let answer = send_raw(address, waiting).await;
    assert!(
        answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"),
        "{answer}"
    );
    assert_eq!(RUNS.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn many_requests_at_once_keep_their_identities_apart() {
    let app = GuardedRouter::new()
        .route("/whoami", get(whoami))
        .protect(space())
        .unwrap();
    let requests = (0..200).map(|number| {
        let app = app.clone();
        tokio::spawn(async move {
            let name = format!("caller-{number}");
            let request = by(Identity::new(name.clone()), Method::GET, "/whoami");
            let (_, response) = send(&app, request).await;
            assert_eq!(text(response).await, name);
        })
    });
    for request in requests.collect::<Vec<_>>() {
        request.await.expect("it does not panic");
    }
}

// ---- what the audit would not find ----

#[requires(scope = "read")]
struct Readers;

fn refused(router: GuardedRouter) -> Vec<String> {
    let error = router.protect(space()).unwrap_err().to_string();
    error.lines().map(str::to_owned).collect()
}

#[test]
fn the_guard_of_another_one_lets_no_handler_in() {
    mod deeper {
        use super::{Guard, policy_of_open};

        pub(super) async fn open(_: Guard<policy_of_open>) {}
    }
    async fn secret(_: Guard<policy_of_open>, body: String) -> String {
        body
    }
    async fn open_too(_: Guard<policy_of_open>) {}
    let closure = |_: Guard<policy_of_open>| async { "secret" };
    let router = GuardedRouter::new()
        .route("/1", get(secret).post(open_too))
        .route("/2", get(closure))
        .route("/3", any(secret).layer(field("x-layer")))
        .route("/4", get(deeper::open))
        .fallback(open_too);
    const HERE: &str = "integration::routing::the_guard_of_another_one_lets_no_handler_in";
    let mistakes = refused(router);
    for (mistake, (handler, owner)) in mistakes.iter().zip([
        ("secret", "integration::routing::open"),
        ("open_too", "integration::routing::open"),
        ("{{closure}}", "integration::routing::open"),
        ("secret", "integration::routing::open"),
        ("deeper::open", "integration::routing::open"),
        ("open_too", "integration::routing::open"),
    ]) {
        let expected = format!("`{HERE}::{handler}` takes the guard of `{owner}`,");
        assert!(mistake.starts_with(&expected), "{expected}: {mistake}");
    }
    assert_eq!(mistakes.len(), 6);
}

#[test]
fn the_guards_of_deprecated_handlers_and_of_never_types_belong_to_their_handlers() {
    #[derive(Clone)]
    struct Exit(#[expect(dead_code, reason = "only its type counts")] fn() -> !);
    #[requires(role = "admin")]
    #[deprecated]
    async fn old(guard: Guard) -> String {
        guard.identity().subject().to_owned()
    }
    #[requires(role = "admin")]
    #[cfg_attr(all(), deprecated(note = "a test"))]
    async fn older() {}
    #[requires(role = "admin")]
    async fn never(_: Guard, _: Extension<fn() -> !>, _: Extension<(Exit, [Exit; 1])>) {}
    async fn of_old(_: Guard<policy_of_old>) {}
    async fn of_older(_: Guard<policy_of_older>) {}
    async fn of_never(_: Guard<policy_of_never>) {}
    let router = GuardedRouter::new()
        .route("/old", get(of_old))
        .route("/older", get(of_older))
        .route("/never", get(of_never));
    assert_eq!(refused(router).len(), 3);
    #[expect(deprecated, reason = "they may be mounted")]
    let router = GuardedRouter::new()
        .route("/old", get(old))
        .route("/older", get(older))
        .route("/never", get(never));
    let _ = router.protect(space()).unwrap();
}

/// A macro in the type of a parameter may expand to `impl Trait`, so such a handler compiles like a
/// generic one.
#[test]
fn handlers_with_macros_in_types_compile() {
    macro_rules! text {
        () => {
            String
        };
    }
    macro_rules! any_text {
        () => { Path<impl Into<String> + serde::de::DeserializeOwned + Send + 'static> };
    }
    #[requires(role = "admin")]
    async fn plain(_: Guard, _: text!()) {}
    #[requires(role = "admin")]
    async fn generic(_: Guard, _: any_text!()) {}
    let router = GuardedRouter::new().route("/plain", get(plain));
    let _ = router.protect(space()).unwrap();
    let _ = generic as fn(_, Path<String>) -> _;
}

#[test]
fn a_guard_of_its_own_lets_every_kind_of_handler_in() {
    #[requires(scope = "read")]
    async fn r#type<T: Send + 'static>(_: State<T>) {}
    #[requires(scope = "read")]
    async fn argument(_: Method, text: String) -> impl axum::response::IntoResponse {
        text
    }
    #[requires(scope = "read")]
    async fn borrowed<'a: 'a>(_: Guard) -> std::borrow::Cow<'a, str> {
        "text".into()
    }
    async fn reader(_: Guard<Readers>) {}
    struct Routes<T>(T);
    impl<T> Routes<T> {
        fn router(self) -> GuardedRouter<u8> {
            #[requires(scope = "read")]
            async fn inner() {}

            GuardedRouter::new().route("/inner", get(inner))
        }
    }
    let router = Routes("")
        .router()
        .route("/1", get(r#type::<u8>).post(r#type::<u8>))
        .route("/2", get(argument).put(borrowed))
        .route("/3", get(|_: Guard<Readers>| async {}).post(reader))
        .route("/4", get(async |_: Guard<Readers>| {}).layer(field("x-3")))
        .with_state(0);
    let _ = router.protect(space()).unwrap();
}

#[test]
fn a_path_has_one_parameter_of_a_name() {
    let inner = || GuardedRouter::new().route("/i/{tenant}", get(read).post(write));
    let both = GuardedRouter::new()
        .route("/{{id}}/{id}/{name}", get(read))
        .route("/twice/{id}/{*id}", get(read))
        .nest("/o/{tenant}", inner())
        .nest("/p/{other}", inner());
    let expected = |handler: &str, path: &str, name: &str| {
        format!(
            "the path `{path}` of `integration::routing::{handler}` has two parameters `{name}`; \
             give each a name of its own"
        )
    };
    assert_eq!(
        refused(both),
        [
            expected("read", "/twice/{id}/{*id}", "id"),
            expected("read", "/o/{tenant}/i/{tenant}", "tenant"),
            expected("write", "/o/{tenant}/i/{tenant}", "tenant"),
        ]
    );
}

#[test]
fn who_lets_a_router_in_unguarded_says_why() {
    for reason in ["", " \n"] {
        let line = line!() + 1;
        let router = GuardedRouter::new().merge_unguarded(reason, &["/"], Router::new());
        let mistakes = refused(GuardedRouter::new().nest("/nested", router));
        let [mistake] = mistakes.as_slice() else {
            panic!("{mistakes:?}");
        };
        let expected = format!("routing.rs:{line}:");
        assert!(mistake.contains(&expected), "{expected} {mistake}");
        assert!(mistake.contains("an empty reason"), "{mistake}");
    }
}

#[tokio::test]
async fn a_service_is_a_fallback_once_something_says_that_everybody_may_call_it() {
    #[public(reason = "the old site")]
    struct OldSite;

    let old = Router::new().route("/old", axum::routing::get(async || "old"));
    let app = GuardedRouter::new()
        .route("/read", get(read))
        .fallback_service(OldSite, old)
        .protect(space())
        .unwrap();
    assert_eq!(send(&app, nobody(Method::GET, "/old")).await.0, 200);
    assert_eq!(send(&app, nobody(Method::GET, "/older")).await.0, 404);
    assert_eq!(send(&app, nobody(Method::GET, "/read")).await.0, 401);
}

#[test]
#[should_panic(expected = "Paths must start with a `/`")]
fn a_wrong_path_panics_where_it_is_given_as_in_axum() {
    let _: GuardedRouter = GuardedRouter::new().route("wrong", get(read));
}

#[test]
#[should_panic(expected = "Overlapping method route")]
fn two_handlers_for_one_method_panic_as_in_axum() {
    let _ = GuardedRouter::new()
        .route("/x", get(read).get(write))
        .protect(space())
        .unwrap();
}
