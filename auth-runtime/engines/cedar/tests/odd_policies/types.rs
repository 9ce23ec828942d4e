//! Several types, and namespaces.

use super::*;

/// An action that does not apply to a type: a single decision fails, and a list has everything.
#[test]
fn inapplicable_types_are_never_listed_whole() {
    let identity = Identity::new("stranger");
    let cedar = Cedar::builder()
        .policies("permit(principal, action, resource);")
        .schema(TWO_TYPES)
        .build()
        .unwrap();
    let mut wrong = 0;
    for (action, kind) in [
        ("read", "Other"),
        ("only_other", "Doc"),
        ("restart", "Doc"),
        ("read", "User"),
        ("read", "Service"),
        ("read", "Role"),
    ] {
        let evaluations = [Evaluation::new(
            action,
            Resource::new(kind, "x").with_property("public", true),
        )];
        let single = run(cedar.evaluate(EvaluationRequest::new(&identity, &evaluations)));
        let permitted = run(cedar.permitted(action, kind, EvaluationRequest::new(&identity, &[])));
        println!("{action} {kind}: {single:?} {permitted:?}");
        if permitted.clone().ok() == Some(Permitted::When(Condition::All(vec![])))
            && single.is_err()
        {
            wrong += 1;
        }
    }
    assert_eq!(wrong, 0);
}

/// The service has another name in lists than in decisions, below a namespace.
#[test]
fn the_service_in_a_namespace() {
    let schema = "namespace App { entity User; entity Service { open: Bool }; action restart appliesTo { principal: User, resource: Service }; }";
    let cedar = Cedar::builder()
        .subject_type("App::User")
        .policies("permit(principal, action, resource) when { resource.open };")
        .schema(schema)
        .build()
        .unwrap();
    let identity = Identity::new("ann");
    let evaluations = [Evaluation::new(
        "restart",
        Resource::new("Service", "api").with_property("open", true),
    )];
    let single = run(cedar.evaluate(EvaluationRequest::new(&identity, &evaluations)));
    assert!(single.is_ok(), "{single:?}");
    let permitted =
        run(cedar.permitted("restart", "Service", EvaluationRequest::new(&identity, &[])));
    assert!(permitted.is_ok(), "{permitted:?}");
}

/// The same policies below a namespace.
#[test]
fn lists_agree_below_a_namespace() {
    let schema = r#"namespace App {
        type Names = Set<String>;
        entity Doc in [Doc] { owner: User, team?: Team, role?: Role, tags: Names, kind: Kind, more?: Set<Role> };
        entity Role; entity Team; entity User in [Role, Team] { scopes?: Names }; entity Kind enum ["a", "b"];
        action all; action see in [all]; action read in [see] appliesTo { principal: User, resource: [Doc, User] };
        action update in [all] appliesTo { principal: User, resource: Doc };
    }"#;
    struct Loader;
    impl EntityLoader for Loader {
        fn load<'r>(&'r self, wanted: &'r [EntityUid]) -> EntitiesFuture<'r> {
            Box::pin(async move {
                Ok(wanted
                    .iter()
                    .filter(|wanted| wanted.entity_type() == "App::User")
                    .map(|wanted| {
                        Entity::new("App::User", wanted.id()).with_parent("App::Team", "core")
                    })
                    .collect())
            })
        }
    }
    let mut wrong = Vec::new();
    let mut count = 0;
    for policy in [
        "permit(principal, action in App::Action::\"see\", resource is App::Doc);",
        "permit(principal, action in App::Action::\"all\", resource is App::Doc) when { resource.owner == principal };",
        "permit(principal, action in [App::Action::\"see\", App::Action::\"update\"], resource is App::Doc) when { action in App::Action::\"see\" || resource.owner == principal };",
        "permit(principal in App::Role::\"admin\", action, resource is App::Doc);",
        "permit(principal is App::User in App::Role::\"admin\", action, resource is App::Doc);",
        "permit(principal, action, resource is App::Doc) when { resource has role && principal in resource.role };",
        "permit(principal, action, resource is App::Doc) when { resource has more && principal in resource.more };",
        "permit(principal, action, resource is App::Doc) when { resource has team && principal in resource.team };",
        "permit(principal, action, resource is App::Doc) unless { resource has team && principal in resource.team };",
        "permit(principal, action, resource is App::Doc) when { resource.kind == App::Kind::\"a\" };",
        "permit(principal, action, resource is App::Doc) when { resource.tags.contains(\"x\") };",
        "permit(principal, action, resource is App::Doc) when { resource == App::Doc::\"d1\" };",
        "permit(principal, action, resource is App::Doc) when { resource.owner == App::User::\"bob\" };",
        "permit(principal, action, resource) when { resource is App::Doc && resource.owner == principal };",
        "permit(principal, action, resource) when { resource is App::User || resource.owner == principal };",
        "permit(principal, action == App::Action::\"read\", resource is App::User) when { resource == principal };",
        "permit(principal, action, resource) when { if resource is App::Doc then resource.owner == principal else resource == principal };",
    ] {
        let cedar = Cedar::builder()
            .subject_type("App::User")
            .policies(policy)
            .schema(schema)
            .entities(Loader)
            .build();
        let cedar = match cedar {
            Ok(cedar) => cedar,
            Err(error) => {
                println!("INVALID {policy}: {error}");
                continue;
            }
        };
        for identity in [
            Identity::new("ann"),
            Identity::new("bob").with_roles(["admin"]),
        ] {
            for (action, kind) in [
                ("read", "App::Doc"),
                ("update", "App::Doc"),
                ("read", "App::User"),
            ] {
                let permitted =
                    run(cedar.permitted(action, kind, EvaluationRequest::new(&identity, &[])));
                for number in 0..16 {
                    let id = ["d1", "ann", "bob"][number % 3];
                    let mut question = Resource::new(kind, id);
                    if kind == "App::Doc" {
                        question = question
                            .with_property(
                                "owner",
                                reference("App::User", ["ann", "bob"][number % 2]),
                            )
                            .with_property("tags", if number % 4 == 0 { vec!["x"] } else { vec![] })
                            .with_property(
                                "kind",
                                reference("App::Kind", ["a", "b"][number / 2 % 2]),
                            );
                        if number / 4 % 2 == 0 {
                            question = question
                                .with_property(
                                    "team",
                                    reference("App::Team", ["core", "other"][number % 2]),
                                )
                                .with_property("role", reference("App::Role", "admin"))
                                .with_property(
                                    "more",
                                    vec![
                                        reference("App::Role", "admin"),
                                        reference("App::Role", "x"),
                                    ],
                                );
                        }
                    }
                    let row = question.clone().with_property("id", id);
                    let evaluations = [Evaluation::new(action, question)];
                    let single =
                        run(cedar.evaluate(EvaluationRequest::new(&identity, &evaluations)))
                            .map(|it| it[0].is_allowed());
                    count += 1;
                    match &permitted {
                        Ok(Permitted::When(condition)) => {
                            if (condition.holds(&row) == Some(true)) != (single == Ok(true)) {
                                wrong.push(format!(
                                    "{policy}: {action} {row} {}: {condition:?} {single:?}",
                                    identity.subject()
                                ));
                                break;
                            }
                        }
                        other => {
                            wrong.push(format!("{policy}: {other:?} {single:?}"));
                            break;
                        }
                    }
                }
            }
        }
    }
    println!("{count} compared");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
