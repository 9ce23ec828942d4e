//! Loaders that fail, are slow, or return too much.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_runtime::Identity;
use auth_runtime::objects::{
    DecisionPoint, DecisionPointError, EntitiesFuture, Entity, EntityLoader, EntityUid, Evaluation,
    EvaluationRequest, ObjectDecision, Resource, Value,
};
use auth_runtime_cedar::Cedar;

const POLICIES: &str = r#"
    @id("gold") permit (principal, action, resource) when { principal.acr == "gold" };
    @id("public") permit (principal, action == Action::"read", resource)
    when { resource.public };
    @id("root") forbid (principal, action, resource in Folder::"locked");
"#;

/// Loads by a function, and keeps the ids of each call.
struct By<F> {
    load: F,
    calls: Arc<Mutex<Vec<Vec<String>>>>,
}

impl<F> EntityLoader for By<F>
where
    F: Fn(&EntityUid) -> Vec<Entity> + Send + Sync + 'static,
{
    fn load<'r>(&'r self, wanted: &'r [EntityUid]) -> EntitiesFuture<'r> {
        let ids = wanted.iter().map(|wanted| wanted.id().to_owned());
        self.calls.lock().unwrap().push(ids.collect());
        let found = wanted.iter().flat_map(&self.load).collect();
        Box::pin(async move { Ok(found) })
    }
}

type Calls = Arc<Mutex<Vec<Vec<String>>>>;

fn cedar(load: impl Fn(&EntityUid) -> Vec<Entity> + Send + Sync + 'static) -> (Cedar, Calls) {
    let calls = Calls::default();
    let loader = By {
        load,
        calls: Arc::clone(&calls),
    };
    let builder = Cedar::builder().policies(POLICIES).entities(loader);
    (builder.build().unwrap(), calls)
}

async fn ask(cedar: &Cedar, resource: Resource) -> Result<ObjectDecision, DecisionPointError> {
    let ann = Identity::new("ann").with_acr("silver");
    let question = [Evaluation::new("read", resource)];
    let request = EvaluationRequest::new(&ann, &question);
    let mut decisions = cedar.evaluate(request).await?;
    assert_eq!(decisions.len(), 1);
    Ok(decisions.remove(0))
}

fn file(id: &str) -> Resource {
    Resource::new("File", id)
}

fn loaded(id: &str) -> Entity {
    Entity::new("File", id.to_owned()).with_property("public", true)
}

#[tokio::test]
async fn failure_of_loader_is_passed_on() {
    struct Failing;

    impl EntityLoader for Failing {
        fn load<'r>(&'r self, _: &'r [EntityUid]) -> EntitiesFuture<'r> {
            let error = DecisionPointError::new("no database").retry_after(Duration::from_secs(7));
            Box::pin(async { Err(error) })
        }
    }

    let cedar = Cedar::builder()
        .policies(POLICIES)
        .entities(Failing)
        .build()
        .unwrap();
    let error = ask(&cedar, file("a").with_property("public", true))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "no database");
    assert_eq!(error.retry_time(), Some(Duration::from_secs(7)));
}

#[tokio::test(start_paused = true)]
async fn slow_loader_is_an_error() {
    struct Slow(Duration);

    impl EntityLoader for Slow {
        fn load<'r>(&'r self, wanted: &'r [EntityUid]) -> EntitiesFuture<'r> {
            Box::pin(async {
                tokio::time::sleep(self.0).await;
                // Each call names one further file.
                let last = wanted.last().map_or("", EntityUid::id);
                let parent = format!("{last}x");
                let entity = loaded(last);
                Ok(vec![match last.len() < 3 {
                    true => entity.with_parent("File", parent),
                    false => entity,
                }])
            })
        }
    }

    let with = |time: Duration| {
        let loader = Slow(time);
        Cedar::builder()
            .policies(POLICIES)
            .entities(loader)
            .build()
            .unwrap()
    };
    // `User` is the last of the first call, with the id `ann`.
    let error = ask(&with(Duration::from_secs(6)), file("a"))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the entities were not loaded within 5 s");
    assert!(ask(&with(Duration::from_secs(4)), file("a")).await.is_ok());
}

