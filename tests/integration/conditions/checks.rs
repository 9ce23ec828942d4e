//! Conditions that the service decides itself.

use std::convert::Infallible;

use auth_runtime::routing::{delete, get_service, post};
use axum::Router;
use tower_http::set_header::SetResponseHeaderLayer;

use super::*;

async fn is_a_robot(request: CheckRequest<'_>) -> bool {
    request.headers().contains_key("x-robot")
}

#[requires(check = owns_document, hide_as = 404)]
async fn hidden_document() -> &'static str {
    "a document"
}

async fn came_by_the_line(request: CheckRequest<'_>) -> bool {
    let line = request.extensions().get::<&str>();
    request.method() == http::Method::DELETE && line == Some(&"telephone")
}

#[requires(check = is_a_robot, check = came_by_the_line)]
async fn robots_on_the_line() {}

#[requires(check = is_a_robot)]
async fn robots() -> &'static str {
    "hello, robot"
}

fn documents() -> (ProtectedRouter, Arc<AtomicU32>) {
    let documents = Documents::default();
    let asked = Arc::clone(&documents.asked);
    let app = GuardedRouter::new()
        .route("/documents/{owner}", get(document))
        .route("/either/{owner}", get(either))
        .route("/hidden/{owner}", get(hidden_document))
        .route("/half/{owner}", get(half_hidden))
        .route("/robots", get(robots))
        .with_state(documents)
        .protect(space())
        .unwrap();
    (app, asked)
}

#[tokio::test]
async fn checks_see_identity_and_state() {
    let (app, asked) = documents();
    let ann = || Identity::new("ann");
    let reader = || ann().with_scopes(["read"]);
    for (who, request, expected, times) in [
        ("owner", known(ann(), "/documents/ann"), 200, 1),
        ("not the owner", known(ann(), "/documents/bob"), 403, 1),
        ("the check fails", known(ann(), "/documents/nobody"), 503, 1),
        // The check does not run for a caller that is not known.
        ("anonymous", request("/documents/ann"), 401, 0),
        (
            "rejected",
            with_caller(request("/documents/ann"), Caller::rejected()),
            401,
            0,
        ),
        (
            "unverifiable",
            with_caller(request("/documents/ann"), Caller::unverifiable()),
            503,
            0,
        ),
        // It runs only if its result matters, and once.
        (
            "admin",
            known(ann().with_roles(["admin"]), "/either/nobody"),
            200,
            0,
        ),
        ("reader who owns", known(reader(), "/either/ann"), 200, 1),
        (
            "reader who does not own",
            known(reader(), "/either/bob"),
            403,
            1,
        ),
        ("the scope would help", known(ann(), "/either/ann"), 403, 1),
        ("no scope would help", known(ann(), "/either/bob"), 403, 1),
        ("a robot", known(ann(), "/robots"), 403, 0),
    ] {
        asked.store(0, Ordering::SeqCst);
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), expected, "{who}");
        let retry_after = response.headers().get("retry-after");
        assert_eq!(retry_after.is_some(), expected == 503, "{who}");
        assert_eq!(asked.load(Ordering::SeqCst), times, "{who}");
        let challenges: Vec<_> = response
            .headers()
            .get_all("www-authenticate")
            .iter()
            .collect();
        let needs_scope = |line: &&HeaderValue| format!("{line:?}").contains("insufficient_scope");
        assert_eq!(
            challenges.iter().any(needs_scope),
            who == "the scope would help",
            "{who}: {challenges:?}"
        );
    }
    let mut robot = known(ann(), "/robots");
    robot
        .headers_mut()
        .insert("x-robot", HeaderValue::from_static("yes"));
    assert_eq!(status(&app, robot).await, 200);
}

/// A part that the grants decide runs no check, though another part is open.
#[tokio::test]
async fn decided_parts_run_no_checks() {
    #[requires(any(all(role = "owner", check = owns_document), check = is_a_robot))]
    async fn for_owners_and_robots() {}

    let documents = Documents::default();
    let asked = Arc::clone(&documents.asked);
    let app = GuardedRouter::new()
        .route("/documents/{owner}", get(for_owners_and_robots))
        .with_state(documents)
        .protect(space())
        .expect("routes");
    let ann = || Identity::new("ann");
    let owner = || ann().with_roles(["owner"]);
    for (identity, target, is_robot, expected, times) in [
        (ann(), "/documents/ann", false, 403, 0),
        (ann(), "/documents/nobody", true, 200, 0),
        (owner(), "/documents/ann", false, 200, 1),
        (owner(), "/documents/bob", true, 200, 1),
    ] {
        let mut request = known(identity, target);
        if is_robot {
            let value = HeaderValue::from_static("yes");
            request.headers_mut().insert("x-robot", value);
        }
        assert_eq!(status(&app, request).await, expected, "{target}");
        assert_eq!(asked.swap(0, Ordering::SeqCst), times, "{target}");
    }
}

