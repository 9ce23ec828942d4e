//! Concealed responses take whole steps of time.

use std::time::Duration;

use auth_runtime::{CheckRequest, ProtectedRouter};
use axum::body::to_bytes;
use futures_util::future::join;
use tokio::time::{Instant, sleep, timeout};

use super::*;

const STEP: Duration = Duration::from_millis(60);
/// The time of the slow check: more than one step.
const SLOW: Duration = Duration::from_millis(80);
const HOUR: Duration = Duration::from_secs(3_600);

async fn slowly(_: CheckRequest<'_>) -> bool {
    sleep(SLOW).await;
    false
}

#[requires(check = slowly, hide_as = 404)]
async fn checked() {}

#[requires(scope = "read", hide_as = 404)]
async fn object(guard: Guard) -> Result<&'static str, Denied> {
    sleep(STEP / 3).await;
    guard.permit(false)?;
    Ok("the object")
}

#[public(reason = "for the test of fallbacks")]
async fn not_found() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "nothing here")
}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/shown", get(shown))
        .route("/secret", get(secret))
        .route("/checked", get(checked))
        .route("/object", get(object))
}

fn app() -> ProtectedRouter {
    routes().protect(space()).unwrap()
}

fn request(method: Method, path: &str, token: Option<&str>) -> Request {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Body::empty()).unwrap()
}

/// All of a response but its time.
async fn ask(app: &ProtectedRouter, request: Request) -> (StatusCode, http::HeaderMap, Vec<u8>) {
    let response = app.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (head.status, head.headers, body.to_vec())
}

#[tokio::test]
async fn concealed_and_unknown_responses_take_whole_steps() {
    let reader = token(json!({ "scope": "read" }));
    let expired = expired_token(json!({ "scope": "read" }));
    let known = Some(reader.as_str());
    let with_fallback = routes().fallback(not_found).protect(space()).unwrap();
    let behind_layers = || {
        let tag = HeaderValue::from_static("inner");
        let layer = SetResponseHeaderLayer::overriding(HeaderName::from_static("x-tag"), tag);
        routes().route_layer(layer).protect(space()).unwrap()
    };
    let merged = || {
        let files = GuardedRouter::new().nest_service("/files", Files, not_a_file());
        app().merge(files.protect(space()).unwrap())
    };
    for plain in [app(), with_fallback, behind_layers(), merged()] {
        let delayed = plain.clone().conceal_timing(STEP);
        for (method, path, token, steps) in [
            (Method::GET, "/unknown", known, 1),
            (Method::GET, "/unknown", None, 1),
            (Method::GET, "/unknown", Some(expired.as_str()), 1),
            (Method::GET, "/secret", known, 1),
            (Method::GET, "/secret", None, 1),
            (Method::GET, "/secret", Some(expired.as_str()), 1),
            (Method::POST, "/secret", known, 1),
            (Method::GET, "/object", known, 1),
            (Method::GET, "/checked", known, 2),
        ] {
            let asked = || request(method.clone(), path, token);
            let expected = ask(&plain, asked()).await;
            let begun = Instant::now();
            let found = ask(&delayed, asked()).await;
            let elapsed = begun.elapsed();
            assert!(elapsed >= STEP * steps, "{method} {path}: {elapsed:?}");
            assert_eq!(found, expected, "{method} {path}");
        }
    }
}

fn not_a_file()
-> impl tower::Service<Request, Response = &'static str, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    tower::service_fn(async |_: Request| Ok("a file"))
}

/// Asserts that a request waits for the end of a long step, or does not.
async fn assert_waits(app: &ProtectedRouter, request: Request, waits: bool) {
    let path = request.uri().path().to_owned();
    let limit = if waits { STEP } else { Duration::from_secs(20) };
    let result = timeout(limit, ask(app, request)).await;
    assert_eq!(result.is_err(), waits, "{path}");
}

#[tokio::test]
async fn other_responses_do_not_wait() {
    let app = app().conceal_timing(HOUR);
    let writer = token(json!({ "scope": "write" }));
    let admin = token(json!({ "scope": "admin" }));
    let reader = token(json!({ "scope": "read" }));
    for (method, path, token) in [
        (Method::GET, "/shown", Some(writer.as_str())),
        (Method::GET, "/shown", Some(reader.as_str())),
        (Method::GET, "/shown", None),
        (Method::POST, "/shown", None),
        (Method::GET, "/secret", Some(admin.as_str())),
    ] {
        assert_waits(&app, request(method, path, token), false).await;
    }
    assert_waits(&app, request(Method::GET, "/unknown", None), true).await;
}

#[tokio::test]
async fn the_step_outlives_merges_nests_and_layers() {
    let other = || {
        let other = GuardedRouter::new().route("/open", get(open));
        other.protect(space()).unwrap()
    };
    let short = Duration::from_nanos(1);
    let identity = tower::layer::util::Identity::new;
    for app in [
        app().conceal_timing(HOUR).merge(other()),
        other().merge(app().conceal_timing(HOUR)),
        app()
            .conceal_timing(HOUR)
            .merge(other().conceal_timing(short)),
        other().nest("/nested", app().conceal_timing(HOUR)),
        app().layer(identity()).conceal_timing(HOUR),
        app().conceal_timing(HOUR).layer(identity()),
    ] {
        assert_waits(&app, request(Method::GET, "/unknown", None), true).await;
        assert_waits(&app, request(Method::GET, "/nested/secret", None), true).await;
    }
    for step in [short, Duration::ZERO] {
        let app = app().conceal_timing(step);
        assert_waits(&app, request(Method::GET, "/unknown", None), false).await;
    }
}

/// Of two requests that arrive together, the first one is answered first, although its path takes more time. This
/// holds on a runtime with one thread.
#[tokio::test]
async fn the_order_of_responses_is_that_of_the_requests() {
    let app = app().conceal_timing(STEP);
    let reader = token(json!({ "scope": "read" }));
    let ended = async |path| {
        let asked = request(Method::GET, path, Some(&reader));
        ask(&app, asked).await;
        Instant::now()
    };
    for _ in 0..5 {
        let (object, unknown) = join(ended("/object"), ended("/unknown")).await;
        assert!(object <= unknown, "{:?}", object - unknown);
        let (unknown, object) = join(ended("/unknown"), ended("/object")).await;
        assert!(unknown <= object, "{:?}", unknown - object);
    }
}
