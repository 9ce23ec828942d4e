//! The access policies in an OpenAPI document.

mod agreement;
mod errors;
mod hiding;
mod own_schemes;
mod schemes;
mod service;
mod settings;

use std::path::Path;

use auth_runtime::routing::AccessTable;
use auth_runtime::routing::{any, get};
use auth_runtime::{GuardedRouter, ProtectionSpace, public, requires};
use auth_tests::space;
use axum::Router;
use serde_json::{Value, json};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{
    Content, HeaderBuilder, HttpMethod, Info, OpenApi, PathItem, Paths, Ref, RefOr, ResponseBuilder,
};

fn info() -> Info {
    Info::new("Shop", "1")
}

/// A document with these operations, and no other data.
fn document(operations: &[(HttpMethod, &str)]) -> OpenApi {
    let mut paths = Paths::new();
    for (method, path) in operations {
        paths.add_path_operation(path, vec![method.clone()], Operation::new());
    }
    OpenApi::new(info(), paths)
}

fn public(table: &AccessTable, space: &ProtectionSpace, document: OpenApi) -> Value {
    auth_runtime_audit::public_openapi(table, space, document).expect("they are in order")
}

fn internal(table: &AccessTable, space: &ProtectionSpace, document: OpenApi) -> Value {
    auth_runtime_audit::internal_openapi(table, space, document).expect("they are in order")
}

/// Compares `document` with the file `name` in this folder, and writes it to a temporary file.
fn assert_is_file(document: &Value, name: &str) {
    let seen = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let text = serde_json::to_string_pretty(document).expect("JSON");
    std::fs::write(&seen, text + "\n").expect("a file");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("integration/openapi");
    let expected = std::fs::read_to_string(folder.join(name)).expect("the file");
    let expected: Value = serde_json::from_str(&expected).expect("JSON");
    assert!(
        *document == expected,
        "{name} is another one now: compare it with {}",
        seen.display()
    );
}

#[test]
fn operations_have_security_and_denials() {
    let table = service::routes().access_table();
    let document = public(&table, &service::space(), service::written());
    assert_is_file(&document, "public.json");
}

#[test]
fn internal_document_has_hidden_routes() {
    let table = service::routes().access_table();
    let document = internal(&table, &service::space(), service::written());
    assert_is_file(&document, "internal.json");
}

#[test]
fn internal_document_needs_no_input() {
    let table = service::routes().access_table();
    let empty = OpenApi::new(info(), Paths::new());
    let document = internal(&table, &service::space(), empty);
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            operations.push(format!("{} {path}", method.to_uppercase()));
            assert!(operation["security"].is_array(), "{method} {path}");
            assert!(
                operation["x-access"]["policy"].is_string(),
                "{method} {path}"
            );
        }
    }
    operations.sort_unstable();
    assert_eq!(
        operations,
        [
            "DELETE /orders/{id}",
            "GET /backup/{day}/{files}",
            "GET /carts/{id}",
            "GET /files/{rest}",
            "GET /healthz",
            "GET /me",
            "GET /metrics",
            "GET /orders/{id}",
            "GET /reports",
            "GET /statistics",
            "GET /stock/{article}",
            "PATCH /stock/{article}",
            "POST /orders",
            "POST /reports",
            "POST /transfers",
            "PUT /statistics",
        ]
    );
}

#[test]
fn most_specific_route_is_documented() {
    let router: GuardedRouter = GuardedRouter::new()
        .route("/files/{*rest}", get(nothing).put(nothing))
        .route("/files/{id}", get(one))
        .route("/pages/{*rest}", get(one));
    let empty = OpenApi::new(info(), Paths::new());
    let document = internal(&router.access_table(), &space(), empty);
    let paths = document["paths"].as_object().expect("paths");
    let paths: Vec<_> = paths.keys().collect();
    assert_eq!(paths, ["/files/{id}", "/pages/{rest}"]);
    let file = &document["paths"]["/files/{id}"];
    assert_eq!(file["get"]["security"], json!([{ "Bearer": ["one"] }]));
    assert_eq!(file["get"]["parameters"][0]["name"], "id");
    assert_eq!(file["put"], json!(null));
    // Unless the document describes the other path.
    let written = self::document(&[(HttpMethod::Get, "/files/{*path}")]);
    let document = internal(&router.access_table(), &space(), written);
    let paths = document["paths"].as_object().expect("paths");
    let mut paths: Vec<_> = paths.keys().collect();
    paths.sort();
    assert_eq!(paths, ["/files/{path}", "/pages/{rest}"]);
    assert_eq!(
        document["paths"]["/files/{path}"]["get"]["security"],
        json!([])
    );
}

