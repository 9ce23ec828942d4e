//! Objects that a function of the service returns: `resource = path`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use auth_runtime::routing::{get, post};
use auth_runtime::{CheckRequest, requires};
use axum::extract::Query;
use axum::middleware::map_request;
use http::Uri;

use super::*;

/// The parameters of handlers, of which the last one of a name counts.
type Parameters = Query<HashMap<String, String>>;

/// Returns the report that `?report=…` names.
async fn of_query(request: CheckRequest<'_>) -> Option<Resource> {
    let query: Uri = format!("/?{}", request.query()?).parse().ok()?;
    let Query(parameters) = Parameters::try_from_uri(&query).ok()?;
    let id = parameters.get("report")?;
    Some(Resource::new("Report", id).with_property("by", "query"))
}

/// The state of a router: prefixes of ids by tenant.
#[derive(Clone)]
struct Tenants(&'static str);

async fn of_field(request: CheckRequest<'_, Tenants>) -> Result<Option<Resource>, &'static str> {
    let Some(field) = request.headers().get("x-report") else {
        return Ok(None);
    };
    let id = field.to_str().map_err(|_| "the field is not text")?;
    let Tenants(prefix) = request.state();
    Ok(Some(Resource::new("Report", format!("{prefix}/{id}"))))
}

async fn of_another_type(_: CheckRequest<'_>) -> Option<Resource> {
    Some(Resource::new("Repository", "ann/garden"))
}

#[requires(can = "read", on = "Report", resource = of_query)]
async fn read(Query(parameters): Parameters) -> String {
    parameters.get("report").cloned().unwrap_or_default()
}

#[requires(can = "update", on = "Report", resource = of_query, hide_as = 404, hide_unless = can("read"))]
async fn update() -> &'static str {
    "report"
}

#[requires(any(can("read", on = "Report", resource = of_field), role = "admin"), hide_as = 404)]
async fn by_field() -> &'static str {
    "report"
}

#[requires(can = "read", on = "Report", resource = of_field)]
async fn shown_by_field() {}

#[requires(can = "read", on = "Report", resource = of_another_type)]
async fn mistaken() -> &'static str {
    "report"
}

#[requires(
    can("read", on = "Report", resource = of_field),
    can("read", on = "Report", resource = of_another_type)
)]
async fn both() {}

#[requires(authenticated, on = "Report", resource = crate::objects::functions::of_query)]
mod reports {
    use auth_runtime::requires;

    #[requires(can = "read")]
    pub(super) async fn show() -> &'static str {
        "report"
    }

    #[requires(can = "read", on = "Owner::{owner}")]
    pub(super) async fn owner() -> &'static str {
        "owner"
    }
}

fn app(engine: &Engine) -> ProtectedRouter {
    let routes = GuardedRouter::new()
        .route("/report", get(read))
        .route("/hidden", get(update))
        .route("/field", post(by_field))
        .route("/by-field", get(shown_by_field))
        .route("/mistaken", get(mistaken))
        .route("/both", get(both))
        .route("/shown", get(reports::show))
        .route("/owners/{owner}", get(reports::owner));
    protect(routes.with_state(Tenants("ann")), engine)
}

#[tokio::test]
async fn engine_decides_about_returned_object() {
    let engine = Engine::default();
    let app = app(&engine);
    for (caller, target, expected) in [
        ("ann", "/report?report=ann/1", 200),
        ("bob", "/report?report=ann/1", 403),
        ("bob", "/report?x=1&report=ann/1-public", 200),
        ("ann", "/report?report=ann/1&report=bob/1", 403),
        ("ann", "/report?report=ann/1&%72eport=bob%2F1", 403),
        // Without an object, nothing is allowed, and the engine is not asked.
        ("ann", "/report", 403),
        ("ann", "/report?report=", 403),
        ("ann", "/shown?report=ann/1", 200),
        ("bob", "/shown?report=ann/1", 403),
        ("ann", "/owners/ann?report=bob/1", 200),
    ] {
        assert_eq!(
            status(&app, by(caller, target)).await,
            expected,
            "{caller} {target}"
        );
    }
    let calls: Vec<String> = engine.calls().into_iter().flatten().collect();
    assert_eq!(
        calls,
        [
            r#"read Report::"ann/1""#,
            r#"read Report::"ann/1""#,
            r#"read Report::"ann/1-public""#,
            r#"read Report::"bob/1""#,
            r#"read Report::"bob/1""#,
            r#"read Report::"ann/1""#,
            r#"read Report::"ann/1""#,
            r#"read Owner::"ann""#,
        ]
    );
}

