//! Requests that are granted or visibly denied on hidden paths, behind layers and with bodies.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use auth_runtime::routing::{any, on, options};
use auth_runtime::schemes::ApiKeys;
use auth_runtime::{Caller, ProtectionSpace};
use axum::body::HttpBody as _;
use axum::extract::Extension;
use axum::middleware::{from_fn, map_request};
use axum::routing::MethodFilter;
use http_body_util::BodyExt as _;

use super::*;

async fn send(app: &impl App, request: Request) -> (StatusCode, http::HeaderMap, String) {
    let response = app.clone().oneshot(request).await.expect("infallible");
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let body = String::from_utf8(body.to_vec()).expect("UTF-8");
    (head.status, head.headers, body)
}

fn bearer(scope: &str) -> String {
    format!("Bearer {}", token(json!({ "scope": scope })))
}

fn protect(routes: GuardedRouter) -> auth_runtime::ProtectedRouter {
    routes.protect(space()).expect("the routes are in order")
}

/// The layers of a path would otherwise show that it exists to a caller who may use one of its methods only.
#[tokio::test]
async fn missing_methods_are_unknown_before_layers() {
    let app = protect(routes());
    let admin = bearer("admin");
    for method in methods() {
        let taken = [Method::GET, Method::HEAD].contains(&method);
        let (status, fields, _) = send(&app, request(&method, "/layered", Some(&admin))).await;
        assert_eq!(fields.contains_key("x-layered"), taken, "{method}");
        assert_eq!(status, if taken { 200 } else { 404 }, "{method}");
    }
}

/// The decision in front of the layers takes each method that the handler takes.
#[tokio::test]
async fn every_method_passes_the_layers() {
    let both = MethodFilter::PUT.or(MethodFilter::PATCH);
    let every = MethodFilter::CONNECT
        .or(MethodFilter::DELETE)
        .or(MethodFilter::GET)
        .or(MethodFilter::HEAD)
        .or(MethodFilter::OPTIONS)
        .or(MethodFilter::POST)
        .or(MethodFilter::TRACE);
    let app = GuardedRouter::new()
        .route("/both", on(both, secret))
        .route("/every", on(every, secret))
        .layer(field("x-layered"))
        .fallback(curious);
    let app = protect(app);
    let admin = bearer("admin");
    let standard = methods().into_iter().chain([Method::CONNECT]);
    for method in standard {
        let is_of_both = [Method::PUT, Method::PATCH].contains(&method);
        let is_standard = method.as_str() != "PROPFIND";
        for (path, taken) in [
            ("/both", is_of_both),
            ("/every", is_standard && !is_of_both),
        ] {
            let (status, fields, _) = send(&app, request(&method, path, Some(&admin))).await;
            assert_eq!(status, if taken { 200 } else { 404 }, "{method} {path}");
            assert_eq!(fields.contains_key("x-layered"), taken, "{method} {path}");
        }
    }
}

/// The handler for other methods names no hidden method, not even to a caller that it grants.
#[tokio::test]
async fn hidden_paths_have_no_allow() {
    let app = protect(routes());
    let writer = bearer("write");
    let (status, fields, body) = send(&app, request(&Method::PUT, "/others", Some(&writer))).await;
    assert_eq!((status, &*body), (StatusCode::OK, "written"));
    assert!(!fields.contains_key("allow"), "{fields:?}");
}

/// One hidden method of a path hides all others, whichever of them the handlers take.
#[tokio::test]
async fn hidden_methods_hide_the_path() {
    let app = GuardedRouter::new()
        .route("/others", get(shown).fallback(secret))
        .route("/named", get(secret).fallback(shown))
        .route("/all", any(secret).post(shown))
        .route("/options", options(shown).post(secret));
    let app = protect(app);
    let reader = bearer("read");
    for path in ["/others", "/named", "/all", "/options"] {
        for method in methods() {
            for caller in [None, Some(&*reader)] {
                assert_like_unknown(&app, method.clone(), (path, "/zzzzzz"), caller).await;
            }
        }
    }
}

/// A denial that the caller may see is that of a visible path: the layers see the request.
#[tokio::test]
async fn visible_denial_passes_through_layers() {
    #[requires(scope = "admin", hide_as = 404, hide_unless = scope("read"))]
    async fn shown_to_readers() {}

    let layered = get(shown_to_readers).layer(field("x-layered"));
    let app = protect(GuardedRouter::new().route("/page", layered));
    for (scope, status, has_field) in [("admin", 200, true), ("read", 403, true), ("", 404, false)]
    {
        let request = request(&Method::GET, "/page", Some(&bearer(scope)));
        let (seen, fields, _) = send(&app, request).await;
        assert_eq!(seen, status, "{scope}");
        assert_eq!(fields.contains_key("x-layered"), has_field, "{scope}");
    }
}