#[test]
fn public_document_adds_no_route() {
    let table = service::routes().access_table();
    let document = public(
        &table,
        &service::space(),
        document(&[(HttpMethod::Get, "/me")]),
    );
    let paths: Vec<_> = document["paths"]
        .as_object()
        .expect("paths")
        .keys()
        .collect();
    assert_eq!(paths, ["/me"]);
}

#[requires(scope = "one")]
async fn one() {}

#[requires(scope = "all")]
async fn all() {}

#[requires(scope = "rest")]
async fn rest() {}

#[requires(scope = "below")]
struct Below;

#[public(reason = "there is nothing")]
async fn nothing() {}

#[test]
fn operations_use_the_responding_row() {
    let router: GuardedRouter = GuardedRouter::new()
        .route("/a/{id}", get(one))
        .route("/a/{id}", any(all))
        .route("/files/{*rest}", get(rest))
        .route("/files/list", get(one))
        .route("/braces/{{id}}", get(one))
        .nest_service("/files/below", Below, tower::service_fn(below))
        .nest(
            "/open",
            GuardedRouter::new().merge_unguarded("it is empty", &["/*"], Router::new()),
        )
        .fallback(nothing);
    let table = router.access_table();
    let found = |method: HttpMethod, path: &str| {
        let document = internal(&table, &space(), document(&[(method.clone(), path)]));
        let path = path.replace("{*", "{");
        let method = serde_json::to_value(method).expect("JSON");
        let operation = &document["paths"][&path][method.as_str().expect("a word")];
        match operation["security"].as_array() {
            Some(security) => security[0]["Bearer"][0].clone(),
            None => operation["x-access"]["unguarded_reason"].clone(),
        }
    };
    for (method, path, scope) in [
        (HttpMethod::Get, "/a/{id}", "one"),
        (HttpMethod::Get, "/a/{other_name}", "one"),
        (HttpMethod::Head, "/a/{id}", "one"),
        (HttpMethod::Put, "/a/{id}", "all"),
        (HttpMethod::Get, "/files/{*rest}", "rest"),
        (HttpMethod::Get, "/files/{rest}", "rest"),
        (HttpMethod::Get, "/files/{folder}/{name}", "rest"),
        (HttpMethod::Get, "/files/list", "one"),
        (HttpMethod::Get, "/files/below", "below"),
        (HttpMethod::Get, "/files/below/", "below"),
        (HttpMethod::Delete, "/files/below/{name}", "below"),
        (HttpMethod::Get, "/files/belowground", "rest"),
        (HttpMethod::Get, "/braces/%7Bid%7D", "one"),
        (HttpMethod::Get, "/open/anything", "it is empty"),
    ] {
        assert_eq!(found(method, path), scope, "{path}");
    }
}

async fn below(
    _: axum::extract::Request,
) -> Result<axum::response::Response, std::convert::Infallible> {
    Ok(axum::response::Response::default())
}

#[test]
fn wildcards_match_documented_parameters() {
    let router: GuardedRouter = GuardedRouter::new().route("/files/{*rest}", get(one).put(all));
    let written = document(&[
        (HttpMethod::Get, "/files/{*rest}"),
        (HttpMethod::Put, "/files/{rest}"),
    ]);
    let document = public(&router.access_table(), &space(), written);
    assert_eq!(document["paths"].as_object().expect("paths").len(), 1);
    let item = &document["paths"]["/files/{rest}"];
    assert_eq!(item["get"]["security"], json!([{ "Bearer": ["one"] }]));
    assert_eq!(item["put"]["security"], json!([{ "Bearer": ["all"] }]));
}

