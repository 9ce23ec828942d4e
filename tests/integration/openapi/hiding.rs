//! Hidden operations stay hidden.

use std::collections::BTreeSet;

use auth_runtime::objects::Resource;
use auth_runtime::schemes::{ApiKeys, Basic, Bearer, SchemeExt};
use auth_runtime::{Caller, CheckRequest, Identity};
use auth_tests::verifier;
use utoipa::openapi::link::Link;
use utoipa::openapi::path::Callback;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{Response, SecurityRequirement, Tag};

use super::*;

#[test]
fn public_document_reveals_nothing() {
    let table = service::routes().access_table();
    let written = service::written();
    let public = auth_runtime_audit::public_openapi(&table, &service::space(), written.clone());
    let public = public.expect("they are in order").to_string();
    let public = public.to_ascii_lowercase();
    let written = written.to_json().expect("JSON").to_ascii_lowercase();
    for word in ["statistics", "margin", "back office", "only the owner sees"] {
        assert!(written.contains(word), "{word} was there");
        assert!(!public.contains(word), "{word} is there");
    }
    for word in ["backup", "x-access", "hidden", "shop is doing"] {
        assert!(!public.contains(word), "{word} is there");
    }
    // Components that visible operations also use are kept, and so are unused ones.
    for word in ["article", "complaint", "event", "parcel", "orders"] {
        assert!(public.contains(word), "{word} is not there");
    }
}

#[test]
fn hidden_paths_keep_public_methods() {
    #[requires(scope = "see", hide_as = 404)]
    async fn hidden() {}

    #[requires(scope = "change")]
    async fn shown() {}

    #[public(reason = "a form to apply for it")]
    async fn apply() {}

    let router: GuardedRouter =
        GuardedRouter::new().route("/secret", get(hidden).put(shown).post(apply));
    let written = document(&[
        (HttpMethod::Get, "/secret"),
        (HttpMethod::Head, "/secret"),
        (HttpMethod::Put, "/secret"),
        (HttpMethod::Post, "/secret"),
    ]);
    let document = public(&router.access_table(), &space(), written);
    let item = document["paths"]["/secret"].as_object().expect("a path");
    assert_eq!(item.keys().collect::<Vec<_>>(), ["post"]);
    assert_eq!(item["post"]["security"], json!([]));
}

#[test]
fn unknown_methods_are_left_out() {
    #[requires(scope = "see", hide_as = 404)]
    async fn hidden() {}

    let router: GuardedRouter = GuardedRouter::new()
        .route("/secret", any(hidden))
        .route("/open", any(all));
    let mut written = document(&[]);
    for path in ["/secret", "/open"] {
        let mut item = PathItem::default();
        let purge = ("PURGE".to_owned(), Operation::new());
        item.additional_operations.extend([purge]);
        item.query = Some(Operation::new());
        written.paths.paths.insert(path.to_owned(), item);
    }
    let document = public(&router.access_table(), &space(), written);
    assert_eq!(document["paths"].as_object().expect("paths").len(), 1);
    // A path with a public method keeps its other members.
    let table = GuardedRouter::<()>::new()
        .route("/secret", any(hidden).post(nothing))
        .access_table();
    let item = json!({
        "summary": "A form.",
        "post": { "responses": {} },
        "additionalOperations": { "PURGE": { "responses": {} } },
    });
    let secret = json!({ "openapi": "3.2.0", "paths": { "/secret": item } });
    let secret = auth_runtime_audit::public_openapi(&table, &space(), secret).expect("in order");
    let members = secret["paths"]["/secret"].as_object().expect("a path");
    let members: BTreeSet<&str> = members.keys().map(String::as_str).collect();
    assert_eq!(members, BTreeSet::from(["post", "summary"]));
    let open = &document["paths"]["/open"];
    for operation in [&open["query"], &open["additionalOperations"]["PURGE"]] {
        assert_eq!(operation["security"], json!([{ "Bearer": ["all"] }]));
    }
}

#[test]
fn shared_tags_stay() {
    #[requires(scope = "see", hide_as = 404)]
    async fn hidden() {}

    let mut written = document(&[(HttpMethod::Get, "/secret"), (HttpMethod::Get, "/open")]);
    let tags = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect());
    for (path, names) in [("/secret", ["both", "secret"]), ("/open", ["both", "open"])] {
        let item = written.paths.paths.get_mut(path).expect("a path");
        item.get.as_mut().expect("GET").tags = tags(&names);
    }
    written.tags = Some(
        ["both", "open", "secret", "of nothing"]
            .map(Tag::new)
            .into(),
    );
    let router: GuardedRouter = GuardedRouter::new()
        .route("/secret", get(hidden))
        .route("/open", get(all));
    let document = public(&router.access_table(), &space(), written);
    assert_eq!(
        document["tags"],
        json!([{ "name": "both" }, { "name": "open" }, { "name": "of nothing" }])
    );
}

