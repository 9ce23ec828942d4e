//! Engines that are out of order: 503, never a grant and never a verdict on the caller (rule 4).

use auth_runtime::objects::{DecisionCache, DecisionDeadline, ObjectRequest, ObjectRules};
use auth_runtime::routing::get;
use auth_runtime::{Denied, Guard, requires};
use auth_tests::token;
use serde_json::json;

use super::*;

#[requires(can = "read", on = "Repository::{repo}")]
async fn read() -> &'static str {
    "read"
}

#[requires(can = "read", on = "Repository::{repo}", hide_as = 404)]
async fn hidden() -> &'static str {
    "read"
}

#[requires(any(can = "read", role = "admin"), on = "Repository::{repo}")]
async fn or_admin() -> &'static str {
    "read"
}

#[requires(scope = "other", can = "read", on = "Repository::{repo}")]
async fn false_without_engine() -> &'static str {
    "read"
}

#[requires(
    any(all(scope = "other", can = "read"), scope = "all"),
    on = "Repository::{repo}"
)]
async fn or_scope() -> &'static str {
    "read"
}

#[requires(role = "admin", can = "read", on = "Repository::{repo}")]
async fn with_role() -> &'static str {
    "read"
}

#[requires(authenticated)]
async fn by_guard(guard: Guard) -> Result<&'static str, Denied> {
    guard.can(READ, Resource::new("Repository", "x")).await?;
    Ok("read")
}

#[requires(authenticated, hide_as = 404)]
async fn by_hidden_guard(guard: Guard) -> Result<&'static str, Denied> {
    guard.can(READ, Resource::new("Repository", "x")).await?;
    Ok("read")
}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/{repo}", get(read))
        .route("/{repo}/hidden", get(hidden))
        .route("/{repo}/or", get(or_admin))
        .route("/{repo}/false", get(false_without_engine))
        .route("/{repo}/or-scope", get(or_scope))
        .route("/{repo}/role", get(with_role))
        .route("/{repo}/guard", get(by_guard))
        .route("/{repo}/hidden-guard", get(by_hidden_guard))
}

/// Returns one decision for all questions, or none.
struct OfAnotherLength(usize);

impl DecisionPoint for OfAnotherLength {
    fn name(&self) -> &'static str {
        "of another length"
    }

    fn evaluate<'r>(&'r self, _: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        Box::pin(async { Ok(vec![ObjectDecision::allow(); self.0]) })
    }
}

#[tokio::test]
async fn a_failing_engine_is_503() {
    let error = DecisionPointError::new("down").retry_after(Duration::from_secs(7));
    let app = protect(routes(), &Engine::failing(error));
    for (target, expected) in [
        ("/ann", StatusCode::SERVICE_UNAVAILABLE),
        ("/ann/guard", StatusCode::SERVICE_UNAVAILABLE),
        ("/ann/or", StatusCode::SERVICE_UNAVAILABLE),
        ("/ann/hidden", StatusCode::NOT_FOUND),
        ("/ann/hidden-guard", StatusCode::NOT_FOUND),
        // True with the missing scope, if the engine allows it.
        ("/ann/false", StatusCode::SERVICE_UNAVAILABLE),
        // False whatever the engine says.
        ("/ann/role", StatusCode::FORBIDDEN),
    ] {
        let identity = Identity::new("ann");
        let response = send(&app, with_identity(request(target), identity)).await;
        assert_eq!(response.status(), expected, "{target}");
        if expected == StatusCode::SERVICE_UNAVAILABLE {
            assert_eq!(response.headers()["retry-after"], "7", "{target}");
            assert_eq!(response.headers().get("www-authenticate"), None);
        }
    }
    let admin = Identity::new("root").with_roles(["admin"]);
    assert_eq!(
        status(&app, with_identity(request("/ann/or"), admin)).await,
        200
    );
    assert_hidden(app, by("ann", "/ann/hidden")).await;
}

