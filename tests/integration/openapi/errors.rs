//! Documents that contradict the router.

use auth_runtime::Caller;
use auth_runtime::schemes::Basic;
use utoipa::openapi::SecurityRequirement;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, OAuth2, SecurityScheme,
};

use super::*;

pub(super) fn error(router: &GuardedRouter, space: &ProtectionSpace, document: OpenApi) -> String {
    let table = router.access_table();
    let public = auth_runtime_audit::public_openapi(&table, space, document.clone());
    let public = public.expect_err("it is refused").to_string();
    let internal = auth_runtime_audit::internal_openapi(&table, space, document).err();
    assert_eq!(internal.expect("it is refused").to_string(), public);
    public
}

#[test]
fn operation_without_route_is_an_error() {
    let router: GuardedRouter = GuardedRouter::new()
        .route("/a", get(one).put(all))
        .route("/b/{id}", get(one))
        .route("/c/{*rest}", get(one))
        .fallback(nothing);
    let document = document(&[
        (HttpMethod::Get, "/a"),
        (HttpMethod::Post, "/a"),
        (HttpMethod::Get, "/b"),
        (HttpMethod::Get, "/b/{id}"),
        (HttpMethod::Get, "/b/new"),
        (HttpMethod::Head, "/b/{id}"),
        (HttpMethod::Get, "/c/"),
        (HttpMethod::Get, "/c/d"),
        (HttpMethod::Patch, "/c/d"),
    ]);
    assert_eq!(
        error(&router, &space(), document),
        "`POST /a` is documented, and the router has that path for `GET`, `PUT` only\n\
         `GET /b` is documented, and the router has no such path\n\
         `GET /b/new` is documented, and the router has no such path\n\
         `GET /c/` is documented, and the router has no such path\n\
         `PATCH /c/d` is documented, and the router has that path for `GET` only"
    );
}

/// In OpenAPI 3.0, the list of a requirement is empty for schemes other than `oauth2` and `openIdConnect`, and
/// `mutualTLS` is not the type of a scheme (§4.8.30.1 and §4.8.27.1 of 3.0.3).
#[test]
fn versions_before_3_1_are_errors() {
    let router: GuardedRouter = GuardedRouter::new().route("/a", get(one));
    let write = |version: Value| {
        let document = json!({ "openapi": version, "paths": { "/a": { "get": {} } } });
        let written =
            auth_runtime_audit::public_openapi(&router.access_table(), &space(), document);
        written.map_err(|error| error.to_string())
    };
    for version in ["3.1.0", "3.1.1", "3.2.0", "3.10.0", "3.1"] {
        write(json!(version)).expect("it is in order");
    }
    for version in ["3.0.3", "3.0", "2.0", "4.0.0", "3", "3.x", "13.1.0"] {
        assert_eq!(
            write(json!(version)).expect_err("it is refused"),
            format!(
                "the document has version `{version}` of OpenAPI, and `security` with the scopes of any scheme \
                 needs 3.1 or later; convert it to 3.1"
            )
        );
    }
    for version in [json!(3.1), Value::Null] {
        assert_eq!(
            write(version).expect_err("it is refused"),
            "the document does not have its version in `openapi`, and `security` with the scopes of any scheme \
             needs 3.1 or later; convert it to 3.1"
        );
    }
    let document = json!({ "openapi": "3.0.0", "paths": { "/b": { "get": {} } } });
    let written = auth_runtime_audit::internal_openapi(&router.access_table(), &space(), document);
    let all = written.expect_err("it is refused").to_string();
    assert_eq!(all.lines().count(), 2, "{all}");
}

/// A `main` that returns the error prints it in this way.
#[test]
fn debug_of_errors_is_their_text() {
    let empty: GuardedRouter = GuardedRouter::new();
    let written = document(&[(HttpMethod::Get, "/a"), (HttpMethod::Get, "/b")]);
    let refused = auth_runtime_audit::public_openapi(&empty.access_table(), &space(), written);
    assert_eq!(
        format!("{:?}", refused.expect_err("it is refused")),
        "`GET /a` is documented, and the router has no such path\n\
         `GET /b` is documented, and the router has no such path"
    );
}

