//! The counterparts of axum's methods: each behaves as axum's, and is in the guide.

mod fallbacks;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use auth_runtime::ProtectedRouter;
use auth_runtime::routing::{GuardedMethodRouter, connect};
use axum::response::IntoResponse;

use super::*;
use crate::packages::metadata;

#[public(reason = "states that the method is wrong, and no more")]
async fn not_allowed(method: Method) -> impl IntoResponse {
    (
        StatusCode::METHOD_NOT_ALLOWED,
        [("x-by", "service")],
        format!("no {method} here"),
    )
}

#[requires(scope = "admin", hide_as = 404)]
async fn secret() -> &'static str {
    "the secret"
}

fn has(response: &Response, name: &str) -> bool {
    response.headers().contains_key(name)
}

#[tokio::test]
async fn route_layer_is_around_no_fallback() {
    let app = GuardedRouter::new()
        .route("/read", get(read))
        .merge_unguarded(
            "a test",
            &["/plain"],
            Router::new().route("/plain", axum::routing::get(async || "plain")),
        )
        .route_layer(field("x-route"))
        .route("/later", get(read))
        .protect(space())
        .unwrap();
    for (method, target, status, layered) in [
        (Method::GET, "/read", 200, true),
        (Method::POST, "/read", 405, true),
        (Method::GET, "/plain", 200, true),
        (Method::GET, "/later", 200, false),
        (Method::GET, "/nowhere", 404, false),
    ] {
        let (found, response) = send(&app, by(ann(), method.clone(), target)).await;
        assert_eq!(found, status, "{method} {target}");
        assert_eq!(has(&response, "x-route"), layered, "{method} {target}");
    }
}

#[test]
#[should_panic(expected = "no-op")]
fn route_layer_needs_a_route() {
    let _ = GuardedRouter::<()>::new().route_layer(field("x-route"));
}

#[test]
#[should_panic(expected = "no-op")]
fn route_layer_of_methods_needs_method() {
    let _ = any::<_, _, (), _>(read).route_layer(field("x-route"));
}

#[tokio::test]
async fn route_layer_of_methods_skips_others() {
    let app = GuardedRouter::new()
        .route("/layer", get(read).layer(field("x-route")))
        .route("/route-layer", get(read).route_layer(field("x-route")))
        .route(
            "/fallback",
            get(read).fallback(open).route_layer(field("x-route")),
        )
        .protect(space())
        .unwrap();
    for (method, target, status, layered) in [
        (Method::GET, "/layer", 200, true),
        (Method::POST, "/layer", 405, true),
        (Method::GET, "/route-layer", 200, true),
        (Method::POST, "/route-layer", 405, false),
        (Method::GET, "/fallback", 200, true),
        (Method::POST, "/fallback", 200, false),
    ] {
        let (found, response) = send(&app, by(ann(), method.clone(), target)).await;
        assert_eq!(found, status, "{method} {target}");
        assert_eq!(has(&response, "x-route"), layered, "{method} {target}");
        let (_, denied) = send(&app, nobody(method.clone(), target)).await;
        assert_eq!(
            has(&denied, "x-route"),
            layered,
            "{method} {target}, denied"
        );
    }
}

#[tokio::test]
async fn fallbacks_of_methods_have_their_policy() {
    let app = GuardedRouter::new()
        .route("/x", get(open).fallback(read))
        .route("/replaced", any(write).fallback(open))
        .protect(space())
        .unwrap();
    assert_eq!(send(&app, nobody(Method::GET, "/x")).await.0, 200);
    let (status, response) = send(&app, nobody(Method::PUT, "/x")).await;
    assert_eq!(status, 401);
    assert_eq!(response.headers()["allow"], "GET,HEAD");
    assert_eq!(send(&app, by(ann(), Method::PUT, "/x")).await.0, 200);
    assert_eq!(send(&app, nobody(Method::PUT, "/replaced")).await.0, 200);
    let table = GuardedRouter::<()>::new().route("/x", get(open).fallback(read));
    let methods: Vec<_> = table
        .access_table()
        .rows()
        .iter()
        .map(|row| row.method_shown().to_owned())
        .collect();
    assert_eq!(methods, ["GET", "any"]);
}

#[tokio::test]
async fn connect_needs_no_path() {
    let app = GuardedRouter::new()
        .route("/tunnel", connect(read))
        .fallback(open)
        .protect(space())
        .unwrap();
    assert_eq!(send(&app, nobody(Method::CONNECT, "/tunnel")).await.0, 401);
    assert_eq!(
        send(&app, by(ann(), Method::CONNECT, "/tunnel")).await.0,
        200
    );
    // The form of a proxy (RFC 9112 §3.2.3).
    let proxied = nobody(Method::CONNECT, "example.org:443");
    assert_eq!(send(&app, proxied).await.0, 200);
}

