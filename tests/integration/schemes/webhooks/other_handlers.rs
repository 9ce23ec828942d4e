//! Handlers beside those that accept a signature.

use axum::response::IntoResponse;

use super::*;

/// Only a handler that accepts the signature needs the body before its decision.
#[tokio::test]
async fn bodies_of_other_handlers_are_unbounded() {
    #[public(reason = "reads long bodies")]
    async fn open(request: Request) -> String {
        text(request.into_body().into_response()).await
    }

    #[requires(authenticated, schemes(Bearer))]
    async fn by_token(request: Request) -> String {
        text(request.into_body().into_response()).await
    }

    const FIELD: &str = "x-hub-signature-256";
    let hooks = Webhooks::github().secret(GITHUB_SECRET).identity(sender());
    let space = ProtectionSpace::builder()
        .realm("api")
        .max_body(10)
        .scheme(hooks.build().expect("the scheme is in order"))
        .scheme(Bearer::new(async |_| Caller::known(Identity::new("ann"))));
    let app = GuardedRouter::new()
        .route("/open", post(open))
        .route("/by-token", post(by_token))
        .route("/pushed", post(pushed))
        .protect(space.build().expect("the space is in order"))
        .expect("the routes are in order");
    let lines = [(FIELD, GITHUB_SIGNATURE), ("authorization", "Bearer x")];
    for (path, lines, expected) in [
        ("/open", &lines[..1], 200),
        ("/by-token", &lines[..], 200),
        ("/pushed", &lines[..1], 400),
    ] {
        let response = post_to(&app, path, lines, GITHUB_BODY).await;
        assert_eq!(response.status(), expected, "{path}");
        if expected == 200 {
            assert_eq!(text(response).await, GITHUB_BODY, "{path}");
        }
    }
}
