//! Every decision is recorded once, with its rule: by the hook, by `tracing` and by `metrics`. The
//! record never reaches the caller.

mod counters;
mod invalid_requests;
mod objects;
mod origins;
mod outages;
mod overload;
mod records;
mod traces;

use std::sync::{Arc, Mutex};

use auth_runtime::events::AuditRecord;
use auth_runtime::routing::{get, post};
use auth_runtime::schemes::{Credentials, Scheme, Verification};
use auth_runtime::testing::with_caller;
use auth_runtime::{
    Caller, CheckRequest, Denied, Guard, GuardedRouter, Identity, ProtectedRouter, ProtectionSpace,
    ProtectionSpaceBuilder, public, requires,
};
use auth_tests::{App, space_builder, token};
use axum::body::Body;
use axum::extract::Request;
use http::StatusCode;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{OF_THIS_THREAD, listen};

#[public(reason = "everybody may")]
async fn open() {}

#[requires(scope = "read")]
async fn read() {}

#[requires(scope = "write", hide_as = 404)]
async fn write() {}

#[requires(role = "admin")]
async fn admin() {}

#[requires(role = "admin", hide_as = 404)]
async fn hidden() {}

#[requires(role = "admin", hide_as = 404, hide_unless = scope("read"))]
async fn half_hidden() {}

#[requires(network = "192.0.2.0/24")]
async fn office() {}

#[requires(acr = "mfa", hide_as = 404)]
async fn strong() {}

#[requires(sender_constrained)]
async fn bound() {}

#[requires(check = fails)]
async fn checked() {}

async fn fails(_: CheckRequest<'_>) -> Result<bool, &'static str> {
    Err("the database is down")
}

#[requires(check = says_no, hide_as = 404)]
async fn refused() {}

async fn says_no(_: CheckRequest<'_>) -> bool {
    tokio::task::yield_now().await;
    false
}

#[requires(authenticated)]
async fn object(guard: Guard) -> Result<(), Denied> {
    guard.permit(false)
}

#[requires(authenticated, hide_as = 404)]
async fn hidden_object(guard: Guard) -> Result<(), Denied> {
    guard.permit(false)
}

/// A scheme that binds credentials to a key.
struct Badge;

impl Scheme for Badge {
    fn name(&self) -> &str {
        "Badge"
    }

    fn verify(&self, _: &Credentials<'_>) -> Verification {
        Verification::pending(async { Caller::known(Identity::new("the gate")) })
    }

    fn constrains_sender(&self) -> bool {
        true
    }
}

fn builder() -> ProtectionSpaceBuilder {
    listen();
    space_builder().scheme(Badge)
}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/open", get(open))
        .route("/read", get(read))
        .route("/write/{id}", get(write))
        .route("/admin", get(admin))
        .route("/hidden", get(hidden))
        .route("/half", get(half_hidden))
        .route("/mixed", get(read).merge(post(hidden)))
        .route("/office", get(office))
        .route("/strong", get(strong))
        .route("/bound", get(bound))
        .route("/checked", get(checked))
        .route("/refused", get(refused))
        .route("/object", get(object))
        .route("/hidden-object", get(hidden_object))
}

fn app(space: ProtectionSpace) -> ProtectedRouter {
    routes().protect(space).expect("the routes are in order")
}

/// The sender of a request.
#[derive(Clone)]
enum From {
    Nobody,
    /// A client that sends these fields.
    Lines(Vec<String>),
    /// A caller that could not be verified.
    Somebody,
}

fn bearer(claims: Value) -> From {
    From::Lines(vec![format!("Bearer {}", token(claims))])
}

fn garbage() -> From {
    From::Lines(vec!["Bearer garbage".to_owned()])
}

async fn send(app: &impl App, target: &str, from: From) -> (StatusCode, String) {
    let mut request = Request::get(target).body(Body::empty()).expect("a request");
    match from {
        From::Nobody => {}
        From::Somebody => request = with_caller(request, Caller::unverifiable()),
        From::Lines(lines) => {
            for line in lines {
                let value = line.parse().expect("a field value");
                request.headers_mut().append("authorization", value);
            }
        }
    }
    let (head, body) = app
        .clone()
        .oneshot(request)
        .await
        .expect("infallible")
        .into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let told = format!("{:?}\n{}", head.headers, String::from_utf8_lossy(&body));
    (head.status, told)
}

/// The records of a hook.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn hook(&self) -> impl Fn(&AuditRecord<'_>) + Send + Sync + 'static {
        let log = self.clone();
        move |record| {
            let handler = record.location().map(|found| found.handler());
            let handler = handler.and_then(|path| path.rsplit("::").next());
            log.0.lock().expect("nobody panics").push(format!(
                "{} {} {} {}",
                handler.unwrap_or("-"),
                record.rule(),
                record.outcome().name(),
                record.scheme().unwrap_or("-"),
            ));
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("nobody panics"))
    }
}