#[test]
fn manual_responses_are_completed() {
    let header = |text: &str| {
        let header = HeaderBuilder::new().description(Some(text));
        header.build()
    };
    let shared = Ref::from_response_name("Theirs");
    let mut written = document(&[(HttpMethod::Get, "/")]);
    let item = written.paths.paths.get_mut("/").expect("a path");
    let responses = &mut item.get.as_mut().expect("GET").responses.responses;
    let theirs = ResponseBuilder::new()
        .description("Log in, please.")
        .header("www-authenticate", header("Theirs."))
        .content("application/problem+json", Content::default());
    let silent = ResponseBuilder::new().content("text/plain", Content::default());
    responses.insert("400".to_owned(), RefOr::Ref(shared));
    responses.insert("401".to_owned(), RefOr::T(theirs.build()));
    responses.insert("403".to_owned(), RefOr::T(silent.build()));

    let router: GuardedRouter = GuardedRouter::new().route("/", get(one));
    let document = public(&router.access_table(), &space(), written);
    let responses = &document["paths"]["/"]["get"]["responses"];
    assert_eq!(
        responses["400"],
        json!({ "$ref": "#/components/responses/Theirs" })
    );
    let theirs = json!({
        "description": "Log in, please.",
        "headers": {
            "www-authenticate": { "description": "Theirs.", "schema": { "type": "string" } },
        },
        "content": { "application/problem+json": {} },
    });
    assert_eq!(responses["401"], theirs);
    let forbidden = &responses["403"];
    assert_eq!(
        forbidden["description"],
        "Not allowed: it takes `scope = \"one\"`."
    );
    assert!(forbidden["headers"]["WWW-Authenticate"].is_object());
    assert_eq!(
        forbidden["content"],
        json!({
            "text/plain": {},
            "application/problem+json": {
                "schema": { "$ref": "#/components/schemas/AuthDenial" },
            },
        })
    );
}

#[test]
fn parameter_names_may_differ() {
    let router: GuardedRouter = GuardedRouter::new().route("/a/{id}/{*rest}", get(one).post(all));
    let item = PathItem::new(HttpMethod::Get, Operation::new());
    let mut written = OpenApi::new(info(), Paths::new());
    written
        .paths
        .paths
        .insert("/a/{number}/{*way}".to_owned(), item);
    let document = internal(&router.access_table(), &space(), written);
    let paths = document["paths"].as_object().expect("paths");
    assert_eq!(paths.len(), 1);
    let text = json!({ "type": "string" });
    assert_eq!(
        paths["/a/{number}/{way}"]["post"]["parameters"],
        json!([
            { "name": "number", "in": "path", "required": true, "schema": text },
            {
                "name": "way", "in": "path", "required": true, "schema": text,
                "description": "All that is left of the path, with its slashes.",
            },
        ])
    );
}

#[requires(
    any(
        can("read", on = "Order::{id}"),
        can("list", on = "Customer::v1/{customer}")
    ),
    can = "shop"
)]
async fn on_objects() {}

#[requires(can = "update", on = "Order::{id}", hide_as = 404, hide_unless = can("read"))]
async fn hidden_object() {}

#[test]
fn actions_on_objects_are_extensions() {
    let router: GuardedRouter = GuardedRouter::new()
        .route("/{customer}/orders/{*id}", get(on_objects).put(one))
        .route("/hidden/{id}", get(hidden_object));
    // The document has other names for the parameters.
    let path = "/{id}/orders/{*order}";
    let written = document(&[(HttpMethod::Get, path), (HttpMethod::Put, path)]);
    let document = public(&router.access_table(), &space(), written);
    let item = &document["paths"]["/{id}/orders/{order}"];
    let evaluation = |action: &str, kind: &str, id: &str| json!({ "action": { "name": action }, "resource": { "type": kind, "id": id } });
    assert_eq!(
        item["get"]["x-authorization"],
        json!({ "evaluations": [
            evaluation("read", "Order", "{order}"),
            evaluation("list", "Customer", "v1/{id}"),
            evaluation("shop", "Service", "api"),
        ] })
    );
    let text = item["get"]["responses"]["403"]["description"].as_str();
    let text = text.expect("a text");
    assert!(
        text.contains(r#"can("read", on = "Order::{order}")"#),
        "{text}"
    );
    assert_eq!(item["put"].get("x-authorization"), None);

    // The exception of a hidden operation is not required.
    let empty = OpenApi::new(info(), Paths::new());
    let document = internal(&router.access_table(), &space(), empty);
    assert_eq!(
        document["paths"]["/hidden/{id}"]["get"]["x-authorization"],
        json!({ "evaluations": [evaluation("update", "Order", "{id}")] })
    );
}
