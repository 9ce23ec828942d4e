//! Fallbacks for unknown paths and for missing methods, inside the same layers as in axum.

use auth_runtime::UnknownPaths;
use auth_runtime::testing::assert_hidden;
use auth_tests::{space_builder, token};
use axum::extract::OriginalUri;
use http::Uri;
use serde_json::json;

use super::*;

#[tokio::test]
async fn earlier_paths_use_method_not_allowed() {
    let nested = GuardedRouter::new()
        .route("/own", get(read))
        .method_not_allowed_fallback(not_allowed);
    let routes = || {
        GuardedRouter::new()
            .route("/read", get(read).layer(field("x-layer")))
            .route("/any", any(read))
            .method_not_allowed_fallback(not_allowed)
            .route("/read", put(write))
            .route("/later", get(read))
            .nest("/nested", nested.clone())
    };
    let app = routes().protect(space()).unwrap();
    for (target, status, by_service) in [
        ("/read", 405, true),
        ("/any", 401, false),
        ("/later", 405, false),
        ("/nested/own", 405, true),
        ("/nested", 404, false),
        ("/nowhere", 404, false),
    ] {
        let (found, response) = send(&app, nobody(Method::DELETE, target)).await;
        assert_eq!(found, status, "{target}");
        assert_eq!(has(&response, "x-by"), by_service, "{target}");
        assert_eq!(response.headers()["cache-control"], "no-store", "{target}");
        if by_service {
            assert_eq!(text(response).await, "no DELETE here", "{target}");
        }
    }
    let (_, response) = send(&app, nobody(Method::DELETE, "/read")).await;
    assert!(!has(&response, "x-layer"));
    assert_eq!(response.headers()["allow"], "GET,HEAD,PUT");
    let table = routes().access_table();
    let rows = table.rows().iter().filter(|row| row.kind().is_fallback());
    let rows: Vec<_> = rows.map(|row| (row.method_shown(), row.path())).collect();
    assert_eq!(rows, [("405", "/*"), ("405", "/nested/*")]);
}

#[tokio::test]
async fn hidden_paths_skip_method_not_allowed() {
    for unknown_paths in [UnknownPaths::NotFound, UnknownPaths::Challenge] {
        let space = || {
            let builder = space_builder().unknown_paths(unknown_paths);
            builder.build().expect("a space")
        };
        let routes = || {
            GuardedRouter::new()
                .route("/secret", get(secret))
                .route("/mixed", get(secret).put(open))
                .route("/read", get(read))
                .method_not_allowed_fallback(not_allowed)
        };
        let elsewhere = GuardedRouter::new().route("/read", post(secret));
        // Another router hides a method of a path.
        let joined = routes().protect(space()).unwrap();
        let joined = joined.merge(elsewhere.protect(space()).unwrap());
        for (app, path, called) in [
            (routes().protect(space()).unwrap(), "/secret", false),
            (routes().protect(space()).unwrap(), "/mixed", false),
            (routes().protect(space()).unwrap(), "/read", true),
            (joined, "/read", false),
        ] {
            for request in [
                nobody(Method::DELETE, path),
                by(ann(), Method::DELETE, path),
                by(ann().with_scopes(["admin"]), Method::DELETE, path),
            ] {
                let (_, response) = send(&app, request).await;
                assert_eq!(has(&response, "x-by"), called, "{path}");
                assert_eq!(has(&response, "allow"), called, "{path}");
                assert_eq!(response.headers()["cache-control"], "no-store", "{path}");
            }
        }
    }
}

/// The layers around a response, from the inside out, and its parts that a fallback writes.
async fn described(app: &impl App, method: Method, target: &str) -> (u16, String, String) {
    let (status, response) = send(app, nobody(method, target)).await;
    let fields = response.headers().iter();
    let fields = fields.filter(|(name, _)| *name == "allow" || name.as_str().starts_with("x-"));
    let fields = fields.map(|(name, value)| format!("{name}: {value:?}\n"));
    let fields = fields.collect();
    (status.as_u16(), fields, text(response).await)
}

/// The same router twice: of axum, and of this crate.
macro_rules! both {
    (|$new:ident, $get:ident| $router:expr) => {{
        let of_axum = {
            let ($new, $get) = (Router::new, || axum::routing::get(open));
            let _ = &$get;
            $router
        };
        let of_ours = {
            let ($new, $get) = (GuardedRouter::new, || get(open));
            let _ = &$get;
            $router
        };
        (of_axum, of_ours.protect(space()).unwrap())
    }};
}

#[tokio::test]
async fn merged_routers_have_fallback_of_axum() {
    #[public(reason = "the response of an unknown path")]
    async fn missing() -> (StatusCode, &'static str) {
        (StatusCode::NOT_FOUND, "missing")
    }
    for (name, (of_axum, of_ours)) in [
        (
            "none, first layered",
            both!(|new, get| new()
                .route("/a", get())
                .layer(field("x-a"))
                .merge(new().route("/b", get()))),
        ),
        (
            "none, second layered",
            both!(|new, get| new().merge(new().route("/b", get()).layer(field("x-b")))),
        ),
        (
            "none, both layered",
            both!(|new, get| new()
                .layer(field("x-a"))
                .merge(new().route("/b", get()).layer(field("x-b")))
                .layer(field("x-c"))),
        ),
        (
            "none, three",
            both!(|new, get| new()
                .merge(new().route("/b", get()).layer(field("x-b")))
                .merge(new().route("/c", get()).layer(field("x-c")))),
        ),
        (
            "first",
            both!(|new, get| new()
                .fallback(missing)
                .layer(field("x-a"))
                .merge(new().route("/b", get()).layer(field("x-b")))),
        ),
        (
            "second",
            both!(|new, get| new().layer(field("x-a")).merge(
                new()
                    .route("/b", get())
                    .fallback(missing)
                    .layer(field("x-b"))
            )),
        ),
        (
            "reset",
            both!(|new, get| new()
                .route("/a", get())
                .layer(field("x-a"))
                .merge(new().fallback(missing).layer(field("x-b")).reset_fallback())),
        ),
    ] {
        let (_, layers, _) = described(&of_axum, Method::GET, "/nowhere").await;
        let (_, ours, _) = described(&of_ours, Method::GET, "/nowhere").await;
        assert_eq!(ours, layers, "{name}");
    }
}

