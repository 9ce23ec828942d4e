//! The properties that the service loads, and bounded requests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_runtime::Identity;
use auth_runtime::objects::{
    DecisionPoint, DecisionPointError, EntitiesFuture, Entity, EntityLoader, EntityUid, Evaluation,
    EvaluationRequest, ObjectDecision, Resource, Value,
};
use auth_runtime_authzen::{AuthZen, AuthZenBuilder, AuthZenError};
use serde_json::json;

use crate::pdp::{Behaviour, Pdp};
use crate::{Decided, TIMEOUT, ask};

/// Loads by a function, and keeps the ids of each call.
struct By<F> {
    load: F,
    calls: Arc<Mutex<Vec<Vec<EntityUid>>>>,
}

impl<F> EntityLoader for By<F>
where
    F: Fn(&EntityUid) -> Vec<Entity> + Send + Sync + 'static,
{
    fn load<'r>(&'r self, wanted: &'r [EntityUid]) -> EntitiesFuture<'r> {
        self.calls.lock().unwrap().push(wanted.to_vec());
        let found = wanted.iter().flat_map(&self.load).collect();
        Box::pin(async move { Ok(found) })
    }
}

type Calls = Arc<Mutex<Vec<Vec<EntityUid>>>>;

fn builder(pdp: &Pdp) -> AuthZenBuilder {
    AuthZen::builder().url(pdp.url()).timeout(TIMEOUT)
}

fn loading(
    pdp: &Pdp,
    load: impl Fn(&EntityUid) -> Vec<Entity> + Send + Sync + 'static,
) -> (AuthZen, Calls) {
    let calls = Calls::default();
    let loader = By {
        load,
        calls: Arc::clone(&calls),
    };
    (builder(pdp).entities(loader).build().unwrap(), calls)
}

/// Documents with the owner in the name, as in `ann-1`. Others do not exist.
fn documents(wanted: &EntityUid) -> Vec<Entity> {
    match wanted.id().split_once('-') {
        Some((owner, _)) if wanted.entity_type() == "Document" => {
            vec![Entity::new("Document", wanted.id()).with_property("owner", owner.to_owned())]
        }
        _ => Vec::new(),
    }
}

fn read(id: &str) -> Evaluation {
    Evaluation::new("read", Resource::new("Document", id))
}

fn allowed(decided: Decided) -> Vec<bool> {
    let decided = decided.expect("decisions");
    decided.iter().map(ObjectDecision::is_allowed).collect()
}

#[tokio::test]
async fn loaded_properties_are_part_of_question() {
    let pdp = Pdp::start();
    let (engine, calls) = loading(&pdp, |wanted| match wanted.entity_type() {
        "user" => vec![
            Entity::new("user", wanted.id())
                .with_property("department", "maps")
                .with_parent("Team", "core"),
        ],
        _ => vec![Entity::new("Document", wanted.id()).with_property("owner", "ann")],
    });
    assert_eq!(allowed(ask(&engine, &[read("d1")]).await), [true]);
    let expected = [[
        EntityUid::new("user", "ann"),
        EntityUid::new("Document", "d1"),
    ]];
    assert_eq!(*calls.lock().unwrap(), expected);
    let body = pdp.last().body;
    assert_eq!(
        body["subject"]["properties"],
        json!({ "department": "maps", "parents": [{ "type": "Team", "id": "core" }] })
    );
    assert_eq!(
        body["resource"]["properties"],
        json!({ "owner": "ann", "parents": [] })
    );
    // One call of the loader for several questions, and for two about one object.
    let decided = ask(&engine, &[read("d1"), read("d2"), read("d1")]).await;
    assert_eq!(allowed(decided), [true; 3]);
    let body = pdp.last().body;
    assert_eq!(body["subject"]["properties"]["department"], "maps");
    assert_eq!(
        body["evaluations"][1]["resource"]["properties"]["owner"],
        "ann"
    );
    let calls = calls.lock().unwrap();
    assert_eq!((calls.len(), calls[1].len()), (2, 3));
}

