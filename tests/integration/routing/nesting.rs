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