/// A layer may replace the target, and the handler reads the new one.
#[tokio::test]
async fn functions_read_the_handler_query() {
    let layer = map_request(async |mut request: Request| {
        let query = request.uri().query().unwrap_or_default();
        if let Some((_, id)) = query.split_once("&old=") {
            let target = format!("{}?report={id}", request.uri().path());
            *request.uri_mut() = target.parse().expect("a target");
        }
        request
    });
    let engine = Engine::default();
    let routes = GuardedRouter::new()
        .route("/inside", get(read).layer(layer.clone()))
        .route("/hidden", get(update).layer(layer));
    let app = protect(routes, &engine);
    for (target, expected) in [
        ("/inside?report=ann/1&old=ann/2", 200),
        ("/inside?report=ann/1&old=bob/1", 403),
        ("/inside?report=bob/1&old=ann/1", 200),
        ("/hidden?report=ann/1&old=bob/1", 404),
    ] {
        assert_eq!(status(&app, by("ann", target)).await, expected, "{target}");
    }
    let calls = engine.calls().concat();
    assert!(
        calls.contains(&r#"read Report::"bob/1""#.to_owned()),
        "{calls:?}"
    );
}

#[tokio::test]
async fn the_engine_receives_the_properties() {
    let engine = Engine::default();
    let app = app(&engine);
    status(&app, by("ann", "/report?report=ann/1")).await;
    let calls = engine.calls.lock().expect("no panic");
    let [Evaluation { resource, .. }] = calls.concat().try_into().expect("one question");
    let expected = Resource::new("Report", "ann/1").with_property("by", "query");
    assert_eq!(resource, expected);
}

/// A function that two requirements name is called once, and both questions are one call.
#[tokio::test]
async fn two_actions_on_object_share_call() {
    let engine = Engine::default();
    let app = app(&engine);
    for (target, expected) in [
        ("/hidden?report=ann/1-public", 403),
        ("/hidden?report=ann/1", 404),
    ] {
        assert_eq!(status(&app, by("bob", target)).await, expected, "{target}");
    }
    assert_eq!(
        engine.calls(),
        [
            [
                r#"update Report::"ann/1-public""#,
                r#"read Report::"ann/1-public""#
            ],
            [r#"update Report::"ann/1""#, r#"read Report::"ann/1""#],
        ]
    );
}

/// A function runs once for a request, for all requirements about its object, and for known callers only.
#[tokio::test]
async fn function_runs_once_for_request() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    async fn counted(request: CheckRequest<'_>) -> Option<Resource> {
        RUNS.fetch_add(1, Ordering::SeqCst);
        of_query(request).await
    }
    #[requires(
        can("update", on = "Report", resource = counted),
        can("delete", on = "Report", resource = counted),
        hide_as = 404,
        hide_unless = can("read", on = "Report", resource = counted)
    )]
    async fn remove() {}

    let engine = Engine::default();
    let app = protect(GuardedRouter::new().route("/", get(remove)), &engine);
    for (asked, expected, runs) in [
        (by("ann", "/?report=ann/1"), 200, 1),
        (by("bob", "/?report=ann/1"), 404, 1),
        (by("bob", "/?report=ann/1-public"), 403, 1),
        (by("ann", "/"), 404, 1),
        (request("/?report=ann/1"), 404, 0),
    ] {
        let target = asked.uri().to_string();
        assert_eq!(status(&app, asked).await, expected, "{target}");
        assert_eq!(RUNS.swap(0, Ordering::SeqCst), runs, "{target}");
    }
}

