//! The rows for the routes of a router.

use auth_runtime::routing::{EndpointKind, RouteKind, on};
use axum::routing::MethodFilter;

use super::*;

#[test]
fn shown_hidden_paths_are_named() {
    let note = "note: the hidden path /users/admin is revealed: without it, ";
    let hidden = || GuardedRouter::<()>::new().route("/users/admin", get(show));
    for (shown, other) in [
        (
            hidden().route("/users/{id}", get(healthz)),
            "GET /users/{id} would respond",
        ),
        (
            hidden().route("/{*path}", get(healthz)),
            "GET /{*path} would respond",
        ),
        (
            hidden().nest_service(
                "/users",
                Log,
                tower::service_fn(async |_: axum::extract::Request| {
                    Ok::<_, std::convert::Infallible>("")
                }),
            ),
            "any /users/* would respond",
        ),
        (
            hidden().nest_service("/", Log, axum::Router::new()),
            "any /* would respond",
        ),
    ] {
        let table = shown.access_table().to_string();
        assert!(table.contains(&format!("{note}{other}")), "{table}");
    }
    for not_shown in [
        hidden().route("/users/{id}", get(show)),
        hidden()
            .route("/users", get(healthz))
            .route("/users/{id}/x", get(healthz)),
        hidden().fallback(not_found),
    ] {
        let table = not_shown.access_table().to_string();
        assert!(!table.contains(note), "{table}");
    }
}

#[test]
fn the_order_of_routes_is_irrelevant() {
    let unguarded =
        |reason| GuardedRouter::<()>::new().merge_unguarded(reason, &["/*"], Router::new());
    let parts: [fn() -> GuardedRouter; 4] = [
        || GuardedRouter::new().route("/b", get(show).post(change)),
        || GuardedRouter::new().route("/b", any(everything)),
        || GuardedRouter::new().route("/a", on(MethodFilter::PUT.or(MethodFilter::GET), show)),
        || GuardedRouter::new().nest_service("/b", Files, service()),
    ];
    let forward = parts
        .iter()
        .fold(GuardedRouter::new(), |router, part| router.merge(part()));
    let backward = parts
        .iter()
        .rev()
        .fold(GuardedRouter::new(), |router, part| router.merge(part()));
    assert_eq!(forward.access_table(), backward.access_table());
    let places: Vec<_> = forward
        .access_table()
        .rows()
        .iter()
        .map(|row| (row.path().to_owned(), row.method().map(ToString::to_string)))
        .collect();
    let place = |path: &str, method: Option<&str>| (path.to_owned(), method.map(str::to_owned));
    assert_eq!(
        places,
        [
            place("/a", Some("GET")),
            place("/a", Some("PUT")),
            place("/b", Some("GET")),
            place("/b", Some("POST")),
            place("/b", None),
            place("/b/*", None),
        ]
    );
    let one = unguarded("one").merge(unguarded("two")).access_table();
    let reasons: Vec<_> = one
        .rows()
        .iter()
        .map(|row| row.unguarded_reason())
        .collect();
    assert_eq!(reasons, [Some("one"), Some("two")]);
    let other = unguarded("two").merge(unguarded("one")).access_table();
    assert_eq!(one.to_string(), other.to_string());
}

#[test]
fn slash_prefixes_are_listed_as_mounted() {
    let inner = GuardedRouter::new()
        .route("//x", get(healthz))
        .route("/y", get(show));
    let router: GuardedRouter = GuardedRouter::new().nest("/a/", inner);
    let table = router.access_table();
    let paths: Vec<_> = table.rows().iter().map(|row| row.path()).collect();
    assert_eq!(paths, ["/a/x", "/a/y"]);
}

