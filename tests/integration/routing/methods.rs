//! Methods and their policies.

use std::convert::Infallible;

use auth_runtime::ProtectedRouter;
use auth_runtime::routing::{delete, get_service, patch};
use axum::routing::MethodFilter;

use super::*;

#[tokio::test]
async fn each_function_routes_its_method() {
    use auth_runtime::routing::{connect, head, options, trace};
    let app: ProtectedRouter = GuardedRouter::new()
        .route("/connect", connect(read))
        .route("/delete", delete(read))
        .route("/get", get(read))
        .route("/head", head(read))
        .route("/options", options(read))
        .route("/patch", patch(read))
        .route("/post", post(read))
        .route("/put", put(read))
        .route("/trace", trace(read))
        .route("/on", on(MethodFilter::GET.or(MethodFilter::PUT), read))
        .route("/any", any(read))
        .protect(space())
        .unwrap();
    let methods = [
        Method::CONNECT,
        Method::DELETE,
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::PATCH,
        Method::POST,
        Method::PUT,
        Method::TRACE,
    ];
    for path in [
        "connect", "delete", "get", "head", "options", "patch", "post", "put", "trace", "on", "any",
    ] {
        for method in &methods {
            let name = method.as_str().to_ascii_lowercase();
            let taken = match path {
                "any" => true,
                "on" => ["get", "head", "put"].contains(&name.as_str()),
                "get" => ["get", "head"].contains(&name.as_str()),
                _ => path == name,
            };
            let target = format!("/{path}");
            let (status, _) = send(&app, by(ann(), method.clone(), &target)).await;
            assert_eq!(status, if taken { 200 } else { 405 }, "{method} {target}");
            let (status, _) = send(&app, nobody(method.clone(), &target)).await;
            assert_eq!(status, if taken { 401 } else { 405 }, "{method} {target}");
        }
    }
}

#[tokio::test]
async fn methods_chain_with_their_policies() {
    let app = GuardedRouter::new()
        .route("/x", get(read).post(write).delete(open))
        .route("/y", get(read))
        .route("/y", post(write))
        .route("/z", get(read).merge(put(write)))
        .protect(space())
        .unwrap();
    let reader = || Identity::new("ann").with_scopes(["read"]);
    for (method, target, status) in [
        (Method::GET, "/x", 200),
        (Method::POST, "/x", 403),
        (Method::DELETE, "/x", 200),
        (Method::GET, "/y", 200),
        (Method::POST, "/y", 403),
        (Method::GET, "/z", 200),
        (Method::PUT, "/z", 403),
        (Method::DELETE, "/z", 405),
    ] {
        let (seen, _) = send(&app, by(reader(), method.clone(), target)).await;
        assert_eq!(seen, status, "{method} {target}");
    }
    let (status, response) = send(&app, nobody(Method::PATCH, "/x")).await;
    assert_eq!(status, 405);
    assert_eq!(response.headers()["allow"], "GET,HEAD,POST,DELETE");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let (_, response) = send(&app, nobody(Method::PATCH, "/y")).await;
    assert_eq!(response.headers()["allow"], "GET,HEAD,POST");
}

#[tokio::test]
async fn services_have_their_policy() {
    #[requires(scope = "files")]
    struct Files;
    #[public(reason = "a logo is for everybody")]
    struct Logo;

    let service = || {
        tower::service_fn(|request: Request| async move {
            Ok::<_, Infallible>(format!("{} {}", request.method(), request.uri()))
        })
    };
    let app = GuardedRouter::new()
        .nest_service("/files", Files, service())
        .route_service("/one", Files, service())
        .route(
            "/logo",
            get_service(Logo, service()).post_service(Files, service()),
        )
        .protect(space())
        .unwrap();
    let holder = || Identity::new("ann").with_scopes(["files"]);
    for (method, target, anonymous, seen) in [
        (Method::GET, "/files", 401, "GET /"),
        (Method::GET, "/files/", 401, "GET /"),
        (Method::PUT, "/files/a/b?c", 401, "PUT /a/b?c"),
        (Method::DELETE, "/one", 401, "DELETE /one"),
        (Method::GET, "/logo", 200, "GET /logo"),
        (Method::POST, "/logo", 401, "POST /logo"),
    ] {
        let (status, _) = send(&app, nobody(method.clone(), target)).await;
        assert_eq!(status, anonymous, "{method} {target}");
        let (_, response) = send(&app, by(holder(), method.clone(), target)).await;
        assert_eq!(text(response).await, seen, "{method} {target}");
    }
}

#[tokio::test]
async fn service_responds_to_other_methods() {
    #[requires(scope = "files")]
    struct Files;

    let service = tower::service_fn(async |request: Request| {
        Ok::<_, Infallible>(request.method().to_string())
    });
    let app = GuardedRouter::new()
        .route("/x", get(read).fallback_service(Files, service))
        .protect(space())
        .unwrap();
    let holder = || Identity::new("ann").with_scopes(["files"]);
    assert_eq!(send(&app, nobody(Method::PUT, "/x")).await.0, 401);
    assert_eq!(send(&app, by(ann(), Method::PUT, "/x")).await.0, 403);
    let (_, response) = send(&app, by(holder(), Method::PUT, "/x")).await;
    assert_eq!(response.headers()["allow"], "GET,HEAD");
    assert_eq!(text(response).await, "PUT");
    assert_eq!(send(&app, by(ann(), Method::GET, "/x")).await.0, 200);
}

#[tokio::test]
async fn public_services_can_be_fallbacks() {
    #[public(reason = "the old site")]
    struct OldSite;

    let old = Router::new().route("/old", axum::routing::get(async || "old"));
    let app = GuardedRouter::new()
        .route("/read", get(read))
        .fallback_service(OldSite, old)
        .protect(space())
        .unwrap();
    assert_eq!(send(&app, nobody(Method::GET, "/old")).await.0, 200);
    assert_eq!(send(&app, nobody(Method::GET, "/older")).await.0, 404);
    assert_eq!(send(&app, nobody(Method::GET, "/read")).await.0, 401);
}