#[test]
fn document_of_another_shape_is_error() {
    let table = GuardedRouter::<()>::new().access_table();
    let error = |document: Value| {
        let written = auth_runtime_audit::public_openapi(&table, &space(), document);
        written.expect_err("it is refused").to_string()
    };
    let refused = "the document is not written as a JSON object: another value";
    assert_eq!(error(json!([])), refused);
    assert_eq!(error(json!("openapi: 3.1.0")), refused);

    // Parts of another shape are replaced.
    let written = json!({ "openapi": "3.1.0", "paths": [], "components": null });
    assert_eq!(
        auth_runtime_audit::public_openapi(&table, &space(), written).expect("in order"),
        json!({ "openapi": "3.1.0", "paths": {} })
    );
}

/// The parts of a document that the writer does not know stay, as those of other libraries.
#[test]
fn document_of_any_library() {
    let router: GuardedRouter = GuardedRouter::new().route("/a", get(one));
    let schema = json!({ "if": { "minimum": 3 }, "then": { "multipleOf": 2 } });
    let written = json!({
        "openapi": "3.1.0",
        "info": { "title": "shop", "version": "1" },
        "paths": { "/a": {
            "summary": "A path.",
            "x-own": { "security": "ours" },
            "get": { "x-own": 1, "responses": { "401": { "description": "", "links": {} } } },
        } },
        "components": { "schemas": { "Even": schema } },
    });
    let document = auth_runtime_audit::public_openapi(&router.access_table(), &space(), &written);
    let document = document.expect("in order");
    assert_eq!(document["components"]["schemas"]["Even"], schema);
    let item = &document["paths"]["/a"];
    assert_eq!(item["summary"], "A path.");
    assert_eq!(item["x-own"], json!({ "security": "ours" }));
    assert_eq!(item["get"]["x-own"], 1);
    let denied = &item["get"]["responses"]["401"];
    assert_eq!(denied["links"], json!({}));
    assert_eq!(
        denied["description"],
        "Credentials are missing or were rejected."
    );
}

/// Adds the routes of an unguarded router.
fn beside_an_unguarded_router(routes: GuardedRouter) -> GuardedRouter {
    routes.merge_unguarded("asks by itself", &["/*"], Router::new())
}

#[requires(scope = "see", hide_as = 404)]
async fn statistics() {}

#[test]
fn routes_precede_unguarded_routers() {
    let router = beside_an_unguarded_router(
        GuardedRouter::new()
            .route("/users/{id}", get(one))
            .route("/admin", get(statistics))
            .route("/{org}/files/{*rest}", get(one)),
    );
    let written = document(&[
        // The path is one of those of `/users/{id}`.
        (HttpMethod::Get, "/users/me"),
        // The path has no route.
        (HttpMethod::Post, "/admin"),
        (HttpMethod::Get, "/acme/files/logo"),
        // The unguarded router may have these routes.
        (HttpMethod::Get, "/users"),
        (HttpMethod::Put, "/users/{id}"),
        (HttpMethod::Get, "/users/me/keys"),
    ]);
    assert_eq!(
        error(&router, &space(), written),
        "`GET /acme/files/logo` is documented, and the router has no such path\n\
         `POST /admin` is documented, and the router has that path for `GET` only\n\
         `GET /users/me` is documented, and the router has no such path"
    );
}

/// The paths of an unguarded router are those that are listed: with a parameter, with a wildcard, or alone. Of
/// these, a document has the route and not one of its paths.
#[test]
fn listed_paths_of_unguarded_routers() {
    let listed = &[
        "/metrics",
        "/odd*",
        "/users/{id}",
        "/files/{*rest}",
        "/ops/*",
    ];
    let router = GuardedRouter::new().merge_unguarded("asks by itself", listed, Router::new());
    let paths = [
        "/metrics",
        "/odd*",
        "/users/{id}",
        "/files/{rest}",
        "/ops",
        "/ops/a/b",
    ];
    let documented = document(&paths.map(|path| (HttpMethod::Get, path)));
    let table = router.access_table();
    let written = public(&table, &space(), documented);
    let written: Vec<_> = written["paths"]
        .as_object()
        .expect("paths")
        .keys()
        .collect();
    let mut sorted = paths.to_vec();
    sorted.sort_unstable();
    assert_eq!(written, sorted);
    let others = [
        "/files",
        "/metric",
        "/metrics/a",
        "/odd",
        "/odd*/a",
        "/odder",
        "/op",
        "/users",
        "/users/me",
        "/users/me/keys",
    ];
    let said = error(
        &router,
        &space(),
        document(&others.map(|path| (HttpMethod::Get, path))),
    );
    let expected =
        others.map(|path| format!("`GET {path}` is documented, and the router has no such path"));
    assert_eq!(said, expected.join("\n"));
}

