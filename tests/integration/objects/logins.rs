//! Logins that the decision point requests.

use auth_runtime::routing::get;
use auth_runtime::schemes::ApiKeys;
use auth_runtime::{Denied, Guard, ProtectionSpace, requires};

use super::*;

/// Rule 3a: the engine can request a new login, and the request for it is disclosed.
#[tokio::test]
async fn an_engine_can_request_a_login() {
    struct AfterLogin;

    impl DecisionPoint for AfterLogin {
        fn name(&self) -> &'static str {
            "after login"
        }

        fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
            let decision = match request.identity.acr() {
                Some("gold") => ObjectDecision::allow(),
                _ => ObjectDecision::deny_until_login(["gold", "platinum"]),
            };
            let decisions = request.evaluations.iter().map(|_| decision.clone());
            let decisions = decisions.collect();
            Box::pin(async move { Ok(decisions) })
        }
    }

    #[requires(can = "delete", on = "Repository::{repo}", hide_as = 404)]
    async fn delete() {}
    #[requires(can = "delete", on = "Repository::{repo}", scope = "repo:delete")]
    async fn with_scope() {}
    #[requires(authenticated)]
    async fn by_guard(guard: Guard) -> Result<(), Denied> {
        guard.can(UPDATE, Resource::new("Repository", "x")).await
    }
    #[requires(can = "delete", on = "Repository::{repo}", acr = "gold")]
    async fn gold() {}
    #[requires(any(acr = "silver", can = "delete"), on = "Repository::{repo}")]
    async fn either() {}

    let space = space_builder()
        .decision_point(AfterLogin)
        .build()
        .expect("a space");
    let routes = GuardedRouter::new().route("/{repo}", get(delete));
    let routes = routes
        .route("/{repo}/guard", get(by_guard))
        .route("/{repo}/scope", get(with_scope))
        .route("/{repo}/gold", get(gold))
        .route("/{repo}/either", get(either));
    let app = routes.protect(space).expect("the routes are in order");
    for path in ["/x", "/x/guard"] {
        let response = send(&app, by("ann", path)).await;
        assert_eq!(response.status(), 401, "{path}");
        let challenge = response.headers()["www-authenticate"]
            .to_str()
            .expect("ASCII");
        assert!(
            challenge.contains(r#"error="insufficient_user_authentication""#),
            "{challenge}"
        );
        assert!(
            challenge.contains(r#"acr_values="gold platinum""#),
            "{challenge}"
        );
    }
    let gold = Identity::new("ann").with_acr("gold");
    assert_eq!(status(&app, with_identity(request("/x"), gold)).await, 200);
    // A login alone would not be enough: the token lacks a scope as well (rule 3c).
    let response = send(&app, by("ann", "/x/scope")).await;
    assert_eq!(response.status(), 403);
    let challenge = response.headers()["www-authenticate"].to_str();
    let expected = r#"scope="repo:delete", error="insufficient_scope""#;
    assert!(
        challenge.as_ref().is_ok_and(|it| it.contains(expected)),
        "{challenge:?}"
    );
    // Without a scheme that can request a login, the denial is final.
    let keys = ApiKeys::builder().key("a-long-random-key-of-a-job", Identity::new("job"));
    let keys = keys.build().expect("a key");
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(keys)
        .decision_point(AfterLogin);
    let routes = GuardedRouter::new()
        .route("/{repo}", get(with_scope))
        .route("/{repo}/guard", get(by_guard));
    let other = routes
        .protect(space.build().expect("a space"))
        .expect("routes");
    for path in ["/x", "/x/guard"] {
        let identity = Identity::new("job").with_scopes(["repo:delete"]);
        assert_eq!(
            status(&other, with_identity(request(path), identity)).await,
            403,
            "{path}"
        );
    }
    for (path, values) in [("/x/gold", "gold"), ("/x/either", "silver gold platinum")] {
        let response = send(&app, by("ann", path)).await;
        let challenge = response.headers()["www-authenticate"]
            .to_str()
            .expect("ASCII");
        let expected = format!(r#"acr_values="{values}""#);
        assert!(challenge.contains(&expected), "{challenge}");
    }
}
