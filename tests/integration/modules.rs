//! The policy of a module applies to every handler in it.

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

mod auth {
    pub(crate) use auth_runtime::{public, requires};
}

mod attributes {
    pub(crate) use auth_runtime::requires as test;
}

// Each of these items has lost the policy once.
#[requires(role = "admin")]
mod lost {
    //! Documentation, an attribute of the module.
    #![allow(clippy::unused_async)]

    pub(crate) mod first {
        #[auth_runtime::requires(scope = "first")]
        pub(crate) async fn first() {}
    }

    #[crate::modules::auth::requires(scope = "files")]
    pub(crate) struct ByAnotherPath;

    #[crate::modules::auth::requires(scope = "x")]
    pub(crate) async fn by_another_path() {}

    #[crate::modules::auth::public(reason = "a test")]
    pub(crate) async fn open() {}

    use auth_runtime::requires as needs;

    use super::attributes;

    #[attributes::test(scope = "users")]
    pub(crate) mod called_test {
        pub(crate) async fn list() {}
    }

    #[needs(scope = "renamed", hide_as = 404)]
    pub(crate) mod renamed {
        pub(crate) async fn list() {}

        #[auth_runtime::requires(scope = "own")]
        pub(crate) async fn own() {}
    }
}

macro_rules! guarded {
    ($($item:item)*) => {
        #[requires(role = "admin")]
        mod fragments {
            #![allow(dead_code)]
            $($item)*
        }
    };
}

guarded! {
    #[auth_runtime::requires(scope = "a")]
    pub(crate) async fn first() {}

    pub(crate) fn between() {}

    #[auth_runtime::requires(scope = "b")]
    pub(crate) struct Second;

    pub(crate) async fn third() {}
}

macro_rules! blocks {
    ($visibility:vis, $body:block, $returned:ty) => {
        #[requires(role = "admin")]
        mod blocks {
            $visibility async fn first() -> $returned $body

            #[auth_runtime::requires(scope = "b")]
            $visibility async fn second() $body
        }
    };
}

blocks! { pub(crate), {}, () }

#[test]
fn module_handlers_keep_their_policy() {
    for (policy, text) in [
        (
            policy_of::<lost::first::policy_of_first>(),
            r#"requires(role = "admin", scope = "first")"#,
        ),
        (
            policy_of::<lost::ByAnotherPath>(),
            r#"requires(role = "admin", scope = "files")"#,
        ),
        (
            policy_of::<lost::policy_of_by_another_path>(),
            r#"requires(role = "admin", scope = "x")"#,
        ),
        (
            policy_of::<lost::policy_of_open>(),
            r#"public(reason = "a test")"#,
        ),
        (
            policy_of::<lost::renamed::policy_of_list>(),
            r#"requires(role = "admin", scope = "renamed", hide_as = 404)"#,
        ),
        (
            policy_of::<lost::called_test::policy_of_list>(),
            r#"requires(role = "admin", scope = "users")"#,
        ),
        (
            policy_of::<lost::renamed::policy_of_own>(),
            r#"requires(role = "admin", scope = "renamed", scope = "own", hide_as = 404)"#,
        ),
        (
            policy_of::<fragments::policy_of_first>(),
            r#"requires(role = "admin", scope = "a")"#,
        ),
        (
            policy_of::<fragments::Second>(),
            r#"requires(role = "admin", scope = "b")"#,
        ),
        (
            policy_of::<fragments::policy_of_third>(),
            r#"requires(role = "admin")"#,
        ),
        (
            policy_of::<blocks::policy_of_first>(),
            r#"requires(role = "admin")"#,
        ),
        (
            policy_of::<blocks::policy_of_second>(),
            r#"requires(role = "admin", scope = "b")"#,
        ),
    ] {
        assert_eq!(policy.to_string(), text);
    }
    fragments::between();
    let service = axum::Router::<()>::new();
    let router = GuardedRouter::new()
        .route("/first", get(lost::first::first))
        .route("/path", get(lost::by_another_path).post(lost::open))
        .route(
            "/renamed",
            get(lost::renamed::list).post(lost::renamed::own),
        )
        .route("/called-test", get(lost::called_test::list))
        .route("/fragments", get(fragments::first).post(fragments::third))
        .route("/blocks", get(blocks::first).post(blocks::second))
        .nest_service("/files", lost::ByAnotherPath, service.clone())
        .nest_service("/seconds", fragments::Second, service);
    let _ = router.protect(space()).unwrap();
}

#[requires(role = "admin", hide_as = 404, hide_unless = role("auditor"))]
mod half_hidden {
    pub(crate) async fn users() {}

    #[auth_runtime::requires(scope = "keys", hide_as = 404)]
    pub(crate) async fn keys() {}
}

/// A handler with its own `hide_as` needs its own `hide_unless`: that of the module does not apply.
#[test]
fn handlers_may_hide_more_than_modules() {
    assert_eq!(
        policy_of::<half_hidden::policy_of_users>().to_string(),
        r#"requires(role = "admin", hide_as = 404, hide_unless = role("auditor"))"#
    );
    assert_eq!(
        policy_of::<half_hidden::policy_of_keys>().to_string(),
        r#"requires(role = "admin", scope = "keys", hide_as = 404)"#
    );
}

#[test]
fn module_and_handler_policies_combine() {
    const USERS: &str = r#"role = "admin", hide_as = 404, realm = "admin""#;
    for (policy, text) in [
        (policy_of::<admin::policy_of_users>(), format!("requires({USERS})")),
        (
            policy_of::<admin::policy_of_delete_user>(),
            r#"requires(role = "admin", scope = "users:write", hide_as = 404, realm = "users")"#
                .to_owned(),
        ),
        (
            policy_of::<admin::policy_of_audit>(),
            r#"requires(role = "admin", hide_as = 404, hide_unless = role("auditor"), realm = "admin")"#
                .to_owned(),
        ),
        (
            policy_of::<admin::policy_of_log>(),
            // Other callers are allowed, and the handler is still hidden from the rest.
            r#"requires(role = "auditor", hide_as = 404, realm = "admin", loosen = "auditors read the log")"#
                .to_owned(),
        ),
        (
            policy_of::<admin::policy_of_login>(),
            r#"public(reason = "the form is no secret")"#.to_owned(),
        ),
        (
            policy_of::<admin::Files>(),
            r#"requires(role = "admin", scope = "files", hide_as = 404, realm = "admin")"#.to_owned(),
        ),
        (
            policy_of::<admin::keys::policy_of_create>(),
            r#"requires(role = "admin", any(scope = "keys", network = "10.0.0.0/8"), max_age = "5m", hide_as = 404, realm = "admin")"#
                .to_owned(),
        ),
    ] {
        assert_eq!(policy.to_string(), text);
    }
    assert_eq!(
        policy_of::<admin::policy_of_log>().loosened_reason(),
        Some("auditors read the log"),
    );
    assert_eq!(
        policy_of::<admin::policy_of_users>().loosened_reason(),
        None
    );
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
    // Auditors are allowed. For other callers, the path is hidden as before.
    assert_hidden(app.clone(), request("GET", "/log", "admin", "")).await;
    assert_hidden(app, request("GET", "/keys", "", "keys")).await;
}