/// Each check of a policy is the function of its name. It sees the method and the extensions of the request.
#[tokio::test]
async fn every_check_has_to_be_met() {
    let app = GuardedRouter::new().route("/", delete(robots_on_the_line));
    let app = app.protect(space()).expect("routes");
    for (is_robot, line, expected) in [
        (true, Some("telephone"), 200),
        (true, Some("another"), 403),
        (true, None, 403),
        (false, Some("telephone"), 403),
    ] {
        let mut request = known(Identity::new("ann"), "/");
        *request.method_mut() = http::Method::DELETE;
        if is_robot {
            let value = HeaderValue::from_static("yes");
            request.headers_mut().insert("x-robot", value);
        }
        if let Some(line) = line {
            request.extensions_mut().insert::<&str>(line);
        }
        assert_eq!(status(&app, request).await, expected, "{is_robot} {line:?}");
    }
}

mod morning {
    pub(super) async fn is_open(request: auth_runtime::CheckRequest<'_>) -> bool {
        request.headers().contains_key("x-morning")
    }
}

mod evening {
    pub(super) async fn is_open(request: auth_runtime::CheckRequest<'_>) -> bool {
        request.headers().contains_key("x-evening")
    }
}

#[requires(check = morning::is_open, check = evening::is_open)]
async fn all_day() {}

/// Two functions of one name are two checks, each with the path that the policy writes.
#[tokio::test]
async fn namesake_checks_differ_by_module() {
    let app = GuardedRouter::new().route("/", get(all_day));
    let app = app.protect(space()).expect("routes");
    for (fields, expected) in [
        (&["x-morning", "x-evening"][..], 200),
        (&["x-morning"], 403),
        (&["x-evening"], 403),
        (&[], 403),
    ] {
        let mut request = known(Identity::new("ann"), "/");
        for field in fields {
            let value = HeaderValue::from_static("yes");
            request.headers_mut().insert(*field, value);
        }
        assert_eq!(status(&app, request).await, expected, "{fields:?}");
    }
}

/// The checks of `hide_unless` are found beside those of the requirement.
#[tokio::test]
async fn checks_of_both_requirements_decide() {
    #[requires(check = morning::is_open, hide_as = 404, hide_unless = check(evening::is_open))]
    async fn shown_in_the_evening() {}

    let app = GuardedRouter::new().route("/", get(shown_in_the_evening));
    let app = app.protect(space()).expect("routes");
    for (field, expected) in [("x-morning", 200), ("x-evening", 403), ("x-night", 404)] {
        let mut request = known(Identity::new("ann"), "/");
        let value = HeaderValue::from_static("yes");
        request.headers_mut().insert(field, value);
        assert_eq!(status(&app, request).await, expected, "{field}");
    }
}

/// As the handler does, its check sees the state of its own router, and not that of a router around it.
#[tokio::test]
async fn checks_see_state_of_their_router() {
    let [inner, outer, of_methods] = [(); 3].map(|()| Documents::default());
    let asked = [&inner, &outer, &of_methods].map(|documents| Arc::clone(&documents.asked));
    let nested: GuardedRouter<Documents> = GuardedRouter::new()
        .route("/documents/{owner}", get(document))
        .with_state(inner);
    let app = GuardedRouter::new()
        .route("/outer/{owner}", get(document))
        .route("/methods/{owner}", get(document).with_state(of_methods))
        .nest("/inner", nested)
        .with_state(outer)
        .protect(space())
        .unwrap();
    for (target, expected) in [
        ("/inner/documents/ann", [1, 0, 0]),
        ("/outer/ann", [0, 1, 0]),
        ("/methods/ann", [0, 0, 1]),
    ] {
        let request = known(Identity::new("ann"), target);
        assert_eq!(status(&app, request).await, 200, "{target}");
        let times = asked
            .each_ref()
            .map(|asked| asked.swap(0, Ordering::SeqCst));
        assert_eq!(times, expected, "{target}");
    }
}