/// Two functions return two objects of one type.
#[tokio::test]
async fn requirements_have_objects_of_own_functions() {
    fn segment(request: &CheckRequest<'_>, index: usize) -> Option<Resource> {
        let id = request.uri().path().split('/').nth(index)?;
        Some(Resource::new("Report", id))
    }
    async fn first(request: CheckRequest<'_>) -> Option<Resource> {
        segment(&request, 1)
    }
    async fn second(request: CheckRequest<'_>) -> Option<Resource> {
        segment(&request, 2)
    }
    #[requires(
        can("update", on = "Report", resource = second),
        can("read", on = "Report", resource = first)
    )]
    async fn copy() {}

    let engine = Engine::default();
    let app = protect(
        GuardedRouter::new().route("/{from}/{to}", get(copy)),
        &engine,
    );
    for (target, expected) in [
        ("/ann/ann", 200),
        ("/bob-public/ann", 200),
        ("/ann/bob-public", 403),
        ("/bob/ann", 403),
    ] {
        assert_eq!(status(&app, by("ann", target)).await, expected, "{target}");
    }
}

#[tokio::test]
async fn function_with_state_reads_header_field() {
    let engine = Engine::default();
    let app = app(&engine);
    for (value, expected) in [
        (Some(&b"1"[..]), 200),
        (None, 404),
        // An error is an outage, and concealed here.
        (Some(b"\xFF"), 404),
    ] {
        let mut request = by("ann", "/field");
        *request.method_mut() = http::Method::POST;
        if let Some(value) = value {
            let value = http::HeaderValue::from_bytes(value).expect("a value");
            request.headers_mut().insert("x-report", value);
        }
        assert_eq!(status(&app, request).await, expected, "{value:?}");
    }
}

#[tokio::test]
async fn a_failing_function_is_503() {
    let engine = Engine::default();
    let app = app(&engine);
    for (value, expected, retry_after) in [(&b"1"[..], 200, None), (b"\xFF", 503, Some("5"))] {
        let mut request = by("ann", "/by-field");
        let field = http::HeaderValue::from_bytes(value).expect("a value");
        request.headers_mut().insert("x-report", field);
        let response = send(&app, request).await;
        assert_eq!(response.status(), expected, "{value:?}");
        let found = response.headers().get("retry-after");
        assert_eq!(
            found.map(|found| found.as_bytes()),
            retry_after.map(str::as_bytes)
        );
    }
    assert_eq!(
        engine.calls().len(),
        1,
        "there is no object to decide about"
    );
}

#[tokio::test]
async fn object_of_another_type_grants_nothing() {
    let engine = Engine::default();
    let app = app(&engine);
    assert_eq!(status(&app, by("ann", "/mistaken")).await, 503);
    assert!(engine.calls().is_empty());
}

/// The function of another requirement is not called once the policy is decided.
#[tokio::test]
async fn decided_policy_asks_no_further_function() {
    let engine = Engine::default();
    let app = app(&engine);
    // Without the field, the first part is false. The other function would be an error.
    assert_eq!(status(&app, by("ann", "/both")).await, 403);
    let mut request = by("ann", "/both");
    let value = http::HeaderValue::from_static("1");
    request.headers_mut().insert("x-report", value);
    assert_eq!(status(&app, request).await, 503);
}

/// A function is not called about callers that are not known.
#[tokio::test]
async fn anonymous_callers_get_a_challenge() {
    let engine = Engine::default();
    let app = app(&engine);
    let response = send(&app, request("/report?report=ann/1-public")).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(engine.calls().is_empty());
}

#[test]
fn functions_with_other_state_fail_protect() {
    let routes: GuardedRouter = GuardedRouter::new()
        .route("/field", post(by_field))
        .with_state(());
    let space = with(&Engine::default()).build().expect("a space");
    let error = routes.protect(space).expect_err("a mistake").to_string();
    assert!(error.contains("the function `of_field` of"), "{error}");
    assert!(error.contains("needs the state"), "{error}");
}

#[test]
fn policies_name_the_function() {
    let policy = auth_runtime::Policy::requires(auth_runtime::Requirement::can_by(
        "read", "Report", "of_query",
    ));
    let expected = r#"requires(can("read", on = "Report", resource = of_query))"#;
    assert_eq!(policy.to_string(), expected);
    let row = app(&Engine::default());
    let table = row.access_table().to_string();
    assert!(table.contains("resource = of_query"), "{table}");
}
