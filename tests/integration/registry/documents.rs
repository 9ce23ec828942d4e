//! The statuses of missing scopes in OpenAPI documents.

use auth_runtime_audit::internal_openapi;

use super::*;

const LACKS_SCOPE: &str = " Or the access token lacks a scope (RFC 6750).";

/// The operations of a document.
fn operations(space: ProtectionSpaceBuilder) -> Value {
    let space = space.build().expect("the space is in order");
    let empty =
        json!({ "openapi": "3.1.0", "info": { "title": "Registry", "version": "1" }, "paths": {} });
    let document = internal_openapi(&routes().access_table(), &space, empty);
    document.expect("the document is in order")["paths"].take()
}

/// Returns whether the 401 of an operation names a missing scope, and whether the operation has a 403.
fn denials(operation: &Value) -> (bool, bool) {
    let responses = &operation["responses"];
    let unauthorized = responses["401"]["description"].as_str();
    let names_scope = unauthorized.is_some_and(|text| text.ends_with(LACKS_SCOPE));
    (names_scope, responses["403"].is_object())
}

#[tokio::test]
async fn missing_scopes_document_the_service_status() {
    let only_tokens = ProtectionSpace::builder()
        .realm("registry")
        .scheme(bearer());
    let only_tokens = operations(only_tokens.decision_point(AccessClaim));
    let beside_keys = operations(space_of(bearer()));
    let without_server = operations(space_of(Bearer::jwt(verifier())));
    let image = "/v2/{namespace}/{image}/manifests/{reference}";
    for (document, path, method, expected) in [
        (&only_tokens, "/v2/", "get", (false, false)),
        (&only_tokens, "/collect", "get", (true, false)),
        (&beside_keys, "/collect", "get", (true, true)),
        (&without_server, "/collect", "get", (false, true)),
        // A name that no repository can have has no scope.
        (&only_tokens, image, "get", (true, true)),
        (&without_server, image, "get", (false, true)),
        // Only callers that may pull receive these responses.
        (
            &only_tokens,
            "/images/{namespace}/{image}",
            "delete",
            (true, true),
        ),
        // The denial is concealed.
        (
            &only_tokens,
            "/secret/{namespace}/{image}",
            "get",
            (false, false),
        ),
    ] {
        let operation = &document[path][method];
        assert_eq!(denials(operation), expected, "{method} {path}: {operation}");
    }

    let puller = granting("ann/web", &["pull"]);
    let no_name = get_of(&app(), "/v2/Ann/Web/manifests/1", Some(&puller)).await;
    assert_eq!(no_name.0, 403);
}
