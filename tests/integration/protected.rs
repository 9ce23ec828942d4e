//! The protected router: several spaces in one application, response framing, and decisions that stay
//! with their request.

mod several_spaces;

use std::sync::{Arc, Mutex};

use auth_runtime::resource::ProtectedResource;
use auth_runtime::routing::get;
use auth_runtime::schemes::Bearer;
use auth_runtime::testing::assert_hidden;
use auth_runtime::{
    Caller, GuardedRouter, Identity, ProtectedRouter, ProtectionSpace, UnknownPaths, public,
    requires,
};
use auth_tests::{App, expired_token, send_raw, serve, space, token};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderValue, Method, StatusCode};
use serde_json::json;
use tower::ServiceExt;

#[requires(scope = "read")]
async fn read() -> &'static str {
    "read"
}

#[requires(scope = "admin", hide_as = 404)]
async fn secret() -> &'static str {
    "the secret"
}

#[requires(scope = "admin", hide_as = 404)]
struct Secrets;

async fn body_of(response: Response) -> String {
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
    String::from_utf8_lossy(&body.expect("a body")).into_owned()
}

fn request(method: Method, target: &str, bearer: Option<&str>) -> Request {
    let mut request = Request::builder().method(method).uri(target);
    if let Some(token) = bearer {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Body::empty()).expect("a request")
}

async fn ask(app: &impl App, target: &str, bearer: Option<&str>) -> (StatusCode, String) {
    let Ok(response) = app
        .clone()
        .oneshot(request(Method::GET, target, bearer))
        .await;
    let challenge = response.headers().get("www-authenticate");
    let challenge = challenge.and_then(|value| value.to_str().ok());
    (response.status(), challenge.unwrap_or_default().to_owned())
}

fn admin() -> String {
    token(json!({ "scope": "read admin" }))
}

mod one_request {
    use super::*;

    fn app() -> ProtectedRouter {
        GuardedRouter::new()
            .route("/read", get(read))
            .protect(space())
            .expect("the routes are in order")
    }

    /// Sends a request without credentials, but with all extensions of the caller's request.
    #[requires(scope = "read")]
    async fn forwards(request: Request) -> Response {
        let mut inner = Request::new(Body::empty());
        *inner.uri_mut() = "/read".parse().expect("a path");
        *inner.extensions_mut() = request.extensions().clone();
        let Ok(response) = app().oneshot(inner).await;
        response
    }

    #[tokio::test]
    async fn extensions_grant_nothing_to_another_router() {
        let outer = GuardedRouter::new()
            .route("/forwards", get(forwards))
            .protect(space())
            .expect("the routes are in order");
        let (status, _) = ask(&outer, "/forwards", Some(&admin())).await;
        assert_eq!(status, 401);
    }

    #[tokio::test]
    async fn extensions_grant_nothing_to_same_router() {
        #[requires(scope = "read")]
        async fn again(request: Request) -> Response {
            let (head, body) = request.into_parts();
            let app = head.extensions.get::<ProtectedRouter>().cloned();
            let mut inner = Request::new(body);
            *inner.uri_mut() = "/read".parse().expect("a path");
            *inner.extensions_mut() = head.extensions;
            let Ok(response) = app.expect("an app").oneshot(inner).await;
            response
        }
        let app = GuardedRouter::new()
            .route("/again", get(again))
            .route("/read", get(read))
            .protect(space())
            .expect("the routes are in order");
        let mut outer = request(Method::GET, "/again", Some(&admin()));
        outer.extensions_mut().insert(app.clone());
        let Ok(response) = app.oneshot(outer).await;
        assert_eq!(response.status(), 401);
    }

    /// Returns a router with a layer on a hidden route, behind its decision.
    fn rebuilt(rebuild: fn(Request) -> Request) -> ProtectedRouter {
        let layer = axum::middleware::map_request(move |request: Request| {
            let rebuilt = rebuild(request);
            async move { rebuilt }
        });
        GuardedRouter::new()
            .route("/secret", get(secret).layer(layer))
            .protect(space())
            .expect("the routes are in order")
    }

    #[tokio::test]
    async fn layer_that_drops_credentials_drops_grant() {
        let app = rebuilt(|request| {
            let (head, body) = request.into_parts();
            let mut rebuilt = Request::new(body);
            *rebuilt.uri_mut() = head.uri;
            *rebuilt.extensions_mut() = head.extensions;
            rebuilt
        });
        assert_eq!(ask(&app, "/secret", Some(&admin())).await.0, 404);
    }

    #[tokio::test]
    async fn layer_that_swaps_credentials_swaps_caller() {
        let app = rebuilt(|mut request| {
            let other = token(json!({ "scope": "read", "sub": "bob" }));
            let other = HeaderValue::try_from(format!("Bearer {other}")).expect("a value");
            request.headers_mut().insert("authorization", other);
            request
        });
        assert_eq!(ask(&app, "/secret", Some(&admin())).await.0, 404);
    }

    #[tokio::test]
    async fn layer_without_other_changes_keeps_grant() {
        let app = rebuilt(|mut request| {
            let id = HeaderValue::from_static("7");
            request.headers_mut().insert("x-request-id", id);
            request
        });
        assert_eq!(ask(&app, "/secret", Some(&admin())).await.0, 200);
    }
}

mod framing {
    use super::*;
    use http::HeaderName;
    use tower_http::compression::CompressionLayer;
    use tower_http::cors::CorsLayer;
    use tower_http::set_header::SetResponseHeaderLayer;

    #[public(reason = "a page that is long enough to be compressed")]
    async fn missing() -> (StatusCode, String) {
        (StatusCode::NOT_FOUND, "nothing here. ".repeat(100))
    }

    fn routes() -> GuardedRouter {
        let service = tower::service_fn(async |_request: Request| {
            Ok::<_, std::convert::Infallible>("a file")
        });
        GuardedRouter::new()
            .route("/read", get(read))
            .route("/secret", get(secret))
            .nest_service("/files", Secrets, service)
    }

    fn layered(app: ProtectedRouter) -> Vec<ProtectedRouter> {
        let field = SetResponseHeaderLayer::appending(
            HeaderName::from_static("x-around"),
            HeaderValue::from_static("layer"),
        );
        vec![
            app.clone().layer(field.clone()),
            app.clone().layer(CorsLayer::permissive()),
            app.clone().layer(CompressionLayer::new()),
            app.layer(CompressionLayer::new()).layer(field),
        ]
    }

    #[tokio::test]
    async fn concealed_services_are_framed_as_unknown() {
        for routes in [routes(), routes().fallback(missing)] {
            let app = routes.protect(space()).expect("the routes are in order");
            for app in layered(app) {
                for method in [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS] {
                    for path in ["/files", "/files/", "/files/a/b", "/secret"] {
                        let mut request = request(method.clone(), path, None);
                        let gzip = HeaderValue::from_static("gzip");
                        request.headers_mut().insert("accept-encoding", gzip);
                        assert_hidden(app.clone(), request).await;
                    }
                }
            }
        }
    }

    #[tokio::test]
    async fn concealed_service_over_a_socket() {
        let app = routes().protect(space()).expect("the routes are in order");
        for app in layered(app) {
            let address = serve(app).await;
            for method in ["GET", "HEAD"] {
                let ask = |path: &str| {
                    let request = format!(
                        "{method} {path} HTTP/1.1\r\nhost: x\r\naccept-encoding: gzip\r\n\
                         connection: close\r\n\r\n"
                    );
                    send_raw(address, request)
                };
                assert_eq!(ask("/files/a").await, ask("/filez/a").await, "{method}");
            }
        }
    }
}