/// The loader does not raise the login of the caller, and does not hide a property of the question.
#[tokio::test]
async fn identity_and_question_take_precedence() {
    let pdp = Pdp::start();
    let (engine, _) = loading(&pdp, |wanted| match wanted.entity_type() {
        "user" => vec![
            Entity::new("user", wanted.id())
                .with_property("acr", "gold")
                .with_property("roles", vec!["admin"])
                .with_property("scopes", vec!["everything"])
                .with_property("auth_time", 7),
        ],
        _ => vec![
            Entity::new("Document", wanted.id())
                .with_property("owner", "ann")
                .with_property("size", 7),
        ],
    });
    let ann = Identity::new("ann").with_scopes(["read"]);
    let of_bob = Resource::new("Document", "d1").with_property("owner", "bob");
    let question = [Evaluation::new("read", of_bob)];
    let decided = engine
        .evaluate(EvaluationRequest::new(&ann, &question))
        .await;
    assert_eq!(allowed(decided), [false]);
    let body = pdp.last().body;
    assert_eq!(
        body["subject"]["properties"],
        json!({ "scopes": ["read"], "parents": [] })
    );
    assert_eq!(
        body["resource"]["properties"],
        json!({ "owner": "bob", "size": 7, "parents": [] })
    );
}

/// Loaded roles are left out, under either name of the property.
#[tokio::test]
async fn renamed_roles_exclude_loaded_roles() {
    let pdp = Pdp::start();
    let loader = By {
        load: |wanted: &EntityUid| {
            let entity = Entity::new(wanted.entity_type().to_owned(), wanted.id());
            let entity = entity.with_property("roles", vec!["admin"]);
            vec![entity.with_property("cerbos.roles", vec!["admin"])]
        },
        calls: Calls::default(),
    };
    let engine = builder(&pdp).roles_property("cerbos.roles");
    let engine = engine.entities(loader).build().unwrap();
    for (ann, expected) in [
        (Identity::new("ann"), json!({ "parents": [] })),
        (
            Identity::new("ann").with_roles(["reader"]),
            json!({ "parents": [], "cerbos.roles": ["reader"] }),
        ),
    ] {
        let question = [read("ann-1")];
        let decided = engine.evaluate(EvaluationRequest::new(&ann, &question));
        assert!(decided.await.is_ok());
        assert_eq!(pdp.last().body["subject"]["properties"], expected);
    }
}

#[tokio::test]
async fn missing_object_is_denied_without_question() {
    let pdp = Pdp::start();
    let (engine, _) = loading(&pdp, documents);
    assert_eq!(allowed(ask(&engine, &[read("nothing")]).await), [false]);
    assert!(pdp.seen().is_empty());
    let questions = ["bob-1", "nothing", "ann-1", "nowhere", "ann-2"].map(read);
    let expected = [false, false, true, false, true];
    assert_eq!(allowed(ask(&engine, &questions).await), expected);
    let asked = &pdp.last().body["evaluations"];
    assert_eq!(asked.as_array().unwrap().len(), 3);

    // These exist without the loader.
    let own = Resource::new("Document", "new").with_property("owner", "ann");
    let caller = Resource::new("user", "ann");
    let service = Resource::new(Resource::SERVICE, "shop");
    for (resource, expected) in [(own, true), (caller, false), (service, false)] {
        let seen = pdp.seen().len();
        let question = [Evaluation::new("read", resource)];
        assert_eq!(allowed(ask(&engine, &question).await), [expected]);
        assert_eq!(pdp.seen().len(), seen + 1, "{question:?}");
    }
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

    let pdp = Pdp::start();
    let engine = builder(&pdp).entities(Failing).build().unwrap();
    let error = ask(&engine, &[read("ann-1")]).await.unwrap_err();
    assert_eq!(error.to_string(), "no database");
    assert_eq!(error.retry_time(), Some(Duration::from_secs(7)));
    assert!(pdp.seen().is_empty());
}

#[tokio::test]
async fn nothing_is_loaded_while_server_fails() {
    let pdp = Pdp::start();
    let (engine, calls) = loading(&pdp, documents);
    pdp.behave(Behaviour::Status(500));
    for loaded in [1, 2, 3, 4, 5, 5, 5] {
        assert!(ask(&engine, &[read("ann-1")]).await.is_err());
        assert_eq!(calls.lock().unwrap().len(), loaded);
    }
}

#[tokio::test]
async fn slow_loader_is_an_error() {
    struct Hanging;

    impl EntityLoader for Hanging {
        fn load<'r>(&'r self, _: &'r [EntityUid]) -> EntitiesFuture<'r> {
            Box::pin(std::future::pending())
        }
    }

    let pdp = Pdp::start();
    let engine = builder(&pdp).entities(Hanging).build().unwrap();
    let error = ask(&engine, &[read("ann-1")]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the entities were not loaded within 500ms"
    );
}