#[test]
fn links_to_hidden_operations_are_omitted() {
    #[requires(scope = "see", hide_as = 404)]
    async fn hidden() {}

    let link = |by: &str| match by.strip_prefix('#') {
        Some(_) => RefOr::T(Link::builder().operation_ref(by).build()),
        None => RefOr::T(Link::builder().operation_id(by).build()),
    };
    let mut written = document(&[
        (HttpMethod::Get, "/a"),
        (HttpMethod::Get, "/secret/{id}"),
        (HttpMethod::Get, "/b"),
    ]);
    let paths = &mut written.paths.paths;
    let secret = paths.get_mut("/secret/{id}").expect("a path");
    secret.get.as_mut().expect("GET").operation_id = Some("secret".to_owned());
    let mut answer = Response::new("an answer");
    answer.links.extend([
        ("by id".to_owned(), link("secret")),
        ("by place".to_owned(), link("#/paths/~1secret~1{id}/get")),
        (
            "by an encoded place".to_owned(),
            link("#/paths/~1secret~1%7Bnumber%7D/get"),
        ),
        (
            "by name".to_owned(),
            RefOr::Ref(Ref::new("#/components/links/Secret")),
        ),
        ("elsewhere".to_owned(), link("b")),
        ("elsewhere by place".to_owned(), link("#/paths/~1b/get")),
    ]);
    let a = paths.get_mut("/a").expect("a path");
    let responses = &mut a.get.as_mut().expect("GET").responses.responses;
    responses.insert("200".to_owned(), RefOr::T(answer.clone()));
    let components = written.components.get_or_insert_default();
    components.links.extend([
        ("Secret".to_owned(), link("secret")),
        ("Open".to_owned(), link("b")),
    ]);
    let mut item = PathItem::default();
    let mut operation = Operation::new();
    let responses = &mut operation.responses.responses;
    responses.insert("200".to_owned(), RefOr::T(answer.clone()));
    item.post = Some(operation);
    components
        .responses
        .insert("Shared".to_owned(), RefOr::T(answer));
    let back = Callback::from([("{$request.query.url}".to_owned(), RefOr::T(item))]);
    let a = written.paths.paths.get_mut("/a").expect("a path");
    let callbacks = &mut a.get.as_mut().expect("GET").callbacks;
    callbacks.insert("back".to_owned(), RefOr::T(back));

    let router: GuardedRouter = GuardedRouter::new()
        .route("/a", get(one))
        .route("/b", get(one))
        .route("/secret/{id}", get(hidden));
    let document = public(&router.access_table(), &space(), written);
    for response in [
        &document["paths"]["/a"]["get"]["responses"]["200"],
        &document["components"]["responses"]["Shared"],
        &document["paths"]["/a"]["get"]["callbacks"]["back"]["{$request.query.url}"]["post"]["responses"]
            ["200"],
    ] {
        let links = response["links"].as_object().expect("links");
        assert_eq!(
            links.keys().collect::<Vec<_>>(),
            ["elsewhere", "elsewhere by place"]
        );
    }
    let links = document["components"]["links"].as_object();
    let links: Vec<_> = links.expect("links").keys().collect();
    assert_eq!(links, ["Open"]);
    assert!(!document.to_string().contains("secret"), "{document}");
}

#[test]
fn hidden_wildcard_differs_from_a_parameter() {
    #[requires(scope = "see", hide_as = 404)]
    async fn hidden() {}

    let router: GuardedRouter = GuardedRouter::new()
        .route("/files/{id}", get(nothing))
        .route("/files/{*rest}", get(hidden));
    let written = document(&[
        (HttpMethod::Get, "/files/{id}"),
        (HttpMethod::Get, "/files/{*path}"),
    ]);
    let document = public(&router.access_table(), &space(), written);
    let paths: Vec<_> = document["paths"]
        .as_object()
        .expect("paths")
        .keys()
        .collect();
    assert_eq!(paths, ["/files/{id}"]);
}