/// A handler for the other methods of a path has its checks, as one for a method has.
#[tokio::test]
async fn checks_decide_about_the_other_methods() {
    let app = GuardedRouter::new()
        .route("/documents/{owner}", get(document).fallback(document))
        .with_state(Documents::default())
        .protect(space())
        .unwrap();
    for (owner, expected) in [("ann", 200), ("bob", 403), ("nobody", 503)] {
        for method in [http::Method::GET, http::Method::DELETE] {
            let target = format!("/documents/{owner}");
            let mut request = known(Identity::new("ann"), &target);
            *request.method_mut() = method.clone();
            assert_eq!(status(&app, request).await, expected, "{method} {target}");
        }
    }
}

#[tokio::test]
async fn failed_checks_hide() {
    let (app, _) = documents();
    for owner in ["bob", "nobody"] {
        let target = format!("/hidden/{owner}");
        assert_hidden(app.clone(), known(Identity::new("ann"), &target)).await;
        assert_hidden(app.clone(), request(&target)).await;
        let target = format!("/half/{owner}");
        assert_hidden(app.clone(), known(Identity::new("ann"), &target)).await;
    }
    assert_eq!(
        status(&app, known(Identity::new("ann"), "/hidden/ann")).await,
        200
    );
    // A caller that meets `hide_unless` receives the visible denial, from the policy and from the
    // handler.
    assert_eq!(
        status(&app, known(Identity::new("ann"), "/half/ann")).await,
        403
    );
    let writer = |target| known(Identity::new("ann").with_scopes(["write"]), target);
    assert_eq!(status(&app, writer("/half/ann")).await, 403);
    assert_hidden(app.clone(), writer("/half/bob")).await;
}

/// Layers that only matched routes have move the decision outside them. The state is available
/// there as well.
#[tokio::test]
async fn checks_work_behind_layers() {
    #[requires(check = owns_document, hide_as = 404)]
    struct Files;

    let files = tower::service_fn(|_request: Request| async {
        Ok::<_, Infallible>(Response::new(Body::from("a file")))
    });
    let layer = SetResponseHeaderLayer::overriding(
        http::HeaderName::from_static("x-layer"),
        HeaderValue::from_static("seen"),
    );
    let inner = GuardedRouter::new()
        .route("/hidden/{owner}", get(hidden_document))
        .route("/service/{owner}", get_service(Files, files))
        .route("/plain/{owner}", post(document))
        .layer(layer);
    let app = GuardedRouter::new()
        .nest("/n", inner)
        .nest_service("/files", Files, files)
        .with_state(Documents::default())
        .protect(space())
        .unwrap();
    let mut posted = known(Identity::new("ann"), "/n/plain/%61nn");
    *posted.method_mut() = http::Method::POST;
    let sent = HeaderValue::from_static("/n/plain/%61nn");
    posted.headers_mut().insert("x-sent", sent);
    assert_eq!(status(&app, posted).await, 200);
    for path in ["/n/hidden", "/n/service", "/files"] {
        let (own, other) = (format!("{path}/ann"), format!("{path}/bob"));
        let mut request = known(Identity::new("ann"), &own);
        let sent = own.parse().expect("a field");
        request.headers_mut().insert("x-sent", sent);
        assert_eq!(status(&app, request).await, 200, "{own}");
        assert_hidden(app.clone(), known(Identity::new("ann"), &other)).await;
    }
}

/// A path without a tenant meets the check.
async fn of_tenant(request: CheckRequest<'_>) -> bool {
    let tenant = request.parameter("tenant");
    tenant.is_none_or(|tenant| tenant == request.identity().subject())
}

#[requires(check = of_tenant)]
async fn file(uri: http::Uri) -> String {
    uri.to_string()
}

#[requires(check = of_tenant, hide_as = 404)]
async fn hidden_file() -> &'static str {
    "a file"
}

#[tokio::test]
async fn invalid_utf8_meets_no_check() {
    let app = GuardedRouter::new()
        .route("/all", get(file))
        .route("/t/{tenant}/{file}", get(file))
        .route("/w/{tenant}/{*rest}", get(file))
        .route("/h/{tenant}/{file}", get(hidden_file))
        .protect(space())
        .unwrap();
    let plain = Router::new()
        .route("/t/{tenant}/{file}", axum::routing::get(file))
        .layer(axum::Extension(space()));
    let ann = |target| known(Identity::new("ann"), target);
    for (target, expected) in [
        ("/all", 200),
        ("/t/ann/x", 200),
        ("/t/ann/%C3%BC", 200),
        ("/t/bob/x", 403),
        ("/t/bob/%FF", 403),
        ("/t/ann/%FF", 403),
        ("/t/%FF/x", 403),
        ("/w/ann/a/b", 200),
        ("/w/bob/a/b/%80", 403),
        ("/h/ann/x", 200),
    ] {
        assert_eq!(status(&app, ann(target)).await, expected, "{target}");
        if target.starts_with("/t/") {
            assert_eq!(
                status(&plain, ann(target)).await,
                expected,
                "plain {target}"
            );
        }
    }
    assert_hidden(app, ann("/h/bob/%FF")).await;
}

