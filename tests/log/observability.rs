//! Every decision is recorded once, with its rule: by the hook, by `tracing` and by `metrics`. The
//! record never reaches the caller.

use std::sync::{Arc, Mutex};

use crate::{OF_THIS_THREAD, listen};
use auth_runtime::events::AuditRecord;
use auth_runtime::routing::{get, post};
use auth_runtime::schemes::{Credentials, Scheme, Verification};
use auth_runtime::testing::with_caller;
use auth_runtime::{
    Caller, CheckRequest, Denied, Guard, GuardedRouter, Identity, Policy, ProtectedRouter,
    ProtectionSpace, ProtectionSpaceBuilder, Requirement, UnknownPaths, public, requires,
};
use auth_tests::{App, space_builder, token};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use http::StatusCode;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use serde_json::{Value, json};
use tower::ServiceExt;

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
        ("/read", twice(), 400, &["read 5 broken_request -"]),
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
            &["bound 3b unbound_credentials Bearer"],
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
        ("/nowhere", twice(), 400, &["- 5 broken_request -"]),
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

#[tokio::test]
async fn every_decision_is_told_once_with_its_rule_and_what_the_caller_was_told() {
    let log = Log::default();
    let space = builder().audit(log.hook()).build().expect("a space");
    check(&app(space), &log, "").await;
}

/// There the decision is made outside of the layers, and passed in.
#[tokio::test]
async fn every_decision_is_told_once_below_layers_fallbacks_and_nesting() {
    #[public(reason = "tells nothing but that there is nothing")]
    async fn missing() -> StatusCode {
        StatusCode::NOT_FOUND
    }
    let log = Log::default();
    let space = builder().audit(log.hook()).build().expect("a space");
    let layered = GuardedRouter::new()
        .fallback(missing)
        .nest(
            "/api",
            routes()
                .layer(
                    tower_http::set_header::SetResponseHeaderLayer::if_not_present(
                        http::header::VARY,
                        http::HeaderValue::from_static("accept"),
                    ),
                )
                .fallback(missing),
        )
        .protect(space.clone())
        .expect("the routes are in order");
    check(&layered, &log, "/api").await;
    let nested = Router::new().nest_service("/v1", layered);
    check(&nested, &log, "/v1/api").await;
    check(
        &nested.layer(axum::Extension(space.clone())),
        &log,
        "/v1/api",
    )
    .await;
    // The space is also available with a plain router around it.
    let around = Router::new().nest_service("/v1", app(space.clone()));
    check(&around.layer(axum::Extension(space.clone())), &log, "/v1").await;
}

/// A challenge of an optional login does not mean invalid credentials.
#[tokio::test]
async fn anonymous_callers_of_unknown_paths_are_not_told_even_where_they_are_challenged() {
    let log = Log::default();
    let space = builder()
        .unknown_paths(UnknownPaths::Challenge)
        .audit(log.hook());
    let app = app(space.build().expect("a space"));
    for (from, status, told) in [
        (From::Nobody, 401, &[][..]),
        (garbage(), 401, &["- 2 unauthenticated Bearer"]),
    ] {
        assert_eq!(send(&app, "/nowhere", from).await.0, status);
        assert_eq!(log.take(), told);
    }
}

#[tokio::test]
async fn guards_on_a_plain_router_tell_of_their_decisions() {
    let log = Log::default();
    let space = builder().audit(log.hook()).build().expect("a space");
    use axum::routing::get as plain;
    let app = Router::new()
        .route("/open", plain(open))
        .route("/read", plain(read))
        .route("/hidden", plain(hidden))
        .route("/checked", plain(checked))
        .route("/hidden-object", plain(hidden_object))
        .layer(axum::Extension(space.clone()));
    let ann = || bearer(json!({}));
    for (target, from, status, told) in [
        ("/open", From::Nobody, 200, &["open 1 granted -"][..]),
        ("/read", From::Nobody, 401, &["read 2 unauthenticated -"]),
        ("/read", ann(), 403, &["read 3c insufficient_scope Bearer"]),
        ("/hidden", ann(), 404, &["hidden 3d hidden Bearer"]),
        ("/checked", ann(), 503, &["checked 4 unverifiable Bearer"]),
        (
            "/hidden-object",
            ann(),
            404,
            &[
                "hidden_object 1 granted Bearer",
                "hidden_object object hidden Bearer",
            ],
        ),
    ] {
        assert_eq!(send(&app, target, from).await.0, status, "{target}");
        assert_eq!(log.take(), told, "{target}");
    }
}

