//! The parts of a document that depend on the protection space.

use auth_runtime::decision::DenialBody;
use auth_runtime::resource::ProtectedResource;
use auth_runtime::schemes::ApiKeys;
use auth_runtime::{Identity, UnknownPaths};
use auth_tests::space_builder;
use http::HeaderValue;

use super::*;

#[requires(scope = "see", hide_as = 404)]
async fn hidden() {}

fn keys() -> ApiKeys {
    let keys = ApiKeys::builder().key("a key that nobody knows", Identity::new("ann"));
    keys.build().expect("keys")
}

fn shown() -> (AccessTable, OpenApi) {
    let router: GuardedRouter = GuardedRouter::new().route("/", get(one));
    (router.access_table(), document(&[(HttpMethod::Get, "/")]))
}

#[test]
fn document_names_the_authorization_server() {
    let resource = ProtectedResource::builder("https://api.example")
        .authorization_server("https://issuer.example")
        .build()
        .expect("a resource");
    let space = space_builder().scheme(keys()).resource(resource).build();
    let (table, written) = shown();
    let document = public(&table, &space.expect("the space is in order"), written);
    assert_eq!(
        document["components"]["securitySchemes"],
        json!({
            "ApiKey": { "type": "apiKey", "in": "header", "name": "x-api-key" },
            "Bearer": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "The authorization servers are listed at \
                                <https://api.example/.well-known/oauth-protected-resource> (RFC \
                                9728).",
            },
        })
    );
}

#[test]
fn an_optional_identity_needs_no_credentials() {
    #[public(reason = "for all", identity = optional)]
    async fn greet() {}

    let router: GuardedRouter = GuardedRouter::new().route("/", get(greet));
    let space = space_builder().scheme(keys()).build();
    let space = space.expect("the space is in order");
    let written = document(&[(HttpMethod::Get, "/")]);
    let document = public(&router.access_table(), &space, written);
    let operation = &document["paths"]["/"]["get"];
    let either = json!([{ "Bearer": [] }, { "ApiKey": [] }, {}]);
    assert_eq!(operation["security"], either);
    let responses = operation["responses"].as_object().expect("responses");
    let statuses: Vec<_> = responses.keys().collect();
    assert_eq!(statuses, ["400", "401", "503"]);
}

#[test]
fn own_bodies_are_not_described() {
    let space = space_builder()
        .render(|_, _| DenialBody::new(HeaderValue::from_static("text/plain"), ""))
        .build()
        .expect("the space is in order");
    let (table, written) = shown();
    let document = public(&table, &space, written);
    let text = document.to_string();
    assert!(
        !text.contains("problem+json") && !text.contains("AuthDenial"),
        "{text}"
    );
    let responses = document["paths"]["/"]["get"]["responses"].as_object();
    let statuses: Vec<_> = responses.expect("responses").keys().collect();
    assert_eq!(statuses, ["400", "401", "403", "503"]);
}

#[test]
fn manual_denials_stay() {
    let (table, mut written) = shown();
    let components = written.components.get_or_insert_default();
    let body = RefOr::Ref(Ref::from_schema_name("Theirs"));
    components.schemas.insert("AuthDenial".to_owned(), body);
    let response = RefOr::Ref(Ref::from_response_name("Theirs"));
    components
        .responses
        .insert("AuthUnauthorized".to_owned(), response);
    let document = public(&table, &space(), written);
    let components = &document["components"];
    assert_eq!(
        components["schemas"]["AuthDenial"],
        json!({ "$ref": "#/components/schemas/Theirs" })
    );
    assert_eq!(
        components["responses"]["AuthUnauthorized"],
        json!({ "$ref": "#/components/responses/Theirs" })
    );
}

#[test]
fn oauth_403_has_a_challenge() {
    let has_field = |space: &ProtectionSpace| {
        let (table, written) = shown();
        let document = public(&table, space, written);
        let responses = &document["paths"]["/"]["get"]["responses"];
        responses["403"]["headers"]["WWW-Authenticate"].is_object()
    };
    let of_keys = ProtectionSpace::builder().realm("shop").scheme(keys());
    let of_keys = of_keys.build().expect("the space is in order");
    assert!(!has_field(&of_keys));
    assert!(has_field(&space()));
}

#[test]
fn unbindable_scheme_is_403() {
    #[requires(any(sender_constrained, network = "192.0.2.0/24"))]
    async fn bound_or_near() {}

    let router: GuardedRouter = GuardedRouter::new().route("/", get(bound_or_near));
    let statuses = |space: &ProtectionSpace| {
        let written = document(&[(HttpMethod::Get, "/")]);
        let document = public(&router.access_table(), space, written);
        let responses = document["paths"]["/"]["get"]["responses"].as_object();
        let responses = responses.expect("responses");
        responses.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(statuses(&space()), ["400", "403"]);
    assert_eq!(statuses(&service::space()), ["400", "401", "503"]);
}

#[test]
fn hidden_paths_challenge_like_unknown_ones() {
    let router: GuardedRouter = GuardedRouter::new().route("/", get(hidden));
    let told = |unknown_paths| {
        let space = space_builder().unknown_paths(unknown_paths).build();
        let space = space.expect("the space is in order");
        let document = internal(
            &router.access_table(),
            &space,
            OpenApi::new(info(), Paths::new()),
        );
        document["paths"]["/"]["get"]["responses"]["401"]["description"].clone()
    };
    assert_eq!(
        told(UnknownPaths::Challenge),
        "Credentials are missing or were rejected, as on an unknown path."
    );
    assert_eq!(
        told(UnknownPaths::NotFound),
        "Credentials were rejected, as on an unknown path."
    );
}

#[test]
fn unguarded_documents_get_no_components() {
    let router: GuardedRouter = GuardedRouter::new().route("/", get(nothing));
    let document = public(
        &router.access_table(),
        &space(),
        document(&[(HttpMethod::Get, "/")]),
    );
    assert_eq!(document.get("components"), None);
}
