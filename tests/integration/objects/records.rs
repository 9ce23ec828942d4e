//! Records of decisions about objects.

use auth_runtime::routing::get;
use auth_runtime::{Denied, Guard, requires};

use super::*;

#[requires(can = "update", on = "Repository::{repo}", hide_as = 404, hide_unless = can("read"))]
async fn update() {}

#[requires(authenticated)]
async fn by_guard(guard: Guard) -> Result<(), Denied> {
    guard
        .can(UPDATE, Resource::new("Repository", "forest-public"))
        .await
}

#[requires(authenticated)]
async fn granted(guard: Guard) -> Result<(), Denied> {
    guard
        .can(READ, Resource::new("Repository", "forest-public"))
        .await?;
    let objects = ["bob", "ann"].map(|id| Resource::new("Repository", id));
    guard.can_each(UPDATE, objects).await?;
    let none = async { Ok::<Vec<Resource>, Denied>(Vec::new()) };
    guard.permitted(READ, "Repository", none).await?;
    Ok(())
}

#[requires(authenticated)]
async fn without() {}

/// Returns the records of these requests, as JSON.
async fn records(engine: Engine, requests: Vec<Request>) -> Vec<serde_json::Value> {
    let records = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&records);
    let space = with(&engine).audit(move |record| {
        let json = serde_json::to_value(record).expect("a record");
        kept.lock().expect("no panic").push(json);
    });
    let routes = GuardedRouter::new()
        .route("/{repo}", get(update))
        .route("/guard", get(by_guard))
        .route("/granted", get(granted))
        .route("/without", get(without));
    let app = routes
        .protect(space.build().expect("a space"))
        .expect("routes");
    for request in requests {
        send(&app, request).await;
    }
    let mut records = records.lock().expect("no panic");
    std::mem::take(&mut *records)
}

#[tokio::test]
async fn records_name_engine_action_object_policy() {
    let requests = vec![
        by("bob", "/x-public"),
        by("bob", "/guard"),
        by("bob", "/without"),
    ];
    let records = records(Engine::default(), requests).await;
    assert_eq!(records.len(), 4, "{records:#?}");
    let object = |action: &str, id: &str, allowed: bool| {
        serde_json::json!({
            "action": action, "type": "Repository", "id": id, "allowed": allowed, "policy": "by name",
        })
    };
    let routes: Vec<_> = records.iter().map(|record| &record["route"]).collect();
    assert_eq!(routes, ["/{repo}", "/guard", "/guard", "/without"]);
    assert_eq!(records[0]["engine"], "names");
    assert_eq!(
        records[0]["objects"],
        serde_json::json!([
            object("update", "x-public", false),
            object("read", "x-public", true)
        ])
    );
    assert_eq!(records[0]["outcome"], "forbidden");
    assert_eq!(records[1]["outcome"], "granted");
    assert_eq!(records[2]["outcome"], "forbidden");
    assert_eq!(records[2]["rule"], "object");
    assert_eq!(
        records[2]["objects"],
        serde_json::json!([object("update", "forest-public", false)])
    );
    assert_eq!(records[3]["engine"], serde_json::Value::Null);
    assert_eq!(records[3]["objects"], serde_json::json!([]));
}

/// Each call of a guard is a record, with the decision about each object.
#[tokio::test]
async fn each_guard_call_is_recorded() {
    let records = records(Engine::default(), vec![by("bob", "/granted")]).await;
    let rules: Vec<_> = records.iter().map(|record| &record["rule"]).collect();
    assert_eq!(rules, ["1", "object", "object", "object"]);
    for record in &records {
        assert_eq!(record["outcome"], "granted");
    }
    let allowed = |record: usize, object: usize| &records[record]["objects"][object]["allowed"];
    assert_eq!(allowed(1, 0), true);
    assert_eq!(
        (allowed(2, 0), allowed(2, 1)),
        (&true.into(), &false.into())
    );
    assert_eq!(
        (&records[3]["engine"], &records[3]["objects"]),
        (&"names".into(), &serde_json::json!([]))
    );
}

#[tokio::test]
async fn record_of_failure_has_no_decision() {
    let engine = Engine::failing(DecisionPointError::new("down"));
    let records = records(engine, vec![by("bob", "/x")]).await;
    assert_eq!(records[0]["engine"], "names");
    assert_eq!(records[0]["objects"][0]["allowed"], serde_json::Value::Null);
    assert_eq!(records[0]["outcome"], "hidden");
}

/// The rule of a denial by a guard is that of its response.
#[tokio::test]
async fn guard_records_have_the_denial_rule() {
    /// Denies, unless the login is a strong one.
    struct Strict;

    impl DecisionPoint for Strict {
        fn name(&self) -> &'static str {
            "strict"
        }

        fn evaluate<'r>(&'r self, _: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
            Box::pin(async { Ok(vec![ObjectDecision::deny_until_login(["mfa"])]) })
        }
    }

    let rules = Arc::new(Mutex::new(Vec::new()));
    for engine in [0, 1, 2] {
        let kept = Arc::clone(&rules);
        let space = match engine {
            0 => with(&Engine::default()),
            1 => with(&Engine::failing(DecisionPointError::new("down"))),
            _ => space_builder().decision_point(Strict),
        };
        let space = space.audit(move |record| {
            let outcome = record.outcome().name();
            let rule = (record.rule().number(), outcome);
            kept.lock().expect("no panic").push(rule);
        });
        let routes = GuardedRouter::new().route("/guard", get(by_guard));
        let space = space.build().expect("a space");
        let app = routes.protect(space).expect("routes");
        send(&app, by("bob", "/guard")).await;
    }
    let expected = [
        ("1", "granted"),
        ("object", "forbidden"),
        ("1", "granted"),
        ("4", "unverifiable"),
        ("1", "granted"),
        ("3a", "step_up"),
    ];
    assert_eq!(*rules.lock().expect("no panic"), expected);
}
