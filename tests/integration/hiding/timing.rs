//! Concealed responses end together with those of unknown paths.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_runtime::{CheckRequest, ProtectedRouter};
use axum::body::to_bytes;
use futures_util::future::{join, join_all};
use tokio::time::{Instant, sleep};

use super::*;

const STEP: Duration = Duration::from_millis(60);
/// The resolution of timers.
const RESOLUTION: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3_600);

async fn slowly(_: CheckRequest<'_>) -> bool {
    sleep(STEP / 3).await;
    false
}

async fn too_slowly(_: CheckRequest<'_>) -> bool {
    sleep(STEP * 5 / 2).await;
    false
}

#[requires(check = slowly, hide_as = 404)]
async fn checked() {}

#[requires(check = too_slowly, hide_as = 404)]
async fn checked_for_long() {}

#[requires(scope = "read", hide_as = 404)]
async fn object(guard: Guard) -> Result<&'static str, Denied> {
    sleep(STEP / 2).await;
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
        .route("/long", get(checked_for_long))
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

#[tokio::test(start_paused = true)]
async fn concealed_and_unknown_responses_end_together() {
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
        // The requests begin within a step.
        sleep(STEP / 4).await;
        let begun = Instant::now();
        let asked = [
            (Method::GET, "/unknown", known),
            (Method::GET, "/unknown", None),
            (Method::GET, "/unknown", Some(expired.as_str())),
            (Method::GET, "/secret", known),
            (Method::GET, "/secret", None),
            (Method::GET, "/secret", Some(expired.as_str())),
            (Method::POST, "/secret", known),
            (Method::GET, "/object", known),
            (Method::GET, "/checked", known),
        ];
        let ends = asked.map(async |(method, path, token)| {
            let asked = || request(method.clone(), path, token);
            let found = ask(&delayed, asked()).await;
            let end = Instant::now();
            assert_eq!(found, ask(&plain, asked()).await, "{method} {path}");
            end
        });
        let late = async {
            ask(&delayed, request(Method::GET, "/long", known)).await;
            Instant::now()
        };
        let (ends, late) = join(join_all(ends), late).await;
        let waited = ends[0] - begun;
        assert!((STEP..=STEP * 2).contains(&waited), "{waited:?}");
        assert_eq!(ends, [ends[0]; 9]);
        assert_eq!(late - ends[0], STEP);
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

/// Asserts that a request waits for the end of a long step, or does not wait at all.
async fn assert_waits(app: &ProtectedRouter, request: Request, waits: bool) {
    let path = request.uri().path().to_owned();
    let begun = Instant::now();
    ask(app, request).await;
    let waited = begun.elapsed();
    let expected = if waits {
        HOUR..HOUR * 2
    } else {
        Duration::ZERO..RESOLUTION * 2
    };
    assert!(expected.contains(&waited), "{path}: {waited:?}");
}

#[tokio::test(start_paused = true)]
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

#[tokio::test(start_paused = true)]
async fn step_outlives_merges_nests_and_layers() {
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

/// The runtime wakes waiting responses in turn. The order depends neither on that of the requests nor on their work.
#[tokio::test(start_paused = true)]
async fn simultaneous_responses_have_random_order() {
    const ROUNDS: usize = 200;
    let app = app().conceal_timing(STEP);
    let reader = token(json!({ "scope": "read" }));
    let is_hidden_first = async |paths: [&'static str; 2]| {
        let ended = Arc::new(Mutex::new(Vec::new()));
        let tasks = paths.map(|path| {
            let (app, ended) = (app.clone(), Arc::clone(&ended));
            let asked = request(Method::GET, path, Some(&reader));
            tokio::spawn(async move {
                ask(&app, asked).await;
                ended.lock().unwrap().push(path);
            })
        });
        assert!(join_all(tasks).await.iter().all(Result::is_ok));
        let first = ended.lock().unwrap()[0];
        first == "/object"
    };
    for paths in [["/object", "/unknown"], ["/unknown", "/object"]] {
        let mut hidden_first = 0;
        for _ in 0..ROUNDS {
            hidden_first += usize::from(is_hidden_first(paths).await);
        }
        // Six standard deviations.
        assert!(
            (57..=143).contains(&hidden_first),
            "{paths:?}: {hidden_first} of {ROUNDS}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn closed_connections_delay_no_other() {
    let app = app().conceal_timing(STEP);
    let asked = || {
        let app = app.clone();
        tokio::spawn(async move {
            let begun = Instant::now();
            ask(&app, request(Method::GET, "/unknown", None)).await;
            begun.elapsed()
        })
    };
    let (closed, other) = (asked(), asked());
    sleep(STEP / 4).await;
    closed.abort();
    let waited = other.await.unwrap();
    assert!((STEP..STEP * 2).contains(&waited), "{waited:?}");
}

#[test]
fn without_timer_no_response_is_distinguishable() {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.build().unwrap();
    let writer = token(json!({ "scope": "write" }));
    runtime.block_on(async {
        let app = app().conceal_timing(STEP);
        let get = |path| request(Method::GET, path, Some(&writer));
        let unknown = ask(&app, get("/unknown")).await;
        assert_eq!(unknown.0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(unknown.1["cache-control"], "no-store");
        assert_eq!(ask(&app, get("/secret")).await, unknown);
        assert_eq!(ask(&app, get("/shown")).await.0, StatusCode::OK);
    });
}