#[test]
fn schemes_of_hidden_operations_are_omitted() {
    #[requires(schemes("ApiKey"), role = "backup", hide_as = 404)]
    async fn hidden() {}

    #[requires(schemes(Bearer), authenticated)]
    async fn shown() {}

    let router: GuardedRouter = GuardedRouter::new()
        .route("/secret", get(hidden))
        .route("/open", get(shown));
    let written = |paths: &[(HttpMethod, &str)]| {
        let mut written = document(paths);
        let key = |field: &str| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(field)));
        let components = written.components.get_or_insert_default();
        components.add_security_scheme("ApiKey", key("x-api-key"));
        components.add_security_scheme("Other", key("x-other"));
        written
    };
    let schemes = |written: OpenApi| {
        let document = public(&router.access_table(), &service::space(), written);
        let schemes = document["components"]["securitySchemes"].as_object();
        schemes
            .expect("schemes")
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let both = [(HttpMethod::Get, "/secret"), (HttpMethod::Get, "/open")];
    assert!(!schemes(written(&both)).contains(&"ApiKey".to_owned()));
    assert!(schemes(written(&both)).contains(&"Other".to_owned()));
    // A scheme that another operation requires is kept.
    let mut asked = written(&both);
    asked.security = Some(vec![SecurityRequirement::new(
        "ApiKey",
        Vec::<String>::new(),
    )]);
    assert!(schemes(asked).contains(&"ApiKey".to_owned()));
    // A callback keeps it as well.
    let mut called_back = written(&both);
    let mut operation = Operation::new();
    operation.security = Some(vec![SecurityRequirement::new(
        "ApiKey",
        Vec::<String>::new(),
    )]);
    let mut item = PathItem::default();
    item.post = Some(operation);
    let back = Callback::from([("{$request.query.url}".to_owned(), RefOr::T(item))]);
    let open = called_back.paths.paths.get_mut("/open").expect("a path");
    let callbacks = &mut open.get.as_mut().expect("GET").callbacks;
    callbacks.insert("back".to_owned(), RefOr::T(back));
    assert!(schemes(called_back).contains(&"ApiKey".to_owned()));
    // A hidden operation that was not documented has no effect.
    assert!(schemes(written(&both[1..])).contains(&"ApiKey".to_owned()));
}

/// A scheme can be that of an application, which belongs to the scheme of a user.
#[test]
fn applications_of_hidden_operations_are_omitted() {
    #[requires(schemes(Bearer), authenticated, hide_as = 404)]
    async fn hidden() {}

    #[requires(schemes(Basic), authenticated)]
    async fn shown() {}

    let router: GuardedRouter = GuardedRouter::new()
        .route("/secret", get(hidden))
        .route("/open", get(shown));
    let keys = ApiKeys::builder().key("a key that nobody knows", Identity::new("web"));
    let space = ProtectionSpace::builder()
        .realm("shop")
        .scheme(Bearer::jwt(verifier()).with_application(keys.build().expect("keys")))
        .scheme(Basic::new(async |_, _| Caller::rejected()))
        .build()
        .expect("the space is in order");
    let mut written = document(&[(HttpMethod::Get, "/secret"), (HttpMethod::Get, "/open")]);
    let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("x-api-key")));
    let components = written.components.get_or_insert_default();
    components.add_security_scheme("ApiKey", key);
    let document = public(&router.access_table(), &space, written);
    let schemes = document["components"]["securitySchemes"].as_object();
    let schemes: Vec<_> = schemes.expect("schemes").keys().collect();
    assert_eq!(schemes, ["Basic"]);
}

#[test]
fn parent_tags_stay() {
    #[requires(scope = "see", hide_as = 404)]
    async fn hidden() {}

    let mut written = document(&[(HttpMethod::Get, "/secret"), (HttpMethod::Get, "/open")]);
    for (path, tag) in [("/secret", "whole"), ("/open", "part")] {
        let item = written.paths.paths.get_mut(path).expect("a path");
        item.get.as_mut().expect("GET").tags = Some(vec![tag.to_owned()]);
    }
    let mut part = Tag::new("part");
    part.parent = Some("whole".to_owned());
    written.tags = Some(vec![Tag::new("whole"), part]);
    let router: GuardedRouter = GuardedRouter::new()
        .route("/secret", get(hidden))
        .route("/open", get(all));
    let document = public(&router.access_table(), &space(), written);
    let names = document["tags"].as_array().expect("tags").iter();
    let names: Vec<_> = names.map(|tag| tag["name"].clone()).collect();
    assert_eq!(names, ["whole", "part"]);
}