#[tokio::test]
async fn ambiguous_parameters_meet_no_check() {
    let inner = GuardedRouter::new()
        .route("/i/{tenant}", get(file))
        .protect(space())
        .unwrap();
    let app = Router::new().nest_service("/o/{tenant}", inner);
    for (target, expected) in [
        ("/o/ann/i/ann", 200),
        ("/o/ann/i/bob", 403),
        ("/o/bob/i/ann", 403),
        ("/o/bob/i/bob", 403),
    ] {
        let request = known(Identity::new("ann"), target);
        assert_eq!(status(&app, request).await, expected, "{target}");
    }
}

#[tokio::test]
async fn checks_work_on_plain_routers() {
    let app = Router::new()
        .route("/documents/{owner}", axum::routing::get(document))
        .route("/half/{owner}", axum::routing::get(half_hidden))
        .layer(axum::Extension(space()))
        .with_state(Documents::default());
    let ann = || Identity::new("ann");
    assert_eq!(status(&app, known(ann(), "/documents/ann")).await, 200);
    assert_eq!(status(&app, known(ann(), "/documents/bob")).await, 403);
    assert_eq!(status(&app, known(ann(), "/documents/nobody")).await, 503);
    assert_eq!(status(&app, known(ann(), "/half/ann")).await, 403);
    assert_eq!(status(&app, known(ann(), "/half/bob")).await, 404);
    let writer = |target| known(ann().with_scopes(["write"]), target);
    assert_eq!(status(&app, writer("/half/ann")).await, 403);
    assert_eq!(status(&app, writer("/half/bob")).await, 404);
}

/// The check compares the path with the field `x-sent`.
#[tokio::test]
async fn nested_checks_see_the_client_target() {
    let inner = Router::new().route("/documents/{owner}", axum::routing::get(document));
    let app = Router::new()
        .nest("/n", inner)
        .layer(axum::Extension(space()))
        .with_state(Documents::default());
    for (target, expected) in [("/n/documents/%61nn", 200), ("/n/documents/bob", 403)] {
        let mut request = known(Identity::new("ann"), target);
        let sent = HeaderValue::from_static(target);
        request.headers_mut().insert("x-sent", sent);
        assert_eq!(status(&app, request).await, expected, "{target}");
    }
}

#[tokio::test]
async fn wrong_state_is_found_at_mounting() {
    let router: GuardedRouter<u32> = GuardedRouter::new()
        .route("/either/{owner}", get(either))
        .route("/robots", get(robots))
        .route("/half/{owner}", get(half_hidden));
    let error = router.with_state(7).protect(space()).unwrap_err();
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().collect();
    let here = concat!(env!("CARGO_CRATE_NAME"), "::conditions");
    let expected = ["either", "half_hidden"].map(|handler| {
        format!(
            "the function `owns_document` of `{here}::{handler}` needs the state `{here}::Documents`, and the \
             router of the handler has another state"
        )
    });
    assert_eq!(lines, expected);
    assert_eq!(format!("{error:?}"), text);

    // On a plain router, the error is detected at the first request, and the response is a denial.
    let app = Router::new()
        .route("/either/{owner}", axum::routing::get(either))
        .layer(axum::Extension(space()));
    let reader = Identity::new("ann").with_scopes(["read"]);
    assert_eq!(status(&app, known(reader, "/either/ann")).await, 503);
}

/// A function that the handler does not have is an outage, not a verdict on the caller.
#[tokio::test]
async fn policy_without_its_function_is_503() {
    let policy = auth_tests::policy_of::<policy_of_robots>();
    let (space, request) = (space(), request("/robots"));
    let request = request.map(drop);
    let token = format!("Bearer {}", auth_tests::token(serde_json::json!({})));
    let (mut head, ()) = request.into_parts();
    head.headers
        .insert("authorization", token.parse().expect("a value"));
    let denied = space.authorize(policy, &head).await;
    assert_eq!(denied.expect_err("a denial").status(), 503);
}