/// The limit is for all calls together.
#[tokio::test(start_paused = true)]
async fn slow_calls_are_added_up() {
    struct Slow;

    impl EntityLoader for Slow {
        fn load<'r>(&'r self, wanted: &'r [EntityUid]) -> EntitiesFuture<'r> {
            Box::pin(async {
                tokio::time::sleep(Duration::from_secs(2)).await;
                let files = wanted
                    .iter()
                    .filter(|wanted| wanted.entity_type() == "File");
                let entity = |wanted: &EntityUid| {
                    loaded(wanted.id()).with_parent("File", format!("{}x", wanted.id()))
                };
                Ok(files.map(entity).collect())
            })
        }
    }

    let cedar = Cedar::builder()
        .policies(POLICIES)
        .entities(Slow)
        .build()
        .unwrap();
    let error = ask(&cedar, file("a")).await.unwrap_err();
    assert_eq!(error.to_string(), "the entities were not loaded within 5 s");
}

/// A chain of folders, of which the last is `locked`.
fn chain(length: usize) -> impl Fn(&EntityUid) -> Vec<Entity> + Send + Sync + 'static {
    move |wanted| {
        let parent = |number: usize| match number == length {
            true => "locked".to_owned(),
            false => number.to_string(),
        };
        match wanted.entity_type() {
            "File" => vec![loaded(wanted.id()).with_parent("Folder", parent(0))],
            "Folder" => match wanted.id().parse::<usize>() {
                Ok(number) => {
                    let folder = Entity::new("Folder", wanted.id());
                    vec![folder.with_parent("Folder", parent(number + 1))]
                }
                Err(_) => vec![Entity::new("Folder", wanted.id())],
            },
            _ => Vec::new(),
        }
    }
}

#[tokio::test]
async fn four_calls_are_the_limit() {
    let (engine, calls) = cedar(chain(2));
    let decision = ask(&engine, file("a")).await.unwrap();
    assert_eq!(
        (decision.is_allowed(), decision.policy()),
        (false, Some("root"))
    );
    let expected = [vec!["a", "ann"], vec!["0"], vec!["1"], vec!["locked"]];
    assert_eq!(*calls.lock().unwrap(), expected);

    // A forbid of a folder further up would be missed.
    let (engine, calls) = cedar(chain(3));
    let error = ask(&engine, file("a")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the entities of call 4 of the loader name further ones"
    );
    assert_eq!(calls.lock().unwrap().len(), 4);
}

/// Entities that were loaded without being asked for need no further call. A long chain would overflow
/// the stack in Cedar, and end the process.
#[tokio::test]
async fn whole_chains_are_returned_at_once() {
    for (length, is_accepted) in [(1, true), (99, true), (100, false), (90_000, false)] {
        let (engine, calls) = cedar(move |wanted| match wanted.entity_type() {
            "File" => {
                let folders = (0..length).map(|number| {
                    let folder = Entity::new("Folder", number.to_string());
                    match number + 1 == length {
                        true => folder.with_parent("Folder", "locked"),
                        false => folder.with_parent("Folder", (number + 1).to_string()),
                    }
                });
                // Two ways to the last folder.
                let file = loaded(wanted.id());
                let file = file
                    .with_parent("Folder", "0")
                    .with_parent("Folder", "locked");
                let last = Entity::new("Folder", "locked");
                folders.chain([file, last]).collect()
            }
            _ => Vec::new(),
        });
        let decision = ask(&engine, file("a")).await;
        assert_eq!(calls.lock().unwrap().len(), 1);
        match is_accepted {
            true => assert_eq!(decision.unwrap().policy(), Some("root"), "{length}"),
            false => assert_eq!(
                decision.unwrap_err().to_string(),
                "the parents of the entities form a cycle, or more than 100 levels",
            ),
        }
    }
}

