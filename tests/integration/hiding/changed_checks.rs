//! Layers of a hidden route that change a part of the request that a requirement reads: the requirement is evaluated
//! again, for the same authentication.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use auth_runtime::objects::{ObjectRequest, ObjectRules, Resource};
use auth_runtime::routing::{GuardedMethodRouter, any};
use auth_runtime::{Caller, CheckRequest, ClientAddress, ProtectedRouter, ProtectionSpace};
use axum::middleware::map_request;

use super::*;

const FORM: &str = "application/x-www-form-urlencoded";

/// The numbers of verified tokens, and of calls of the check.
#[derive(Clone, Default)]
struct Counts {
    verified: Arc<AtomicU32>,
    checked: Arc<AtomicU32>,
}

/// The name and the value of a field.
type Field = (&'static str, &'static str);

/// The change of a request by a layer.
type Change = fn(&mut Request);

fn object_of(request: &CheckRequest<'_, Counts>) -> Option<String> {
    let field = request.headers().get("x-object")?;
    Some(field.to_str().ok()?.to_owned())
}

async fn owns_object(request: CheckRequest<'_, Counts>) -> bool {
    request.state().checked.fetch_add(1, Ordering::Relaxed);
    object_of(&request).is_some_and(|object| object == "mine")
}

#[requires(check = owns_object)]
async fn visible() {}

#[requires(check = owns_object, hide_as = 404)]
async fn hidden(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(check = owns_object, hide_as = 404, hide_unless = role("staff"))]
async fn disclosed() {}

async fn object(request: CheckRequest<'_, Counts>) -> Option<Resource> {
    Some(Resource::new("Report", object_of(&request)?))
}

#[requires(can = "read", on = "Report", resource = object, hide_as = 404)]
async fn report() {}

/// A router with layers that set this field. A token is the role of its caller.
fn app(counts: &Counts, (name, value): Field) -> ProtectedRouter {
    async fn is_own(request: ObjectRequest<'_, ()>) -> bool {
        request.id() == "mine"
    }
    let verified = Arc::clone(&counts.verified);
    let bearer = Bearer::new(move |role: String| {
        verified.fetch_add(1, Ordering::Relaxed);
        async move { Caller::known(Identity::new("ann").with_roles([role])) }
    });
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(bearer.accept_form())
        .decision_point(ObjectRules::new(()).on("Report", is_own))
        .build();
    let layer = map_request(move |mut request: Request| {
        let value = HeaderValue::from_static(value);
        request.headers_mut().insert(name, value);
        async { request }
    });
    let inner = GuardedRouter::new().route("/hidden", any(hidden));
    let app = GuardedRouter::new()
        .route("/visible", any(visible).layer(layer.clone()))
        .route("/hidden", any(hidden).layer(layer.clone()))
        .route("/disclosed", any(disclosed).layer(layer.clone()))
        .route("/report", any(report).layer(layer.clone()))
        .nest("/nested", inner.layer(layer))
        .with_state(counts.clone())
        .protect(space.expect("the space is in order"));
    app.expect("the routes are in order")
}

fn about(object: &str, path: &str, role: &str, by_form: bool) -> Request {
    let request = Request::post(path).header("x-object", object);
    let request = if by_form {
        let body = Body::from(format!("access_token={role}"));
        request.header("content-type", FORM).body(body)
    } else {
        let request = request.header("authorization", format!("Bearer {role}"));
        request.body(Body::empty())
    };
    request.expect("a request")
}

