//! A whole service in front of a server that fails in each way.

use std::time::{Duration, Instant};

use auth_runtime::objects::{Action, Condition, Resource, Value};
use auth_runtime::routing::get;
use auth_runtime::schemes::ApiKeys;
use auth_runtime::{
    Denied, Guard, GuardedRouter, Identity, ProtectedRouter, ProtectionSpace, requires,
};
use auth_runtime_authzen::AuthZen;
use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Request, StatusCode};
use futures_util::future::join_all;
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::pdp::{Behaviour, OWNERS, Pdp};
use crate::{IN_TIME, TIMEOUT};

/// The key of Ann.
const KEY: &str = "k-4f1c0b6e9a8d47d2";
const READ: Action = Action::new("read");

struct Document(&'static str);

impl From<&Document> for Resource {
    fn from(document: &Document) -> Self {
        Self::new("Document", document.0)
    }
}

fn all() -> Vec<Document> {
    OWNERS.iter().map(|(id, _)| Document(id)).collect()
}

#[requires(can = "update", on = "Document::{id}")]
async fn update() -> &'static str {
    "updated"
}

#[requires(can = "update", on = "Document::{id}", hide_as = 404, hide_unless = can("read"))]
async fn hidden() -> &'static str {
    "updated"
}

/// The ids of a condition that names them.
fn ids(condition: &Condition) -> String {
    let Condition::OneOf(property, ids) = condition else {
        panic!("a condition by ids: {condition:?}");
    };
    assert_eq!(property, "id");
    let ids = ids.iter().map(|id| match id {
        Value::Text(id) => id.as_str(),
        other => panic!("an id is a text: {other:?}"),
    });
    ids.collect::<Vec<_>>().concat()
}

/// The candidates of an engine that names ids: they are not needed.
async fn unneeded() -> Result<Vec<Resource>, Denied> {
    panic!("the engine decides about single objects")
}

#[requires(authenticated)]
async fn search(guard: Guard) -> Result<String, Denied> {
    let condition = guard.permitted(READ, "Document", unneeded()).await?;
    Ok(ids(&condition))
}

#[requires(authenticated)]
async fn filter(guard: Guard) -> Result<String, Denied> {
    let documents = guard.filter(READ, all()).await?;
    Ok(documents.iter().map(|document| document.0).collect())
}

#[requires(authenticated, hide_as = 404)]
async fn hidden_search(guard: Guard) -> Result<String, Denied> {
    let condition = guard.permitted(READ, "Document", unneeded()).await?;
    Ok(ids(&condition))
}

async fn app(pdp: &Pdp) -> ProtectedRouter {
    let keys = ApiKeys::builder().key(KEY, Identity::new("ann"));
    let engine = AuthZen::builder()
        .url(pdp.url())
        .search_resources()
        .timeout(TIMEOUT);
    let space = ProtectionSpace::builder()
        .realm("shop")
        .scheme(keys.build().unwrap())
        .decision_point(engine.build().unwrap());
    GuardedRouter::new()
        .route("/documents", get(search))
        .route("/filtered", get(filter))
        .route("/listed", get(hidden_search))
        .route("/documents/{id}", get(update))
        .route("/hidden/{id}", get(hidden))
        .protect(space.build().unwrap())
        .unwrap()
}

/// All of a response.
type Answer = (StatusCode, Vec<(HeaderName, HeaderValue)>, Bytes);

