//! The bodies of concealed requests. A server shows on the connection that a body was dropped before the response.

use std::convert::Infallible;

use auth_runtime::routing::post;
use auth_runtime::{Denied, Guard, GuardedRouter, Identity, ProtectedRouter, public, requires};
use auth_tests::{space, token};
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use futures_util::stream::unfold;
use http::{HeaderMap, Method, StatusCode};
use serde_json::json;
use tower::ServiceExt;

use crate::hiding::field;

thread_local! {
    static IS_DROPPED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// A body that never sends data.
struct Silent;

impl futures_core::Stream for Silent {
    type Item = Result<String, Infallible>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Pending
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        IS_DROPPED.set(true);
    }
}

#[tokio::test]
async fn body_lives_until_handler_denies_object() {
    async fn wait() {
        for _ in 0..3 {
            tokio::task::yield_now().await;
            assert!(!IS_DROPPED.get());
        }
    }
    #[requires(scope = "read", hide_as = 404)]
    async fn alone(guard: Guard) -> Result<(), Denied> {
        wait().await;
        guard.permit(false)
    }
    #[requires(scope = "read", hide_as = 404)]
    async fn with_parts(guard: Guard, _: Method, _: HeaderMap) -> Result<(), Denied> {
        wait().await;
        guard.permit(false)
    }
    #[requires(scope = "read", hide_as = 404)]
    async fn with_request(guard: Guard, request: Request) -> Result<(), Denied> {
        drop(request);
        wait().await;
        guard.permit(false)
    }
    #[requires(scope = "read", hide_as = 404)]
    async fn with_identity(guard: Guard, _: Identity) -> Result<(), Denied> {
        wait().await;
        guard.permit(false)
    }
    let inner = GuardedRouter::new()
        .route("/alone", post(alone))
        .route("/parts", post(with_parts))
        .route("/request", post(with_request))
        .route("/identity", post(with_identity));
    let app = GuardedRouter::new()
        .merge(inner.clone())
        .nest("/nested", inner)
        .protect(space())
        .expect("the router is in order");
    for prefix in ["", "/nested"] {
        for path in ["/alone", "/parts", "/request", "/identity"] {
            let response = post_silence(&app, &format!("{prefix}{path}")).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{prefix}{path}");
            assert!(IS_DROPPED.get(), "{prefix}{path}");
        }
    }
}

/// Sends a body that never ends, as a reader.
async fn post_silence(app: &ProtectedRouter, target: &str) -> Response {
    IS_DROPPED.set(false);
    let token = token(json!({ "scope": "read" }));
    let request = Request::post(target)
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from_stream(Silent));
    let Ok(response) = app.clone().oneshot(request.expect("a request")).await;
    response
}

/// Whether the body was dropped while the fallback waits.
async fn is_dropped() -> String {
    tokio::task::yield_now().await;
    IS_DROPPED.get().to_string()
}

/// A fallback that waits shows whether it has the body.
#[tokio::test]
async fn fallback_drops_body_or_keeps_it() {
    #[requires(scope = "admin", hide_as = 404)]
    async fn by_policy(guard: Guard) -> Result<(), Denied> {
        guard.permit(true)
    }
    #[requires(scope = "read", hide_as = 404)]
    async fn by_object(guard: Guard) -> Result<(), Denied> {
        guard.permit(false)
    }
    #[public(reason = "the response of an unknown path")]
    async fn drops() -> String {
        is_dropped().await
    }
    #[public(reason = "the response of an unknown path")]
    async fn keeps(request: Request) -> String {
        let is_dropped = is_dropped().await;
        drop(request);
        is_dropped
    }
    let routes = GuardedRouter::new()
        .route("/policy", post(by_policy))
        .route("/object", post(by_object));
    let layered = routes.clone().layer(field("x-layered"));
    let routes = GuardedRouter::new()
        .nest("/layered", layered)
        .nest("/nested", routes.clone())
        .merge(routes);
    for (routes, expected) in [
        (routes.clone().fallback(drops), "true"),
        (routes.fallback(keeps), "false"),
    ] {
        let app = routes.protect(space()).expect("the router is in order");
        for prefix in ["", "/nested", "/layered"] {
            for path in ["/absent", "/policy", "/object"] {
                let response = post_silence(&app, &format!("{prefix}{path}")).await;
                let body = to_bytes(response.into_body(), 1024).await.expect("a body");
                assert_eq!(body, expected, "{prefix}{path}");
            }
        }
    }
}

/// A fallback that reads the body receives it, unless the handler has read it.
#[tokio::test]
async fn fallback_reads_body_that_handler_left() {
    #[requires(scope = "read", hide_as = 404)]
    async fn untouched(guard: Guard) -> Result<(), Denied> {
        guard.permit(false)
    }
    #[requires(scope = "read", hide_as = 404)]
    async fn read(guard: Guard, body: String) -> Result<(), Denied> {
        guard.permit(body != "a body")
    }
    #[public(reason = "the response of an unknown path")]
    async fn echo(body: String) -> String {
        body
    }
    let inner = GuardedRouter::new()
        .route("/untouched", post(untouched))
        .route("/read", post(read));
    let app = GuardedRouter::new()
        .nest("/nested", inner.clone())
        .merge(inner)
        .fallback(echo)
        .protect(space())
        .expect("the router is in order");
    let token = token(json!({ "scope": "read" }));
    for (path, expected) in [
        ("/absent", "a body"),
        ("/untouched", "a body"),
        ("/read", ""),
    ] {
        for prefix in ["", "/nested"] {
            // It panics if it is polled after its end.
            let frames = unfold(Some("a body"), |rest| async move {
                rest.map(|text| (Ok::<_, Infallible>(text), None))
            });
            let request = Request::post(format!("{prefix}{path}"))
                .header("authorization", format!("Bearer {token}"))
                .body(Body::from_stream(frames));
            let Ok(response) = app.clone().oneshot(request.expect("a request")).await;
            let body = to_bytes(response.into_body(), 1024).await.expect("a body");
            assert_eq!(body, expected, "{prefix}{path}");
        }
    }
}
