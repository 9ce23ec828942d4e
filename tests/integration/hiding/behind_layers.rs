//! Layers and prefixes that only the fallback, or only a hidden route, has: forms, credentials that are
//! valid once, replaced responses, and requests that a layer responds to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use auth_runtime::routing::{get, post};
use auth_runtime::schemes::{ApiKeys, Bearer};
use auth_runtime::{
    Caller, Denied, Guard, GuardedRouter, Identity, ProtectedRouter, ProtectionSpace, UnknownPaths,
    public, requires,
};
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn, map_request, map_response};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tower::ServiceExt;

use crate::hiding::{curious, field};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const API_KEY: &str = "a-long-random-key-of-the-billing-job";

#[requires(scope = "admin", hide_as = 404)]
async fn secret() -> &'static str {
    "the secret"
}

#[requires(scope = "read", hide_as = 404)]
async fn object(guard: Guard) -> Result<&'static str, Denied> {
    guard.permit(false)?;
    Ok("the object")
}

#[public(reason = "the response of an unknown path")]
async fn missing() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "nothing at all")
}

/// Accepts the token `reader` always, `once` once, and counts the verifications.
fn bearer(verified: &Arc<AtomicU32>) -> Bearer {
    let verified = Arc::clone(verified);
    let used = Arc::new(AtomicU32::new(0));
    Bearer::new(move |token: String| {
        verified.fetch_add(1, Ordering::Relaxed);
        let is_valid = match token.as_str() {
            "reader" => true,
            "once" => used.fetch_add(1, Ordering::Relaxed) == 0,
            _ => false,
        };
        async move {
            match is_valid {
                true => Caller::known(Identity::new("ann").with_scopes(["read"])),
                false => Caller::rejected(),
            }
        }
    })
}

fn space_with_forms(verified: &Arc<AtomicU32>) -> ProtectionSpace {
    let keys = ApiKeys::builder().key(API_KEY, Identity::new("job").with_scopes(["read"]));
    ProtectionSpace::builder()
        .realm("forms")
        .scheme(bearer(verified).accept_form())
        .scheme(keys.build().expect("a key"))
        .build()
        .expect("the space is in order")
}

type Shown = (StatusCode, HeaderMap, String);

