//! Routes and their OpenAPI operations in one call, and typed paths.

#![expect(clippy::duplicate_mod, reason = "the cases run with each version")]

mod utoipa_5;
mod utoipa_6;

use auth_runtime::testing::with_identity;
use auth_runtime::{Caller, Guard, GuardedRouter, Identity, ProtectionSpace, SpaceError, requires};
use auth_runtime_axum_extra::RouterExt as _;
use auth_tests::space;
use axum::body::Body;
use axum::extract::Request;
use axum_extra::routing::TypedPath;
use http::{Method, StatusCode};
use serde::Deserialize;
use tower::ServiceExt;

fn bearer() -> auth_runtime::schemes::Bearer {
    auth_runtime::schemes::Bearer::new(async |_| Caller::rejected())
}

fn space_with_names() -> ProtectionSpace {
    let builder = ProtectionSpace::builder().realm("forge").scheme(bearer());
    let builder = builder.openapi_name("bearer", "access_token");
    builder.build().expect("a space")
}

#[test]
fn names_of_schemes_are_checked() {
    let basic = || auth_runtime::schemes::Basic::new(async |_, _| Caller::rejected());
    let build = |scheme: &str, name: &str| {
        let builder = ProtectionSpace::builder().realm("forge").scheme(bearer());
        let builder = builder.scheme(basic()).openapi_name(scheme, name);
        builder.build().err()
    };
    let invalid = |name: &str| Some(SpaceError::OpenApiName(name.to_owned()));
    for (scheme, name, error) in [
        ("Bearer", "access_token", None),
        ("Bearer", "Bearer", None),
        ("Bearer", "", invalid("")),
        ("Bearer", "access token", invalid("access token")),
        ("Bearer", "Basic", invalid("Basic")),
        (
            "Cookie",
            "x",
            Some(SpaceError::UnknownScheme("Cookie".to_owned())),
        ),
    ] {
        assert_eq!(build(scheme, name), error, "{scheme} {name:?}");
    }
}

async fn status(
    app: &auth_runtime::ProtectedRouter,
    method: Method,
    path: &str,
    scope: &str,
) -> u16 {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::empty()).expect("a request");
    let request = with_identity(request, Identity::new("ann").with_scopes([scope]));
    let response = app.clone().oneshot(request).await.expect("infallible");
    response.status().as_u16()
}

#[tokio::test]
async fn typed_paths_are_routed() {
    #[derive(TypedPath, Deserialize)]
    #[typed_path("/orders/{id}")]
    struct Order {
        id: u64,
    }

    #[requires(scope = "read")]
    async fn show(Order { id }: Order) -> Result<String, StatusCode> {
        (id == 7)
            .then(|| "seven".to_owned())
            .ok_or(StatusCode::NOT_FOUND)
    }

    #[requires(scope = "write", hide_as = 404, hide_unless = scope("read"))]
    async fn cancel(guard: Guard, Order { id }: Order) -> String {
        format!("{} {id}", guard.identity().subject())
    }

    let router: GuardedRouter = GuardedRouter::new().typed_get(show).typed_delete(cancel);
    let app = router.protect(space()).expect("protected");
    for (method, path, scope, expected) in [
        (Method::GET, "/orders/7", "read", 200),
        (Method::GET, "/orders/x", "read", 400),
        (Method::GET, "/orders/x", "other", 404),
        (Method::DELETE, "/orders/7", "write", 200),
        (Method::DELETE, "/orders/7", "read", 403),
        (Method::POST, "/orders/7", "read", 404),
    ] {
        let found = status(&app, method.clone(), path, scope).await;
        assert_eq!(found, expected, "{method} {path} {scope}");
    }
}
