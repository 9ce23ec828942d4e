//! Leaks through methods, nesting and routes.

use super::*;

#[tokio::test]
async fn other_methods() {
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

/// An unknown path has a policy of its own, so that its response takes the time of a hidden one. A caller who meets
/// that policy receives the same response.
#[tokio::test]
async fn no_scope_opens_an_unknown_path() {
    let hidden = GuardedRouter::new().route("/secret", get(secret));
    for app in [hidden.clone(), hidden.fallback(curious)] {
        let app = app.protect(space()).unwrap();
        let caller = format!("Bearer {}", token(json!({ "scope": "unknown" })));
        for method in methods() {
            let unknown = request(&method, "/zzzzzz", Some(&caller));
            let response = app.clone().oneshot(unknown).await.expect("infallible");
            assert_eq!(response.status(), 404, "{method}");
            let paths = ("/secret", "/zzzzzz");
            assert_like_unknown(&app, method, paths, Some(&caller)).await;
        }
    }
}

#[tokio::test]
async fn options_and_head() {
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
async fn nested_routers() {
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
async fn nested_fallbacks() {
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
async fn names_of_routes() {
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
async fn number_of_extensions() {
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
async fn unlisted_paths_of_unguarded_routers() {
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
async fn adopted_routers_reveal_nothing() {
    let plain = || {
        Router::new()
            .route("/pages/a", axum::routing::get(open_plain))
            .route("/pages/{page}/edit", axum::routing::post(open_plain))
            .layer(field("x-plain"))
            .fallback(open_plain)
    };
    for outer in [GuardedRouter::new(), GuardedRouter::new().fallback(curious)] {
        let app = outer
            .route("/secret", get(secret))
            .route("/pages/{number}", get(numbered))
            .nest(
                "/own",
                GuardedRouter::new()
                    .route("/secret", get(secret))
                    .adopt(plain(), "a test"),
            )
            .adopt(plain(), "a test")
            .protect(space())
            .unwrap()
            .layer(field("x-around"));
        for path in ["/pages/a", "/own/pages/a"] {
            let served = request(&Method::GET, path, None);
            let response = app.clone().oneshot(served).await.expect("infallible");
            assert_eq!(response.status(), 200, "{path}");
        }
        for method in methods() {
            for pair in [
                ("/secret", "/zzzzzz"),
                ("/own/secret", "/own/zzzzzz"),
                ("/pages/7", "/zzzzz/7"),
            ] {
                assert_like_unknown(&app, method.clone(), pair, None).await;
            }
        }
    }
}

#[test]
fn adopted_patterns_on_hidden_paths_fail() {
    let page = || axum::routing::post(open_plain);
    let nested = Router::new().route("/a", page()).fallback(open_plain);
    for (plain, paths) in [
        (
            Router::new().route("/{page}", page()),
            &["/secret", "/user-{number}", "/{{id}}"][..],
        ),
        (
            Router::new().route("/{*rest}", page()),
            &[
                "/own/files",
                "/own/{number}",
                "/secret",
                "/user-{number}",
                "/{{id}}",
            ],
        ),
        (
            Router::new().route("/own/{page}", page()),
            &["/own/files", "/own/{number}"],
        ),
        // A subtree has paths below its own.
        (
            Router::new().route("/own/files/{page}", page()),
            &["/own/files"],
        ),
        (Router::new().nest("/own", nested), &[]),
        (Router::new().route("/{page}/x", page()), &[]),
        (
            Router::new().route("/user-{id}", page()),
            &["/user-{number}"],
        ),
        (Router::new().route("/{{id}}", page()), &["/{{id}}"]),
        (Router::new().route("/own", page()), &[]),
        (Router::new().route("/secret/{page}", page()), &[]),
        (Router::new(), &[]),
    ] {
        let own = GuardedRouter::new()
            .route("/{number}", get(numbered))
            .nest_service("/files", Files, Router::<()>::new());
        let router = GuardedRouter::new()
            .route("/secret", get(secret))
            .nest("/own", own)
            .route("/user-{number}", get(numbered))
            .route("/{{id}}", get(secret))
            .adopt(plain, "a test");
        let refused = router.protect(space()).err();
        let refused = refused.map_or(String::new(), |error| error.to_string());
        for path in paths {
            assert!(
                refused.contains(&format!("the hidden path `{path}` ")),
                "{path}: {refused}"
            );
        }
        assert_eq!(refused.lines().count(), paths.len(), "{refused}");
    }
}

#[test]
#[should_panic(expected = "(a test) also matches the hidden path `/secret`")]
fn adopted_patterns_fail_across_spaces() {
    let plain = Router::new().route("/{page}", axum::routing::post(open_plain));
    let adopting = GuardedRouter::new().adopt(plain, "a test").protect(space());
    let hiding = GuardedRouter::new().route("/secret", get(secret));
    let hiding = hiding.protect(space()).unwrap();
    let _ = adopting.unwrap().merge(hiding);
}

async fn open_plain() -> &'static str {
    "plain"
}

#[tokio::test]
async fn mixed_paths() {
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