#[test]
fn routes_precede_wildcards() {
    let router: GuardedRouter = GuardedRouter::new()
        .route("/users/{id}", get(statistics))
        .route("/users/{*rest}", get(nothing));
    let written = document(&[
        (HttpMethod::Get, "/users/me"),
        (HttpMethod::Get, "/users/me/keys"),
    ]);
    assert_eq!(
        error(&router, &space(), written),
        "`GET /users/me` is documented, and the router has no such path"
    );
}

#[test]
fn hidden_operation_without_prefix_is_error() {
    let admin = GuardedRouter::new().route("/statistics", get(statistics));
    let router = beside_an_unguarded_router(GuardedRouter::new().nest("/admin", admin));
    let named = |id: &str| {
        let mut written = document(&[(HttpMethod::Get, "/statistics")]);
        let item = written.paths.paths.get_mut("/statistics").expect("a path");
        item.get.as_mut().expect("GET").operation_id = Some(id.to_owned());
        written
    };
    assert_eq!(
        error(&router, &space(), named("statistics")),
        "`GET /statistics` is named as `integration::openapi::errors::statistics`, which is \
         hidden on another path; write its path as the router has it, or name it otherwise by \
         `operation_id`"
    );
    public(&router.access_table(), &space(), named("weather"));
}

#[test]
fn ambiguous_paths_are_an_error() {
    let router: GuardedRouter = GuardedRouter::new()
        .route("/files/{id}", get(one))
        .route("/files/{*rest}", get(one));
    let written = document(&[
        (HttpMethod::Get, "/files/{id}"),
        (HttpMethod::Get, "/files/{*rest}"),
    ]);
    assert_eq!(
        error(&router, &space(), written),
        "`/files/{*rest}` and `/files/{id}` are one path for OpenAPI, which has no wildcards; \
         document one of them"
    );
}

#[test]
fn referenced_path_is_an_error() {
    let router: GuardedRouter = GuardedRouter::new().route("/a", get(one));
    let mut written = document(&[]);
    let mut item = PathItem::default();
    item.ref_path = Some("#/components/pathItems/A".to_owned());
    written.paths.paths.insert("/a".to_owned(), item.clone());
    assert_eq!(
        auth_runtime_audit::public_openapi(&router.access_table(), &space(), written)
            .expect_err("it is refused")
            .to_string(),
        "the path `/a` is a reference, which may contain hidden operations; write its operations \
         in place of the reference"
    );
}

/// A document with `security` that was written by hand.
fn secured(method: HttpMethod, path: &str, security: &[SecurityRequirement]) -> OpenApi {
    let mut operation = Operation::new();
    operation.security = Some(security.to_vec());
    let mut paths = Paths::new();
    paths.add_path_operation(path, vec![method], operation);
    OpenApi::new(info(), paths)
}

#[requires(any(scope = "a", all(scope = "b", scope = "c")))]
async fn alternatives() {}

#[test]
fn contradicting_security_is_an_error() {
    let router: GuardedRouter = GuardedRouter::new()
        .route("/", get(alternatives))
        .route("/public", get(nothing));
    let bearer = |scopes: &[&str]| SecurityRequirement::new("Bearer", scopes.to_vec());
    let refused = [
        vec![],
        vec![bearer(&[])],
        vec![bearer(&["a"])],
        vec![bearer(&["a"]), bearer(&["b"])],
        vec![
            bearer(&["a"]),
            bearer(&["b", "c"]),
            SecurityRequirement::default(),
        ],
    ];
    for security in refused {
        let said = error(&router, &space(), secured(HttpMethod::Get, "/", &security));
        let expected = format!(
            "`GET /` is documented with the `security` {}, and its policy yields \
             [{{\"Bearer\":[\"a\"]}},{{\"Bearer\":[\"b\",\"c\"]}}]; remove `security`, which is \
             generated from the policy",
            json!(security),
        );
        assert_eq!(said, expected);
    }
    let said = error(
        &router,
        &space(),
        secured(HttpMethod::Get, "/public", &[bearer(&[])]),
    );
    assert!(said.contains("its policy yields []"), "{said}");
}

