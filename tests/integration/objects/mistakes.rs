//! Mistakes that only the protection space shows.

use auth_runtime::objects::{DecisionCache, DecisionDeadline, ObjectRequest, ObjectRules};
use auth_runtime::requires;
use auth_runtime::routing::get;

use super::*;

#[requires(can = "read", on = "Repository::{owner}/{repo}", hide_as = 404,
           hide_unless = can("list", on = "Owner::{tenant}"))]
async fn read() {}

#[requires(can = "restart")]
async fn restart() {}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/{owner}/x", get(read))
        .route("/restart", get(restart))
}

#[test]
fn missing_parameters_and_engines_are_named() {
    let space = space_builder().build().expect("a space");
    let error = routes().protect(space).expect_err("no engine").to_string();
    for part in [
        "the path `/{owner}/x` of `auth_tests::integration::objects::mistakes::read` has no parameter \
         `repo`, which `on = \"Repository::{owner}/{repo}\"` names",
        "has no parameter `tenant`, which `on = \"Owner::{tenant}\"` names",
        "restart` requires `can = \"restart\"`, and the protection space has no decision point; add one \
         with `.decision_point(…)`",
    ] {
        let part = part.replace(
            "auth_tests::integration",
            module_path!().split("::objects").next().unwrap_or(""),
        );
        assert!(error.contains(&part), "{part}\nin\n{error}");
    }
    assert_eq!(error.lines().count(), 4, "{error}");
}

/// Without its braces, the name of a parameter is a constant: one object for every request.
#[test]
fn parameter_names_without_braces_are_found() {
    #[requires(can = "delete", on = "App::Note::id")]
    async fn delete() {}

    let routes = |path| GuardedRouter::new().route(path, get(delete));
    let protected = |router: GuardedRouter| {
        let space = with(&Engine::default()).build().expect("a space");
        router.protect(space).map_err(|error| error.to_string())
    };
    let error = protected(GuardedRouter::new().nest("/v2/{id}", routes("/note")));
    let error = error.expect_err("a constant id");
    assert!(
        error.ends_with(
            "::delete` is `App::Note::\"id\"` for every request, since `on = \"App::Note::id\"` has no \
             braces, and the path `/v2/{id}/note` has a parameter `id`; write `on = \"App::Note::{id}\"`, \
             or give the parameter another name"
        ),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1, "{error}");
    for path in ["/id", "/{ids}", "/{id}/x"] {
        let is_found = protected(routes(path)).is_err();
        assert_eq!(is_found, path.contains("{id}"), "{path}");
    }
}

#[test]
fn start_finds_types_without_a_rule() {
    async fn owner(_: ObjectRequest<'_>) -> bool {
        true
    }

    #[requires(can("read", on = "Owner::{owner}"), can = "restart")]
    async fn second() {}
    #[requires(
        can = "read",
        on = "Owner::{owner}",
        hide_as = 404,
        hide_unless = can("read", on = "Repository::{owner}")
    )]
    async fn in_exception() {}

    for routes in [
        GuardedRouter::new().route("/restart", get(restart)),
        GuardedRouter::new().route("/{owner}", get(second)),
        GuardedRouter::new().route("/{owner}", get(in_exception)),
    ] {
        let rules = ObjectRules::new(()).on("Owner", owner);
        let space = space_builder().decision_point(rules).build();
        let error = routes.protect(space.expect("a space"));
        let error = error.expect_err("no rule").to_string();
        assert!(
            error.ends_with(
                "does not decide about this action on objects of this type (it decides about `Owner`)"
            ),
            "{error}"
        );
    }
}

/// The types are sorted, also behind a cache and a deadline, and a long list is shortened.
#[test]
fn engine_lists_its_types_of_objects() {
    async fn any(_: ObjectRequest<'_>) -> bool {
        true
    }

    let letters = "lkjihgfedcba".chars();
    let rules = letters.fold(ObjectRules::new(()), |rules, letter| {
        rules.on(letter.to_string(), any)
    });
    let rules = DecisionDeadline::new(rules, Duration::from_secs(1), tokio::time::sleep);
    let rules = DecisionCache::builder(rules).build().expect("a cache");
    let space = space_builder()
        .decision_point(rules)
        .build()
        .expect("a space");
    let routes = GuardedRouter::new().route("/restart", get(restart));
    let error = routes.protect(space).expect_err("no rule").to_string();
    assert!(
        error.ends_with(
            "(it decides about `a`, `b`, `c`, `d`, `e`, `f`, `g`, `h`, `i`, `j` and 2 more)"
        ),
        "{error}"
    );
}

/// A route without the parameter is an outage, not a verdict on the caller.
#[tokio::test]
async fn plain_router_without_parameter_is_503() {
    #[requires(can = "read", on = "Repository::{owner}/{repo}")]
    async fn read() {}

    let space = with(&Engine::default()).build().expect("a space");
    let app = axum::Router::new()
        .route("/{owner}/x", axum::routing::get(read))
        .route("/{owner}/{repo}/y", axum::routing::get(read));
    let app = app.layer(axum::Extension(space));
    for (target, expected) in [("/ann/x", 503), ("/ann/x/y", 200), ("/bob/x/y", 403)] {
        let Ok(response) = app.clone().oneshot(by("ann", target)).await;
        assert_eq!(response.status(), expected, "{target}");
    }
}

/// On a plain router, nothing is checked at start: the response is 500, and not a grant.
#[tokio::test]
async fn plain_router_without_engine_fails_closed() {
    let space = space_builder().build().expect("a space");
    let app = axum::Router::new().route("/restart", axum::routing::get(restart));
    let app = app.layer(axum::Extension(space));
    let Ok(response) = app.oneshot(by("api", "/restart")).await;
    assert_eq!(response.status(), 500);
}
