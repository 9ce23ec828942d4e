//! Hidden paths are undetectable: each row of the rules, and every combination of
//! routes, layers, fallbacks, methods and callers that could reveal one.

mod behind_layers;
mod bodies;
mod changed_checks;
mod changed_fields;
mod changed_requests;
mod combinations;
mod disclosure;
mod granted;
mod parameters;
mod responses;
mod routing;
mod timing;

use std::convert::Infallible;

use auth_runtime::routing::{get, post};
use auth_runtime::schemes::Bearer;
use auth_runtime::testing::assert_hidden;
use auth_runtime::{Denied, Guard, GuardedRouter, Identity, UnknownPaths, public, requires};
use auth_tests::{App, BoxedApp, expired_token, send_raw, serve, space, space_builder, token};
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, NestedPath, OriginalUri, Path, Request};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::json;
use tower::ServiceExt;
use tower_http::cors::CorsLayer;
use tower_http::set_header::SetResponseHeaderLayer;

#[requires(scope = "admin", hide_as = 404)]
async fn secret() -> &'static str {
    "the secret"
}

#[requires(scope = "admin", hide_as = 404)]
async fn numbered(Path(number): Path<u32>) -> String {
    format!("secret {number}")
}

#[requires(scope = "admin", hide_as = 404)]
async fn twice_nested(Path((version, number)): Path<(u32, u32)>) -> String {
    format!("secret {version}/{number}")
}

#[requires(scope = "admin", hide_as = 404)]
async fn guarded_object(guard: Guard) -> Result<&'static str, Denied> {
    guard.permit(guard.identity().has_role("owner"))?;
    Ok("the object")
}

#[requires(scope = "write")]
async fn shown() -> &'static str {
    "written"
}

#[public(reason = "for the test of mixed paths")]
async fn open() -> &'static str {
    "open"
}

#[requires(scope = "admin", hide_as = 404)]
struct Files;

/// Responds with all visible data of the request.
#[public(reason = "the answer of a path that was never there")]
async fn curious(
    method: Method,
    matched: Option<MatchedPath>,
    OriginalUri(original): OriginalUri,
    parameters: Option<Path<Vec<(String, String)>>>,
    request: Request,
) -> Response {
    let parameters = parameters.map(|Path(own)| own);
    let uri = request.uri().clone();
    let fields: Vec<_> = request.headers().keys().map(ToString::to_string).collect();
    let matched = matched.as_ref().map(MatchedPath::as_str);
    let nested = request.extensions().get::<NestedPath>();
    let nested = nested.map(|path| path.as_str().to_owned());
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await;
    let text = format!(
        "{method} {uri} {original} {matched:?} {nested:?} {parameters:?} {fields:?} {:?}",
        body.ok()
    );
    (StatusCode::NOT_FOUND, [("x-fallback", "yes")], text).into_response()
}

#[public(reason = "the answer of a path that was never there")]
async fn without_length() -> Response {
    let chunks = ["no ", "length"].map(|chunk| Ok::<_, Infallible>(chunk.to_owned()));
    Body::from_stream(Chunks(chunks.into_iter().collect())).into_response()
}

/// A body of unknown length.
struct Chunks(std::collections::VecDeque<Result<String, Infallible>>);

impl futures_core::Stream for Chunks {
    type Item = Result<String, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.pop_front())
    }
}

fn field(name: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    let name = HeaderName::from_static(name);
    SetResponseHeaderLayer::appending(name, HeaderValue::from_static("layer"))
}

/// Returns routes in every possible position, with layers in every position.
fn routes() -> GuardedRouter {
    let files = tower::service_fn(|_: Request| async { Ok::<_, Infallible>("a file") });
    let innermost = GuardedRouter::new()
        .route("/secret", get(secret))
        .route("/{number}", get(twice_nested).post(shown))
        .route("/", get(secret))
        .layer(field("x-innermost"));
    let with_fallback = GuardedRouter::new()
        .route("/before", get(secret))
        .layer(field("x-inner-before"))
        .fallback(curious)
        .layer(field("x-inner-after"))
        .route("/after", get(secret))
        .nest("/deep", GuardedRouter::new().route("/secret", get(secret)))
        .layer(field("x-inner-last"));
    GuardedRouter::new()
        .route("/secret", get(secret))
        .route("/object", get(guarded_object))
        .route("/numbered/{number}", get(numbered))
        .route("/layered", get(secret).layer(field("x-layered")))
        .route(
            "/layered-object",
            get(guarded_object).layer(field("x-layered")),
        )
        .route("/mixed", get(secret).post(shown).put(open))
        .route(
            "/mixed-layered",
            get(secret).layer(field("x-mixed")).post(shown).put(open),
        )
        .route("/all", auth_runtime::routing::any(secret))
        .route("/others", get(secret).fallback(shown))
        .route(
            "/route-layered",
            get(secret).route_layer(field("x-route")).post(shown),
        )
        .nest("/n", GuardedRouter::new().nest("/{version}", innermost))
        .nest("/plain", GuardedRouter::new().route("/secret", get(secret)))
        .nest("/own", with_fallback)
        .nest_service("/files", Files, files)
        .merge(
            GuardedRouter::new()
                .route("/merged", get(secret))
                .layer(field("x-merged")),
        )
}