#[test]
fn nested_paths_are_whole() {
    let inner = GuardedRouter::new()
        .route("/", get(show))
        .fallback(not_found)
        .merge_unguarded("inner", &["/*"], Router::new());
    let router: GuardedRouter = GuardedRouter::new().nest(
        "/a/",
        GuardedRouter::new()
            .merge_unguarded("outer", &["/*"], Router::new())
            .nest("/b", inner),
    );
    let table = router.access_table();
    let paths: Vec<_> = table
        .rows()
        .iter()
        .map(|row| (row.path(), row.kind()))
        .collect();
    assert_eq!(
        paths,
        [
            ("/a/*", RouteKind::Unguarded),
            ("/a/b", RouteKind::Route),
            ("/a/b/*", RouteKind::Fallback),
            ("/a/b/*", RouteKind::Unguarded),
        ]
    );
}

#[test]
fn public_methods_deny_no_caller() {
    let router: GuardedRouter =
        GuardedRouter::new().route("/x", get(show).put(change).post(healthz));
    let table = router.access_table();
    let hidden: Vec<_> = table.rows().iter().map(|row| row.is_hidden()).collect();
    // GET, POST, PUT.
    assert_eq!(hidden, [true, false, true]);
}

#[test]
fn state_changes_nothing() {
    let router: GuardedRouter<String> = GuardedRouter::new()
        .route("/{id}", get(show))
        .nest(
            "/ops",
            GuardedRouter::new().merge_unguarded("scraper", &["/*"], Router::new()),
        )
        .nest("/x", GuardedRouter::new().fallback(not_found));
    let without = router.access_table();
    let with = router.with_state::<()>("state".to_owned()).access_table();
    assert_eq!(without, with);
    assert_eq!(with.rows().len(), 3);
}

#[test]
fn default_fallbacks_have_no_row() {
    let router: GuardedRouter = GuardedRouter::new().route("/", get(healthz));
    assert_eq!(router.access_table().rows().len(), 1);
    let empty: GuardedRouter = GuardedRouter::new();
    assert!(empty.access_table().rows().is_empty());
}

#[tokio::test]
async fn paths_are_those_of_axum() {
    let leaf = || {
        GuardedRouter::new()
            .route("/", get(matched))
            .route("/{id}/", get(matched))
    };
    let router = GuardedRouter::new()
        .route("/", get(matched))
        .nest("/a", leaf().nest("/b/", leaf()))
        .nest(
            "/c/{of}",
            leaf().merge(GuardedRouter::new().nest("/d", leaf())),
        );
    let table = router.access_table();
    let app = router.protect(space()).expect("a router");
    assert_eq!(table.rows().len(), 9);
    for row in table.rows() {
        let target = row.path().replace("{id}", "7").replace("{of}", "x");
        let request = Request::get(&target)
            .body(Body::empty())
            .expect("a request");
        let response = app.clone().oneshot(request).await.expect("an answer");
        let body = to_bytes(response.into_body(), 1000).await.expect("a body");
        assert_eq!(body, row.path(), "{target}");
    }
}

#[test]
fn routers_as_handlers_are_named() {
    let router: GuardedRouter = GuardedRouter::new()
        .route("/x", get(show))
        .nest_service("/files", Files, service())
        .nest_service("/all", Files, Router::new())
        .fallback_service(Elsewhere, Router::new());
    let table = router.access_table();
    let kinds: Vec<_> = table.rows().iter().map(|row| row.endpoint_kind()).collect();
    assert_eq!(
        kinds,
        [
            Some(EndpointKind::Router),
            Some(EndpointKind::Router),
            Some(EndpointKind::Service),
            Some(EndpointKind::Handler),
        ]
    );
    let text = table.to_string();
    assert!(
        text.contains(concat!(
            " ",
            env!("CARGO_CRATE_NAME"),
            "::access_table::Elsewhere (router) "
        )),
        "{text}"
    );
    assert!(
        text.contains(concat!(
            " ",
            env!("CARGO_CRATE_NAME"),
            "::access_table::Files (service) "
        )),
        "{text}"
    );
}
