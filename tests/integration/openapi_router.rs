//! Routes and their OpenAPI operations in one call, and typed paths.

mod after;
mod before;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use auth_runtime::testing::with_identity;
use auth_runtime::{Caller, Guard, GuardedRouter, Identity, ProtectionSpace, SpaceError, requires};
use auth_runtime_axum_extra::RouterExt as _;
use auth_runtime_utoipa::{RouterExt as _, routes};
use auth_tests::space;
use axum::body::Body;
use axum::extract::Request;
use axum_extra::routing::TypedPath;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower::ServiceExt;
use utoipa::ToSchema;
use utoipa::openapi::{Info, OpenApi, Paths};

#[derive(Clone, Serialize, Deserialize, ToSchema)]
struct Label {
    name: String,
    color: String,
}

#[derive(Clone, Default)]
struct Forge {
    labels: Arc<Mutex<Vec<Label>>>,
}

fn empty() -> OpenApi {
    OpenApi::new(Info::new("forge", "1"), Paths::new())
}

fn guarded() -> GuardedRouter<Forge> {
    GuardedRouter::new().nest("/repos/{repo}", after::routes())
}

fn json_of(document: &OpenApi) -> Value {
    serde_json::to_value(document).expect("JSON")
}

/// The twin of a service on `OpenApiRouter` differs in a few lines, apart from the attributes.
#[test]
fn few_lines_of_a_route_file_change() {
    let before = include_str!("openapi_router/before.rs");
    let after = include_str!("openapi_router/after.rs");
    let is_code = |line: &&str| !line.starts_with("#[requires") && !line.starts_with("//!");
    let mut missing: BTreeMap<&str, usize> = BTreeMap::new();
    for line in before.lines().filter(is_code) {
        *missing.entry(line).or_default() += 1;
    }
    let changed = after.lines().filter(is_code).filter(|line| {
        let count = missing.get_mut(line).filter(|count| **count > 0);
        count.map(|count| *count -= 1).is_none()
    });
    assert_eq!(changed.count(), 4);
}

#[test]
fn the_document_has_the_same_operations() {
    let plain = utoipa_axum::router::OpenApiRouter::with_openapi(empty())
        .nest("/repos/{repo}", before::routes());
    let plain = json_of(&plain.into_openapi());
    let ours = json_of(&guarded().openapi(empty()));
    assert_eq!(ours["paths"], plain["paths"]);
    assert_eq!(
        ours["components"]["schemas"],
        plain["components"]["schemas"]
    );
}

#[test]
fn the_document_has_the_policies() {
    let space = space_with_names();
    let public = json_of(
        &guarded()
            .public_openapi(&space, empty())
            .expect("a document"),
    );
    let labels = &public["paths"]["/repos/{repo}/labels"];
    let security = json!([{ "access_token": ["repo:read"] }]);
    assert_eq!(labels["get"]["security"], security);
    let statuses = labels["get"]["responses"].as_object().expect("responses");
    let statuses: Vec<_> = statuses.keys().map(String::as_str).collect();
    assert_eq!(statuses, ["200", "400", "401", "403", "503"]);
    let schemes = &public["components"]["securitySchemes"];
    let names: Vec<_> = schemes.as_object().expect("schemes").keys().collect();
    assert_eq!(names, ["access_token"]);
    let hidden = "/repos/{repo}/labels/{label}";
    assert!(public["paths"].get(hidden).is_none());
    let internal = json_of(
        &guarded()
            .internal_openapi(&space, empty())
            .expect("a document"),
    );
    assert!(internal["paths"].get(hidden).is_some());
}

fn bearer() -> auth_runtime::schemes::Bearer {
    auth_runtime::schemes::Bearer::new(async |_| Caller::rejected())
}

fn space_with_names() -> ProtectionSpace {
    let builder = ProtectionSpace::builder().realm("forge").scheme(bearer());
    let builder = builder.openapi_name("bearer", "access_token");
    builder.build().expect("a space")
}

