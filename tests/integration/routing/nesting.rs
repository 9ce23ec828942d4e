//! Nested routers, states and layers.

use axum::extract::{MatchedPath, NestedPath, OriginalUri, Query};

use super::*;

#[tokio::test]
async fn nested_handlers_see_what_axum_shows() {
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
async fn state_reaches_every_handler() {
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
async fn layers_wrap_earlier_routes() {
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
async fn layered_routes_keep_their_policy() {
    let app = GuardedRouter::new()
        .route("/x", get(read).layer(field("x-handler")))
        .protect(space())
        .unwrap();
    let (status, response) = send(&app, by(ann(), Method::GET, "/x")).await;
    assert_eq!(status, 200);
    assert!(response.headers().contains_key("x-handler"));
    assert_eq!(send(&app, nobody(Method::GET, "/x")).await.0, 401);
}

/// A plain router that has not moved is behind one policy. Its routes keep their names and their parameters.
#[tokio::test]
async fn root_services_take_paths_without_route() {
    async fn user(matched: MatchedPath, Path(id): Path<u64>) -> String {
        format!("{} {id}", matched.as_str())
    }
    let name = async |matched: MatchedPath| matched.as_str().to_owned();
    let files = Router::new().fallback(async |request: Request| request.uri().to_string());
    let old = Router::new()
        .route("/", axum::routing::get(name))
        .route("/users/{id}", axum::routing::get(user))
        .nest_service("/files", files);
    let routes = || {
        GuardedRouter::new()
            .route("/open", get(open))
            .nest_service("/", Readers, old.clone())
            .layer(field("x-layer"))
    };
    for (prefix, routes) in [
        ("", routes()),
        ("/v1", GuardedRouter::new().nest("/v1", routes())),
    ] {
        let table = routes.access_table();
        let rows = table.rows().iter();
        let rows: Vec<_> = rows.map(|row| (row.method_shown(), row.path())).collect();
        let (subtree, path) = (format!("{prefix}/*"), format!("{prefix}/open"));
        assert_eq!(rows, [("any", &*subtree), ("GET", &*path)]);

        let app = routes.protect(space()).unwrap();
        let root = if prefix.is_empty() { "/" } else { prefix };
        for (target, status, body) in [
            (root.to_owned(), 200, format!("{prefix}/")),
            (
                format!("{prefix}/users/7"),
                200,
                format!("{prefix}/users/{{id}} 7"),
            ),
            (format!("{prefix}/files/a/b?c"), 200, "/a/b?c".to_owned()),
            (format!("{prefix}/nowhere"), 404, String::new()),
        ] {
            assert_eq!(
                send(&app, nobody(Method::GET, &target)).await.0,
                401,
                "{target}"
            );
            let (found, response) = send(&app, by(ann(), Method::GET, &target)).await;
            assert_eq!(found, status, "{target}");
            assert!(response.headers().contains_key("x-layer"), "{target}");
            assert_eq!(text(response).await, body, "{target}");
        }
        assert_eq!(send(&app, nobody(Method::GET, &path)).await.0, 200);
        // The path has a route, which has no such method.
        assert_eq!(send(&app, by(ann(), Method::POST, &path)).await.0, 405);
    }
    // A route at `/` leaves its other methods to the service.
    let beside = routes().route("/", get(open)).protect(space()).unwrap();
    assert_eq!(send(&beside, nobody(Method::GET, "/")).await.0, 200);
    assert_eq!(send(&beside, nobody(Method::POST, "/")).await.0, 401);
    let nested = GuardedRouter::new().nest("/v1", routes());
    let nested = nested.protect(space()).unwrap();
    assert_eq!(send(&nested, by(ann(), Method::GET, "/v1/")).await.0, 404);
}

/// All paths without a route have the response of an unknown one.
#[tokio::test]
async fn hidden_service_at_root_is_concealed() {
    #[requires(scope = "read", hide_as = 404)]
    struct Hidden;
    #[public(reason = "shows the parameters that a fallback receives")]
    async fn missing(Path(parameters): Path<Vec<(String, String)>>) -> (StatusCode, String) {
        (StatusCode::NOT_FOUND, format!("nothing {parameters:?}"))
    }
    let page = axum::routing::get(async || "a page");
    let old = Router::new().route("/pages/{page}", page);
    let routes = GuardedRouter::new().nest_service("/", Hidden, old);
    let app = routes.fallback(missing).protect(space()).unwrap();
    for target in ["/", "/pages/7", "/nowhere"] {
        for method in [Method::GET, Method::DELETE] {
            let (status, response) = send(&app, nobody(method, target)).await;
            assert_eq!(status, 404, "{target}");
            assert_eq!(response.headers()["cache-control"], "no-store");
            assert_eq!(response.headers().get("allow"), None);
            assert_eq!(text(response).await, "nothing []", "{target}");
        }
    }
    let (_, response) = send(&app, by(ann(), Method::GET, "/pages/7")).await;
    assert_eq!(text(response).await, "a page");
}
