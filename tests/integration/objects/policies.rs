//! `can` in policies.

use auth_runtime::objects::ResourcePattern;
use auth_runtime::routing::get;
use auth_runtime::{CheckRequest, Denied, Guard, Policy, Requirement, requires};

use super::*;

#[requires(can = "update", on = "Repository::{owner}/{repo}", scope = "repo", hide_as = 404,
           hide_unless = can("read"))]
async fn rename() -> &'static str {
    "renamed"
}

#[requires(can = "read", on = "Repository::{owner}/{repo}")]
async fn read() -> &'static str {
    "read"
}

#[requires(any(role = "admin", can = "read"), on = "Repository::{owner}/{repo}")]
async fn by_role_or_engine() -> &'static str {
    "read"
}

#[requires(can = "restart")]
async fn restart() -> &'static str {
    "restarted"
}

async fn is_even(request: CheckRequest<'_>) -> bool {
    request
        .parameter("repo")
        .is_some_and(|repo| repo.len().is_multiple_of(2))
}

#[requires(can = "read", check = is_even, on = "Repository::{owner}/{repo}")]
async fn after_check() -> &'static str {
    "read"
}

#[requires(authenticated, on = "Repository::{owner}/{repo}")]
mod repository {
    use auth_runtime::requires;

    #[requires(can = "read")]
    pub(super) async fn show() -> &'static str {
        "shown"
    }

    #[requires(can = "read", on = "Owner::{owner}")]
    pub(super) async fn owner() -> &'static str {
        "shown"
    }

    #[requires(can("read", on = "Owner::{owner}"), can = "update")]
    pub(super) async fn both() -> &'static str {
        "shown"
    }
}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/{owner}/{repo}/name", get(rename))
        .route("/{owner}/{repo}", get(read))
        .route("/{owner}/{repo}/any", get(by_role_or_engine))
        .route("/{owner}/{repo}/even", get(after_check))
        .route("/{owner}/{repo}/shown", get(repository::show))
        .route("/{owner}/{repo}/owner", get(repository::owner))
        .route("/{owner}/{repo}/both", get(repository::both))
        .route("/restart", get(restart))
}

#[tokio::test]
async fn the_engine_grants_and_denies() {
    let engine = Engine::default();
    let app = protect(routes(), &engine);
    for (caller, target, expected) in [
        ("ann", "/ann/garden", 200),
        ("bob", "/ann/garden", 403),
        ("bob", "/ann/garden-public", 200),
        ("ann", "/ann/garden/name", 200),
        // A reader learns that it may not rename; another caller learns nothing.
        ("bob", "/ann/garden-public/name", 403),
        ("bob", "/ann/garden/name", 404),
        ("ann", "/ann/x/shown", 200),
        ("bob", "/ann/x/shown", 403),
        ("ann", "/ann/x/owner", 200),
        ("bob", "/ann/x-public/owner", 403),
        ("ann", "/ann/x/both", 200),
        ("bob", "/ann/x-public/both", 403),
    ] {
        assert_eq!(
            status(&app, by(caller, target)).await,
            expected,
            "{caller} {target}"
        );
    }
}

/// Rules 2 and 4: the atom is unknown for callers that are not known, and the engine is not asked.
#[tokio::test]
async fn engine_decides_about_known_callers_only() {
    let engine = Engine::default();
    let app = protect(routes(), &engine);
    for (caller, expected) in [
        (Caller::Anonymous, 401),
        (Caller::rejected(), 401),
        (Caller::unverifiable(), 503),
    ] {
        let request = with_caller(request("/ann/garden-public"), caller);
        assert_eq!(status(&app, request).await, expected);
    }
    assert_eq!(status(&app, request("/ann/garden/name")).await, 404);
    assert_eq!(engine.calls(), Vec::<Vec<String>>::new());
}

#[tokio::test]
async fn all_request_questions_are_one_call() {
    let engine = Engine::default();
    let app = protect(routes(), &engine);
    assert_eq!(status(&app, by("bob", "/ann/garden/name")).await, 404);
    assert_eq!(
        engine.calls(),
        [[
            r#"update Repository::"ann/garden""#,
            r#"read Repository::"ann/garden""#
        ]]
    );
}