#[test]
fn names_of_schemes_are_checked() {
    let basic = || auth_runtime::schemes::Basic::new(async |_, _| Caller::rejected());
    let build = |scheme: &str, name: &str| {
        let builder = ProtectionSpace::builder().realm("forge").scheme(bearer());
        let builder = builder.scheme(basic()).openapi_name(scheme, name);
        builder.build().err()
    };
    let invalid = |name: &str| Some(SpaceError::OpenApiName(name.to_owned()));
    for (scheme, name, error) in [
        ("Bearer", "access_token", None),
        ("Bearer", "Bearer", None),
        ("Bearer", "", invalid("")),
        ("Bearer", "access token", invalid("access token")),
        ("Bearer", "Basic", invalid("Basic")),
        (
            "Cookie",
            "x",
            Some(SpaceError::UnknownScheme("Cookie".to_owned())),
        ),
    ] {
        assert_eq!(build(scheme, name), error, "{scheme} {name:?}");
    }
}

async fn status(
    app: &auth_runtime::ProtectedRouter,
    method: Method,
    path: &str,
    scope: &str,
) -> u16 {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::empty()).expect("a request");
    let request = with_identity(request, Identity::new("ann").with_scopes([scope]));
    let response = app.clone().oneshot(request).await.expect("infallible");
    response.status().as_u16()
}

#[tokio::test]
async fn routes_are_guarded() {
    let router = guarded().with_state(Forge::default());
    let app = router.protect(space()).expect("protected");
    for (method, path, scope, expected) in [
        (Method::GET, "/repos/a/labels", "repo:read", 200),
        (Method::HEAD, "/repos/a/labels", "repo:read", 200),
        (Method::GET, "/repos/a/labels", "other", 403),
        (Method::POST, "/repos/a/labels", "repo:read", 403),
        (Method::PUT, "/repos/a/labels", "repo:read", 405),
        (Method::DELETE, "/repos/a/labels/bug", "repo:write", 404),
    ] {
        let found = status(&app, method.clone(), path, scope).await;
        assert_eq!(found, expected, "{method} {path} {scope}");
    }
}

/// A handler has the path of its own attribute, also beside handlers of other paths.
#[tokio::test]
async fn each_handler_has_its_own_path() {
    #[requires(scope = "read")]
    #[utoipa::path(method(get, post), path = "")]
    async fn root() {}

    #[requires(scope = "read")]
    #[utoipa::path(get, path = "/files/{*path}", params(("path" = String, Path)))]
    async fn file() {}

    let router: GuardedRouter = GuardedRouter::new().routes(routes!(root, file));
    let app = router.clone().protect(space()).expect("protected");
    for (method, path, expected) in [
        (Method::GET, "/", 200),
        (Method::POST, "/", 200),
        (Method::PUT, "/", 405),
        (Method::GET, "/files/a/b", 200),
        (Method::POST, "/files/a/b", 405),
    ] {
        let found = status(&app, method.clone(), path, "read").await;
        assert_eq!(found, expected, "{method} {path}");
    }
    let document = router.public_openapi(&space_with_names(), empty());
    let document = json_of(&document.expect("a document"));
    let paths: Vec<_> = document["paths"]
        .as_object()
        .expect("paths")
        .keys()
        .collect();
    assert_eq!(paths, ["/", "/files/{path}"]);
}

#[tokio::test]
async fn typed_paths_are_routed() {
    #[derive(TypedPath, Deserialize)]
    #[typed_path("/orders/{id}")]
    struct Order {
        id: u64,
    }

    #[requires(scope = "read")]
    async fn show(Order { id }: Order) -> Result<String, StatusCode> {
        (id == 7)
            .then(|| "seven".to_owned())
            .ok_or(StatusCode::NOT_FOUND)
    }

    #[requires(scope = "write", hide_as = 404, hide_unless = scope("read"))]
    async fn cancel(guard: Guard, Order { id }: Order) -> String {
        format!("{} {id}", guard.identity().subject())
    }

    let router: GuardedRouter = GuardedRouter::new().typed_get(show).typed_delete(cancel);
    let app = router.protect(space()).expect("protected");
    for (method, path, scope, expected) in [
        (Method::GET, "/orders/7", "read", 200),
        (Method::GET, "/orders/x", "read", 400),
        (Method::GET, "/orders/x", "other", 404),
        (Method::DELETE, "/orders/7", "write", 200),
        (Method::DELETE, "/orders/7", "read", 403),
        (Method::POST, "/orders/7", "read", 404),
    ] {
        let found = status(&app, method.clone(), path, scope).await;
        assert_eq!(found, expected, "{method} {path} {scope}");
    }
}
