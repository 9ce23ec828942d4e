//! Requests before and behind the decision.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};

use auth_runtime::routing::options;
use auth_runtime::schemes::{Bearer, Webhooks};
use auth_runtime::{Caller, ProtectionSpace};
use auth_tests::{send_raw, serve, space_builder};

use super::*;

#[tokio::test]
async fn denied_requests_are_not_parsed() {
    #[requires(scope = "write")]
    async fn picky(_: Path<u32>, _: axum::Json<u32>) {}

    let app = GuardedRouter::new()
        .route("/{number}", post(picky))
        .protect(space())
        .unwrap();
    let (status, _) = send(&app, nobody(Method::POST, "/no-number")).await;
    assert_eq!(status, 401);
    let (status, _) = send(&app, by(ann(), Method::POST, "/no-number")).await;
    assert_eq!(status, 400, "who may write is told what is wrong");
}

#[tokio::test]
async fn public_handlers_ignore_credentials() {
    let app = GuardedRouter::new()
        .route("/open", get(open))
        .protect(space())
        .unwrap();
    let mut request = nobody(Method::GET, "/open");
    let headers = request.headers_mut();
    headers.append("authorization", HeaderValue::from_static("Bearer garbage"));
    headers.append("authorization", HeaderValue::from_static("Basic twice"));
    assert_eq!(send(&app, request).await.0, 200);
}

#[tokio::test]
async fn denied_bodies_are_not_read() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[requires(scope = "write")]
    async fn upload(body: axum::body::Bytes) -> String {
        RUNS.fetch_add(1, Ordering::Relaxed);
        body.len().to_string()
    }
    const FORM: &str = "application/x-www-form-urlencoded";
    let routes = || GuardedRouter::new().route("/upload", post(upload));
    let webhooks = Webhooks::github().secret("a secret of more than sixteen bytes");
    let reader = || {
        let tokens = Bearer::new(async |_| Caller::rejected()).accept_form();
        let reader = ProtectionSpace::builder().realm("reader").scheme(tokens);
        reader.build().expect("a space")
    };
    let signed = space_builder().scheme(webhooks.build().expect("webhooks"));
    let signed = signed.build().expect("a space");
    let read = GuardedRouter::new().route("/read", get(read));
    for (name, content_type, app) in [
        ("no scheme reads bodies", FORM, routes().protect(space())),
        ("not a form", "application/json", routes().protect(reader())),
        ("no signature", FORM, routes().protect(signed)),
        (
            "a scheme of another router reads forms",
            FORM,
            (routes().protect(space())).and_then(|own| Ok(own.merge(read.protect(reader())?))),
        ),
    ] {
        let address = serve(app.expect("routes")).await;
        let waiting = format!(
            "POST /upload HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\
             content-type: {content_type}\r\ncontent-length: 1000000\r\n\
             connection: close\r\n\r\n"
        );
        let answer = send_raw(address, waiting).await;
        assert!(
            answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"),
            "{name}: {answer}"
        );
    }
    assert_eq!(RUNS.load(Ordering::Relaxed), 0);
}

/// A browser sends no credentials with a preflight request, so a layer in front responds to it.
#[tokio::test]
async fn preflight_requests_are_decided() {
    let service = tower::service_fn(async |_: Request| Ok::<_, Infallible>("service"));
    let app = GuardedRouter::new()
        .route("/handler", options(read))
        .route("/any", any(read))
        .route_service("/service", Readers, service)
        .protect(space())
        .unwrap();
    for target in ["/handler", "/any", "/service"] {
        let mut request = nobody(Method::OPTIONS, target);
        for (name, value) in [
            ("origin", "https://app.example"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization"),
        ] {
            let value = HeaderValue::from_static(value);
            request.headers_mut().insert(name, value);
        }
        let (status, response) = send(&app, request).await;
        assert_eq!(status, 401, "{target}");
        assert!(response.headers().contains_key("www-authenticate"));
    }
}

/// A mounted service such as an MCP server does not receive the caller, unless a handler passes it on.
#[tokio::test]
async fn handler_passes_caller_to_service() {
    type Inner = tower::util::BoxCloneSyncService<Request, Response, Infallible>;

    #[requires(scope = "read")]
    async fn pass(guard: Guard, State(service): State<Inner>, mut request: Request) -> Response {
        request.extensions_mut().insert(guard.identity().clone());
        let Ok(response) = service.oneshot(request).await;
        response
    }

    let service = Inner::new(tower::service_fn(async |request: Request| {
        let caller = request.extensions().get().map(Identity::subject);
        let shown = format!("{} {caller:?}", request.uri());
        Ok::<_, Infallible>(Response::new(Body::from(shown)))
    }));
    let app = GuardedRouter::new()
        .route("/handler", any(pass))
        .route("/handler/{*path}", any(pass))
        .route_service("/service", Readers, service.clone())
        .with_state(service)
        .protect(space())
        .unwrap();
    for (target, expected) in [
        ("/handler", "/handler Some(\"ann\")"),
        ("/handler/tools?x=1", "/handler/tools?x=1 Some(\"ann\")"),
        ("/service", "/service None"),
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let (status, response) = send(&app, by(ann(), method.clone(), target)).await;
            assert_eq!(status, 200, "{method} {target}");
            assert_eq!(text(response).await, expected, "{method}");
            let (status, _) = send(&app, nobody(method.clone(), target)).await;
            assert_eq!(status, 401, "{method} {target}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_identities_stay_apart() {
    #[requires(authenticated)]
    async fn late(guard: Guard) -> String {
        tokio::task::yield_now().await;
        guard.identity().subject().to_owned()
    }

    let named = Bearer::new(async |token| {
        tokio::task::yield_now().await;
        Caller::known(Identity::new(token.as_str()))
    });
    let space = ProtectionSpace::builder().realm("api").scheme(named);
    let app = GuardedRouter::new()
        .route("/late", get(late))
        .protect(space.build().expect("a space"))
        .expect("routes");
    let requests = (0..200).map(|number| {
        let app = app.clone();
        tokio::spawn(async move {
            let name = format!("caller-{number}");
            let mut request = nobody(Method::GET, "/late");
            let token = format!("Bearer {name}").parse().expect("a field value");
            request.headers_mut().insert("authorization", token);
            let (_, response) = send(&app, request).await;
            assert_eq!(text(response).await, name);
        })
    });
    for request in requests.collect::<Vec<_>>() {
        request.await.expect("it does not panic");
    }
}