#[tokio::test]
async fn check_runs_again_about_changed_fields() {
    const THEIRS: Field = ("x-object", "theirs");
    const MINE: Field = ("x-object", "mine");
    const OTHER: Field = ("x-other", "changed");
    for (path, role, sent, layer, expected, checks) in [
        ("/visible", "user", "mine", THEIRS, 403, 1),
        ("/hidden", "user", "mine", THEIRS, 404, 2),
        ("/hidden", "user", "theirs", MINE, 404, 1),
        ("/hidden", "user", "mine", OTHER, 200, 2),
        ("/hidden", "user", "mine", MINE, 200, 1),
        ("/nested/hidden", "user", "mine", THEIRS, 404, 2),
        // The prefix that the router removes is not a change.
        ("/nested/hidden", "user", "mine", MINE, 200, 1),
        ("/disclosed", "user", "theirs", MINE, 404, 1),
        ("/disclosed", "staff", "theirs", MINE, 200, 2),
        ("/disclosed", "staff", "mine", THEIRS, 403, 2),
        ("/report", "user", "mine", THEIRS, 404, 0),
        ("/report", "user", "mine", MINE, 200, 0),
    ] {
        for by_form in [false, true] {
            let counts = Counts::default();
            let app = app(&counts, layer);
            let request = about(sent, path, role, by_form);
            let response = app.clone().oneshot(request).await.expect("infallible");
            let case = format!("{path} {role} {sent} {layer:?} {by_form}");
            assert_eq!(response.status(), expected, "{case}");
            assert_eq!(counts.checked.load(Ordering::Relaxed), checks, "{case}");
            assert_eq!(counts.verified.load(Ordering::Relaxed), 1, "{case}");
            if expected == 404 {
                assert_hidden(app, about(sent, path, role, by_form)).await;
            }
        }
    }
}

/// The status of a request from the office, with a layer that changes it.
async fn status(route: GuardedMethodRouter, change: Change) -> u16 {
    let proxies = ["10.0.0.7/32".parse().expect("a network")];
    let address = ClientAddress::x_forwarded_for(proxies).expect("an address");
    let space = space_builder().client_address(address).build();
    let layer = map_request(move |mut request: Request| {
        change(&mut request);
        async { request }
    });
    let app = GuardedRouter::new().route("/", route.layer(layer));
    let app = app.protect(space.expect("a space")).expect("in order");
    let token = format!("Bearer {}", token(json!({})));
    let mut request = Request::get("/")
        .header("authorization", token)
        .header("x-forwarded-for", "192.0.2.1")
        .body(Body::empty())
        .expect("a request");
    let peer = SocketAddr::from(([10, 0, 0, 7], 4711));
    request.extensions_mut().insert(peer);
    let response = app.oneshot(request).await.expect("infallible");
    response.status().as_u16()
}

#[tokio::test]
async fn changed_addresses_are_decided() {
    #[requires(network = "192.0.2.0/24", hide_as = 404)]
    async fn internal() {}

    let changes: [(Change, u16); 4] = [
        (|_| {}, 200),
        (|it| set_field(it, "x-other", "changed"), 200),
        (|it| set_field(it, "x-forwarded-for", "203.0.113.9"), 404),
        (
            |it| {
                let peer = SocketAddr::from(([10, 0, 0, 8], 4711));
                it.extensions_mut().insert(peer);
            },
            404,
        ),
    ];
    for (change, expected) in changes {
        assert_eq!(status(get(internal), change).await, expected);
    }
}

fn set_field(request: &mut Request, name: &'static str, value: &'static str) {
    let value = HeaderValue::from_static(value);
    request.headers_mut().insert(name, value);
}

#[tokio::test]
async fn changed_targets_are_decided() {
    async fn is_root(request: CheckRequest<'_>) -> bool {
        request.uri().path() == "/"
    }
    #[requires(check = is_root, hide_as = 404)]
    async fn at_root() {}

    assert_eq!(status(get(at_root), |_| {}).await, 200);
    let change = |it: &mut Request| {
        let other = OriginalUri(http::Uri::from_static("/other"));
        it.extensions_mut().insert(other);
    };
    assert_eq!(status(get(at_root), change).await, 404);
}

/// Extensions cannot be compared. On a hidden path, a check does not find those that such a layer adds.
#[tokio::test]
async fn checks_see_extensions_before_layers() {
    #[derive(Clone)]
    struct Marked;

    async fn is_marked(request: CheckRequest<'_>) -> bool {
        request.extensions().get::<Marked>().is_some()
    }
    #[requires(check = is_marked)]
    async fn visible() {}
    #[requires(check = is_marked, hide_as = 404)]
    async fn hidden() {}

    let mark = |it: &mut Request| {
        it.extensions_mut().insert(Marked);
    };
    assert_eq!(status(get(visible), mark).await, 200);
    assert_eq!(status(get(hidden), mark).await, 404);
}
