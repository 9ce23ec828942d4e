//! Requests before and behind the decision.

use std::sync::atomic::{AtomicU32, Ordering};

use auth_tests::{send_raw, serve};

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
    let app = GuardedRouter::new()
        .route("/upload", post(upload))
        .protect(space())
        .unwrap();
    let address = serve(app).await;
    let waiting = "POST /upload HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\
                   content-length: 1000000\r\nconnection: close\r\n\r\n";
    let answer = send_raw(address, waiting).await;
    assert!(
        answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"),
        "{answer}"
    );
    assert_eq!(RUNS.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn concurrent_identities_stay_apart() {
    let app = GuardedRouter::new()
        .route("/whoami", get(whoami))
        .protect(space())
        .unwrap();
    let requests = (0..200).map(|number| {
        let app = app.clone();
        tokio::spawn(async move {
            let name = format!("caller-{number}");
            let request = by(Identity::new(name.clone()), Method::GET, "/whoami");
            let (_, response) = send(&app, request).await;
            assert_eq!(text(response).await, name);
        })
    });
    for request in requests.collect::<Vec<_>>() {
        request.await.expect("it does not panic");
    }
}
