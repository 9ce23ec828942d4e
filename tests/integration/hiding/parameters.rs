//! Leaks through the parameters of routes, which axum adds to those of the routes around.

use super::*;

#[public(reason = "the answer of a path that was never there")]
struct Pages;

#[public(reason = "the answer of a path that was never there")]
async fn of_tenant(Path(tenant): Path<String>) -> (StatusCode, String) {
    (StatusCode::NOT_FOUND, format!("nothing of {tenant}"))
}

#[public(reason = "the answer of a path that was never there")]
async fn listed(Path(parameters): Path<Vec<(String, String)>>) -> (StatusCode, String) {
    (StatusCode::NOT_FOUND, format!("{parameters:?}"))
}

/// Hidden routes with and without parameters, and denials by a policy and by a handler.
fn hidden_routes() -> GuardedRouter {
    let files = tower::service_fn(|_: Request| async { Ok::<_, Infallible>("a file") });
    GuardedRouter::new()
        .route("/admin", get(secret))
        .route("/users/{id}", get(secret))
        .route("/objects/{id}", get(guarded_object))
        .route(
            "/layered/{id}",
            get(guarded_object).layer(field("x-layered")),
        )
        .nest_service("/files/{id}", Files, files)
}

const PATHS: [&str; 6] = [
    "/admin",
    "/users/7",
    "/objects/7",
    "/layered/7",
    "/files/7",
    "/files/7/a",
];

#[tokio::test]
async fn fallbacks_receive_none_of_hidden_routes() {
    let page = axum::routing::any(async |Path(page): Path<String>| format!("/{page}"));
    let pages = Router::new().route("/{*page}", page);
    let of_pages = hidden_routes().fallback_service(Pages, pages);
    let of_tenants = || GuardedRouter::new().nest("/{tenant}", hidden_routes().fallback(of_tenant));
    let of_several = of_tenants().protect(space()).unwrap();
    let other = GuardedRouter::new().route("/other", get(shown));
    let of_several = of_several.merge(other.protect(space()).unwrap());
    let protect = |router: GuardedRouter| router.protect(space()).unwrap();
    let admin = token(json!({ "scope": "admin" }));
    let admin = ("an admin", Some(format!("Bearer {admin}")));
    for (name, app, prefix, expected) in [
        ("a service", protect(of_pages), "", None),
        (
            "a nested fallback",
            protect(of_tenants()),
            "/acme",
            Some("nothing of acme"),
        ),
        (
            "behind a layer",
            protect(of_tenants().layer(field("x-layer"))),
            "/acme",
            Some("nothing of acme"),
        ),
        (
            "of several spaces",
            of_several,
            "/acme",
            Some("nothing of acme"),
        ),
        (
            "the fallback of all",
            protect(hidden_routes().fallback(listed)),
            "",
            Some("[]"),
        ),
    ] {
        for path in PATHS {
            let target = format!("{prefix}{path}");
            let denies_object = ["/objects", "/layered"].map(|it| path.starts_with(it));
            let callers = strangers().into_iter();
            let owner = denies_object.contains(&true).then(|| admin.clone());
            for (caller, authorization) in callers.chain(owner) {
                for method in [Method::GET, Method::POST, Method::OPTIONS] {
                    println!("{name}: {method} {target} by {caller}");
                    let request = request(&method, &target, authorization.as_deref());
                    assert_hidden(app.clone(), request).await;
                }
            }
            let response = app.clone().oneshot(request(&Method::GET, &target, None));
            let body = response.await.expect("infallible").into_body();
            let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
            assert_eq!(body, expected.unwrap_or(path), "{name}: {target}");
        }
    }
}

#[tokio::test]
async fn invalid_hidden_ones_have_no_name() {
    let page = axum::routing::any(async |Path(page): Path<String>| format!("/{page}"));
    let pages = Router::new().route("/{*page}", page);
    let app = hidden_routes().fallback_service(Pages, pages);
    let app = app.protect(space()).unwrap();
    for path in ["/users/%FF", "/objects/%FF", "/layered/%FF", "/files/%FF/a"] {
        for method in [Method::GET, Method::POST] {
            assert_hidden(app.clone(), request(&method, path, None)).await;
        }
    }
}

/// The parameters of a plain router around precede those of a hidden route.
#[tokio::test]
async fn fallbacks_receive_none_of_plain_routers() {
    let own = || hidden_routes().fallback(listed);
    for (routes, prefix, expected) in [
        (own(), "", "[]"),
        (
            GuardedRouter::new().nest("/{tenant}", own()),
            "/acme",
            r#"[("tenant", "acme")]"#,
        ),
    ] {
        let app = routes.protect(space()).unwrap();
        let plain = app.clone().into_router("a test");
        for around in [
            Router::new().nest_service("/areas/{area}", app),
            Router::new().nest("/areas/{area}", plain),
        ] {
            for path in PATHS.into_iter().chain(["/zzzzz"]) {
                let target = format!("/areas/b{prefix}{path}");
                let request = request(&Method::GET, &target, None);
                let response = around.clone().oneshot(request).await.expect("infallible");
                let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
                assert_eq!(body.expect("a body"), expected, "{target}");
            }
        }
    }
}
