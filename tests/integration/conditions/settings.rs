//! Settings of the service: a value for every caller, without authentication.

use std::sync::Mutex;

use auth_runtime::{Policy, ProtectionSpace, Requirement, SpaceError};

use super::*;

#[requires(any(setting = "open_registry", scope = "pull"))]
async fn pull(guard: Guard) -> String {
    match guard.identity() {
        Some(identity) => identity.subject().to_owned(),
        None => "somebody".to_owned(),
    }
}

#[requires(setting = "beta")]
async fn beta() -> &'static str {
    "beta"
}

#[requires(setting = "beta", hide_as = 404)]
async fn hidden_beta() -> &'static str {
    "beta"
}

#[requires(all(setting = "beta", role = "tester"))]
async fn tested(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(role = "admin", hide_as = 404, hide_unless = setting("open_registry"))]
async fn shown_while_open() -> &'static str {
    "shown"
}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/pull", get(pull))
        .route("/beta", get(beta))
        .route("/hidden", get(hidden_beta))
        .route("/tested", get(tested))
        .route("/shown", get(shown_while_open))
}

fn space_with(open: bool, beta: bool) -> ProtectionSpace {
    let builder = space_builder()
        .setting("open_registry", open)
        .setting("beta", beta);
    builder.build().expect("the space is in order")
}

fn app(open: bool, beta: bool) -> ProtectedRouter {
    let app = routes().protect(space_with(open, beta));
    app.expect("the routes are in order")
}

#[tokio::test]
async fn a_setting_decides_for_every_caller() {
    let puller = || Identity::new("ann").with_scopes(["pull"]);
    let stranger = || Identity::new("bob");
    let rejected = |target| with_caller(request(target), Caller::rejected());
    let unverifiable = |target| with_caller(request(target), Caller::unverifiable());

    let open = app(true, true);
    let body = |request| async { send(&open, request).await.2 };
    assert_eq!(body(request("/pull")).await, "somebody");
    assert_eq!(body(rejected("/pull")).await, "somebody");
    assert_eq!(body(unverifiable("/pull")).await, "somebody");
    assert_eq!(body(known(stranger(), "/pull")).await, "bob");

    let closed = app(false, false);
    for (app, request, expected) in [
        (&closed, request("/pull"), 401),
        (&closed, rejected("/pull"), 401),
        (&closed, unverifiable("/pull"), 503),
        (&closed, known(stranger(), "/pull"), 403),
        (&closed, known(puller(), "/pull"), 200),
        // No credentials turn a setting on.
        (&closed, request("/beta"), 403),
        (&closed, rejected("/beta"), 403),
        (&closed, known(puller(), "/beta"), 403),
        (&closed, request("/tested"), 403),
        (&open, request("/beta"), 200),
        (&open, request("/tested"), 401),
        (
            &open,
            known(Identity::new("ann").with_roles(["tester"]), "/tested"),
            200,
        ),
        (&open, request("/hidden"), 200),
        (&open, request("/shown"), 401),
        (&open, known(stranger(), "/shown"), 403),
    ] {
        let target = request.uri().to_string();
        assert_eq!(status(app, request).await, expected, "{target}");
    }
    let (_, challenges, _) = send(&closed, request("/pull")).await;
    assert_eq!(challenges, ["Bearer realm=\"api\", scope=\"pull\""]);
    assert_hidden(closed.clone(), request("/hidden")).await;
    assert_hidden(closed, known(puller(), "/shown")).await;
}

/// The response may depend on the caller, so that no shared cache may keep that of one without credentials.
#[tokio::test]
async fn responses_that_setting_grants_are_private() {
    #[requires(any(setting = "open_registry", scope = "pull"))]
    async fn stored() -> [(&'static str, &'static str); 1] {
        [("cache-control", "public, max-age=60")]
    }

    let app = GuardedRouter::new()
        .route("/pull", get(pull))
        .route("/stored", get(stored))
        .protect(space_with(true, false))
        .unwrap();
    for (target, expected) in [("/pull", "private"), ("/stored", "private, max-age=60")] {
        let response = app.clone().oneshot(request(target)).await.unwrap();
        assert_eq!(response.status(), 200, "{target}");
        assert_eq!(response.headers()["cache-control"], expected, "{target}");
    }
}

