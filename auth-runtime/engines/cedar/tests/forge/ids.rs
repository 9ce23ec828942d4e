//! Ids that look like code never name anything else.

use auth_runtime::Identity;
use auth_runtime::objects::{
    DecisionPoint, EntitiesFuture, Entity, EntityLoader, EntityUid, Evaluation, EvaluationRequest,
    Resource,
};
use auth_runtime_cedar::Cedar;

use crate::world::reference;

const IDS: [&str; 14] = [
    "ann",
    "ann\"",
    "\"ann\"",
    "ann\", Role::\"admin",
    "User::\"ann\"",
    "ann\" || true || \"",
    "a\\\"b",
    "a\\u{0}b",
    "a\0b",
    "a\nb",
    "a\r\nb",
    "// ann",
    "ａｎｎ é \u{202e}",
    "",
];

const POLICIES: &str = r#"
    @id("own") permit (principal, action, resource) when { resource.owner == principal };
    @id("ann") permit (principal == User::"ann", action == Action::"special", resource);
    @id("admin") permit (principal in Role::"admin", action, resource);
"#;

const SCHEMA: &str = r#"
    entity Role;
    entity User in [Role];
    entity Repository { owner: User };
    action read, special appliesTo { principal: User, resource: Repository };
"#;

/// Returns exactly the wanted users and repositories; the owner of a repository has its id.
struct Owners;

impl EntityLoader for Owners {
    fn load<'r>(&'r self, wanted: &'r [EntityUid]) -> EntitiesFuture<'r> {
        let found = wanted.iter().filter_map(|wanted| {
            let id = wanted.id();
            let entity = Entity::new(wanted.entity_type().to_owned(), id);
            match wanted.entity_type() {
                "Repository" => Some(entity.with_property("owner", reference("User", id))),
                "User" => Some(entity),
                _ => None,
            }
        });
        let found = found.collect();
        Box::pin(async move { Ok(found) })
    }
}

#[tokio::test]
async fn each_id_equals_only_itself() {
    let builder = || Cedar::builder().policies(POLICIES);
    let engines = [
        builder().build().unwrap(),
        builder().schema(SCHEMA).build().unwrap(),
        builder().schema(SCHEMA).entities(Owners).build().unwrap(),
    ];
    for (number, cedar) in engines.iter().enumerate() {
        let has_loader = number == 2;
        for subject in IDS {
            for role in IDS {
                let identity = Identity::new(subject).with_roles([role]);
                let questions = IDS.map(|id| {
                    let resource = Resource::new("Repository", id);
                    Evaluation::new(
                        "read",
                        match has_loader {
                            true => resource,
                            false => resource.with_property("owner", reference("User", id)),
                        },
                    )
                });
                let request = EvaluationRequest::new(&identity, &questions);
                let decisions = cedar.evaluate(request).await.unwrap();
                for (id, decision) in IDS.iter().zip(decisions) {
                    assert_eq!(decision.is_allowed(), *id == subject, "{subject:?} {id:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn literals_equal_only_their_id() {
    let cedar = Cedar::builder()
        .policies(POLICIES)
        .schema(SCHEMA)
        .build()
        .unwrap();
    for subject in IDS {
        let identity = Identity::new(subject).with_roles(["admin\"", "Role::\"admin\"", " admin"]);
        let other = Resource::new("Repository", "x").with_property("owner", reference("User", "-"));
        let questions = [Evaluation::new("special", other)];
        let request = EvaluationRequest::new(&identity, &questions);
        let decisions = cedar.evaluate(request).await.unwrap();
        assert_eq!(decisions[0].is_allowed(), subject == "ann", "{subject:?}");
    }
}

/// Types and actions are code of the service, but do not name others either.
#[tokio::test]
async fn code_as_type_or_action_fails() {
    let everything = "permit (principal, action == Action::\"read\", resource is Repository);";
    let cedar = Cedar::builder().policies(everything).build().unwrap();
    let ann = Identity::new("ann");
    for kind in [
        "Repository::\"x\"",
        "Repository ",
        "a b",
        "",
        "Repo//",
        "Repository::",
    ] {
        let question = [Evaluation::new("read", Resource::new(kind, "x"))];
        let request = EvaluationRequest::new(&ann, &question);
        assert!(cedar.evaluate(request).await.is_err(), "{kind:?}");
    }
    for action in ["read\"", "Action::\"read\"", "", "read\0"] {
        let question = [Evaluation::new(action, Resource::new("Repository", "x"))];
        let request = EvaluationRequest::new(&ann, &question);
        let decisions = cedar.evaluate(request).await.unwrap();
        assert!(!decisions[0].is_allowed(), "{action:?}");
    }
}
