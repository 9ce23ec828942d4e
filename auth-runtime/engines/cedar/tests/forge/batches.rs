//! Many questions in one call.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use auth_runtime::Identity;
use auth_runtime::objects::{
    DecisionPoint, EntityUid, Evaluation, EvaluationRequest, ObjectDecision, Resource,
};
use auth_runtime_cedar::Cedar;

use crate::world::{Database, POLICIES, Repository, SCHEMA, User, World};

fn user(id: &str) -> User {
    User {
        id: id.to_owned(),
        teams: BTreeSet::new(),
        is_admin: false,
        can_write: true,
        acr: None,
    }
}

/// Repositories that ann and bob own in turn, without organizations.
fn repositories(count: usize) -> World {
    let repositories = (0..count).map(|number| Repository {
        id: format!("r{number}"),
        owner: number % 2,
        is_public: false,
        is_archived: false,
        collaborators: BTreeSet::new(),
        maintainers: None,
        organization: None,
    });
    World {
        users: vec![user("ann"), user("bob")],
        repositories: repositories.collect(),
        ..World::default()
    }
}

fn reads(world: &World) -> Vec<Evaluation> {
    let repositories = world.repositories.iter();
    let read = |repository: &Repository| {
        Evaluation::new("read", Resource::new("Repository", repository.id.as_str()))
    };
    repositories.map(read).collect()
}

/// Only the other owner is not among the first, so the second call has one entity.
#[tokio::test]
async fn entities_are_loaded_together() {
    let world = repositories(100);
    let database = Database::new(world.clone());
    let (questions, ann) = (reads(&world), world.identity(0));
    let request = EvaluationRequest::new(&ann, &questions);
    let decisions = database.cedar().evaluate(request).await.unwrap();
    let allowed = decisions.iter().filter(|it| it.is_allowed());
    assert_eq!(allowed.count(), 50);
    assert_eq!(database.calls(), 2);
    let asked = database.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 102);
    assert_eq!(asked.last().map(EntityUid::id), Some("bob"));
    let distinct: BTreeSet<_> = asked.iter().collect();
    assert_eq!(distinct.len(), 102, "nothing is asked twice");
}

#[tokio::test]
async fn one_call_suffices_without_further_entities() {
    let mut world = repositories(100);
    for repository in &mut world.repositories {
        repository.owner = 0;
    }
    let database = Database::new(world.clone());
    let (questions, ann) = (reads(&world), world.identity(0).with_roles(["x", "y"]));
    let request = EvaluationRequest::new(&ann, &questions);
    let decisions = database.cedar().evaluate(request).await.unwrap();
    assert!(decisions.iter().all(ObjectDecision::is_allowed));
    assert_eq!(database.calls(), 1);
}

#[tokio::test]
async fn ten_thousand_questions_give_way() {
    let world = repositories(1);
    let cedar = Cedar::builder()
        .policies(POLICIES)
        .schema(SCHEMA)
        .build()
        .unwrap();
    let questions: Vec<Evaluation> = (0..10_000)
        .map(|number| {
            let owner = if number % 3 == 0 { "ann" } else { "bob" };
            let resource = Resource::new("Repository", format!("r{number}"))
                .with_property("owner", crate::world::reference("User", owner))
                .with_property("public", false)
                .with_property("archived", false)
                .with_property("collaborators", Vec::<String>::new());
            Evaluation::new("read", resource)
        })
        .collect();
    let ann = world.identity(0);
    let start = Instant::now();
    let other = tokio::spawn(async {
        let mut turns = 0_u32;
        loop {
            tokio::task::yield_now().await;
            turns += 1;
            if turns == 100 {
                return Instant::now();
            }
        }
    });
    let request = EvaluationRequest::new(&ann, &questions);
    let decisions = cedar.evaluate(request).await.unwrap();
    let end = Instant::now();
    let allowed = decisions.iter().filter(|it| it.is_allowed());
    assert_eq!(allowed.count(), 3_334);
    assert!(end - start < Duration::from_secs(20), "{:?}", end - start);
    assert!(other.await.unwrap() < end, "another task ran meanwhile");
}

#[tokio::test]
async fn missing_objects_are_denied() {
    let database = Database::new(repositories(2));
    let admin = Identity::new("ada").with_roles(["admin"]);
    let questions =
        ["r0", "nothing"].map(|id| Evaluation::new("read", Resource::new("Repository", id)));
    let request = EvaluationRequest::new(&admin, &questions);
    let decisions = database.cedar().evaluate(request).await.unwrap();
    let found: Vec<_> = decisions
        .iter()
        .map(|it| (it.is_allowed(), it.policy()))
        .collect();
    assert_eq!(found, [(true, Some("admins")), (false, None)]);
}

/// Without a loader, a missing attribute is not taken as absent.
#[tokio::test]
async fn objects_without_required_attributes_are_errors() {
    let cedar = Cedar::builder()
        .policies("permit (principal, action, resource) unless { resource has public };")
        .schema(SCHEMA)
        .build()
        .unwrap();
    let ann = Identity::new("ann");
    let question = [Evaluation::new("read", Resource::new("Repository", "r0"))];
    let request = EvaluationRequest::new(&ann, &question);
    let error = cedar.evaluate(request).await.unwrap_err().to_string();
    assert!(error.starts_with("an entity `Repository`: `"), "{error}");
    assert!(
        error.ends_with("` is required, and its value is unknown"),
        "{error}"
    );
}

#[tokio::test]
async fn schema_says_which_questions_are_decided() {
    let cedar = Database::new(repositories(1)).cedar();
    for (action, kind, expected) in [
        ("read", "Repository", true),
        ("create", "Service", true),
        ("create", "Repository", false),
        ("read", "Service", false),
        ("read", "Team", false),
        ("raed", "Repository", false),
        ("read", "Repositry", false),
    ] {
        assert_eq!(
            cedar.decides_about(action, kind),
            expected,
            "{action} {kind}"
        );
        if !expected {
            let ann = Identity::new("ann");
            let object = Resource::new(kind.to_owned(), "x").with_property("stars", 1);
            let question = [Evaluation::new(action, object)];
            let request = EvaluationRequest::new(&ann, &question);
            assert!(cedar.evaluate(request).await.is_err(), "{action} {kind}");
        }
    }
    let open = Cedar::builder().policies(POLICIES).build().unwrap();
    assert!(open.decides_about("raed", "Repositry"));
}