#[tokio::test]
async fn senseless_data_of_loaders_is_error() {
    let (engine, _) = cedar(|wanted| {
        let id = wanted.id();
        vec![loaded(id), loaded(id).with_property("public", false)]
    });
    let error = ask(&engine, file("hidden")).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "the loader returned two different `File` with one id"
    );

    let (engine, _) = cedar(|wanted| vec![loaded(wanted.id()), loaded(wanted.id())]);
    assert!(
        ask(&engine, file("a")).await.unwrap().is_allowed(),
        "the same one twice"
    );

    let (engine, _) = cedar(|wanted| match wanted.id() {
        "a" => vec![loaded("a").with_parent("File", "b")],
        "b" => vec![loaded("b").with_parent("File", "a")],
        _ => Vec::new(),
    });
    let error = ask(&engine, file("a")).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "the parents of the entities form a cycle, or more than 100 levels"
    );

    let (engine, _) = cedar(|wanted| match wanted.id() {
        "a" => (0..=100_000)
            .map(|number| loaded(&number.to_string()))
            .collect(),
        _ => Vec::new(),
    });
    let error = ask(&engine, file("a")).await.unwrap_err().to_string();
    assert_eq!(error, "more than 100000 entities for a request");

    let (engine, _) = cedar(|wanted| match wanted.id() {
        "a" => {
            let many = (0..=100_000).map(|it| Value::Reference("File".into(), it.to_string()));
            vec![loaded("a").with_property("many", many.collect::<Vec<_>>())]
        }
        _ => Vec::new(),
    });
    let error = ask(&engine, file("a")).await.unwrap_err().to_string();
    assert_eq!(error, "more than 100000 entities for a request");
}

/// The loader does not raise the login of the caller, and does not hide a property of the question.
#[tokio::test]
async fn identity_and_properties_take_precedence() {
    let load = |wanted: &EntityUid| match wanted.entity_type() {
        "User" => vec![Entity::new("User", wanted.id()).with_property("acr", "gold")],
        _ => vec![loaded(wanted.id())],
    };
    let (engine, _) = cedar(load);
    let public = |public| file("a").with_property("public", public);
    assert!(ask(&engine, file("a")).await.unwrap().is_allowed());
    assert!(ask(&engine, public(true)).await.unwrap().is_allowed());
    assert!(!ask(&engine, public(false)).await.unwrap().is_allowed());

    // Without a known login, the attribute is missing, and not the one of the loader.
    let unknown = Identity::new("ann");
    let question = [Evaluation::new("read", file("a"))];
    let request = EvaluationRequest::new(&unknown, &question);
    let error = engine.evaluate(request).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the policy `gold` failed: an entity lacks an attribute"
    );

    // The caller as an object is the same entity.
    let own = Resource::new("User", "ann").with_property("acr", "gold");
    let question = [Evaluation::new("update", own)];
    let silver = Identity::new("ann").with_acr("silver");
    let request = EvaluationRequest::new(&silver, &question);
    assert!(!engine.evaluate(request).await.unwrap()[0].is_allowed());
}

/// References of a question's properties are part of the first call.
#[tokio::test]
async fn properties_name_entities_to_load() {
    let (engine, calls) = cedar(|wanted| match wanted.entity_type() {
        "File" => vec![loaded(wanted.id())],
        _ => Vec::new(),
    });
    let reference = |id: &str| Value::Reference("Folder".into(), id.to_owned());
    let resource = file("a").with_property("shelves", vec![reference("s1"), reference("s2")]);
    assert!(ask(&engine, resource).await.unwrap().is_allowed());
    assert_eq!(*calls.lock().unwrap(), [["a", "ann", "s1", "s2"]]);
}