#[tokio::test]
async fn decisions_without_a_handler_are_told_too() {
    let log = Log::default();
    let space = builder().audit(log.hook()).build().expect("a space");
    let (head, _) = Request::new(()).into_parts();
    for (policy, told) in [
        (Policy::public("a test"), "- 1 granted -"),
        (
            Policy::requires(Requirement::authenticated()),
            "- 2 unauthenticated -",
        ),
    ] {
        let _ = space.authorize(&policy, &[], &head).await;
        assert_eq!(log.take(), [told]);
    }
}

#[tokio::test]
async fn a_record_tells_where_the_handler_stands_and_why_it_was_denied() {
    let records = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&records);
    let space = builder().audit(move |record| {
        let location = record.location().expect("a handler");
        kept.lock().expect("nobody panics").push((
            location,
            record.policy().map(ToString::to_string),
            record.matched_path().map(str::to_owned),
            record.method().clone(),
            record
                .explanation()
                .map(|explanation| explanation.to_string()),
            record
                .caller()
                .and_then(Caller::identity)
                .map(|who| who.subject().to_owned()),
            record.elapsed().is_some(),
        ));
        assert!(!format!("{record:?}").contains("ann"), "{record:?}");
    });
    let app = app(space.build().expect("a space"));
    send(
        &app,
        "/write/7?secret=x",
        bearer(json!({ "scope": "read" })),
    )
    .await;
    send(&app, "/object", bearer(json!({}))).await;
    let records = records.lock().expect("nobody panics");
    let [
        (location, policy, path, method, why, who, took_time),
        granted,
        denied,
    ] = &records[..]
    else {
        panic!("{records:?}");
    };
    assert_eq!(location.handler(), "log::observability::write");
    assert!(location.file().ends_with("observability.rs"));
    let line = include_str!("observability.rs")
        .lines()
        .nth(location.line() as usize - 1);
    assert_eq!(line, Some("async fn write() {}"));
    assert_eq!(
        policy.as_deref(),
        Some(r#"requires(scope = "write", hide_as = 404)"#)
    );
    assert_eq!(path.as_deref(), Some("/write/{id}"));
    assert_eq!(method, http::Method::GET);
    assert_eq!(why.as_deref(), Some(r#"rule 3c: no: scope = "write""#));
    assert_eq!(who.as_deref(), Some("ann"));
    assert!(took_time);
    assert_eq!(granted.4.as_deref(), Some("rule 1: yes: authenticated"));
    assert_eq!(
        (denied.2.as_deref(), denied.4.as_deref()),
        (Some("/object"), None)
    );
    assert_eq!(denied.5.as_deref(), Some("ann"));
}

/// The attribute of a module is in another place.
#[requires(role = "admin")]
mod area {
    pub async fn below() {}
}

#[tokio::test]
async fn a_handler_below_a_module_s_policy_is_found_where_it_stands() {
    let log = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&log);
    let space = builder().audit(move |record| {
        *kept.lock().expect("nobody panics") = record.location();
    });
    let router = GuardedRouter::new().route("/", get(area::below));
    let app = router
        .protect(space.build().expect("a space"))
        .expect("in order");
    send(&app, "/", From::Nobody).await;
    let location = log.lock().expect("nobody panics").expect("a record");
    assert_eq!(location.handler(), "log::observability::area::below");
    let line = include_str!("observability.rs")
        .lines()
        .nth(location.line() as usize - 1);
    assert_eq!(line, Some("    pub async fn below() {}"));
}

/// Returns the events of this thread since the last call.
fn lines() -> Vec<Value> {
    let text = String::from_utf8(OF_THIS_THREAD.take()).expect("UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// Returns the events of decisions among them.
fn decisions() -> Vec<Value> {
    let mut lines = lines();
    lines.retain(|line| {
        line["target"] == "auth_runtime::decision"
            && !["new", "close"]
                .map(Value::from)
                .contains(&line["fields"]["message"])
    });
    lines
}

#[tokio::test]
async fn every_rule_is_traced_with_its_number() {
    let app = app(builder().build().expect("a space"));
    for (target, from, status, told) in rows() {
        send(&app, target, from).await;
        let events = decisions();
        assert_eq!(events.len(), told.len(), "{target}: {events:?}");
        for (event, told) in events.iter().zip(told) {
            let fields = &event["fields"];
            let [handler, rule, outcome, scheme] = told.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{told}");
            };
            let expected_handler = match handler {
                "-" => "unknown path".to_owned(),
                handler => format!("log::observability::{handler}"),
            };
            assert_eq!(fields["handler"], expected_handler, "{event}");
            assert_eq!(fields["rule"], rule, "{event}");
            assert_eq!(fields["outcome"], outcome, "{event}");
            assert_eq!(fields["scheme"].as_str().unwrap_or("-"), scheme, "{event}");
            assert_eq!(fields["method"], "GET", "{event}");
            let (level, message) = match outcome {
                "granted" => ("DEBUG", "granted"),
                "hidden" => ("INFO", "hidden"),
                _ => ("INFO", "denied"),
            };
            assert_eq!(event["level"], level, "{event}");
            assert_eq!(fields["message"], message, "{event}");
            if message == "denied" {
                assert_eq!(fields["status"], status, "{event}");
            }
            assert_eq!(fields.get("subject"), None, "{event}");
            // The event is in the span of its decision.
            assert_eq!(event["span"]["name"], "decide", "{event}");
        }
    }
}

#[tokio::test]
async fn the_log_tells_what_a_hidden_404_is_and_the_caller_is_not_told() {
    let app = app(builder().build().expect("a space"));
    let from = bearer(json!({ "scope": "read" }));
    let (status, hidden) = send(&app, "/write/7", from.clone()).await;
    let events = decisions();
    let (_, unknown) = send(&app, "/nowhere", from).await;
    assert_eq!(status, 404);
    assert_eq!(hidden.replace("/write/7", "/nowhere"), unknown);
    let [event] = &events[..] else {
        panic!("{events:?}");
    };
    let mut fields = event["fields"].clone();
    assert!(
        fields["seconds"]
            .take()
            .as_f64()
            .is_some_and(|took| took > 0.0)
    );
    let expected = json!({
        "message": "hidden",
        "handler": "log::observability::write",
        "method": "GET",
        "path": "/write/{id}",
        "policy": r#"requires(scope = "write", hide_as = 404)"#,
        "outcome": "hidden",
        "rule": "3c",
        "status": 403,
        "reason": r#"no: scope = "write""#,
        "scheme": "Bearer",
        "caller": "known",
        "seconds": null,
    });
    assert_eq!(fields, expected);
    for told in ["observability", "3c", "scope", "write"] {
        assert!(!hidden.replace("/write/7", "").contains(told), "{hidden}");
    }
}

#[tokio::test]
async fn a_rejection_is_traced_with_its_reason() {
    let app = app(builder().build().expect("a space"));
    let expired = auth_tests::expired_token(json!({}));
    send(
        &app,
        "/read",
        From::Lines(vec![format!("Bearer {expired}")]),
    )
    .await;
    send(&app, "/nowhere", garbage()).await;
    let told: Vec<_> = decisions()
        .iter()
        .map(|event| event["fields"]["rejection"].clone())
        .collect();
    assert_eq!(told, ["expired", "malformed"]);
}

#[tokio::test]
async fn subjects_are_traced_only_where_that_is_asked_for() {
    for (names_them, expected) in [(false, None), (true, Some("ann"))] {
        let space = builder().trace_subjects(names_them).build();
        let app = app(space.expect("a space"));
        for target in ["/read", "/object"] {
            send(&app, target, bearer(json!({}))).await;
            for event in decisions() {
                let subject = event["fields"].get("subject").and_then(Value::as_str);
                assert_eq!(subject, expected, "{event}");
            }
        }
    }
}

/// The spans of an introspection or a database query are below that of the decision.
#[tokio::test]
async fn verification_and_checks_run_within_the_span_of_the_decision() {
    async fn asks(_: CheckRequest<'_>) -> bool {
        tokio::task::yield_now().await;
        tracing::info!("asks the database");
        true
    }
    #[requires(check = asks)]
    async fn watched() {
        tracing::info!("serves");
    }

    listen();
    let bearer = auth_runtime::schemes::Bearer::new(async |_| {
        tokio::task::yield_now().await;
        tracing::info!("asks the server");
        Caller::known(Identity::new("ann"))
    });
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(bearer)
        .build();
    let router = GuardedRouter::new().route("/", get(watched));
    let app = router.protect(space.expect("a space")).expect("in order");
    send(&app, "/", From::Lines(vec!["Bearer a".to_owned()])).await;
    let lines = lines();
    let span_of = |message: &str| {
        let line = lines
            .iter()
            .find(|line| line["fields"]["message"] == message);
        line.unwrap_or_else(|| panic!("{message}: {lines:?}"))["span"].clone()
    };
    let span = json!({ "name": "decide", "handler": "log::observability::watched" });
    assert_eq!(span_of("asks the server"), span);
    assert_eq!(span_of("asks the database"), span);
    assert_eq!(span_of("granted"), span);
    assert_eq!(span_of("serves"), Value::Null);
    let closed = lines
        .iter()
        .filter(|line| line["fields"]["message"] == "close");
    assert_eq!(closed.count(), 1);
}

/// Returns the counters, as `handler outcome rule`, and the handlers of the histograms.
fn counted(snapshotter: &Snapshotter) -> [Vec<(String, u64)>; 2] {
    let mut counters = Vec::new();
    let mut histograms = Vec::new();
    for (key, unit, description, value) in snapshotter.snapshot().into_vec() {
        let key = key.key();
        let labels: Vec<_> = key
            .labels()
            .map(|label| (label.key(), label.value()))
            .collect();
        let names: Vec<_> = labels.iter().map(|(name, _)| *name).collect();
        let values: Vec<_> = labels.iter().map(|(_, value)| *value).collect();
        let values = values.join(" ").replace("log::observability::", "");
        assert!(description.is_some(), "{key:?}");
        match value {
            DebugValue::Counter(count) => {
                assert_eq!(key.name(), "auth_decisions_total");
                assert_eq!(names, ["handler", "outcome", "rule"]);
                counters.push((values, count));
            }
            DebugValue::Histogram(times) => {
                assert_eq!(key.name(), "auth_decision_duration_seconds");
                assert_eq!(unit, Some(metrics::Unit::Seconds));
                assert_eq!(names, ["handler"]);
                assert!(times.iter().all(|seconds| (0.0..60.0).contains(&seconds.0)));
                histograms.push((values, times.len() as u64));
            }
            DebugValue::Gauge(_) => panic!("{key:?}"),
        }
    }
    counters.sort();
    histograms.sort();
    [counters, histograms]
}

#[tokio::test]
async fn decisions_are_counted_by_handler_outcome_and_rule() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let uncounted = self::app(builder().build().expect("a space"));
    send(&uncounted, "/read", From::Nobody).await;
    let app = app(builder().count_decisions(true).build().expect("a space"));
    for (target, from) in [
        ("/open", From::Nobody),
        ("/read", From::Nobody),
        ("/read", garbage()),
        ("/read", bearer(json!({ "scope": "read" }))),
        ("/write/1", bearer(json!({}))),
        ("/write/2", bearer(json!({}))),
        ("/object", bearer(json!({}))),
        ("/nowhere/1", garbage()),
        ("/nowhere/2", garbage()),
        ("/nowhere/3", From::Nobody),
    ] {
        send(&app, target, from).await;
    }
    let [counters, histograms] = counted(&snapshotter);
    let expected = [
        ("object forbidden object", 1),
        ("object granted 1", 1),
        ("open granted 1", 1),
        ("read granted 1", 1),
        ("read unauthenticated 2", 2),
        ("unknown path unauthenticated 2", 2),
        ("write hidden 3c", 2),
    ];
    assert_eq!(
        counters,
        expected.map(|(key, count)| (key.to_owned(), count))
    );
    let expected = [
        ("object", 1),
        ("read", 3),
        ("unknown path", 2),
        ("write", 2),
    ];
    assert_eq!(
        histograms,
        expected.map(|(key, count)| (key.to_owned(), count))
    );
}