#[tokio::test]
async fn different_entities_need_different_ids() {
    let pdp = Pdp::start();
    let two = |wanted: &EntityUid, second: &'static str| {
        let document = |owner: &'static str| {
            Entity::new("Document", wanted.id()).with_property("owner", owner)
        };
        vec![document("ann"), document(second)]
    };
    let (engine, _) = loading(&pdp, move |wanted| two(wanted, "bob"));
    let error = ask(&engine, &[read("d1")]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the loader returned two different `Document` with one id"
    );
    let (engine, _) = loading(&pdp, move |wanted| two(wanted, "ann"));
    assert_eq!(allowed(ask(&engine, &[read("d1")]).await), [true]);
}

/// Properties of the caller have the form of those of objects.
#[tokio::test]
async fn properties_of_the_caller_are_json() {
    let pdp = Pdp::start();
    let (engine, _) = loading(&pdp, |wanted| {
        let team = Value::Reference("Team".into(), "core".to_owned());
        vec![
            Entity::new(wanted.entity_type().to_owned(), wanted.id())
                .with_property("account", i64::MAX)
                .with_property("lead", team),
        ]
    });
    assert_eq!(allowed(ask(&engine, &[read("d1")]).await), [true]);
    let properties = &pdp.last().body["subject"]["properties"];
    assert_eq!(properties["account"], "9223372036854775807");
    assert_eq!(properties["lead"], json!({ "type": "Team", "id": "core" }));
}

/// Servers such as Cerbos decide all questions about one object by the properties of one of them.
#[tokio::test]
async fn one_object_has_the_same_properties() {
    let pdp = Pdp::start();
    let plain = builder(&pdp).build().unwrap();
    let (loading, calls) = loading(&pdp, documents);
    let bare = || Resource::new("Document", "d1");
    let own = bare().with_property("owner", "ann");
    let large = bare().with_property("size", 7);
    for engine in [&plain, &loading] {
        let questions = [&bare(), &own, &large];
        let questions = questions.map(|one| Evaluation::new("read", one.clone()));
        assert_eq!(allowed(ask(engine, &questions).await), [true; 3]);
        for evaluation in pdp.last().body["evaluations"].as_array().unwrap() {
            let properties = &evaluation["resource"]["properties"];
            assert_eq!(*properties, json!({ "owner": "ann", "size": 7 }));
        }
    }
    let (seen, loads) = (pdp.seen().len(), calls.lock().unwrap().len());
    let other = bare().with_property("owner", "bob");
    for engine in [&plain, &loading] {
        let questions = [&own, &bare(), &other];
        let questions = questions.map(|one| Evaluation::new("read", one.clone()));
        let error = ask(engine, &questions).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "two questions about one `Document` have different values of `owner`"
        );
    }
    assert_eq!(pdp.seen().len(), seen);
    assert_eq!(calls.lock().unwrap().len(), loads);
}

#[tokio::test]
async fn bounded_requests_have_all_decisions() {
    let pdp = Pdp::start();
    let mut ids = 1..;
    let questions = ["ann", "bob", "ann", "ann", "bob"].map(|owner| {
        let id = ids.next().unwrap_or_default().to_string();
        let document = Resource::new("Document", id).with_property("owner", owner);
        Evaluation::new("read", document)
    });
    for (bound, requests) in [(1, 5), (2, 3), (4, 2), (5, 1), (6, 1)] {
        let engine = builder(&pdp).questions_per_request(bound).build().unwrap();
        let seen = pdp.seen().len();
        let decided = allowed(ask(&engine, &questions).await);
        assert_eq!(decided, [true, false, true, true, false], "{bound}");
        assert_eq!(pdp.seen().len() - seen, requests, "{bound}");
    }
    let error = builder(&pdp).questions_per_request(0).build().unwrap_err();
    assert_eq!(error, AuthZenError::QuestionsPerRequest);
    assert_eq!(
        error.to_string(),
        "a request has at least one question; set another bound"
    );
}

/// The timeout of a request is 500 ms, and no further request begins after it.
#[tokio::test]
async fn slow_requests_are_added_up() {
    let pdp = Pdp::start();
    pdp.behave(Behaviour::Late(Duration::from_millis(300)));
    let engine = builder(&pdp).questions_per_request(1).build().unwrap();
    let questions = ["d1", "d2", "d3", "d4", "d5"].map(read);
    let error = ask(&engine, &questions).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "only 2 of 5 questions were answered in time"
    );
    assert_eq!(pdp.seen().len(), 2);
}