/// Hidden and unknown paths are authenticated inside the layers that both have.
#[tokio::test]
async fn merged_layers_authenticate_hidden_paths() {
    let login = axum::middleware::map_request(|request: Request| async {
        let admin = token(json!({ "scope": "admin" }));
        let (mut head, body) = request.into_parts();
        let value = format!("Bearer {admin}").parse().expect("a value");
        head.headers.insert("authorization", value);
        Request::from_parts(head, body)
    });
    let pages = GuardedRouter::new().route("/secret", get(secret));
    let app = GuardedRouter::new().merge(pages.layer(login));
    let app = app.protect(space()).unwrap();
    let (_, response) = send(&app, nobody(Method::GET, "/secret")).await;
    assert_eq!(text(response).await, "the secret");
}

#[tokio::test]
async fn method_not_allowed_fallback_has_layers() {
    #[public(reason = "shows the paths that a fallback receives")]
    async fn shown(uri: Uri, OriginalUri(original): OriginalUri) -> (StatusCode, String) {
        (StatusCode::METHOD_NOT_ALLOWED, format!("{uri} {original}"))
    }
    for (name, target, (of_axum, of_ours)) in [
        (
            "none",
            "/a",
            both!(|new, get| new().route("/a", get()).layer(field("x-a"))),
        ),
        (
            "layers",
            "/a",
            both!(|new, get| new()
                .route("/a", get())
                .layer(field("x-a"))
                .method_not_allowed_fallback(shown)
                .layer(field("x-b"))
                .layer(field("x-c"))),
        ),
        (
            "route layers",
            "/a",
            both!(|new, get| new()
                .route("/a", get())
                .route_layer(field("x-a"))
                .method_not_allowed_fallback(shown)
                .route_layer(field("x-b"))),
        ),
        (
            "layers of methods",
            "/a",
            both!(|new, get| new()
                .route("/a", get().layer(field("x-a")).route_layer(field("x-b")))
                .method_not_allowed_fallback(shown)),
        ),
        (
            "a layer of one method",
            "/a",
            both!(|new, get| new().route("/a", get().layer(field("x-a")).put(open))),
        ),
        (
            "a route layer of one method",
            "/a",
            both!(|new, get| new().route("/a", get().route_layer(field("x-a")).put(open))),
        ),
        (
            "fallback of methods",
            "/a",
            both!(|new, get| new()
                .route("/a", get().fallback(shown).layer(field("x-a")))
                .layer(field("x-b"))
                .method_not_allowed_fallback(open)),
        ),
        (
            "the first of two",
            "/a",
            both!(|new, get| new()
                .route("/a", get())
                .method_not_allowed_fallback(shown)
                .layer(field("x-a"))
                .method_not_allowed_fallback(open)),
        ),
        (
            "nested",
            "/n/7/a",
            both!(|new, get| new()
                .nest(
                    "/n/{id}",
                    new()
                        .route("/a", get())
                        .layer(field("x-a"))
                        .method_not_allowed_fallback(shown)
                        .layer(field("x-b"))
                )
                .layer(field("x-c"))),
        ),
        (
            "around a nested router",
            "/n/7/a",
            both!(|new, get| new()
                .nest("/n/{id}", new().route("/a", get()).layer(field("x-a")))
                .layer(field("x-b"))
                .method_not_allowed_fallback(shown)
                .layer(field("x-c"))),
        ),
        (
            "around a root of a nested router",
            "/n",
            both!(|new, get| new()
                .nest("/n", new().route("/", get()).layer(field("x-a")))
                .method_not_allowed_fallback(shown)),
        ),
    ] {
        let expected = described(&of_axum, Method::DELETE, target).await;
        let found = described(&of_ours, Method::DELETE, target).await;
        assert_eq!(found, expected, "{name}");
    }
}

/// No layer in front of the fallback, and none behind it, distinguishes a hidden path.
#[tokio::test]
async fn method_not_allowed_conceals_hidden_paths() {
    let inner = || GuardedRouter::new().route("/secret", get(secret));
    for (path, routes) in [
        (
            "/secret",
            inner()
                .layer(field("x-a"))
                .method_not_allowed_fallback(not_allowed),
        ),
        (
            "/secret",
            inner()
                .method_not_allowed_fallback(not_allowed)
                .layer(field("x-a")),
        ),
        (
            "/secret",
            inner()
                .route_layer(field("x-a"))
                .method_not_allowed_fallback(not_allowed)
                .route_layer(field("x-b")),
        ),
        (
            "/n/secret",
            GuardedRouter::new()
                .nest("/n", inner().layer(field("x-a")))
                .method_not_allowed_fallback(not_allowed)
                .layer(field("x-b")),
        ),
        (
            "/n/secret",
            GuardedRouter::new().nest(
                "/n",
                inner()
                    .method_not_allowed_fallback(not_allowed)
                    .layer(field("x-a")),
            ),
        ),
    ] {
        let app = routes.protect(space()).unwrap();
        for method in [Method::DELETE, Method::OPTIONS, Method::GET] {
            assert_hidden(app.clone(), nobody(method.clone(), path)).await;
            assert_hidden(app.clone(), by(ann(), method, path)).await;
        }
    }
}