#[test]
fn public_document_omits_checks_and_networks() {
    let table = service::routes().access_table();
    let forbidden = |document: &Value, path: &str| {
        let text = &document["paths"][path]["get"]["responses"]["403"]["description"];
        text.as_str().expect("a text").to_owned()
    };
    let space = service::space();
    let everybody = public(&table, &space, service::written());
    let insiders = internal(&table, &space, service::written());
    for (path, told, inside) in [
        ("/carts/{id}", "check", "check = owns"),
        (
            "/reports",
            "any(role = \"auditor\", all(scope = \"reports\", network))",
            "any(role = \"auditor\", all(scope = \"reports\", network = \"192.0.2.0/24\"))",
        ),
    ] {
        let text = |takes: &str| format!("Not allowed: it takes `{takes}`.");
        assert_eq!(forbidden(&everybody, path), text(told));
        assert_eq!(forbidden(&insiders, path), text(inside));
    }
    let everybody = everybody.to_string();
    for word in ["192.0.2", "owns", "integration::openapi::"] {
        assert!(!everybody.contains(word), "{word} is there");
    }
}

/// The pointer of a link has an escape for `/` and one for `~` (RFC 6901 §3).
#[test]
fn links_by_escaped_places_are_omitted() {
    #[requires(scope = "see", hide_as = 404)]
    async fn hidden() {}

    let table = GuardedRouter::<()>::new()
        .route("/a", get(one))
        .route("/old~1", any(hidden))
        .access_table();
    let links = json!({
        "escaped": { "operationRef": "#/paths/~1old~01/get" },
        "purged": { "operationRef": "#/paths/~1old~01/additionalOperations/PURGE" },
        "shown": { "operationRef": "#/paths/~1a/get" },
    });
    let answer = json!({ "description": "An answer.", "links": links });
    let empty = json!({ "responses": {} });
    let written = json!({
        "openapi": "3.2.0",
        "paths": {
            "/a": { "get": { "responses": { "200": answer } } },
            "/old~1": { "get": empty, "additionalOperations": { "PURGE": empty } },
        },
    });
    let document = auth_runtime_audit::public_openapi(&table, &space(), written);
    let document = document.expect("in order");
    let links = &document["paths"]["/a"]["get"]["responses"]["200"]["links"];
    let links: Vec<_> = links.as_object().expect("links").keys().collect();
    assert_eq!(links, ["shown"]);
}

/// The name of a function is internal, whether it checks the caller or returns the object.
#[test]
fn public_document_omits_functions_of_objects() {
    async fn of_secret_storage(_: CheckRequest<'_>) -> Option<Resource> {
        None
    }
    #[requires(any(
        can("read", on = "Report", resource = of_secret_storage),
        can("list", on = "Report::{id}")
    ))]
    async fn report() {}

    let table = GuardedRouter::<()>::new()
        .route("/reports/{id}", get(report))
        .access_table();
    let text = |document: Value| {
        let text = &document["paths"]["/reports/{id}"]["get"]["responses"]["403"]["description"];
        text.as_str().expect("a text").to_owned()
    };
    let written = || document(&[(HttpMethod::Get, "/reports/{id}")]);
    assert_eq!(
        text(public(&table, &space(), written())),
        "Not allowed: it takes `any(can(\"read\", on = \"Report\"), can(\"list\", on = \
         \"Report::{id}\"))`."
    );
    let inside = text(internal(&table, &space(), written()));
    assert!(inside.contains("resource = of_secret_storage"), "{inside}");
}

/// A component that a webhook uses as well stays.
#[test]
fn components_of_webhooks_stay() {
    #[requires(scope = "see", hide_as = 404)]
    async fn hidden() {}

    let table = GuardedRouter::<()>::new()
        .route("/secret", get(hidden))
        .access_table();
    let both = json!({ "responses": { "200": { "$ref": "#/components/responses/Both" } } });
    let written = json!({
        "openapi": "3.1.0",
        "paths": {
            "/secret": { "get": both },
        },
        "webhooks": { "sent": { "post": both } },
        "components": { "responses": { "Both": { "description": "Both." } } },
    });
    let document = auth_runtime_audit::public_openapi(&table, &space(), written);
    let document = document.expect("in order");
    assert_eq!(document["paths"].get("/secret"), None);
    let both = &document["components"]["responses"]["Both"];
    assert_eq!(both["description"], "Both.");
}
