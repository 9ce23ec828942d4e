//! The object of each `can`, and its id, from the path of a request.

use auth_runtime::requires;
use auth_runtime::routing::get;

use super::*;

#[requires(can = "read", on = "Repository::{owner}/{repo}")]
async fn two() {}

#[requires(can = "read", on = "File::{path}")]
async fn below() {}

/// No two paths lead to one id, and the id has the decoded values.
#[tokio::test]
async fn ids_are_unambiguous() {
    let engine = Engine::default();
    let routes = GuardedRouter::new()
        .route("/r/{owner}/{repo}", get(two))
        .route("/f/{*path}", get(below));
    let app = protect(routes, &engine);
    for (target, expected) in [
        ("/r/ann/x", Some(r#"read Repository::"ann/x""#)),
        ("/r/ann/x%2Fy", Some(r#"read Repository::"ann/x/y""#)),
        // `ann/x` and `y` would have the same id.
        ("/r/ann%2Fx/y", None),
        ("/r/%61nn/x%20y", Some(r#"read Repository::"ann/x y""#)),
        ("/r/ann/%00", Some(r#"read Repository::"ann/\0""#)),
        ("/r/ann/%ff", None),
        ("/r/ann/x%22%5D", Some(r#"read Repository::"ann/x\"]""#)),
        ("/r/ann/..", Some(r#"read Repository::"ann/..""#)),
        ("/f/ann/b/c", Some(r#"read File::"ann/b/c""#)),
    ] {
        let before = engine.calls().len();
        let status = status(&app, by("ann", target)).await;
        let calls = engine.calls();
        match expected {
            Some(question) => {
                assert_eq!(status, 200, "{target}");
                assert_eq!(calls[before..], [[question]], "{target}");
            }
            None => {
                assert_eq!(status, 403, "{target}");
                assert_eq!(calls.len(), before, "{target}");
            }
        }
    }
}

#[tokio::test]
async fn parameters_of_nested_routers_are_found() {
    let engine = Engine::default();
    let inner = GuardedRouter::new().route("/{repo}", get(two));
    let app = protect(GuardedRouter::new().nest("/r/{owner}", inner), &engine);
    assert_eq!(status(&app, by("ann", "/r/ann/x")).await, 200);
    assert_eq!(engine.calls(), [[r#"read Repository::"ann/x""#]]);
}

/// The service has the realm of its space as its id. Another realm is for challenges only.
#[tokio::test]
async fn service_is_one_object_across_realms() {
    #[requires(can = "restart", realm = "operators")]
    async fn restart() {}

    let engine = Engine::default();
    let app = protect(GuardedRouter::new().route("/", get(restart)), &engine);
    assert_eq!(status(&app, by("api", "/")).await, 200);
    assert_eq!(engine.calls(), [[r#"restart Service::"api""#]]);
}

/// `on` of the attribute is the object of each `can` in it, at any depth.
#[tokio::test]
async fn members_are_about_the_attribute_object() {
    #[requires(
        any(can = "share", can = "update", all(can = "read", can = "list")),
        on = "Repository::{owner}/{repo}"
    )]
    async fn one_of() {}

    let engine = Engine::default();
    let routes = GuardedRouter::new().route("/{owner}/{repo}", get(one_of));
    let app = protect(routes, &engine);
    assert_eq!(status(&app, by("bob", "/ann/garden")).await, 403);
    let actions = ["share", "update", "read", "list"];
    let questions = actions.map(|action| format!(r#"{action} Repository::"ann/garden""#));
    assert_eq!(engine.calls(), [questions]);
}

/// Two objects of one type: reading one does not allow changing the other.
#[tokio::test]
async fn requirements_are_about_own_objects() {
    #[requires(
        can("read", on = "Repository::{from}"),
        can("update", on = "Repository::{to}")
    )]
    async fn copy() -> &'static str {
        "copied"
    }

    let engine = Engine::default();
    let routes = GuardedRouter::new().route("/{from}/to/{to}", get(copy));
    let app = protect(routes, &engine);
    for (target, expected) in [
        ("/ann/to/ann", 200),
        ("/bob-public/to/ann", 200),
        ("/ann/to/bob-public", 403),
        ("/ann/to/bob", 403),
        ("/bob/to/ann", 403),
    ] {
        assert_eq!(status(&app, by("ann", target)).await, expected, "{target}");
    }
    let calls = engine.calls();
    let expected = [r#"read Repository::"bob""#, r#"update Repository::"ann""#];
    assert_eq!(
        calls.last().map(Vec::as_slice),
        Some(&expected.map(str::to_owned)[..])
    );
}

/// A plain router around a protected one may have a parameter of the same name. Its value is part of no id.
#[tokio::test]
async fn ambiguous_parameters_belong_to_no_object() {
    #[requires(can = "read", on = "Repository::{repo}")]
    async fn one() {}

    let engine = Engine::default();
    let app = protect(GuardedRouter::new().route("/{repo}/x", get(one)), &engine);
    let outer = axum::Router::new().nest_service("/{repo}", app);
    for (target, expected) in [
        ("/ann/bob/x", 403),
        ("/bob/ann/x", 403),
        ("/ann/ann/x", 200),
    ] {
        let Ok(response) = outer.clone().oneshot(by("ann", target)).await;
        assert_eq!(response.status(), expected, "{target}");
    }
    assert_eq!(engine.calls(), [[r#"read Repository::"ann""#]]);
}