#[test]
fn manual_security_in_any_order() {
    let router: GuardedRouter = GuardedRouter::new().route("/", get(alternatives));
    let written = [
        SecurityRequirement::new("Bearer", ["c", "b"]),
        SecurityRequirement::new("Bearer", ["a"]),
    ];
    let written = secured(HttpMethod::Get, "/", &written);
    let document = public(&router.access_table(), &space(), written);
    assert_eq!(
        document["paths"]["/"]["get"]["security"],
        json!([{ "Bearer": ["a"] }, { "Bearer": ["b", "c"] }])
    );
}

#[requires(sender_constrained)]
async fn bound() {}

#[requires(any(sender_constrained, network = "192.0.2.0/24"))]
async fn bound_or_near() {}

#[requires(schemes(Digest), authenticated)]
async fn by_digest() {}

#[test]
fn uncallable_operation_is_an_error() {
    let router: GuardedRouter = GuardedRouter::new()
        .route("/bound", get(bound))
        .route("/near", get(bound_or_near))
        .route("/digest", get(by_digest));
    let document = document(&[
        (HttpMethod::Get, "/bound"),
        (HttpMethod::Get, "/near"),
        (HttpMethod::Get, "/digest"),
    ]);
    assert_eq!(
        error(&router, &space(), document),
        "`GET /bound` cannot be called: no scheme of the protection space can meet the policy of \
         `integration::openapi::errors::bound`\n`GET /digest` cannot be called: no scheme of the \
         protection space can meet the policy of `integration::openapi::errors::by_digest`"
    );
}

/// A document with one operation, and a security scheme that was written by hand.
pub(super) fn described(name: &str, scheme: SecurityScheme) -> OpenApi {
    let mut document = document(&[(HttpMethod::Get, "/")]);
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(name, scheme);
    document
}

#[test]
fn matching_manual_scheme_stays() {
    let basic = Basic::new(async |_, _| Caller::rejected());
    let space = auth_tests::space_builder().scheme(basic).build();
    let space = space.expect("the space is in order");
    let router: GuardedRouter = GuardedRouter::new().route("/", get(one));
    let http = |scheme| SecurityScheme::Http(Http::new(scheme));
    let header = |name: &str| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(name)));
    let oauth = || SecurityScheme::OAuth2(OAuth2::with_description([], "ask at the desk"));

    for (name, written) in [
        ("Bearer", oauth()),
        ("Bearer", http(HttpAuthScheme::Bearer)),
        ("Basic", http(HttpAuthScheme::Basic)),
        ("Basic", header("authorization")),
        // The scheme is not required by any operation, so it does not mislead.
        ("Digest", http(HttpAuthScheme::Digest)),
    ] {
        let document = described(name, written.clone());
        let document = public(&router.access_table(), &space, document);
        let kept = &document["components"]["securitySchemes"][name];
        assert_eq!(*kept, json!(written), "{name}");
    }
    for (name, written) in [
        ("Basic", oauth()),
        ("Basic", http(HttpAuthScheme::Digest)),
        ("Bearer", header("x-token")),
        (
            "Bearer",
            SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::new("t"))),
        ),
        (
            "Bearer",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("t"))),
        ),
    ] {
        let said = error(&router, &space, described(name, written));
        let expected = format!(
            "the security scheme `{name}` of the document differs from that of the protection \
             space; remove it, since it is generated from the space"
        );
        assert_eq!(said, expected);
    }
}

#[test]
fn manual_certificate_scheme_is_compared() {
    let router: GuardedRouter = GuardedRouter::new().route("/", get(bound));
    let bearer = auth_runtime::schemes::Bearer::jwt(auth_tests::verifier())
        .client_certificate(auth_runtime::schemes::CertificateSource::connection());
    let space = ProtectionSpace::builder().realm("shop").scheme(bearer);
    let space = space.build().expect("the space is in order");
    let written = described(
        "MutualTLS",
        SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)),
    );
    let said = error(&router, &space, written);
    assert!(
        said.starts_with("the security scheme `MutualTLS`"),
        "{said}"
    );
}
