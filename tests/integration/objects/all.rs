//! Questions of handlers about several objects that all have to be allowed.

use auth_runtime::routing::get;
use auth_runtime::schemes::ApiKeys;
use auth_runtime::{Denied, Guard, ProtectionSpace, public, requires};
use axum::extract::Path;

use super::*;

/// Decides by the first word of the id.
#[derive(Clone, Default)]
struct ByWord(Arc<Mutex<Vec<usize>>>);

impl DecisionPoint for ByWord {
    fn name(&self) -> &'static str {
        "by word"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        let mut calls = self.0.lock().expect("no panic");
        calls.push(request.evaluations.len());
        let decide = |evaluation: &Evaluation| {
            let (word, rest) = evaluation.resource.id().split_once(' ')?;
            Some(match word {
                "open" => ObjectDecision::allow(),
                "granted" => ObjectDecision::allow().with_reason(rest),
                "login" => ObjectDecision::deny_until_login(rest.split('+')),
                "closed" => ObjectDecision::deny().with_reason(rest),
                _ => ObjectDecision::deny(),
            })
        };
        let decisions: Option<Vec<_>> = request.evaluations.iter().map(decide).collect();
        Box::pin(async move { decisions.ok_or_else(|| DecisionPointError::new("down")) })
    }
}

fn documents(ids: &str) -> Vec<Resource> {
    let ids = ids.split(',').filter(|id| !id.is_empty());
    ids.map(|id| Resource::new("Document", id)).collect()
}

#[requires(authenticated)]
async fn shown(guard: Guard, Path(ids): Path<String>) -> Result<(), Denied> {
    guard.can_all(UPDATE, documents(&ids)).await
}

#[requires(authenticated, hide_as = 404)]
async fn hidden(guard: Guard, Path(ids): Path<String>) -> Result<(), Denied> {
    guard.can_all(UPDATE, documents(&ids)).await
}

#[public(reason = "a test", identity = optional)]
async fn optional(guard: Guard, Path(ids): Path<String>) -> Result<(), Denied> {
    guard.can_all(UPDATE, documents(&ids)).await
}

#[requires(authenticated)]
async fn one(guard: Guard, Path(id): Path<String>) -> Result<(), Denied> {
    guard.can(UPDATE, Resource::new("Document", id)).await
}

#[requires(authenticated)]
async fn many(guard: Guard, Path(count): Path<usize>) -> Result<(), Denied> {
    let objects = (0..count).map(|id| Resource::new("Document", format!("open {id}")));
    guard.can_all(UPDATE, objects).await
}

#[requires(
    can("update", on = "Document::{a}"),
    can("update", on = "Document::{b}"),
    can("update", on = "Document::{c}")
)]
async fn three() {}

fn app(space: ProtectionSpaceBuilder, engine: &ByWord) -> ProtectedRouter {
    let space = space.decision_point(engine.clone()).build();
    GuardedRouter::new()
        .route("/shown/{ids}", get(shown))
        .route("/hidden/{ids}", get(hidden))
        .route("/optional/{ids}", get(optional))
        .route("/one/{ids}", get(one))
        .route("/many/{count}", get(many))
        .route("/three/{a}/{b}/{c}", get(three))
        .protect(space.expect("a space"))
        .expect("routes")
}

/// Returns the status, the `acr_values` and the `detail` of the response.
async fn seen(app: &ProtectedRouter, path: &str) -> (u16, Option<String>, Option<String>) {
    let path = path.replace(' ', "%20");
    let response = send(app, by("ann", &path)).await;
    let status = response.status().as_u16();
    let challenge = response.headers().get("www-authenticate").cloned();
    let text = challenge.map(|value| value.to_str().expect("ASCII").to_owned());
    let values = text.and_then(|text| {
        let (_, values) = text.split_once("acr_values=\"")?;
        Some(values.split_once('"')?.0.to_owned())
    });
    let problem: serde_json::Value =
        serde_json::from_str(&body(response).await).unwrap_or_default();
    let detail = problem["detail"].as_str().map(str::to_owned);
    (status, values, detail)
}