/// Layers around all paths are in front of the authentication, which may need them, as sessions do.
#[tokio::test]
async fn outer_layers_precede_authentication() {
    let authorize = map_request(async |mut request: Request| {
        if let Some(value) = request.headers_mut().remove("x-token") {
            request.headers_mut().insert("authorization", value);
        }
        request
    });
    let admin = bearer("admin");
    for routes in [
        GuardedRouter::new().route("/secret", get(secret)),
        GuardedRouter::new()
            .route("/secret", get(secret))
            .fallback(curious),
    ] {
        let app = protect(routes.layer(authorize.clone()));
        let asked = |target: &str| {
            let request = Request::get(target).header("x-token", &admin);
            request.body(Body::empty()).expect("a request")
        };
        let (status, _, body) = send(&app, asked("/secret")).await;
        assert_eq!((status, &*body), (StatusCode::OK, "the secret"));
        assert_eq!(send(&app, asked("/nothing")).await.0, 404);
    }
}

/// A token in `Authorization` does not depend on the body that a layer replaces, and may be valid once.
#[tokio::test]
async fn replaced_bodies_cause_no_second_verification() {
    #[requires(scope = "admin", hide_as = 404)]
    async fn echo(body: String) -> String {
        body
    }

    let used = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&used);
    let once = Bearer::new(move |_| {
        let is_first = count.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            match is_first {
                true => Caller::known(Identity::new("ann").with_scopes(["admin"])),
                false => Caller::rejected(),
            }
        }
    });
    let space = ProtectionSpace::builder().realm("once");
    let space = space.scheme(once.accept_form()).build().expect("a space");
    let replace = map_request(async |request: Request| request.map(|_| Body::from("c=d")));
    let app = GuardedRouter::new()
        .route("/page", post(echo).layer(replace))
        .protect(space)
        .expect("the routes are in order");
    let request = Request::post("/page")
        .header("authorization", "Bearer once")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("a=b"))
        .expect("a request");
    let (status, _, body) = send(&app, request).await;
    assert_eq!((status, &*body), (StatusCode::OK, "c=d"));
    assert_eq!(used.load(Ordering::Relaxed), 1);
}

/// A handler that may deny an object sees the length and the end of the body, which is kept meanwhile.
#[tokio::test]
async fn kept_bodies_have_length_and_end() {
    #[requires(scope = "admin", hide_as = 404)]
    async fn measure(guard: Guard, request: Request) -> Result<String, Denied> {
        let mut body = request.into_body();
        let (length, is_read) = (body.size_hint().exact(), body.is_end_stream());
        let frame = body.frame().await.expect("a frame").expect("no error");
        guard.permit(frame.into_data().is_ok_and(|data| data == "a body"))?;
        Ok(format!("{length:?} {is_read} {}", body.is_end_stream()))
    }

    let app = protect(GuardedRouter::new().route("/object", post(measure)));
    let request = request(&Method::POST, "/object", Some(&bearer("admin")));
    assert_eq!(send(&app, request).await.2, "Some(6) false true");
}

#[public(reason = "the response of an unknown path")]
async fn count_extensions(request: Request) -> (StatusCode, String) {
    let count = request.extensions().len().to_string();
    (StatusCode::NOT_FOUND, count)
}

/// A fallback finds nothing of the router in the request, whether layers are around it or not.
#[tokio::test]
async fn layered_fallbacks_receive_no_router_value() {
    let hidden = || GuardedRouter::new().route("/secret", get(secret));
    let fallback = || GuardedRouter::new().fallback(count_extensions);
    let bare = protect(fallback().merge(hidden()));
    let layered = protect(fallback().layer(field("x-layer")).merge(hidden()));
    for target in ["/secret", "/nothing"] {
        let asked = || request(&Method::GET, target, None);
        let (_, fields, body) = send(&layered, asked()).await;
        assert!(fields.contains_key("x-layer"), "{target}");
        assert_eq!(body, send(&bare, asked()).await.2, "{target}");
    }
}

