//! Lists of random data, compared with the rules in Rust for each item.

use auth_runtime::objects::{
    DecisionPoint, EntitiesFuture, Entity, EntityLoader, EntityUid, EvaluationRequest, Permitted,
    Resource,
};
use auth_runtime_cedar::Cedar;
use proptest::option;
use proptest::prelude::*;

use crate::against_oracle::{USERS, world};
use crate::world::{ACTIONS, Database, Repository, SCHEMA, World, reference};

/// A row of a database, with the columns that policies use.
fn row(world: &World, repository: &Repository) -> Resource {
    let user = |user: &usize| reference("User", &world.users[*user].id);
    let collaborators = repository.collaborators.iter().map(user);
    let mut row = Resource::new("Repository", repository.id.as_str())
        .with_property("id", repository.id.as_str())
        .with_property("owner", user(&repository.owner))
        .with_property("public", repository.is_public)
        .with_property("archived", repository.is_archived)
        .with_property("collaborators", collaborators.collect::<Vec<_>>());
    if let Some(team) = repository.maintainers {
        row = row.with_property("maintainers", reference("Team", &team.to_string()));
    }
    if let Some(organization) = repository.organization {
        let is_suspended = world.organizations[organization];
        let organization = reference("Organization", &organization.to_string());
        row = row
            .with_property("organization", organization)
            .with_property("organization.suspended", is_suspended);
    }
    row
}

fn permitted(
    cedar: &Cedar,
    action: &str,
    request: EvaluationRequest<'_>,
) -> Result<Permitted, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let permitted = runtime.block_on(cedar.permitted(action, "Repository", request));
    permitted.map_err(|error| error.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every item of a list is allowed, and every allowed item is in the list.
    #[test]
    fn lists_agree_with_decisions(world in world(), is_in_office in option::of(any::<bool>())) {
        let database = Database::new(world.clone());
        let cedar = database.cedar();
        for user in 0..USERS {
            let identity = world.identity(user);
            let mut request = EvaluationRequest::new(&identity, &[]);
            request.address = is_in_office.map(|is_in_office| match is_in_office {
                true => "10.1.2.3".parse().unwrap(),
                false => "2001:db8::1".parse().unwrap(),
            });
            for action in ACTIONS {
                let Ok(Permitted::When(condition)) = permitted(&cedar, action, request) else {
                    panic!("no condition");
                };
                for repository in &world.repositories {
                    let (allowed, _) = world.decide(user, action, repository, is_in_office);
                    let listed = condition.holds(&row(&world, repository));
                    prop_assert_eq!(listed, Some(allowed), "{} {:?}", action, &condition);
                }
            }
        }
    }
}

/// A policy that a database cannot evaluate is an error, and never a shorter or longer list.
#[test]
fn other_policies_are_errors() {
    let world = World {
        users: vec![],
        ..World::default()
    };
    let identity = auth_runtime::Identity::new("ann");
    let request = EvaluationRequest::new(&identity, &[]);
    for (policy, part) in [
        (
            "permit (principal, action, resource in Repository::\"x\");",
            "`resource in …`",
        ),
        (
            "permit (principal, action == Action::\"read\", resource) when { resource.collaborators.containsAll([principal]) };",
            "`containsAll` on `resource`",
        ),
        (
            "permit (principal, action == Action::\"read\", resource) when { resource.owner in principal };",
            "`in` on `resource`",
        ),
        (
            "permit (principal, action == Action::\"read\", resource) when { resource.public == resource.archived };",
            "a value that is neither a literal nor `principal`",
        ),
        (
            "permit (principal, action == Action::\"read\", resource) when { resource.owner.scopes.contains(\"x\") && resource.owner has acr };",
            "`has` on `resource`",
        ),
    ] {
        let cedar = Cedar::builder().policies(policy).schema(SCHEMA);
        let cedar = cedar
            .entities(Database::new(world.clone()))
            .build()
            .expect(policy);
        let error = permitted(&cedar, "read", request).expect_err(policy);
        assert_eq!(
            error,
            format!("the policy `policy0` is not a condition for a list: {part}")
        );
        // A policy about another action is not read.
        if policy.contains("read") {
            let update = permitted(&cedar, "update", request).expect("a condition");
            assert_eq!(
                update,
                Permitted::When(auth_runtime::objects::Condition::Any(vec![]))
            );
        }
    }
}

#[test]
fn lists_need_schema_and_type() {
    let identity = auth_runtime::Identity::new("ann");
    let request = EvaluationRequest::new(&identity, &[]);
    let policy = "permit (principal, action, resource);";
    let cedar = Cedar::builder()
        .policies(policy)
        .build()
        .expect("valid policies");
    let error = permitted(&cedar, "read", request).expect_err("no schema");
    assert!(error.starts_with("lists need a schema"), "{error}");
    let schema =
        "entity User; entity Thing; action read appliesTo { principal: User, resource: Thing };";
    let cedar = Cedar::builder()
        .policies(policy)
        .schema(schema)
        .build()
        .expect("valid policies");
    let error = permitted(&cedar, "read", request).expect_err("no type");
    assert_eq!(error, "the schema declares no entity type `Repository`");
}

/// An id of another type never matches, even if the texts are equal.
#[test]
fn ids_of_other_types_differ() {
    struct Teams;

    impl EntityLoader for Teams {
        fn load<'r>(&'r self, _: &'r [EntityUid]) -> EntitiesFuture<'r> {
            Box::pin(async { Ok(vec![Entity::new("User", "1")]) })
        }
    }

    let schema = "entity Team; entity User in [Team]; entity Repository { team: Team };
        action read appliesTo { principal: User, resource: Repository };";
    let policy = "permit (principal, action, resource) when { principal in resource.team };";
    let cedar = Cedar::builder()
        .policies(policy)
        .schema(schema)
        .entities(Teams)
        .build()
        .unwrap();
    let identity = auth_runtime::Identity::new("1");
    let request = EvaluationRequest::new(&identity, &[]);
    let Ok(Permitted::When(condition)) = permitted(&cedar, "read", request) else {
        panic!("no condition");
    };
    assert_eq!(condition, auth_runtime::objects::Condition::Any(vec![]));
}
