//! A policy on a module holds for every handler in it.

use auth_runtime::GuardedRouter;
use auth_runtime::routing::get;
use auth_runtime::testing::{assert_hidden, with_identity};
use auth_runtime::{Identity, requires};
use auth_tests::{policy_of, space};
use axum::body::Body;
use http::Request;
use tower::ServiceExt;

#[requires(role = "admin", hide_as = 404, realm = "admin")]
mod admin {
    use auth_runtime::{public, requires};

    pub(crate) async fn users() -> &'static str {
        "users"
    }

    #[requires(scope = "users:write", realm = "users")]
    pub(crate) async fn delete_user() -> &'static str {
        "deleted"
    }

    #[requires(hide_unless = role("auditor"))]
    pub(crate) async fn audit() {}

    #[requires(role = "auditor", loosen = "auditors read the log")]
    pub(crate) async fn log() -> &'static str {
        "log"
    }

    #[public(reason = "the form is no secret")]
    pub(crate) async fn login() {}

    #[requires(scope = "files")]
    pub(crate) struct Files;

    #[auth_runtime::requires(any(scope = "keys", network = "10.0.0.0/8"))]
    pub(crate) mod keys {
        #[auth_runtime::requires(max_age = "5m")]
        pub(crate) async fn create(guard: auth_runtime::Guard) -> String {
            guard.identity().subject().to_owned()
        }
    }
}

#[requires(role = "admin", hide_as = 404, hide_unless = role("auditor"))]
mod half_hidden {
    pub(crate) async fn users() {}

    #[auth_runtime::requires(scope = "keys", hide_as = 404)]
    pub(crate) async fn keys() {}
}

/// Who says `hide_as` says from whom, too: the module's exception does not reach into it.
#[test]
fn a_handler_may_hide_from_those_whom_its_module_tells() {
    assert_eq!(
        policy_of::<half_hidden::users>().to_string(),
        r#"requires(role = "admin", hide_as = 404, hide_unless = role("auditor"))"#
    );
    assert_eq!(
        policy_of::<half_hidden::keys>().to_string(),
        r#"requires(role = "admin", scope = "keys", hide_as = 404)"#
    );
}

#[test]
fn what_the_modules_and_the_handler_say_holds_together() {
    const USERS: &str = r#"role = "admin", hide_as = 404, realm = "admin""#;
    for (policy, text) in [
        (policy_of::<admin::users>(), format!("requires({USERS})")),
        (
            policy_of::<admin::delete_user>(),
            r#"requires(role = "admin", scope = "users:write", hide_as = 404, realm = "users")"#
                .to_owned(),
        ),
        (
            policy_of::<admin::audit>(),
            r#"requires(role = "admin", hide_as = 404, hide_unless = role("auditor"), realm = "admin")"#
                .to_owned(),
        ),
        (
            policy_of::<admin::log>(),
            // Others may call it, and it is still hidden from everybody else.
            r#"requires(role = "auditor", hide_as = 404, realm = "admin", loosen = "auditors read the log")"#
                .to_owned(),
        ),
        (
            policy_of::<admin::login>(),
            r#"public(reason = "the form is no secret")"#.to_owned(),
        ),
        (
            policy_of::<admin::Files>(),
            r#"requires(role = "admin", scope = "files", hide_as = 404, realm = "admin")"#.to_owned(),
        ),
        (
            policy_of::<admin::keys::create>(),
            r#"requires(role = "admin", any(scope = "keys", network = "10.0.0.0/8"), max_age = "5m", hide_as = 404, realm = "admin")"#
                .to_owned(),
        ),
    ] {
        assert_eq!(policy.to_string(), text);
    }
    assert_eq!(
        policy_of::<admin::log>().loosened_reason(),
        Some("auditors read the log"),
    );
    assert_eq!(policy_of::<admin::users>().loosened_reason(), None);
}

#[tokio::test]
async fn it_is_kept() {
    let app = GuardedRouter::new()
        .route("/users", get(admin::users).delete(admin::delete_user))
        .route("/log", get(admin::log))
        .route("/audit", get(admin::audit))
        .route("/login", get(admin::login))
        .route("/keys", get(admin::keys::create))
        .route("/half/users", get(half_hidden::users))
        .route("/half/keys", get(half_hidden::keys))
        .protect(space())
        .unwrap();
    let request = |method: &str, path: &str, role: &str, scope: &str| {
        let identity = Identity::new("ann").with_roles([role]).with_scopes([scope]);
        let request = Request::builder().method(method).uri(path);
        with_identity(request.body(Body::empty()).unwrap(), identity)
    };
    for (method, path, role, scope, status) in [
        ("GET", "/users", "admin", "", 200),
        ("DELETE", "/users", "admin", "users:write", 200),
        ("DELETE", "/users", "admin", "", 404),
        ("DELETE", "/users", "", "users:write", 404),
        ("GET", "/log", "auditor", "", 200),
        ("GET", "/log", "admin", "", 404),
        ("GET", "/half/users", "auditor", "", 403),
        ("GET", "/half/keys", "auditor", "keys", 404),
    ] {
        let response = app
            .clone()
            .oneshot(request(method, path, role, scope))
            .await;
        let seen = response.unwrap().status();
        assert_eq!(seen, status, "{method} {path} {role} {scope}");
    }
    assert_hidden(app.clone(), request("GET", "/users", "auditor", "")).await;
    // Auditors may call it; from others it is as hidden as before.
    assert_hidden(app.clone(), request("GET", "/log", "admin", "")).await;
    assert_hidden(app, request("GET", "/keys", "", "keys")).await;
}
