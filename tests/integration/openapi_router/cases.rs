//! Routes and their OpenAPI operations in one call, for one version of `utoipa`.

mod after;
mod before;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use auth_runtime::{GuardedRouter, requires};
use auth_runtime_utoipa::{RouterExt as _, routes};
use auth_tests::space;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::{Info, OpenApi, Paths};

use super::super::{space_with_names, status};
use super::{utoipa, utoipa_axum};

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

/// The twin of a service on `OpenApiRouter` differs in a few lines, apart from the attributes.
#[test]
fn few_lines_of_route_file_change() {
    let before = include_str!("before.rs");
    let after = include_str!("after.rs");
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
    let plain = serde_json::to_value(plain.into_openapi()).expect("JSON");
    let ours = guarded().openapi(empty()).expect("a document");
    assert_eq!(ours["paths"], plain["paths"]);
    assert_eq!(
        ours["components"]["schemas"],
        plain["components"]["schemas"]
    );
}

#[test]
fn the_document_has_the_policies() {
    let space = space_with_names();
    let public = guarded()
        .public_openapi(&space, empty())
        .expect("a document");
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
    let internal = guarded()
        .internal_openapi(&space, empty())
        .expect("a document");
    assert!(internal["paths"].get(hidden).is_some());
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
    let document = document.expect("a document");
    let paths: Vec<_> = document["paths"]
        .as_object()
        .expect("paths")
        .keys()
        .collect();
    assert_eq!(paths, ["/", "/files/{path}"]);
}

mod shop {
    use super::{Serialize, ToSchema, requires, utoipa};

    #[derive(Serialize, ToSchema)]
    pub struct Order {
        total: u64,
    }

    #[requires(scope = "read")]
    #[utoipa::path(get, path = "/orders", responses((status = 200, body = Order)))]
    pub async fn list() {}
}

mod admin {
    use super::{Serialize, ToSchema, requires, utoipa};

    #[derive(Serialize, ToSchema)]
    pub struct Order {
        margin: u64,
    }

    #[requires(scope = "admin", hide_as = 404)]
    #[utoipa::path(get, path = "/margins", operation_id = "margins", responses((status = 200, body = Order)))]
    pub async fn list() {}

    #[requires(scope = "admin")]
    #[utoipa::path(get, path = "/users")]
    pub async fn users() {}
}

mod users {
    use super::{requires, utoipa};

    #[requires(scope = "admin")]
    #[utoipa::path(get, path = "/users", operation_id = "list")]
    pub async fn list() {}
}

/// The schema of a hidden operation would be published in place of another one.
#[test]
fn different_schemas_need_different_names() {
    let error = "two different schemas are named `Order`; name one of them otherwise, in utoipa by \
                 `#[schema(as = …)]`";
    let both = [
        routes!(shop::list, admin::list),
        routes!(admin::list, shop::list),
    ];
    for routes in both {
        let router: GuardedRouter = GuardedRouter::new().routes(routes);
        let written = router.public_openapi(&space_with_names(), empty());
        assert_eq!(written.expect_err("it is refused").to_string(), error);
        let written = router.openapi(empty());
        assert_eq!(written.expect_err("it is refused").to_string(), error);
    }
    // One of the document itself.
    let router: GuardedRouter = GuardedRouter::new().routes(routes!(shop::list));
    let mut document = serde_json::to_value(empty()).expect("JSON");
    document["components"] = json!({ "schemas": { "Order": { "type": "string" } } });
    let written = router.openapi(&document).expect_err("it is refused");
    assert_eq!(written.to_string(), error);
    // The same schema may be added several times.
    let router: GuardedRouter = GuardedRouter::new()
        .nest("/v1", router.clone())
        .nest("/v2", router);
    let document = router.openapi(empty()).expect("a document");
    assert!(document["components"]["schemas"]["Order"]["properties"]["total"].is_object());
}

/// An identifier names one operation (OpenAPI §4.8.10).
#[test]
fn operations_of_one_name_are_error() {
    let refused = |router: &GuardedRouter| {
        let space = space_with_names();
        let public = router.public_openapi(&space, empty());
        let internal = router.internal_openapi(&space, empty());
        [public, internal].map(|written| written.map_err(|error| error.to_string()).err())
    };
    let orders: GuardedRouter = GuardedRouter::new().routes(routes!(shop::list));
    let error = |number: usize, places: &str| {
        Some(format!(
            "`list` is the `operationId` of {number} operations{places}; name them otherwise, in utoipa by \
             `operation_id`"
        ))
    };
    let both = orders.clone().routes(routes!(users::list));
    let of_both = error(2, ": `GET /orders`, `GET /users`");
    assert_eq!(refused(&both), [of_both.clone(), of_both]);
    let twice = GuardedRouter::new()
        .nest("/v1", orders.clone())
        .nest("/v2", orders.clone());
    let of_twice = error(2, ": `GET /v1/orders`, `GET /v2/orders`");
    assert_eq!(refused(&twice), [of_twice.clone(), of_twice]);
    let many = twice
        .nest("/v3", orders.clone())
        .nest("/v4", orders.clone());
    let of_many = error(
        4,
        ", such as `GET /v1/orders`, `GET /v2/orders`, `GET /v3/orders`",
    );
    assert_eq!(refused(&many), [of_many.clone(), of_many]);
    let distinct = orders.routes(routes!(admin::users));
    assert_eq!(refused(&distinct), [None, None]);
}
