//! The decisions about objects, and the failures of engines and functions, with their causes.

use std::fmt;

use auth_runtime::objects::{
    Action, DecisionPoint, DecisionPointError, EvaluationFuture, EvaluationRequest, ObjectDecision,
    Resource,
};
use auth_runtime::schemes::SchemeExt;
use axum::extract::Path;

use super::*;

/// An error that shows its causes in the alternate form only, as those of `anyhow`.
struct WithCause;

impl fmt::Display for WithCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = if f.alternate() {
            ": the disk is full"
        } else {
            ""
        };
        write!(f, "no table{cause}")
    }
}

/// Decides by the action, requests a login for an approval, and fails about a restart.
struct ByAction;

impl DecisionPoint for ByAction {
    fn name(&self) -> &'static str {
        "by action"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        let evaluations = request.evaluations.iter();
        let decisions = evaluations.map(|evaluation| match &*evaluation.action {
            "restart" => Err(DecisionPointError::new(WithCause)),
            "read" => Ok(ObjectDecision::allow().by_policy("readers")),
            "approve" => Ok(ObjectDecision::deny_until_login(["mfa"])),
            _ => Ok(ObjectDecision::deny()),
        });
        let decisions = decisions.collect();
        Box::pin(async { decisions })
    }
}

#[requires(
    can("read", on = "Repository::{id}"),
    can("update", on = "Repository::{id}")
)]
async fn by_policy() {}

#[requires(can = "restart")]
async fn restart() {}

/// Asks about the same type twice, and about nine others.
#[requires(authenticated)]
async fn by_guard(guard: Guard) -> Result<(), Denied> {
    let others = (0..9).map(|number| Resource::new(format!("Type{number}"), "1"));
    let twice = ["ann/garden", "bob/diary"].map(|id| Resource::new("Repository", id));
    let objects: Vec<_> = twice.into_iter().chain(others).collect();
    guard.can_all(Action::new("update"), objects).await
}

/// Asks about the action in the path.
#[requires(authenticated)]
async fn act(guard: Guard, Path(action): Path<String>) -> Result<(), Denied> {
    let names = ["read", "update", "approve", "restart"];
    let name = names.into_iter().find(|name| *name == action);
    let object = Resource::new("Repository", "ann/garden");
    guard
        .can(Action::new(name.unwrap_or_default()), object)
        .await
}

#[tokio::test]
async fn object_records_have_rule_of_denial() {
    let space = builder().decision_point(ByAction).build();
    let routes = GuardedRouter::new().route("/act/{action}", get(act));
    let app = routes.protect(space.expect("a space"));
    let app = app.expect("the routes are in order");
    for (action, status, outcome, rule) in [
        ("read", 200, "granted", "object"),
        ("update", 403, "forbidden", "object"),
        ("approve", 401, "step_up", "3a"),
        ("restart", 503, "unverifiable", "4"),
    ] {
        let (seen, _) = send(&app, &format!("/act/{action}"), bearer(json!({}))).await;
        assert_eq!(seen, status, "{action}");
        let mut events = events("auth_runtime::decision");
        events.retain(|event| event[1].get("outcome").is_some());
        let records = events.iter().map(|event| {
            let text = |name: &str| event[1][name].as_str().unwrap_or_default();
            (text("outcome"), text("rule"))
        });
        let expected = [("granted", "1"), (outcome, rule)];
        assert_eq!(records.collect::<Vec<_>>(), expected, "{action}");
    }
}

#[tokio::test]
async fn object_decisions_are_traced_without_ids() {
    let space = builder().decision_point(ByAction).build();
    let routes = GuardedRouter::new()
        .route("/repos/{id}", get(by_policy))
        .route("/restart", get(restart))
        .route("/guard", get(by_guard))
        .route("/read", get(read));
    let app = routes.protect(space.expect("a space"));
    let app = app.expect("the routes are in order");
    let types = (0..7).map(|number| format!("; update Type{number}: denied"));
    let eight = format!("update Repository: denied{}", types.collect::<String>());
    let engine = Some("by action");
    let two = "read Repository: allowed by readers; update Repository: denied";
    for (target, expected) in [
        ("/repos/7", vec![(engine, Some(two))]),
        ("/restart", vec![(engine, Some("restart Service: failed"))]),
        ("/guard", vec![(None, None), (engine, Some(&*eight))]),
        ("/read", vec![(None, None)]),
    ] {
        send(&app, target, bearer(json!({}))).await;
        let mut events = events("auth_runtime::decision");
        events.retain(|event| event[1].get("outcome").is_some());
        let seen = events.iter().map(|event| {
            let text = |name: &str| event[1].get(name).and_then(Value::as_str);
            (text("engine"), text("objects"))
        });
        assert_eq!(seen.collect::<Vec<_>>(), expected, "{target}");
    }
}

#[requires(check = fails_with_cause)]
async fn checked() {}

async fn fails_with_cause(_: CheckRequest<'_>) -> Result<bool, WithCause> {
    Err(WithCause)
}

#[tokio::test]
async fn failures_are_logged_with_their_causes() {
    let scheme = Badge.with_user((), async |(), _| {
        Err::<Option<(Identity, ())>, _>(WithCause)
    });
    listen();
    let space = space_builder().scheme(scheme).decision_point(ByAction);
    let routes = GuardedRouter::new()
        .route("/restart", get(restart))
        .route("/checked", get(checked))
        .route("/read", get(read));
    let app = routes.protect(space.build().expect("a space"));
    let app = app.expect("the routes are in order");
    let badge = From::Lines(vec!["Badge 1".to_owned()]);
    for (target, from, module) in [
        ("/restart", bearer(json!({})), "core::space::objects"),
        ("/checked", bearer(json!({})), "core::service_function"),
        ("/read", badge, "core::scheme_ext"),
    ] {
        let (status, _) = send(&app, target, from).await;
        assert_eq!(status, 503, "{target}");
        let events = events(module);
        let errors = events.iter().map(|event| &event[1]["error"]);
        assert_eq!(
            errors.collect::<Vec<_>>(),
            ["no table: the disk is full"],
            "{target}"
        );
    }
}