#[test]
fn missing_values_are_mistakes_of_protect() {
    let protect = |builder: auth_runtime::ProtectionSpaceBuilder| {
        routes().protect(builder.build().expect("a space"))
    };
    let error = protect(space_builder().setting("open_regstry", true)).expect_err("no value");
    let error = error.to_string();
    for (handler, setting) in [
        ("pull", "open_registry"),
        ("beta", "beta"),
        ("hidden_beta", "beta"),
        ("tested", "beta"),
        ("shown_while_open", "open_registry"),
    ] {
        let here = module_path!();
        let line = format!(
            "`{here}::{handler}` requires `setting = {setting:?}`, and \
             the protection space has no value for it; add `.setting({setting:?}, …)` (the space \
             has `open_regstry`)"
        );
        assert!(error.lines().any(|own| own == line), "{line}\n{error}");
    }
    assert_eq!(error.lines().count(), 5, "{error}");
    let error = protect(space_builder()).expect_err("no value").to_string();
    assert!(!error.contains("the space has"), "{error}");
    // Names are compared exactly.
    let builder = space_builder()
        .setting("Open_Registry", true)
        .setting("BETA", true);
    let error = protect(builder).expect_err("no value").to_string();
    assert_eq!(error.lines().count(), 5, "{error}");
}

#[test]
fn each_setting_of_policy_needs_value() {
    #[requires(any(setting = "open_registry", setting = "beta"))]
    async fn either() {}

    let values = [("open_registry", true), ("beta", false)];
    for (given, _) in values {
        let space = space_builder()
            .setting(given, true)
            .build()
            .expect("a space");
        let routes = GuardedRouter::new().route("/", get(either));
        let error = routes.protect(space).expect_err("one value").to_string();
        let (missing, _) = values.iter().find(|(name, _)| *name != given).expect("two");
        let expected = format!("requires `setting = {missing:?}`, and the protection space has no");
        assert!(error.contains(&expected), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let routes = GuardedRouter::new().route("/", get(either));
    let _ = routes.protect(space_with(true, false)).expect("two values");
}

/// Routers of one application have the settings of their own spaces, for equal policies as well.
#[tokio::test]
async fn each_space_has_its_own_values() {
    let of = |prefix: &str, open: bool| {
        let routes = GuardedRouter::new().nest(prefix, routes());
        routes
            .protect(space_with(open, open))
            .expect("the routes are in order")
    };
    for merged in [
        of("/off", false).merge(of("/on", true)),
        of("/on", true).merge(of("/off", false)),
    ] {
        for (target, expected) in [
            ("/on/beta", 200),
            ("/off/beta", 403),
            ("/on/pull", 200),
            ("/off/pull", 401),
            ("/on/tested", 401),
            ("/off/tested", 403),
            ("/on/shown", 401),
            ("/off/shown", 404),
        ] {
            assert_eq!(status(&merged, request(target)).await, expected, "{target}");
        }
    }
}

#[test]
fn a_setting_has_one_value() {
    let twice = space_builder().setting("beta", true).setting("beta", true);
    let error = twice.build().expect_err("two values");
    assert_eq!(error, SpaceError::SettingTwice("beta".to_owned()));
    assert_eq!(
        error.to_string(),
        "the setting `beta` has two values; call `.setting(\"beta\", …)` once"
    );
}

/// A caller of the low-level function cannot forget the value either.
#[tokio::test]
async fn policy_without_value_is_not_evaluated() {
    let policy = Policy::requires(Requirement::any([
        Requirement::setting("open_registry"),
        Requirement::authenticated(),
    ]));
    let (head, ()) = http::Request::get("/").body(()).unwrap().into_parts();
    let denied = space().authorize(&policy, &head).await.unwrap_err();
    assert_eq!(denied.status(), 500);
    let open = space_with(true, false);
    let caller = open.authorize(&policy, &head).await.unwrap();
    assert!(matches!(caller, Caller::Anonymous), "{caller:?}");
}

#[tokio::test]
async fn records_explain_the_value() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&lines);
    let space = space_builder()
        .setting("open_registry", false)
        .setting("beta", true)
        .audit(move |record| {
            let explanation = record.explanation().map(|own| own.to_string());
            log.lock().unwrap().push(explanation.unwrap_or_default());
        });
    let app = routes().protect(space.build().unwrap()).unwrap();
    assert_eq!(status(&app, request("/pull")).await, 401);
    assert_eq!(status(&app, request("/beta")).await, 200);
    assert_eq!(
        *lines.lock().unwrap(),
        [
            r#"rule 2: unknown: any(no: setting = "open_registry", unknown: scope = "pull")"#,
            r#"rule 1: yes: setting = "beta""#,
        ]
    );
}