async fn send(app: &ProtectedRouter, path: &str, key: Option<&str>) -> Answer {
    let mut request = Request::get(path);
    if let Some(key) = key {
        request = request.header("x-api-key", key);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let fields = head.headers.iter();
    let fields = fields.map(|(name, value)| (name.clone(), value.clone()));
    let body = body.collect().await.unwrap().to_bytes();
    (head.status, fields.collect(), body)
}

async fn ask(app: &ProtectedRouter, path: &str) -> Answer {
    send(app, path, Some(KEY)).await
}

/// The seconds in `Retry-After`.
fn retry_after((_, fields, _): &Answer) -> u64 {
    let field = fields.iter().find(|(name, _)| name == "retry-after");
    let (_, value) = field.expect("the field");
    value.to_str().unwrap().parse().unwrap()
}

/// The responses to Ann while the server works, and the number of calls.
const WORKING: [(&str, u16, &str, usize); 8] = [
    ("/documents/d1", 200, "updated", 1),
    ("/documents/d2", 403, "", 1),
    ("/hidden/d1", 200, "updated", 1),
    ("/hidden/d2", 404, "", 1),
    ("/documents", 200, "d1d3d4", 2),
    ("/filtered", 200, "d1d3d4", 1),
    ("/listed", 200, "d1d3d4", 2),
    ("/unknown", 404, "", 0),
];

/// Asserts the responses, each with one call of the server for a request, and for a page of a list.
async fn assert_it_works(pdp: &Pdp, app: &ProtectedRouter, name: &str) {
    for (path, status, body, calls) in WORKING {
        let seen = pdp.seen().len();
        let (found, _, text) = ask(app, path).await;
        assert_eq!(found.as_u16(), status, "{name}: {path}");
        if status == 200 {
            assert_eq!(text, body, "{name}: {path}");
        }
        assert_eq!(pdp.seen().len(), seen + calls, "{name}: {path}");
    }
}

/// Asserts that the response to each of these paths is 503, or that of unknown paths.
async fn assert_out_of_order(pdp: &Pdp, app: &ProtectedRouter, name: &str, paths: &[&str]) {
    let unknown = ask(app, "/unknown").await;
    assert_eq!(unknown.0, StatusCode::NOT_FOUND);
    for path in paths {
        let (begun, seen) = (Instant::now(), pdp.seen().len());
        let answer = ask(app, path).await;
        assert!(begun.elapsed() < IN_TIME, "{name}: {path}");
        // A lost request is repeated once.
        let most = if name.starts_with("close") { 2 } else { 1 };
        assert!(pdp.seen().len() <= seen + most, "{name}: {path}");
        let is_hidden = path.starts_with("/hidden") || *path == "/listed";
        if is_hidden {
            assert_eq!(answer, unknown, "{name}: {path}");
            continue;
        }
        let seconds = retry_after(&answer);
        assert!((1..=5).contains(&seconds), "{name}: {path}: {seconds}");
        let (status, fields, body) = answer;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{name}: {path}");
        assert!(
            !fields.iter().any(|(name, _)| name == "www-authenticate"),
            "{name}: {path}"
        );
        let body = String::from_utf8_lossy(&body).into_owned();
        assert!(
            !body.contains("d1") && !body.contains("updated"),
            "{name}: {path}: {body}"
        );
    }
}

/// Four at a time: the fifth consecutive failure opens the circuit.
const PATHS: [[&str; 4]; 2] = [
    ["/documents/d1", "/hidden/d1", "/documents", "/hidden/d2"],
    ["/documents/d2", "/filtered", "/listed", "/hidden/d3"],
];

/// A response that comes too late, or never.
fn silence() -> [(&'static str, Behaviour); 3] {
    [
        ("late", Behaviour::Late(TIMEOUT * 2)),
        ("never", Behaviour::Never),
        ("trickle", Behaviour::Trickle),
    ]
}

fn failures() -> Vec<(&'static str, Behaviour)> {
    let garbage = [
        ("html", "<html>true</html>"),
        (
            "text",
            r#"{"decision":"true","results":"all","evaluations":true}"#,
        ),
        ("empty", ""),
        ("cut", r#"{"decision":true"#),
    ];
    let garbage = garbage.map(|(name, text)| (name, Behaviour::Send(text.to_owned())));
    let mut failures = vec![
        ("500", Behaviour::Status(500)),
        ("401", Behaviour::Status(401)),
        ("403", Behaviour::Status(403)),
        ("404", Behaviour::Status(404)),
        ("400", Behaviour::Status(400)),
        ("redirect", Behaviour::Redirect(307)),
        ("long", Behaviour::Long(1024 * 1024)),
        ("endless", Behaviour::Endless),
        ("broken", Behaviour::Broken),
        ("close", Behaviour::Close),
        ("half", Behaviour::Half),
        ("too much", Behaviour::TooMuch),
    ];
    failures.extend(garbage);
    failures
}

#[tokio::test]
async fn requests_and_pages_call_server_once() {
    let pdp = Pdp::start();
    let app = app(&pdp).await;
    assert_it_works(&pdp, &app, "works").await;
    pdp.behave(Behaviour::Late(TIMEOUT / 5));
    assert_it_works(&pdp, &app, "slow").await;
    // No caller, no question.
    let seen = pdp.seen().len();
    for (path, status) in [
        ("/documents/d1", 401),
        ("/documents", 401),
        ("/hidden/d1", 404),
    ] {
        assert_eq!(send(&app, path, None).await.0.as_u16(), status, "{path}");
        assert_eq!(
            send(&app, path, Some("wrong")).await.0.as_u16(),
            401,
            "{path}"
        );
    }
    assert_eq!(pdp.seen().len(), seen);
}

/// Of `hide_unless` and the requirement, one call has both questions.
#[tokio::test]
async fn requirement_and_disclosure_are_one_call() {
    let pdp = Pdp::start();
    let app = app(&pdp).await;
    ask(&app, "/hidden/d2").await;
    let seen = pdp.seen();
    assert_eq!(seen.len(), 1);
    let evaluations = seen[0].body["evaluations"].as_array().unwrap();
    let actions = evaluations
        .iter()
        .map(|it| it["action"]["name"].as_str().unwrap());
    assert_eq!(actions.collect::<Vec<_>>(), ["update", "read"]);
}

async fn assert_failure_is_no_verdict((name, behaviour): (&str, Behaviour)) {
    let pdp = Pdp::start();
    let app = app(&pdp).await;
    assert_it_works(&pdp, &app, name).await;
    for paths in PATHS {
        pdp.behave(behaviour.clone());
        assert_out_of_order(&pdp, &app, name, &paths).await;
        pdp.behave(Behaviour::Decide);
        let begun = Instant::now();
        assert_eq!(ask(&app, "/documents/d1").await.0, StatusCode::OK, "{name}");
        assert!(begun.elapsed() < TIMEOUT, "{name}");
    }
    assert_it_works(&pdp, &app, name).await;
}

#[tokio::test]
async fn failing_servers_are_503() {
    for failure in failures() {
        assert_failure_is_no_verdict(failure).await;
    }
}

#[tokio::test]
async fn silent_servers_are_503() {
    join_all(silence().map(assert_failure_is_no_verdict)).await;
}

#[tokio::test]
async fn killed_servers_are_used_again() {
    let mut pdp = Pdp::start();
    let app = app(&pdp).await;
    assert_it_works(&pdp, &app, "before").await;
    for paths in PATHS {
        pdp.stop();
        assert_out_of_order(&pdp, &app, "killed", &paths).await;
        pdp.start_again();
        let begun = Instant::now();
        assert_eq!(ask(&app, "/documents/d1").await.0, StatusCode::OK);
        assert!(begun.elapsed() < TIMEOUT);
        assert_it_works(&pdp, &app, "after").await;
    }
}

#[tokio::test]
async fn servers_killed_during_requests_grant_nothing() {
    let mut pdp = Pdp::start();
    let app = app(&pdp).await;
    pdp.behave(Behaviour::Never);
    let paths = ["/documents/d1", "/documents", "/filtered"];
    let waiting = paths.map(|path| {
        let app = app.clone();
        tokio::spawn(async move { ask(&app, path).await.0 })
    });
    let begun = Instant::now();
    while pdp.seen().len() < paths.len() {
        assert!(begun.elapsed() < IN_TIME);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    pdp.stop();
    for task in waiting {
        assert_eq!(task.await.unwrap(), StatusCode::SERVICE_UNAVAILABLE);
    }
    pdp.behave(Behaviour::Decide);
    pdp.start_again();
    assert_it_works(&pdp, &app, "after").await;
}

/// With the circuit open, the server is not asked, and hidden routes are as unknown ones. It is asked again
/// after the time in `Retry-After`.
#[tokio::test]
async fn open_circuit_ends_within_announced_time() {
    let pdp = Pdp::start();
    let app = app(&pdp).await;
    pdp.behave(Behaviour::Status(500));
    for _ in 0..5 {
        assert_eq!(
            ask(&app, "/documents").await.0,
            StatusCode::SERVICE_UNAVAILABLE
        );
    }
    pdp.behave(Behaviour::Decide);
    let seen = pdp.seen().len();
    for paths in PATHS {
        assert_out_of_order(&pdp, &app, "open", &paths).await;
    }
    let seconds = retry_after(&ask(&app, "/documents").await);
    assert_eq!(pdp.seen().len(), seen);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    assert_it_works(&pdp, &app, "closed").await;
}
