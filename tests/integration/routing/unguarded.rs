//! Routers that are merged without policies.

use axum::extract::MatchedPath;
use axum::middleware::map_request;

use super::*;

#[tokio::test]
async fn merged_routers_lose_their_fallback() {
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
async fn only_listed_paths_are_served() {
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

#[tokio::test]
async fn unlisted_routes_that_overlap_are_unknown() {
    let page = || axum::routing::get(async || "a page");
    let plain = Router::new()
        .route("/{user}/posts/{post}", page())
        .route("/admin/{page}/keys", page())
        .route("/admin/files/{*file}", page())
        .route("/files/{*file}", page());
    let listed = &["/{user}/posts/{post}", "/files/{*file}"];
    let app = GuardedRouter::new()
        .merge_unguarded("a test", listed, plain)
        .protect(space())
        .unwrap();
    let trimmed = app.clone().map_request(|mut request: Request| {
        let path = request.uri().path().trim_end_matches('/');
        *request.uri_mut() = path.parse().expect("a path");
        request
    });
    let plain = app.clone().into_router("a test");
    let nested = Router::new().nest_service("/outer", app.clone());
    for (prefix, slash, outer) in [
        ("", "", plain.clone()),
        ("/outer", "", nested),
        ("/outer", "", Router::new().nest("/outer", plain)),
        ("/v1", "", Router::new().nest_service("/{version}", app)),
        ("/v1", "/", Router::new().nest_service("/v1", trimmed)),
    ] {
        for (path, status) in [
            ("/ann/posts/7", 200),
            ("/files/a/b", 200),
            // Another route takes it, since a literal goes before a parameter.
            ("/admin/posts/keys", 404),
            ("/admin/files/posts/7", 404),
            ("/admin/posts/7", 200),
        ] {
            let path = format!("{prefix}{path}{slash}");
            let response = outer.clone().oneshot(nobody(Method::GET, &path)).await;
            assert_eq!(response.unwrap().status(), status, "{path}");
        }
    }
}

/// Its response is that of the fallback below the same prefix, inside the layers of other unknown paths.
#[tokio::test]
async fn unlisted_routes_have_fallback_and_layers() {
    #[public(reason = "there is nothing")]
    async fn outer(path: Option<MatchedPath>) -> (StatusCode, String) {
        (StatusCode::NOT_FOUND, format!("nothing at all {path:?}"))
    }
    #[public(reason = "there is nothing below the prefix")]
    async fn inner(path: Option<MatchedPath>) -> (StatusCode, String) {
        (StatusCode::NOT_FOUND, format!("nothing below {path:?}"))
    }
    let page = || axum::routing::get(async || "a page");
    let plain = || {
        Router::new()
            .route("/n/{id}", page())
            .route("/n/special", page())
            .route("/pages/{id}", page())
            .route("/pages/special", page())
    };
    let without_extensions = map_request(async |mut request: Request| {
        request.extensions_mut().clear();
        request
    });
    let unknown = || {
        GuardedRouter::new()
            .nest("/n", GuardedRouter::new().fallback(inner))
            .fallback(outer)
    };
    for (unknown, layer) in [
        (unknown(), None),
        (unknown().layer(field("x-layer")), Some("layer")),
        (
            unknown().layer(without_extensions).layer(field("x-layer")),
            Some("layer"),
        ),
    ] {
        let app = unknown
            .merge_unguarded("a test", &["/n/{id}", "/pages/{id}"], plain())
            .protect(space())
            .unwrap();
        assert_eq!(send(&app, nobody(Method::GET, "/n/7")).await.0, 200);
        for (path, body) in [
            ("/n/special", "nothing below None"),
            ("/n/un/known", "nothing below None"),
            ("/pages/special", "nothing at all None"),
            ("/unknown", "nothing at all None"),
        ] {
            // The application hides nothing, so its fallbacks ignore credentials.
            let mut request = nobody(Method::GET, path);
            let garbage = HeaderValue::from_static("Bearer garbage");
            request.headers_mut().insert("authorization", garbage);
            let (status, response) = send(&app, request).await;
            assert_eq!(status, 404, "{path}");
            let field = response.headers().get("x-layer");
            assert_eq!(field.map(|value| value.to_str().unwrap()), layer, "{path}");
            assert_eq!(text(response).await, body, "{path}");
        }
    }
}

/// Its parameters, and those of a plain router around, do not reach the fallback.
#[tokio::test]
async fn unlisted_routes_have_no_own_parameters() {
    #[public(reason = "there is nothing")]
    async fn missing(Path(tenant): Path<String>) -> (StatusCode, String) {
        (StatusCode::NOT_FOUND, format!("nothing of {tenant}"))
    }
    let page = || axum::routing::get(async || "a page");
    let plain = Router::new()
        .route("/pages/{id}", page())
        .route("/later/{id}", page());
    let routes = GuardedRouter::new()
        .merge_unguarded("a test", &["/pages/{id}"], plain)
        .fallback(missing);
    let app = GuardedRouter::new().nest("/{tenant}", routes);
    let app = app.protect(space()).unwrap();
    let around = Router::new().nest_service("/areas/{area}", app.clone());
    for path in ["/acme/later/7", "/acme/unknown"] {
        let response = send(&app, nobody(Method::GET, path)).await.1;
        assert_eq!(text(response).await, "nothing of acme", "{path}");
        let request = nobody(Method::GET, &format!("/areas/1{path}"));
        let response = around.clone().oneshot(request).await.expect("infallible");
        assert_eq!(text(response).await, "nothing of acme", "{path}");
    }
}

/// Without a fallback of the service, an unknown path reports rejected credentials, and so does an unlisted route.
#[tokio::test]
async fn an_unlisted_route_reports_rejected_credentials() {
    let page = || axum::routing::get(async || "a page");
    let plain = Router::new()
        .route("/pages/{id}", page())
        .route("/pages/special", page());
    let app = GuardedRouter::new()
        .merge_unguarded("a test", &["/pages/{id}"], plain)
        .merge(GuardedRouter::new().layer(field("x-unknown")))
        .protect(space())
        .unwrap();
    for path in ["/pages/special", "/unknown"] {
        let mut request = nobody(Method::GET, path);
        let garbage = HeaderValue::from_static("Bearer garbage");
        request.headers_mut().insert("authorization", garbage);
        let (status, response) = send(&app, request).await;
        assert_eq!(status, 401, "{path}");
        assert!(response.headers().contains_key("x-unknown"), "{path}");
    }
}

#[test]
#[should_panic(expected = "Paths must start with a `/`")]
fn listed_paths_are_routes() {
    let _ = GuardedRouter::<()>::new().merge_unguarded("a test", &["metrics"], Router::new());
}

#[test]
fn unguarded_routers_need_a_reason() {
    for reason in ["", " \n"] {
        let line = line!() + 1;
        let router = GuardedRouter::new().merge_unguarded(reason, &["/"], Router::new());
        let mistakes = refused(GuardedRouter::new().nest("/nested", router));
        let [mistake] = mistakes.as_slice() else {
            panic!("{mistakes:?}");
        };
        let expected = format!("unguarded.rs:{line}:");
        assert!(mistake.contains(&expected), "{expected} {mistake}");
        assert!(mistake.contains("an empty reason"), "{mistake}");
    }
}

#[tokio::test]
async fn an_adopted_router_keeps_its_routes() {
    let plain = || {
        Router::new()
            .route("/metrics", axum::routing::get(async || "plain"))
            .route("/pages/{page}", axum::routing::get(async || "plain"))
            .fallback(async || "the fallback of the plain router")
    };
    for prefix in ["", "/v1"] {
        let router = GuardedRouter::new().adopt(plain(), "a test");
        let router = match prefix {
            "" => router,
            prefix => GuardedRouter::new().nest(prefix, router),
        };
        let router = router.route("/read", get(read));
        let table = router.access_table();
        let row = table.rows().iter().find(|row| row.path() != "/read");
        let row = row.expect("the adopted router");
        assert_eq!(row.path(), format!("{prefix}/*"));
        assert_eq!(row.unguarded_reason(), Some("a test"));
        let app = router.protect(space()).unwrap();
        for (path, status) in [
            ("/metrics", 200),
            ("/pages/first", 200),
            ("/nowhere", 404),
            ("/pages", 404),
        ] {
            let (found, _) = send(&app, nobody(Method::GET, &format!("{prefix}{path}"))).await;
            assert_eq!(found, status, "{prefix}{path}");
        }
        let (status, _) = send(&app, nobody(Method::GET, "/read")).await;
        assert_eq!(status, 401);
    }
}

#[test]
fn an_adopted_router_needs_a_reason() {
    let mistakes = refused(GuardedRouter::new().adopt(Router::new(), " "));
    assert!(mistakes[0].contains("an empty reason"), "{mistakes:?}");
}

/// A service moves one method of a path: the plain router still responds to the others.
#[tokio::test]
async fn plain_routers_keep_unguarded_methods() {
    async fn old() -> &'static str {
        "the old service"
    }
    async fn wrong() -> (StatusCode, &'static str) {
        let text = "no such method in the old service";
        (StatusCode::METHOD_NOT_ALLOWED, text)
    }
    let plain = [
        (
            Router::new().route("/orders", axum::routing::any(old)),
            "the old service",
            None,
        ),
        (
            Router::new()
                .route("/orders", axum::routing::post(old))
                .method_not_allowed_fallback(wrong),
            "no such method in the old service",
            Some("GET,HEAD,PUT,POST"),
        ),
        (
            Router::new().route("/orders", axum::routing::post(old)),
            "",
            Some("GET,HEAD,PUT,POST"),
        ),
    ];
    let orders = || GuardedRouter::new().route("/orders", get(read).put(write));
    let twice = GuardedRouter::new().route("/orders", get(read));
    let twice = twice.route("/orders", put(write).layer(field("x-layer")));
    let layered = get(read).route_layer(field("x-layer")).put(write);
    for (name, guarded) in [
        ("one route", orders()),
        ("two routes", twice),
        ("a layer", orders().layer(field("x-layer"))),
        ("a route layer", orders().route_layer(field("x-layer"))),
        (
            "a route layer of a method",
            GuardedRouter::new().route("/orders", layered),
        ),
    ] {
        for (plain, deleted, allow) in plain.clone() {
            for router in [
                guarded.clone().adopt(plain.clone(), "moves next"),
                guarded
                    .clone()
                    .merge_unguarded("moves next", &["/orders"], plain),
            ] {
                let router = GuardedRouter::new().nest("/v1", router);
                let app = router.protect(space()).unwrap();
                let of = async |method: Method| send(&app, nobody(method, "/v1/orders")).await;
                assert_eq!(of(Method::GET).await.0, 401, "{name}");
                assert_eq!(of(Method::PUT).await.0, 401, "{name}");
                let (status, response) = of(Method::POST).await;
                assert_eq!(status, 200, "{name}");
                assert_eq!(text(response).await, "the old service", "{name}");
                let (status, response) = of(Method::DELETE).await;
                let fields = response.headers();
                let own = fields.get("allow").map(|it| it.to_str().expect("a list"));
                assert_eq!(own, allow, "{name}");
                if status == 405 {
                    assert_eq!(fields["cache-control"], "no-store", "{name}");
                }
                assert_eq!(text(response).await, deleted, "{name}");
            }
        }
    }
}
