//! Engines with scopes of tokens of their own.

use auth_runtime::objects::{
    Action, DecisionPoint, DecisionPointError, Evaluation, EvaluationFuture, EvaluationRequest,
    ObjectDecision, TokenScope,
};

use super::*;

/// Denies everything, or fails. A token could allow everything.
struct Scoped {
    fails: bool,
}

impl DecisionPoint for Scoped {
    fn name(&self) -> &'static str {
        "scoped"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        let denied = vec![ObjectDecision::deny(); request.evaluations.len()];
        let result = if self.fails {
            Err(DecisionPointError::new("down"))
        } else {
            Ok(denied)
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

#[requires(scope = "a", can = "read", on = "Thing::{id}")]
async fn read_with_scope() {}

#[requires(any(scope = "a", scope = "b"))]
async fn in_handler(guard: Guard) -> Result<(), Denied> {
    let thing = Resource::new("Thing", "x");
    guard.can(const { Action::new("read") }, thing).await
}

fn app(fails: bool) -> ProtectedRouter {
    let space = ProtectionSpace::builder()
        .realm("registry")
        .scheme(Bearer::jwt(verifier()))
        .decision_point(Scoped { fails });
    GuardedRouter::new()
        .route("/things/{id}", get(read))
        .route("/things/{id}/scope", get(read_with_scope))
        .route("/restart", get(restart))
        .route("/in-handler", get(in_handler))
        .protect(space.build().expect("a space"))
        .expect("routes")
}

#[tokio::test]
async fn the_scope_of_an_object_is_a_short_scope_token() {
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
async fn the_scope_of_an_object_is_requested_beside_those_of_the_token() {
    let token = token(json!({ "scope": "b c" }));
    let scope = r#"scope="b Thing:x:read""#;
    let expected = format!(r#"Bearer realm="registry", {scope}, {INSUFFICIENT}"#);
    let answer = get_of(&app(false), "/in-handler", Some(&token)).await;
    assert_eq!(answer, (403, expected));
}

/// The engine is asked, although a token with the scopes of the challenge would allow the request.
#[tokio::test]
async fn an_outage_is_no_missing_scope() {
    let token = token(json!({}));
    let target = "/things/x/scope";
    let scopes = r#"scope="a Thing:x:read""#;
    let expected = format!(r#"Bearer realm="registry", {scopes}, {INSUFFICIENT}"#);
    let answer = get_of(&app(false), target, Some(&token)).await;
    assert_eq!(answer, (403, expected));
    let answer = get_of(&app(true), target, Some(&token)).await;
    assert_eq!(answer, (503, String::new()));
}
