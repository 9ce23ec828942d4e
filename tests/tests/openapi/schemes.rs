//! What depends on the protection space.

use auth_runtime::{DenialBody, ProtectedResource, UnknownPaths};
use auth_tests::space_builder;

use super::*;

#[requires(scope = "see", hide_as = 404)]
async fn hidden() {}

fn shown() -> (AccessTable, OpenApi) {
    let router: GuardedRouter = GuardedRouter::new().route("/", get(one));
    (router.access_table(), document(&[(HttpMethod::Get, "/")]))
}

#[test]
fn the_document_says_where_tokens_come_from_if_the_space_does() {
    let resource = ProtectedResource::builder("https://api.example")
        .authorization_server("https://issuer.example")
        .build()
        .expect("a resource");
    let space = space_builder().resource(resource).build();
    let (table, written) = shown();
    let document = public(&table, &space.expect("the space is in order"), written);
    assert_eq!(
        document["components"]["securitySchemes"],
        json!({
            "Bearer": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "Where tokens come from is said at \
                    <https://api.example/.well-known/oauth-protected-resource> (RFC 9728).",
            },
        })
    );
}

#[test]
fn bodies_of_the_services_own_are_not_described() {
    let space = space_builder()
        .render(|_, _| DenialBody::default())
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
fn anonymous_callers_are_challenged_on_hidden_paths_if_they_are_on_unknown_ones() {
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
        "Credentials are missing or were rejected, as on a path that was never there."
    );
    assert_eq!(
        told(UnknownPaths::NotFound),
        "Credentials were rejected, as on a path that was never there."
    );
}

#[test]
fn a_document_without_guarded_operations_gets_no_components() {
    let router: GuardedRouter = GuardedRouter::new().route("/", get(nothing));
    let document = public(
        &router.access_table(),
        &space(),
        document(&[(HttpMethod::Get, "/")]),
    );
    assert_eq!(document.get("components"), None);
}