/// Every rule, visible and hidden: the request, the response, and the records.
fn rows() -> Vec<(&'static str, From, u16, &'static [&'static str])> {
    let nobody = || From::Nobody;
    let twice = || From::Lines(vec!["Bearer a".to_owned(), "Bearer b".to_owned()]);
    let badge = || From::Lines(vec!["Badge 1".to_owned()]);
    let reader = || bearer(json!({ "scope": "read" }));
    let admin = || bearer(json!({ "roles": ["admin"] }));
    let ann = || bearer(json!({}));
    vec![
        ("/open", nobody(), 200, &["open 1 granted -"]),
        ("/open", garbage(), 200, &["open 1 granted -"]),
        ("/read", reader(), 200, &["read 1 granted Bearer"]),
        ("/read", nobody(), 401, &["read 2 unauthenticated -"]),
        ("/read", garbage(), 401, &["read 2 unauthenticated Bearer"]),
        (
            "/read",
            From::Somebody,
            503,
            &["read 4 unverifiable Bearer"],
        ),
        ("/read", ann(), 403, &["read 3c insufficient_scope Bearer"]),
        ("/read", badge(), 403, &["read 3d forbidden Badge"]),
        ("/read", twice(), 400, &["read 5 invalid_request -"]),
        ("/write/1", nobody(), 404, &["write 2 hidden -"]),
        ("/write/1", reader(), 404, &["write 3c hidden Bearer"]),
        ("/admin", ann(), 403, &["admin 3d forbidden Bearer"]),
        ("/admin", admin(), 200, &["admin 1 granted Bearer"]),
        ("/hidden", admin(), 200, &["hidden 1 granted Bearer"]),
        ("/hidden", nobody(), 404, &["hidden 2 hidden -"]),
        ("/hidden", garbage(), 401, &["hidden 2 hidden Bearer"]),
        ("/hidden", ann(), 404, &["hidden 3d hidden Bearer"]),
        ("/hidden", From::Somebody, 503, &["hidden 4 hidden Bearer"]),
        ("/hidden", twice(), 400, &["hidden 5 hidden -"]),
        ("/half", reader(), 403, &["half_hidden 3d forbidden Bearer"]),
        ("/half", ann(), 404, &["half_hidden 3d hidden Bearer"]),
        // A method beside a hidden one.
        ("/mixed", reader(), 200, &["read 1 granted Bearer"]),
        ("/mixed", ann(), 404, &["read 3c hidden Bearer"]),
        ("/mixed", nobody(), 404, &["read 2 hidden -"]),
        ("/office", nobody(), 403, &["office 2 forbidden -"]),
        ("/office", garbage(), 403, &["office 2 forbidden Bearer"]),
        (
            "/office",
            From::Somebody,
            403,
            &["office 4 forbidden Bearer"],
        ),
        ("/office", ann(), 403, &["office 3d forbidden Bearer"]),
        // The denial that requires a new login is visible, also on a hidden path.
        ("/strong", ann(), 401, &["strong 3a step_up Bearer"]),
        (
            "/bound",
            ann(),
            401,
            &["bound 3b sender_constraint_required Bearer"],
        ),
        ("/checked", ann(), 503, &["checked 4 unverifiable Bearer"]),
        ("/refused", ann(), 404, &["refused 3d hidden Bearer"]),
        (
            "/object",
            ann(),
            403,
            &["object 1 granted Bearer", "object object forbidden Bearer"],
        ),
        (
            "/hidden-object",
            ann(),
            404,
            &[
                "hidden_object 1 granted Bearer",
                "hidden_object object hidden Bearer",
            ],
        ),
        // An unknown path has no decision, but invalid credentials are still rejected.
        ("/nowhere", nobody(), 404, &[]),
        ("/nowhere", admin(), 404, &[]),
        ("/nowhere", garbage(), 401, &["- 2 unauthenticated Bearer"]),
        (
            "/nowhere",
            From::Somebody,
            503,
            &["- 4 unverifiable Bearer"],
        ),
        ("/nowhere", twice(), 400, &["- 5 invalid_request -"]),
    ]
}

async fn check(app: &impl App, log: &Log, prefix: &str) {
    for (target, from, status, told) in rows() {
        let target = format!("{prefix}{target}");
        let (answered, _) = send(app, &target, from).await;
        assert_eq!(answered, status, "{target}: {told:?}");
        assert_eq!(log.take(), told, "{target}");
    }
}

/// The attribute of a module is in another place.
#[requires(role = "admin")]
mod area {
    pub async fn below() {}
}

/// Returns the events of this thread since the last call.
fn lines() -> Vec<Value> {
    let text = String::from_utf8(OF_THIS_THREAD.take()).expect("UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// Returns the level and the fields of each event of a module, and of the modules in it, since the last call.
fn events(module: &str) -> Vec<Value> {
    let lines = lines().into_iter();
    let lines = lines.filter(|line| {
        let target = line["target"].as_str();
        target.is_some_and(|own| format!("{own}::").contains(&format!("{module}::")))
    });
    lines
        .map(|mut line| json!([line["level"].take(), line["fields"].take()]))
        .collect()
}

/// Returns the messages of a module, and of the modules in it, since the last call.
fn messages(module: &str) -> Vec<String> {
    let events = events(module).into_iter();
    let messages = events.map(|event| event[1]["message"].as_str().map(str::to_owned));
    messages.map(Option::unwrap_or_default).collect()
}

fn reads(space: ProtectionSpace) -> ProtectedRouter {
    let routes = GuardedRouter::new().route("/read", get(read));
    routes.protect(space).expect("the routes are in order")
}