/// The caller that one router found is not that of another one, even if a layer copies all extensions.
#[tokio::test]
async fn fallbacks_take_no_foreign_caller() {
    type Kept = Arc<Mutex<Option<http::Extensions>>>;

    #[public(reason = "the response of an unknown path")]
    async fn missing() -> (StatusCode, &'static str) {
        (StatusCode::NOT_FOUND, "nothing at all")
    }

    let kept = Kept::default();
    let keeping = Arc::clone(&kept);
    let keep = from_fn(move |request: Request, _: axum::middleware::Next| {
        *keeping.lock().expect("no panic") = Some(request.extensions().clone());
        async { StatusCode::NOT_FOUND }
    });
    let copy = map_request(move |mut request: Request| {
        let other = kept.lock().expect("no panic").clone();
        *request.extensions_mut() = other.expect("an earlier request");
        async { request }
    });
    let hidden = || GuardedRouter::new().route("/secret", get(secret));
    let with = |layer: &dyn Fn(GuardedRouter) -> GuardedRouter, hidden: GuardedRouter| {
        protect(layer(GuardedRouter::new().fallback(missing)).merge(hidden))
    };
    let first = with(&|routes| routes.layer(keep.clone()), hidden());
    let hiding = with(&|routes| routes.layer(copy.clone()), hidden());
    let open = with(&|routes| routes.layer(copy.clone()), GuardedRouter::new());
    // A caller without credentials.
    send(&first, request(&Method::GET, "/nothing", None)).await;
    let garbage = || request(&Method::GET, "/nothing", Some("Bearer garbage"));
    assert_eq!(send(&hiding, garbage()).await.0, 401);
    // Nothing is hidden, so the fallback is for everybody.
    let (status, _, body) = send(&open, garbage()).await;
    assert_eq!((status, &*body), (StatusCode::NOT_FOUND, "nothing at all"));
}

/// `Referrer-Policy` is for responses to requests whose query may have credentials, and a handler may be stricter.
#[tokio::test]
async fn only_query_credentials_change_referrer_policy() {
    #[requires(authenticated)]
    async fn page(Extension(policies): Extension<&'static [&'static str]>) -> Response {
        let mut response = Response::default();
        for policy in policies {
            let policy = HeaderValue::from_static(policy);
            response.headers_mut().append("referrer-policy", policy);
        }
        response
    }

    const KEY: &str = "a-long-random-key-of-the-billing-job";
    let keys = ApiKeys::builder().key(KEY, Identity::new("job"));
    let by_query = Bearer::new(async |_| Caller::known(Identity::new("ann"))).accept_query();
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(by_query)
        .scheme(keys.build().expect("a key"))
        .build()
        .expect("a space");
    for (own, expected) in [
        (&[][..], &["strict-origin"][..]),
        (&["no-referrer"], &["no-referrer"]),
        (&["unsafe-url"], &["strict-origin"]),
        // The last one that a browser knows counts.
        (&["no-referrer", "unsafe-url"], &["strict-origin"]),
    ] {
        let app = GuardedRouter::new()
            .route("/", get(page))
            .layer(Extension(own))
            .protect(space.clone())
            .expect("the routes are in order");
        for (target, field, expected) in [
            ("/?access_token=x", None, expected),
            ("/", Some(("authorization", "Bearer x")), own),
            ("/", Some(("x-api-key", KEY)), own),
        ] {
            let mut request = Request::get(target);
            if let Some((name, value)) = field {
                request = request.header(name, value);
            }
            let request = request.body(Body::empty()).expect("a request");
            let (status, fields, _) = send(&app, request).await;
            assert_eq!(status, 200, "{target} {field:?}");
            let seen: Vec<_> = fields.get_all("referrer-policy").iter().collect();
            assert_eq!(seen, expected, "{target} {field:?} {own:?}");
        }
    }
}

/// A handler or a layer may respond with a 404 of its own, which a cache would keep for callers who see the path later.
#[tokio::test]
async fn missing_responses_of_layers_stay_unstored() {
    #[requires(scope = "admin", hide_as = 404)]
    async fn absent() -> (StatusCode, [(&'static str, &'static str); 1]) {
        (StatusCode::NOT_FOUND, [("cache-control", "max-age=60")])
    }

    let replace = |status: StatusCode| {
        axum::middleware::map_response(move |_: Response| async move {
            (status, [("cache-control", "max-age=60")])
        })
    };
    let layered = |status| get(secret).layer(replace(status));
    let routes = GuardedRouter::new()
        .route("/handler", get(absent).layer(field("x-layered")))
        .route("/404", layered(StatusCode::NOT_FOUND))
        .route("/405", layered(StatusCode::METHOD_NOT_ALLOWED))
        .route("/410", layered(StatusCode::GONE));
    let app = protect(routes);
    for (path, status, stored) in [
        ("/handler", 404, "no-store"),
        ("/404", 404, "no-store"),
        ("/405", 405, "no-store"),
        ("/410", 410, "max-age=60"),
    ] {
        let asked = request(&Method::GET, path, Some(&bearer("admin")));
        let (seen, fields, _) = send(&app, asked).await;
        assert_eq!(seen, status, "{path}");
        assert_eq!(fields["cache-control"], stored, "{path}");
    }
}