#[tokio::test]
async fn routers_without_routes_or_fallback() {
    let empty = GuardedRouter::<()>::new();
    assert!(!empty.has_routes());
    assert!(empty.clone().route("/x", get(read)).has_routes());
    let app = GuardedRouter::new()
        .route("/kept", get(read))
        .fallback(open)
        .reset_fallback()
        .route("/nothing", GuardedMethodRouter::new())
        .merge(GuardedRouter::new().fallback(not_allowed))
        .protect(space())
        .unwrap();
    let (status, response) = send(&app, nobody(Method::GET, "/nothing")).await;
    assert_eq!((status.as_u16(), has(&response, "x-by")), (405, true));
    assert_eq!(send(&app, nobody(Method::GET, "/kept")).await.0, 401);
}

/// A router that is dropped is a warning, and so is an expectation without one.
#[test]
#[deny(unfulfilled_lint_expectations)]
fn unused_routers_are_reported() {
    let routes = || GuardedRouter::new().route("/read", get(read));
    let protected = || routes().protect(space()).unwrap();
    #[expect(unused_must_use)]
    routes().layer(field("x-layer"));
    #[expect(unused_must_use)]
    protected().layer(field("x-layer"));
    #[expect(unused_must_use)]
    protected().nest("/nested", protected());
}

#[tokio::test]
async fn plain_routers_nest_protected_ones_deeply() {
    let app = |routes: GuardedRouter| -> ProtectedRouter { routes.protect(space()).unwrap() };
    let inner = || {
        app(GuardedRouter::new()
            .route("/secret", get(secret))
            .route("/read", get(read)))
    };
    let deep = Router::new().nest_service("/c", inner());
    let deep = Router::new()
        .nest("/b", deep)
        .nest_service("/{id}", inner());
    let outer = Router::new()
        .nest("/a", deep)
        .route("/plain", axum::routing::get(async || "plain"))
        .fallback_service(app(GuardedRouter::new()
            .route("/last", get(read))
            .fallback(open)));
    for (path, status) in [
        ("/plain", 200),
        ("/a/b/c/read", 401),
        ("/a/b/c/secret", 404),
        ("/a/b/c/nowhere", 404),
        ("/a/7/read", 401),
        ("/a/7/secret", 404),
        ("/last", 401),
        ("/nowhere", 200),
    ] {
        let response = outer.clone().oneshot(nobody(Method::GET, path)).await;
        assert_eq!(response.unwrap().status(), status, "{path}");
    }
}

/// The sources of axum, as cargo resolved them.
fn axum_sources() -> PathBuf {
    let packages = metadata()["packages"].as_array().expect("packages").iter();
    let mut axum = packages.filter(|package| {
        let version = package["version"].as_str().expect("a version");
        package["name"] == "axum" && version.starts_with("0.8.")
    });
    let manifest = axum.next().expect("axum 0.8")["manifest_path"].clone();
    let manifest = PathBuf::from(manifest.as_str().expect("a path"));
    manifest.parent().expect("a folder").join("src/routing")
}

/// Returns the public methods in the blocks that begin with `impl…TYPE`.
fn methods_of(source: &str, name: &str) -> BTreeSet<String> {
    let is_impl = |line: &str| {
        let generics = line
            .strip_prefix("impl")
            .map(|rest| rest.trim_start_matches(['<', '>', 'S', 'E', ',', ' ']));
        let rest = generics.and_then(|rest| rest.strip_prefix(name));
        rest.is_some_and(|rest| rest.starts_with(['<', ' ', '\n']) && !line.contains(" for "))
    };
    let mut inside = false;
    let mut methods = BTreeSet::new();
    for line in source.lines() {
        if !line.starts_with(' ') {
            inside = is_impl(line) || inside && line != "}";
        }
        let declared = line.strip_prefix("    pub fn ");
        let chained = ["chained_handler_fn!(", "chained_service_fn!("]
            .iter()
            .find_map(|prefix| line.trim_start().strip_prefix(prefix));
        if let (true, Some(rest)) = (inside, declared.or(chained)) {
            let end = rest.find(['<', '(', ',']).expect("a name");
            methods.insert(rest[..end].to_owned());
        }
    }
    methods
}

/// Returns the names of `TYPE::method` in the first cells of the guide's table.
fn documented(name: &str) -> BTreeSet<String> {
    let guide = include_str!("../../../auth-runtime/guide/routers.md");
    let cells = guide.lines().filter_map(|line| {
        let cell = line.strip_prefix("| `")?.split('`').next()?;
        cell.strip_prefix(name)?.strip_prefix("::")
    });
    let names = cells.flat_map(|cell| cell.trim_matches(['{', '}']).split(", "));
    names.map(str::to_owned).collect()
}

#[test]
fn guide_has_each_method_of_axum() {
    let sources = axum_sources();
    for (file, name, few) in [
        ("mod.rs", "Router", 18),
        ("method_routing.rs", "MethodRouter", 28),
    ] {
        let source = fs::read_to_string(sources.join(file)).expect("a file");
        let methods = methods_of(&source, name);
        assert!(methods.len() > few, "{methods:?}");
        assert_eq!(documented(name), methods, "{name}");
    }
}