/// Some kinds of service, by name.
fn services() -> Vec<(&'static str, BoxedApp)> {
    let mut services = Vec::new();
    for unknown_paths in [UnknownPaths::NotFound, UnknownPaths::Challenge] {
        let space = || {
            space_builder()
                .unknown_paths(unknown_paths)
                .build()
                .expect("a space")
        };
        let protected: [(_, GuardedRouter); 10] = [
            ("bare", routes()),
            ("layered last", routes().layer(field("x-root"))),
            ("its own fallback", routes().fallback(curious)),
            (
                "fallback, then layer",
                routes().fallback(curious).layer(field("x-root")),
            ),
            (
                "layer, then fallback",
                routes().layer(field("x-root")).fallback(curious),
            ),
            (
                "layer on the fallback only",
                GuardedRouter::new()
                    .fallback(curious)
                    .layer(field("x-fallback-layer"))
                    .merge(routes()),
            ),
            (
                "fallback of unknown length",
                routes().fallback(without_length),
            ),
            ("CORS", routes().layer(CorsLayer::permissive())),
            ("route layer", routes().route_layer(field("x-route"))),
            (
                "fallback for methods",
                routes().fallback(curious).method_not_allowed_fallback(open),
            ),
        ];
        for (name, routes) in protected {
            let app = routes.protect(space()).unwrap();
            // A layer around the protected router encloses every path.
            let layered = app
                .clone()
                .layer(field("x-around"))
                .layer(CorsLayer::permissive());
            services.push((name, BoxedApp::new(app)));
            services.push((name, BoxedApp::new(layered)));
        }
        let inner = routes().fallback(curious).protect(space()).unwrap();
        let within = Router::new().nest_service("/outer", inner.clone());
        services.push(("within another router", BoxedApp::new(within)));
        let given_up = inner.into_router("a test").layer(field("x-around"));
        services.push(("given up to a plain router", BoxedApp::new(given_up)));
    }
    services
}

/// The value of `Authorization` for every kind of caller that may not see the secret.
fn strangers() -> Vec<(&'static str, Option<String>)> {
    let bearer = |token: String| Some(format!("Bearer {token}"));
    vec![
        ("nobody", None),
        ("known", bearer(token(json!({ "scope": "read" })))),
        (
            "expired",
            bearer(expired_token(json!({ "scope": "admin" }))),
        ),
        ("garbage", bearer("garbage".to_owned())),
        ("not even a scheme", Some("?".to_owned())),
    ]
}

fn methods() -> Vec<Method> {
    let mut methods = vec![Method::from_bytes(b"PROPFIND").expect("a method")];
    methods.extend([
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
        Method::PATCH,
        Method::TRACE,
    ]);
    methods
}

fn request(method: &Method, target: &str, authorization: Option<&str>) -> Request {
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header("origin", "https://elsewhere.example");
    if *method == Method::OPTIONS {
        request = request.header("access-control-request-method", "GET");
    }
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    request.body(Body::from("a body")).expect("a request")
}

/// The same request as [`request`], as bytes.
fn raw(method: &Method, prefix: &str, target: &str, authorization: Option<&str>) -> String {
    let authorization =
        authorization.map_or(String::new(), |value| format!("authorization: {value}\r\n"));
    format!(
        "{method} {prefix}{target} HTTP/1.1\r\nhost: x\r\n{authorization}\
         origin: https://elsewhere.example\r\naccess-control-request-method: GET\r\n\
         content-length: 6\r\nconnection: close\r\n\r\na body"
    )
}

/// Asserts, in process and over a socket, that a path responds like an unknown one beside it.
async fn assert_like_unknown(
    app: &impl App,
    method: Method,
    (hidden, unknown): (&str, &str),
    authorization: Option<&str>,
) {
    assert_hidden(app.clone(), request(&method, hidden, authorization)).await;
    let address = serve(app.clone()).await;
    let subject = send_raw(address, raw(&method, "", hidden, authorization)).await;
    let control = send_raw(address, raw(&method, "", unknown, authorization)).await;
    assert!(control.starts_with("HTTP/1.1 "), "{control:?}");
    assert_eq!(
        moved(&subject, hidden, unknown),
        control,
        "{method} {hidden}"
    );
}

/// Returns the response with one path in place of the other, also in the form that nested routers
/// see.
fn moved(answer: &str, from: &str, to: &str) -> String {
    let path = |target: &str| target.split('?').next().unwrap_or(target).to_owned();
    let (from, to) = (path(from), path(to));
    let tails = from.match_indices('/').map(|(start, _)| &from[start..]);
    let other_tails = to.match_indices('/').map(|(start, _)| &to[start..]);
    tails
        .zip(other_tails)
        .filter(|(tail, other)| tail != other)
        .fold(answer.to_owned(), |text, (tail, other)| {
            text.replace(tail, other)
        })
}