#[tokio::test]
async fn missing_entities_are_requested_once() {
    let (engine, calls) = cedar(|wanted| {
        let id = wanted.id();
        match id {
            "a" => vec![
                loaded(id)
                    .with_parent("File", "b")
                    .with_parent("File", "missing"),
            ],
            "b" => vec![loaded(id).with_parent("File", "missing")],
            _ => Vec::new(),
        }
    });
    assert!(ask(&engine, file("a")).await.unwrap().is_allowed());
    assert_eq!(*calls.lock().unwrap(), [["a", "ann"], ["b", "missing"]]);
}

/// Roles are loaded with the caller, and can be in other roles.
#[tokio::test]
async fn roles_can_have_parents() {
    let calls = Calls::default();
    let loader = By {
        load: |wanted: &EntityUid| match (wanted.entity_type(), wanted.id()) {
            ("Role", "owner") => vec![
                Entity::new("Role", "owner").with_parent("Role", "member"),
                Entity::new("Role", "member"),
            ],
            ("File", id) => vec![loaded(id)],
            _ => Vec::new(),
        },
        calls: Arc::clone(&calls),
    };
    let cedar = Cedar::builder()
        .policies("permit (principal in Role::\"member\", action, resource);")
        .entities(loader)
        .build()
        .unwrap();
    for (role, expected) in [("owner", true), ("member", true), ("guest", false)] {
        let identity = Identity::new("ann").with_roles([role]);
        let question = [Evaluation::new("read", file("a"))];
        let request = EvaluationRequest::new(&identity, &question);
        let decisions = cedar.evaluate(request).await.unwrap();
        assert_eq!(decisions[0].is_allowed(), expected, "{role}");
        let calls = std::mem::take(&mut *calls.lock().unwrap());
        let mut asked = vec!["a", role, "ann"];
        asked.sort_unstable();
        assert_eq!(calls, [asked]);
    }
}

/// A type without attributes and parents has nothing to load, except whether an object exists.
#[tokio::test]
async fn types_without_data_load_as_objects() {
    const SCHEMA: &str = "
        entity Team;
        entity Role;
        entity User in [Team, Role];
        entity File { owner: User, team: Team };
        action read appliesTo { principal: User, resource: [File, Team] };
    ";
    let calls = Calls::default();
    let loader = By {
        load: |wanted: &EntityUid| match (wanted.entity_type(), wanted.id()) {
            ("File", id) => vec![
                Entity::new("File", id.to_owned())
                    .with_property("owner", Value::Reference("User".into(), "bob".into()))
                    .with_property("team", Value::Reference("Team".into(), "core".into())),
            ],
            ("User", "ann") => vec![Entity::new("User", "ann").with_parent("Team", "core")],
            ("Team", "core") => vec![Entity::new("Team", "core")],
            _ => Vec::new(),
        },
        calls: Arc::clone(&calls),
    };
    let cedar = Cedar::builder()
        .policies(
            "permit (principal, action, resource is File) when { principal in resource.team };
             permit (principal, action, resource is Team) when { principal in resource };",
        )
        .schema(SCHEMA)
        .entities(loader)
        .build()
        .unwrap();
    let ann = Identity::new("ann").with_roles(["member"]);
    for (object, expected, asked) in [
        (file("a"), true, vec![vec!["a", "ann"], vec!["bob"]]),
        (
            Resource::new("Team", "core"),
            true,
            vec![vec!["ann", "core"]],
        ),
        (
            Resource::new("Team", "none"),
            false,
            vec![vec!["ann", "none"]],
        ),
    ] {
        let question = [Evaluation::new("read", object)];
        let decisions = cedar.evaluate(EvaluationRequest::new(&ann, &question));
        let decisions = decisions.await.unwrap();
        assert_eq!(decisions[0].is_allowed(), expected, "{question:?}");
        let calls = std::mem::take(&mut *calls.lock().unwrap());
        assert_eq!(calls, asked, "{question:?}");
    }
}