/// A caller that can obtain the missing scope is not denied: with a decision, the scope could lead to a grant.
#[tokio::test]
async fn failing_engines_precede_missing_scopes() {
    let error = DecisionPointError::new("down").retry_after(Duration::from_secs(7));
    let app = protect(routes(), &Engine::failing(error));
    let bearer = |scope| format!("Bearer {}", token(json!({ "scope": scope })));
    for (scope, target, expected) in [
        ("none", "/ann/false", 503),
        ("other", "/ann/false", 503),
        // Another scope suffices without the engine.
        ("none", "/ann/or-scope", 403),
        ("other", "/ann/or-scope", 503),
        // No scope helps, whatever the engine says.
        ("other", "/ann/role", 403),
    ] {
        let mut request = request(target);
        let value = bearer(scope).parse().expect("a value");
        request.headers_mut().insert("authorization", value);
        let response = send(&app, request).await;
        assert_eq!(response.status(), expected, "{scope} {target}");
        let retry = response.headers().get("retry-after");
        assert_eq!(retry.is_some(), expected == 503, "{scope} {target}");
    }
}

/// A cache and a deadline around an engine pass its errors on.
#[tokio::test]
async fn wrapped_engines_name_time_to_retry() {
    let error = || DecisionPointError::new("down").retry_after(Duration::from_secs(7));
    let engine = || Engine::failing(error());
    let in_time = || {
        let minute = Duration::from_secs(60);
        DecisionDeadline::new(engine(), minute, |_| std::future::pending())
    };
    let cached = DecisionCache::builder(in_time()).build();
    for space in [
        space_builder().decision_point(in_time()),
        space_builder().decision_point(cached.expect("in order")),
    ] {
        let app = routes().protect(space.build().expect("a space"));
        let app = app.expect("the routes are in order");
        for target in ["/ann", "/ann/guard"] {
            let response = send(&app, by("ann", target)).await;
            assert_eq!(response.status(), 503, "{target}");
            assert_eq!(response.headers()["retry-after"], "7", "{target}");
        }
    }
}

#[tokio::test]
async fn another_number_of_decisions_is_failure() {
    for decisions in [0, 2] {
        let space = space_builder().decision_point(OfAnotherLength(decisions));
        let app = routes()
            .protect(space.build().expect("a space"))
            .expect("routes");
        for target in ["/ann", "/ann/guard"] {
            assert_eq!(
                status(&app, by("ann", target)).await,
                503,
                "{decisions}, {target}"
            );
        }
    }
}

#[tokio::test]
async fn rules_are_functions_of_the_service() {
    #[derive(Clone)]
    struct Db(&'static str);

    async fn repository(request: ObjectRequest<'_, Db>) -> Result<bool, std::io::Error> {
        match request.id() {
            "broken" => Err(std::io::Error::other("the database is down")),
            id => Ok(id == request.state().0 && request.action() == "read"),
        }
    }

    async fn closed(_: ObjectRequest<'_, Db>) -> bool {
        false
    }

    async fn service(request: ObjectRequest<'_, Db>) -> bool {
        request.identity().subject() == "ann"
    }

    #[requires(can = "restart")]
    async fn restart() {}

    let rules = ObjectRules::new(Db("garden"));
    // A second function for a type replaces the first.
    let rules = rules.on("Repository", service).on_service(closed);
    let rules = rules.on("Repository", repository).on_service(service);
    assert_eq!(rules.name(), "functions");
    let space = space_builder()
        .decision_point(rules)
        .build()
        .expect("a space");
    let routes = routes().route("/restart/now", get(restart));
    let app = routes.protect(space).expect("the routes are in order");
    for (caller, target, expected) in [
        ("ann", "/garden", 200),
        ("ann", "/forest", 403),
        ("ann", "/broken", 503),
        ("ann", "/restart/now", 200),
        ("bob", "/restart/now", 403),
    ] {
        assert_eq!(
            status(&app, by(caller, target)).await,
            expected,
            "{caller} {target}"
        );
    }
}