#[tokio::test]
async fn all_objects_take_one_call() {
    let engine = ByWord::default();
    let app = app(space_builder(), &engine);
    for (path, expected) in [
        ("/shown/open a,open b", 200),
        ("/shown/,", 200),
        ("/shown/open a,other b", 403),
        ("/shown/other a,open b", 403),
        ("/shown/open a,down", 503),
        ("/hidden/open a,open b", 200),
        ("/hidden/open a,other b", 404),
        ("/many/10000", 200),
        ("/many/10001", 500),
    ] {
        assert_eq!(seen(&app, path).await.0, expected, "{path}");
    }
    let calls = engine.0.lock().expect("no panic").clone();
    assert_eq!(calls, [2, 2, 2, 2, 2, 2, 10_000], "none about no object");
    let request = request("/optional/open%20a");
    assert_eq!(status(&app, request).await, 401);
}

/// As a policy does that requires them all: 401 only if a login leads to a grant (rule 3).
#[tokio::test]
async fn denial_of_several_objects_matches_policy() {
    let app = app(space_builder(), &ByWord::default());
    let closed = Some("for owners");
    for (ids, status, values, detail) in [
        ("login gold", 401, Some("gold"), None),
        (
            "open a,login gold,login silver",
            401,
            Some("gold silver"),
            None,
        ),
        ("login gold+best,login best+silver", 401, Some("best"), None),
        (
            "login gold+best,login gold+best",
            401,
            Some("gold best"),
            None,
        ),
        ("login gold,other b", 403, None, None),
        ("other b,login gold", 403, None, None),
        ("closed for owners", 403, None, closed),
        ("login gold,closed for owners,closed a", 403, None, closed),
        ("other a,closed for owners", 403, None, closed),
    ] {
        let path = format!("/shown/{ids}");
        let (own, own_values, own_detail) = seen(&app, &path).await;
        assert_eq!((own, own_values.as_deref()), (status, values), "{ids}");
        if detail.is_some() {
            assert_eq!(own_detail.as_deref(), detail, "{ids}");
        }
        if !ids.contains(',') {
            assert_eq!(
                seen(&app, &format!("/one/{ids}")).await,
                seen(&app, &path).await,
                "{ids}"
            );
        }
        let shown = if status == 401 { 401 } else { 404 };
        let path = format!("/hidden/{ids}");
        assert_eq!(seen(&app, &path).await.0, shown, "{ids}");
        if shown == 404 {
            assert_hidden(app.clone(), by("ann", &path.replace(' ', "%20"))).await;
        }
    }
}

/// An engine may explain every decision.
#[tokio::test]
async fn only_denied_actions_give_the_reason() {
    let app = app(space_builder(), &ByWord::default());
    for (ids, expected) in [
        (["granted to owners", "closed for guests"], "for guests"),
        (["closed for guests", "granted to owners"], "for guests"),
        (
            ["granted to owners", "other b"],
            "You are not allowed to do this.",
        ),
    ] {
        for path in [
            format!("/shown/{}", ids.join(",")),
            format!("/three/open a/{}", ids.join("/")),
        ] {
            let (status, _, detail) = seen(&app, &path).await;
            assert_eq!((status, detail.as_deref()), (403, Some(expected)), "{path}");
        }
    }
}

/// Each class is requested once, in the order of the objects.
#[tokio::test]
async fn policy_and_handler_request_same_login() {
    let app = app(space_builder(), &ByWord::default());
    for (ids, status, values) in [
        (
            ["login gold+best", "login best+own", "login own+gold"],
            401,
            Some("gold best own"),
        ),
        (
            ["login gold+best", "login best+own", "login own+best"],
            401,
            Some("best"),
        ),
        (["open a", "login own", "login own"], 401, Some("own")),
        (["open a", "login own", "other b"], 403, None),
    ] {
        for path in [
            format!("/shown/{}", ids.join(",")),
            format!("/three/{}", ids.join("/")),
        ] {
            let (found, found_values, _) = seen(&app, &path).await;
            assert_eq!((found, found_values.as_deref()), (status, values), "{path}");
        }
    }
}

/// A key has no login.
#[tokio::test]
async fn without_challenge_no_login_is_requested() {
    let keys = ApiKeys::builder();
    let keys = keys.key("a-long-random-key-of-a-job", Identity::new("job"));
    let space = ProtectionSpace::builder().realm("api");
    let space = space.scheme(keys.build().expect("a key"));
    let app = app(space, &ByWord::default());
    let (status, values, _) = seen(&app, "/shown/login gold").await;
    assert_eq!((status, values), (403, None));
}
