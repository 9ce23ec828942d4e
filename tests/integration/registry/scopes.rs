//! Engines with scopes of tokens of their own.

use auth_runtime::objects::{
    Action, DecisionPoint, DecisionPointError, Evaluation, EvaluationFuture, EvaluationRequest,
    ObjectDecision, TokenScope,
};

use axum::extract::Path;

use super::*;

/// Allows to read one object, or fails. A token could allow everything, and a login some.
struct Scoped {
    fails: bool,
}

impl DecisionPoint for Scoped {
    fn name(&self) -> &'static str {
        "scoped"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        let decisions = request.evaluations.iter().map(|evaluation| {
            let id = evaluation.resource.id();
            if id.starts_with("login") {
                return ObjectDecision::deny_until_login(["gold"]);
            }
            ObjectDecision::from(id.starts_with("open") && evaluation.action == "read")
        });
        let result = if self.fails {
            Err(DecisionPointError::new("down"))
        } else {
            Ok(decisions.collect())
        };
        Box::pin(async { result })
    }

    fn token_scope(&self) -> Option<TokenScope> {
        Some(
            |Evaluation {
                 action, resource, ..
             }| {
                let (kind, id) = (resource.resource_type(), resource.id());
                Some(format!("{kind}:{id}:{action}"))
            },
        )
    }
}

#[requires(can = "read", on = "Thing::{id}")]
async fn read() {}

#[requires(can = "restart")]
async fn restart() {}

#[requires(
    any(all(scope = "b", can = "write"), all(scope = "a", can = "read")),
    on = "Thing::{id}"
)]
async fn either() {}

#[requires(any(scope = "a", scope = "b"))]
async fn in_handler(guard: Guard) -> Result<(), Denied> {
    let thing = Resource::new("Thing", "x");
    guard.can(const { Action::new("read") }, thing).await
}

#[requires(any(scope = "a", scope = "b"))]
async fn all_in_handler(guard: Guard, Path(ids): Path<String>) -> Result<(), Denied> {
    let things = ids.split(',').map(|id| Resource::new("Thing", id));
    guard.can_all(const { Action::new("read") }, things).await
}

fn app(fails: bool) -> ProtectedRouter {
    let space = ProtectionSpace::builder()
        .realm("registry")
        .scheme(Bearer::jwt(verifier()))
        .decision_point(Scoped { fails });
    GuardedRouter::new()
        .route("/things/{id}", get(read))
        .route("/things/{id}/either", get(either))
        .route("/restart", get(restart))
        .route("/in-handler", get(in_handler))
        .route("/all/{ids}", get(all_in_handler))
        .protect(space.build().expect("a space"))
        .expect("routes")
}

#[tokio::test]
async fn object_scopes_are_short_scope_tokens() {
    let app = app(false);
    let (longest, too_long) = ("x".repeat(501), "x".repeat(502));
    for (target, scope) in [
        ("/things/x", "Thing:x:read"),
        ("/restart", "Service:registry:restart"),
        (
            &format!("/things/{longest}"),
            &format!("Thing:{longest}:read"),
        ),
        (&format!("/things/{too_long}"), ""),
        ("/things/x%20y", ""),
        ("/things/x%22y", ""),
        ("/things/%C3%BC", ""),
    ] {
        let scope = match scope {
            "" => String::new(),
            scope => format!(r#", scope="{scope}""#),
        };
        let expected = format!(r#"Bearer realm="registry"{scope}"#);
        assert_eq!(
            get_of(&app, target, None).await,
            (401, expected),
            "{target}"
        );
    }
}

/// The scopes that the token has are requested again, and no others of the policy.
#[tokio::test]
async fn token_and_object_scopes_are_requested() {
    let token = token(json!({ "scope": "b c" }));
    let scope = r#"scope="b Thing:x:read""#;
    let expected = format!(r#"Bearer realm="registry", {scope}, {INSUFFICIENT}"#);
    let answer = get_of(&app(false), "/in-handler", Some(&token)).await;
    assert_eq!(answer, (403, expected));
}

/// A token with the scopes of some objects would be denied for the others.
#[tokio::test]
async fn all_object_scopes_are_requested_together() {
    let token = token(json!({ "scope": "b c" }));
    let ids = |count: usize| (0..count).map(|id| format!("x{id}")).collect::<Vec<_>>();
    let scopes = |count| -> String {
        let scopes = ids(count).into_iter();
        scopes.map(|id| format!(" Thing:{id}:read")).collect()
    };
    let none = String::new();
    for (ids, scopes) in [
        (
            "x,open,y,x".to_owned(),
            " Thing:x:read Thing:open:read Thing:y:read".to_owned(),
        ),
        // No token has a scope with a space, and these objects do not need one.
        ("x,login%20x".to_owned(), " Thing:x:read".to_owned()),
        ("x,open%20x".to_owned(), " Thing:x:read".to_owned()),
        ("x,x%20x".to_owned(), none.clone()),
        (ids(16).join(","), scopes(16)),
        (ids(17).join(","), none),
    ] {
        let insufficient = if scopes.is_empty() {
            String::new()
        } else {
            format!(r#", scope="b{scopes}", {INSUFFICIENT}"#)
        };
        let expected = format!(r#"Bearer realm="registry"{insufficient}"#);
        let answer = get_of(&app(false), &format!("/all/{ids}"), Some(&token)).await;
        assert_eq!(answer, (403, expected), "{ids}");
    }
}

/// The engine is asked first: the grants that the token has determine the nearest scopes.
#[tokio::test]
async fn the_nearest_scopes_are_requested() {
    let token = token(json!({}));
    for (target, scopes) in [
        ("/things/x/either", "b Thing:x:write"),
        ("/things/open/either", "a Thing:open:read"),
    ] {
        let scopes = format!(r#"scope="{scopes}""#);
        let expected = format!(r#"Bearer realm="registry", {scopes}, {INSUFFICIENT}"#);
        let answer = get_of(&app(false), target, Some(&token)).await;
        assert_eq!(answer, (403, expected), "{target}");
    }
}

#[tokio::test]
async fn an_outage_is_no_missing_scope() {
    let token = token(json!({}));
    for (fails, status) in [(false, 403), (true, 503)] {
        let answer = get_of(&app(fails), "/things/x", Some(&token)).await;
        assert_eq!(answer.0, status, "{}", answer.1);
    }
}

/// A token could have the scope of the object. A key has no scopes that its owner could request.
#[tokio::test]
async fn only_token_schemes_request_object_scopes() {
    let key = Identity::new("robot").with_scopes(["a"]);
    let keys = ApiKeys::builder()
        .key("a-long-random-key-of-a-robot", key)
        .build();
    let space = ProtectionSpace::builder()
        .realm("registry")
        .scheme(Bearer::jwt(verifier()))
        .scheme(keys.expect("a scheme"))
        .decision_point(Scoped { fails: false });
    let app = GuardedRouter::new()
        .route("/in-handler", get(in_handler))
        .protect(space.build().expect("a space"))
        .expect("routes");
    let request = Request::get("/in-handler").header("x-api-key", "a-long-random-key-of-a-robot");
    let request = request.body(Body::empty()).expect("a request");
    let Ok(response) = app.oneshot(request).await;
    assert_eq!(response.status(), 403);
    assert_eq!(response.headers().get("www-authenticate"), None);
}