async fn send(
    app: &ProtectedRouter,
    method: Method,
    target: &str,
    fields: &[(&'static str, &str)],
    body: &'static str,
) -> Shown {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body)).expect("a request");
    let Ok(response) = app.clone().oneshot(request).await;
    let (head, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a body");
    let body = String::from_utf8(body.to_vec()).expect("UTF-8");
    (head.status, head.headers, body)
}

/// Sends the same request to a hidden and an unknown path with names of the same length.
async fn assert_same(
    app: &ProtectedRouter,
    method: Method,
    (hidden, unknown): (&str, &str),
    fields: &[(&'static str, &str)],
    body: &'static str,
) -> Shown {
    let shown = send(app, method.clone(), hidden, fields, body).await;
    let mut expected = send(app, method, unknown, fields, body).await;
    expected.2 = expected.2.replace(unknown, hidden);
    assert_eq!(shown, expected, "{hidden} {fields:?} {body}");
    shown
}

#[tokio::test]
async fn denied_object_uses_its_own_fallback() {
    let verified = Arc::default();
    let space = || space_with_forms(&verified);
    let inner = || GuardedRouter::new().route("/object", post(object));
    let layered = post(object).layer(field("x-own"));
    let apps = [
        GuardedRouter::new().nest("/n", inner()),
        GuardedRouter::new().nest("/n", inner().fallback(curious)),
        GuardedRouter::new().nest("/n", inner()).fallback(curious),
        GuardedRouter::new()
            .nest("/n", inner().fallback(curious))
            .fallback(missing),
        GuardedRouter::new()
            .route("/n/object", layered)
            .fallback(curious),
    ];
    let credentials: [(&[_], &str); 3] = [
        (&[FORM], "access_token=reader"),
        (&[FORM, ("x-api-key", API_KEY)], "a=b"),
        (&[FORM, ("authorization", "Bearer reader")], "a=b"),
    ];
    for app in apps {
        let app = app.protect(space()).expect("the router is in order");
        for (fields, body) in credentials {
            let shown = send(&app, Method::POST, "/n/object", fields, body).await;
            let mut expected = send(&app, Method::POST, "/n/absent", fields, body).await;
            expected.2 = expected.2.replace("absent", "object");
            assert_eq!(shown, expected, "{fields:?}");
        }
    }
}

#[tokio::test]
async fn form_token_is_verified_once() {
    #[requires(scope = "read", hide_as = 404)]
    async fn page(body: String) -> String {
        body
    }
    let inner = || GuardedRouter::new().route("/page", post(page));
    for routes in [
        GuardedRouter::new().nest("/n", inner()),
        GuardedRouter::new().nest("/n", inner().layer(field("x-inner"))),
    ] {
        let verified = Arc::default();
        let app = routes.protect(space_with_forms(&verified));
        let app = app.expect("the router is in order");
        let (status, _, body) =
            send(&app, Method::POST, "/n/page", &[FORM], "access_token=once").await;
        assert_eq!((status, &*body), (StatusCode::OK, "access_token=once"));
        assert_eq!(verified.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn replaced_form_is_verified_anew() {
    #[requires(scope = "read", hide_as = 404)]
    async fn page() -> &'static str {
        "the page"
    }
    let replace = map_request(async |request: Request| {
        let (head, _) = request.into_parts();
        Request::from_parts(head, Body::from("access_token=stolen"))
    });
    let inner = GuardedRouter::new().route("/page", post(page));
    let inner = inner.layer(replace).layer(field("x-inner"));
    let verified = Arc::default();
    let app = GuardedRouter::new()
        .nest("/n", inner)
        .protect(space_with_forms(&verified))
        .expect("the router is in order");
    let paths = ("/n/page", "/n/lost");
    let body = "access_token=reader";
    let (status, fields, _) = assert_same(&app, Method::POST, paths, &[FORM], body).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(!fields.contains_key("x-inner"));
    // Twice on the hidden path, and once on the unknown one.
    assert_eq!(verified.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn changed_credentials_do_not_reveal_objects() {
    for unknown_paths in [UnknownPaths::NotFound, UnknownPaths::Challenge] {
        for credentials in ["", "Bearer reader", "Bearer bad"] {
            let change = map_request(move |mut request: Request| async move {
                let fields = request.headers_mut();
                fields.remove("authorization");
                if !credentials.is_empty() {
                    let credentials = HeaderValue::from_static(credentials);
                    fields.insert("authorization", credentials);
                }
                request
            });
            let space = ProtectionSpace::builder()
                .realm("changed")
                .scheme(bearer(&Arc::default()))
                .unknown_paths(unknown_paths);
            let app = GuardedRouter::new()
                .route("/object", get(object).layer(change))
                .protect(space.build().expect("the space is in order"))
                .expect("the router is in order");
            for sent in ["", "Bearer reader", "Bearer bad"] {
                let fields = [("authorization", sent)];
                let fields = if sent.is_empty() { &[] } else { &fields[..] };
                let paths = ("/object", "/absent");
                assert_same(&app, Method::GET, paths, fields, "").await;
            }
        }
    }
}

#[tokio::test]
async fn fallbacks_receive_no_concealed_form() {
    #[public(reason = "the response of an unknown path")]
    async fn count(request: Request) -> String {
        request.extensions().len().to_string()
    }
    let app = GuardedRouter::new()
        .route("/object", post(object))
        .fallback(count)
        .protect(space_with_forms(&Arc::default()))
        .expect("the router is in order");
    for body in ["access_token=reader", "access_token=bad", "a=b"] {
        let paths = ("/object", "/absent");
        assert_same(&app, Method::POST, paths, &[FORM], body).await;
    }
}

#[tokio::test]
async fn both_paths_verify_once() {
    let another_cookie = || {
        map_request(async |mut request: Request| {
            let cookie = HeaderValue::from_static("seen=1");
            request.headers_mut().insert("cookie", cookie);
            request
        })
    };
    for (fields, body) in [
        (&[FORM][..], "access_token=once"),
        (&[("authorization", "Bearer once")], ""),
    ] {
        for path in ["/secret", "/absent"] {
            let verified = Arc::default();
            let app = GuardedRouter::new()
                .fallback(missing)
                .layer(field("x-fallback-layer"))
                .layer(another_cookie())
                .merge(GuardedRouter::new().route("/secret", post(secret)))
                .protect(space_with_forms(&verified))
                .expect("the router is in order");
            let (status, fields, body) = send(&app, Method::POST, path, fields, body).await;
            assert_eq!(
                (status, &*body),
                (StatusCode::NOT_FOUND, "nothing at all"),
                "{path}"
            );
            assert!(fields.contains_key("x-fallback-layer"), "{path}");
            assert_eq!(verified.load(Ordering::Relaxed), 1, "{path}");
        }
    }
}

#[tokio::test]
async fn denied_object_is_authenticated_by_form() {
    let verified = Arc::default();
    let first = ProtectionSpace::builder()
        .realm("first")
        .scheme(
            ApiKeys::builder()
                .key(API_KEY, Identity::new("job").with_scopes(["read"]))
                .build()
                .expect("a key"),
        )
        .scheme(Bearer::new(async |_| Caller::rejected()).accept_query())
        .build()
        .expect("the space is in order");
    let second = ProtectionSpace::builder()
        .realm("second")
        .scheme(bearer(&verified).accept_form())
        .build()
        .expect("the space is in order");
    #[requires(scope = "read", hide_as = 404, schemes("ApiKey"))]
    async fn by_key(guard: Guard) -> Result<&'static str, Denied> {
        guard.permit(false)?;
        Ok("the object")
    }
    let first = GuardedRouter::new()
        .route("/object", post(by_key))
        .protect(first);
    let second = GuardedRouter::new()
        .route("/secret", get(secret))
        .protect(second);
    let app = first.expect("in order").merge(second.expect("in order"));
    for body in ["access_token=reader", "access_token=bad", "a=b"] {
        assert_same(
            &app,
            Method::POST,
            ("/object?access_token=x", "/absent?access_token=x"),
            &[FORM, ("x-api-key", API_KEY)],
            body,
        )
        .await;
    }
}

#[tokio::test]
async fn fallback_layer_sees_no_hidden_extensions() {
    let look = from_fn(async |request: Request, next: Next| {
        let matched = request.extensions().get::<MatchedPath>();
        let seen = format!("{} {}", request.extensions().len(), matched.is_some());
        let mut response: Response = next.run(request).await;
        let seen = HeaderValue::from_str(&seen).expect("visible");
        response.headers_mut().insert("x-seen", seen);
        response
    });
    let app = GuardedRouter::new()
        .fallback(missing)
        .layer(look)
        .merge(GuardedRouter::new().route("/secret", get(secret)))
        .protect(space_with_forms(&Arc::default()))
        .expect("the router is in order");
    for method in [Method::GET, Method::DELETE, Method::HEAD, Method::OPTIONS] {
        let (_, fields, _) = assert_same(&app, method, ("/secret", "/absent"), &[], "").await;
        assert!(fields.contains_key("x-seen"));
    }
}

#[tokio::test]
async fn replacing_layer_conceals_objects() {
    async fn pretty(response: Response) -> Response {
        match response.status() {
            StatusCode::NOT_FOUND => (StatusCode::NOT_FOUND, "pretty").into_response(),
            _ => response,
        }
    }
    async fn rebuilt(response: Response) -> Response {
        let (head, body) = response.into_parts();
        (head.status, head.headers, body).into_response()
    }
    let routes = || GuardedRouter::new().route("/object", get(object));
    for routes in [
        routes().layer(map_response(pretty)),
        routes().layer(map_response(rebuilt)),
    ] {
        let app = routes
            .fallback(missing)
            .protect(space_with_forms(&Arc::default()));
        let app = app.expect("the router is in order");
        let fields = [("authorization", "Bearer reader")];
        let paths = ("/object", "/absent");
        let (_, _, body) = assert_same(&app, Method::GET, paths, &fields, "").await;
        assert_eq!(body, "nothing at all");
    }
}

/// Without a fallback of the service, a concealed object has the layers of unknown paths as well.
#[tokio::test]
async fn denied_objects_have_unknown_path_layers() {
    let layered = GuardedRouter::new().layer(field("x-unknown"));
    let app = GuardedRouter::new()
        .route("/object", get(object))
        .route("/layered", get(object).layer(field("x-layered")))
        .merge(layered)
        .protect(space_with_forms(&Arc::default()))
        .expect("the routes are in order");
    let fields = [("authorization", "Bearer reader")];
    for path in ["/object", "/layered"] {
        let paths = (path, "/absent");
        let (_, seen, _) = assert_same(&app, Method::GET, paths, &fields, "").await;
        assert_eq!(seen["x-unknown"], "layer", "{path}");
        assert!(!seen.contains_key("x-layered"), "{path}");
    }
}

/// A new request has no extensions, so the handler does not find the decision that was made in front of the layer.
#[tokio::test]
async fn denials_of_replaced_request_are_concealed() {
    #[requires(scope = "read", hide_as = 404)]
    async fn page() -> &'static str {
        "the page"
    }
    let replace = |keeps_fields: bool| {
        map_request(move |request: Request| async move {
            let (head, body) = request.into_parts();
            let mut replaced = Request::new(body);
            *replaced.method_mut() = head.method;
            *replaced.uri_mut() = head.uri;
            if keeps_fields {
                *replaced.headers_mut() = head.headers;
            }
            replaced
        })
    };
    let routes = || {
        GuardedRouter::new()
            .route("/object", get(object).layer(replace(true)))
            .route("/page", get(page).layer(replace(false)))
            .route("/open", get(page).layer(replace(true)))
    };
    for routes in [routes(), routes().fallback(missing)] {
        let app = routes.protect(space_with_forms(&Arc::default()));
        let app = app.expect("the router is in order");
        let fields = [("authorization", "Bearer reader")];
        for denied in [("/object", "/absent"), ("/page", "/lost")] {
            assert_same(&app, Method::GET, denied, &fields, "").await;
        }
        let (status, _, body) = send(&app, Method::GET, "/open", &fields, "").await;
        assert_eq!((status, &*body), (StatusCode::OK, "the page"));
    }
}

#[tokio::test]
async fn early_fallback_layer_responds_alike() {
    async fn early(request: Request, next: Next) -> Response {
        match request.headers().contains_key("x-early") {
            true => (StatusCode::NOT_ACCEPTABLE, "early").into_response(),
            false => next.run(request).await,
        }
    }
    async fn reads_the_body(request: Request, next: Next) -> Response {
        let (head, body) = request.into_parts();
        match to_bytes(body, 8).await {
            Ok(body) => next.run(Request::from_parts(head, Body::from(body))).await,
            Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        }
    }
    let hidden = || GuardedRouter::new().route("/secret", get(secret).post(secret));
    let base = GuardedRouter::new;
    for routes in [
        base().layer(from_fn(early)).merge(hidden()),
        base().layer(from_fn(reads_the_body)).merge(hidden()),
        base()
            .fallback(missing)
            .layer(from_fn(early))
            .merge(hidden()),
        base()
            .layer(from_fn(reads_the_body))
            .merge(hidden().layer(field("x-own"))),
    ] {
        let app = routes.protect(space_with_forms(&Arc::default()));
        let app = app.expect("the router is in order");
        for authorization in ["Bearer reader", "Bearer bad"] {
            for body in ["", "a=b", "access_token=reader", "access_token=bad"] {
                let fields = [FORM, ("x-early", ""), ("authorization", authorization)];
                for fields in [&fields[..1], &fields[..2], &fields] {
                    let paths = ("/secret", "/absent");
                    assert_same(&app, Method::POST, paths, fields, body).await;
                }
            }
        }
    }
}