#[tokio::test]
async fn equal_questions_are_asked_once() {
    let engine = Engine::default();
    let app = protect(routes(), &engine);
    status(&app, by("ann", "/ann/x/both")).await;
    assert_eq!(
        engine.calls(),
        [[r#"read Owner::"ann""#, r#"update Repository::"ann/x""#]]
    );
}

#[tokio::test]
async fn decided_requests_ask_nothing() {
    let engine = Engine::default();
    let app = protect(routes(), &engine);
    let admin = Identity::new("root").with_roles(["admin"]);
    let request = with_identity(super::request("/ann/garden/any"), admin);
    assert_eq!(status(&app, request).await, 200);
    // A check comes before the engine, wherever it is written.
    assert_eq!(status(&app, by("ann", "/ann/odd/even")).await, 403);
    assert_eq!(engine.calls(), Vec::<Vec<String>>::new());
    assert_eq!(status(&app, by("ann", "/ann/even/even")).await, 200);
    assert_eq!(engine.calls().len(), 1);
}

/// A question in a part that is decided otherwise is not asked, so it cannot fail the request either.
#[tokio::test]
async fn irrelevant_questions_are_not_asked() {
    #[requires(
        any(
            all(role = "auditor", can("read", on = "Ledger::{repo}")),
            can = "read"
        ),
        on = "Repository::{repo}"
    )]
    async fn branch() {}
    // With the scope, the second question would matter: one call for both.
    #[requires(
        any(all(scope = "audit", can("read", on = "Ledger::{repo}")), can = "read"),
        on = "Repository::{repo}"
    )]
    async fn scoped() {}

    let engine = Engine::default();
    let routes = GuardedRouter::new().route("/{repo}", get(branch));
    let app = protect(routes.route("/{repo}/scoped", get(scoped)), &engine);
    assert_eq!(status(&app, by("ann", "/ann")).await, 200);
    assert_eq!(status(&app, by("bob", "/ann/scoped")).await, 403);
    assert_eq!(
        engine.calls(),
        [
            vec![r#"read Repository::"ann""#],
            vec![r#"read Ledger::"ann""#, r#"read Repository::"ann""#]
        ]
    );
}

#[tokio::test]
async fn requirement_without_object_is_about_service() {
    let engine = Engine::default();
    let app = protect(routes(), &engine);
    assert_eq!(status(&app, by("ann", "/restart")).await, 403);
    assert_eq!(status(&app, by("api", "/restart")).await, 200);
    assert_eq!(engine.calls()[0], [r#"restart Service::"api""#]);
}

/// Rule 3c: the scope is named only if the engine allows the rest.
#[tokio::test]
async fn missing_scopes_are_named_if_allowed() {
    #[requires(can = "update", on = "Repository::{owner}/{repo}", scope = "repo")]
    async fn change() {}

    let engine = Engine::default();
    let app = protect(
        GuardedRouter::new().route("/{owner}/{repo}", get(change)),
        &engine,
    );
    let without_scope = |target| with_identity(request(target), Identity::new("ann"));
    let challenge = async |target| {
        let response = send(&app, without_scope(target)).await;
        assert_eq!(response.status(), 403, "{target}");
        response.headers()["www-authenticate"]
            .to_str()
            .expect("ASCII")
            .to_owned()
    };
    assert!(
        challenge("/ann/x")
            .await
            .contains(r#"error="insufficient_scope""#)
    );
    assert!(!challenge("/bob/x").await.contains("error"));
}

#[tokio::test]
async fn a_concealed_object_is_indistinguishable() {
    let app = protect(routes(), &Engine::default());
    assert_hidden(app, by("bob", "/ann/garden/name")).await;
}

#[tokio::test]
async fn a_policy_shows_its_questions() {
    let on = ResourcePattern::parse("Repository::{owner}/{repo}").expect("a pattern");
    let policy = Policy::requires(Requirement::all([
        Requirement::can_on("update", on.clone()),
        Requirement::scope("repo"),
    ]));
    let policy = policy
        .hide_as_not_found()
        .hide_unless(Requirement::can_on("read", on));
    let routes = routes();
    let table = routes.access_table();
    let row = table
        .rows()
        .iter()
        .find(|row| row.path() == "/{owner}/{repo}/name");
    assert_eq!(row.and_then(|row| row.policy()), Some(&policy));
    assert_eq!(
        policy.to_string(),
        r#"requires(can("update", on = "Repository::{owner}/{repo}"), scope = "repo", hide_as = 404, hide_unless = can("read", on = "Repository::{owner}/{repo}"))"#
    );
}

/// Values that a challenge cannot contain are left out, and the denial is final without any.
#[test]
fn context_classes_of_engine_are_bounded() {
    let decision = ObjectDecision::deny_until_login(["gold", "a b", "", "\"", "é", "x\r\ny"]);
    assert_eq!(decision.acr_values(), ["gold"]);
    let many = ObjectDecision::deny_until_login((0..40).map(|class| class.to_string()));
    assert_eq!(many.acr_values().len(), 16);
    assert_eq!(
        ObjectDecision::deny_until_login(["a b"]),
        ObjectDecision::deny()
    );
}

/// Denies with a reason that other documents would read as markup.
struct WithReason;

impl DecisionPoint for WithReason {
    fn name(&self) -> &'static str {
        "reasons"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        let decisions = request.evaluations.iter().map(|evaluation| {
            let reason = format!("No \"{}\" & <no> \\ writing.\r\n", evaluation.action);
            ObjectDecision::deny().with_reason(&reason)
        });
        let decisions = decisions.collect();
        Box::pin(async { Ok(decisions) })
    }
}

#[requires(can = "restart", hide_as = 404)]
async fn concealed() {}

#[requires(authenticated)]
async fn in_handler(guard: Guard) -> Result<(), Denied> {
    guard
        .can(UPDATE, Resource::new("Repository", "ann/garden"))
        .await
}

#[tokio::test]
async fn engine_reason_is_in_403_body() {
    let space = space_builder().decision_point(WithReason);
    let routes = routes()
        .route("/concealed", get(concealed))
        .route("/handler", get(in_handler));
    let app = routes.protect(space.build().expect("a space"));
    let app = app.expect("the routes are in order");
    for (target, accept, expected) in [
        (
            "/restart",
            "application/json",
            r#""detail":"No \"restart\" & <no> \\ writing."}"#,
        ),
        (
            "/restart",
            "text/html",
            r#"<p>No "restart" &amp; &lt;no&gt; \ writing.</p>"#,
        ),
        (
            "/restart",
            "text/plain",
            "403 Forbidden\nNo \"restart\" & <no> \\ writing.\n",
        ),
        (
            "/handler",
            "text/plain",
            "403 Forbidden\nNo \"update\" & <no> \\ writing.\n",
        ),
        // The first one that denies, in the order of the policy.
        (
            "/ann/garden/both",
            "text/plain",
            "403 Forbidden\nNo \"read\" & <no> \\ writing.\n",
        ),
    ] {
        let mut request = by("ann", target);
        let accept = http::HeaderValue::from_static(accept);
        request.headers_mut().insert("accept", accept);
        let response = send(&app, request).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{target}");
        let body = body(response).await;
        assert!(body.contains(expected), "{target}: {body}");
    }
    let hidden = body(send(&app, by("ann", "/concealed")).await).await;
    assert!(!hidden.contains("writing"), "{hidden}");
    assert_hidden(app, by("ann", "/concealed")).await;
}

#[test]
fn reasons_are_bounded() {
    let long = ObjectDecision::deny().with_reason(&"ä".repeat(300));
    assert_eq!(long.reason(), Some("ä".repeat(256).as_str()));
    assert_eq!(ObjectDecision::deny().with_reason(" \n").reason(), None);
}

/// Keeps the id of the last request.
#[derive(Clone, Default)]
struct Ids(Arc<Mutex<Option<http::HeaderValue>>>);

impl DecisionPoint for Ids {
    fn name(&self) -> &'static str {
        "ids"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        *self.0.lock().expect("no panic") = request.request_id.cloned();
        let decisions = vec![ObjectDecision::allow(); request.evaluations.len()];
        Box::pin(async { Ok(decisions) })
    }
}

/// Clients choose the id. With one that a server refuses, the server would seem to fail, for all callers.
#[tokio::test]
async fn engines_receive_short_request_ids_only() {
    let engine = Ids::default();
    let field = http::HeaderName::from_static("x-request-id");
    let space = space_builder()
        .decision_point(engine.clone())
        .request_id_field(field.clone());
    let routes = routes().route("/handler", get(in_handler));
    let app = routes.protect(space.build().expect("a space"));
    let app = app.expect("the routes are in order");
    for (id, is_passed) in [
        ("r-17".to_owned(), true),
        ("a b".to_owned(), true),
        ("r".repeat(256), true),
        ("r".repeat(257), false),
        ("r".repeat(60_000), false),
        ("ä".to_owned(), false),
        ("a\tb".to_owned(), false),
        (String::new(), false),
    ] {
        let id = http::HeaderValue::from_bytes(id.as_bytes()).expect("a value");
        // By the policy, and by a guard.
        for target in ["/restart", "/handler"] {
            let mut request = by("ann", target);
            request.headers_mut().insert(field.clone(), id.clone());
            assert_eq!(status(&app, request).await, 200, "{target}");
            let passed = engine.0.lock().expect("no panic").take();
            assert_eq!(passed, Some(id.clone()).filter(|_| is_passed), "{target}");
        }
    }
}
