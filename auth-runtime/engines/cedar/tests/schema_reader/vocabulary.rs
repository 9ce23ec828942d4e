//! The vocabulary of a schema, against the decisions of the engine about the same schema.

use auth_grammar::vocabulary::read_with_schema;
use auth_runtime::objects::DecisionPoint;
use auth_runtime_cedar::Cedar;

const SCHEMA: &str = r#"
    entity Root;
    namespace App {
        entity User, Service, Repository, Issue;
        entity Team enum ["admins"];
        action all;
        action read, "list all" in all appliesTo { principal: User, resource: [Repository, Issue, Root] };
        action close appliesTo { principal: [User, Team], resource: App::Issue };
        action restart appliesTo { principal: User, resource: Service };
        action audit appliesTo { principal: User, resource: [Service, Repository] };
    }
"#;

/// The compiler accepts an action on a type exactly if the engine decides about it.
#[test]
fn actions_match_what_engine_decides_about() {
    let engine = Cedar::builder()
        .schema(SCHEMA)
        .subject_type("App::User")
        .policies("permit (principal, action, resource is App::Repository);")
        .build()
        .expect("it is valid");
    let text = "[cedar]\nschema = \"a.cedarschema\"\n";
    let (vocabulary, mistakes) = read_with_schema(text, &mut |path| {
        assert_eq!(path, "a.cedarschema");
        Ok(SCHEMA.to_owned())
    });
    assert_eq!(mistakes, []);
    let mut accepted = 0;
    for action in [
        "all", "read", "list all", "close", "restart", "audit", "unknown",
    ] {
        for kind in [
            "Service",
            "Root",
            "App::User",
            "App::Team",
            "App::Repository",
            "App::Issue",
            "Repository",
            "Issue",
        ] {
            let is_declared = kind == "Service" || vocabulary.resources.contains_key(kind);
            let declared = vocabulary.actions.get(action);
            let is_accepted =
                is_declared && declared.is_some_and(|own| own.on.iter().any(|own| own == kind));
            assert_eq!(
                is_accepted,
                engine.decides_about(action, kind),
                "{action} {kind}"
            );
            accepted += usize::from(is_accepted);
        }
    }
    assert_eq!(accepted, 3 + 3 + 1 + 1 + 2);
    let groups = vocabulary.schema.expect("it is named").groups;
    assert_eq!(groups.into_iter().collect::<Vec<_>>(), ["all"]);
}
