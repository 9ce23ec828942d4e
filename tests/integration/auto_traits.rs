//! Types that a service keeps in its own types, and holds across an `await`.

use auth_runtime::objects::{DecisionPointError, ObjectDecision};
use auth_runtime::routing::{GuardedMethodRouter, MissingUser, get};
use auth_runtime::{
    Caller, CurrentUser, Denied, Guard, GuardedRouter, Identity, Policy, ProtectError,
    ProtectedRouter, ProtectionSpace, SpaceError, decision, public, requires,
};
use axum::response::{IntoResponse, Response};

const fn assert_shared<T: Send + Sync + 'static>() {}

/// Fails to compile if a type cannot be shared between threads.
const _: () = {
    assert_shared::<Denied>();
    assert_shared::<Guard<policy_of_loads>>();
    assert_shared::<Guard<policy_of_public_page>>();
    assert_shared::<Identity>();
    assert_shared::<Caller>();
    assert_shared::<CurrentUser<String>>();
    assert_shared::<MissingUser>();
    assert_shared::<ObjectDecision>();
    assert_shared::<DecisionPointError>();
    assert_shared::<decision::Decision>();
    assert_shared::<decision::Denial>();
    assert_shared::<decision::DenialBody>();
    assert_shared::<decision::DenialDetails<'static>>();
    assert_shared::<decision::Explanation>();
    assert_shared::<decision::RequestSnapshot>();
    assert_shared::<Policy>();
    assert_shared::<ProtectionSpace>();
    assert_shared::<SpaceError>();
    assert_shared::<ProtectError>();
    assert_shared::<ProtectedRouter>();
    assert_shared::<GuardedRouter>();
    assert_shared::<GuardedMethodRouter>();
};

/// An error of a service.
enum Failure {
    Denied(Denied),
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self::Denied(denied) = self;
        denied.into_response()
    }
}

async fn record(_: &Failure) {
    tokio::task::yield_now().await;
}

#[requires(authenticated)]
async fn loads(guard: Guard) -> Result<(), Failure> {
    let result = guard.permit(false).map_err(Failure::from);
    if let Err(failure) = &result {
        record(failure).await;
    }
    result
}

#[public(reason = "a test")]
async fn public_page(_guard: Guard) {}

#[tokio::test]
async fn denial_is_held_across_await() {
    let routes = GuardedRouter::new().route("/", get(loads));
    let app = routes.protect(auth_tests::space()).expect("the routes");
    let request = http::Request::get("/").body(axum::body::Body::empty());
    let request = request.expect("a request");
    let request = auth_runtime::testing::with_identity(request, Identity::new("ann"));
    let Ok(response) = tower::ServiceExt::oneshot(app, request).await;
    assert_eq!(response.status(), 403);
}
