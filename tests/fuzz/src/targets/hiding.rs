//! Pairs of a hidden and an unknown path, through a router with layers, nests and fallbacks.
//!
//! `@layers: …` chooses the layers around the router, `@routes: …` those within it, `@fallback: …` the fallback
//! and `@place: …` the pair of paths, by numbers.

use auth_runtime::routing::{any, get};
use auth_runtime::schemes::Bearer;
use auth_runtime::{
    Caller, Denied, Guard, GuardedRouter, Identity, ProtectionSpace, UnknownPaths, public, requires,
};
use axum::extract::{OriginalUri, Path, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use super::requests::Sent;
use super::service::Answer;
use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "hiding",
    cost: 1,
    dictionary: &[
        "@layers: 1",
        "@layers: 7",
        "@layers: 15",
        "@routes: 1",
        "@routes: 3",
        "@fallback: 1",
        "@fallback: 2",
        "@place: 1",
        "@place: 7",
        "@place: 10",
        "authorization: Bearer reader",
        "authorization: Bearer dead",
        "authorization: Bearer down",
        "authorization: ?",
        "origin: https://elsewhere.example",
        "access-control-request-method: GET",
        "accept-encoding: gzip",
        "accept: text/html",
        "accept: application/json",
        "if-none-match: *",
        "range: bytes=0-1",
        "expect: 100-continue",
        "content-type: application/x-www-form-urlencoded",
        "access_token=reader",
        "upgrade: websocket",
        "sec-fetch-mode: cors",
        "GET ",
        "HEAD ",
        "OPTIONS ",
        "POST ",
        "PUT ",
        "TRACE ",
        "PROPFIND ",
        "?a=b",
    ],
    start,
};

/// A hidden path and an unknown one of the same length, which differ in letters that occur nowhere else.
const PLACES: [(&str, &str); 11] = [
    ("/hhhhhh", "/zzzzzz"),
    ("/hhhhhh/", "/zzzzzz/"),
    ("/hhhhhhh/7", "/zzzzzzz/7"),
    ("/hhhhhhh/x%2fy", "/zzzzzzz/x%2fy"),
    ("/hhhhh", "/zzzzz"),
    ("/hhhh", "/zzzz"),
    ("/nest/hhhhhh", "/nest/zzzzzz"),
    ("/nest/deep/hhhhhh", "/nest/deep/zzzzzz"),
    ("/own/hhhhhh", "/own/zzzzzz"),
    ("/hhhhhhhhh/a/b", "/zzzzzzzzz/a/b"),
    ("/hhhhhhhh", "/zzzzzzzz"),
];

const LAYERS: usize = 16;
const ROUTES: usize = 4;
const FALLBACKS: usize = 3;

#[requires(scope = "admin", hide_as = 404)]
pub(in crate::targets) async fn secret() -> &'static str {
    "the secret"
}

#[requires(scope = "admin", hide_as = 404)]
async fn numbered(Path(number): Path<u32>) -> String {
    number.to_string()
}

#[requires(scope = "read", hide_as = 404)]
pub(in crate::targets) async fn object(guard: Guard) -> Result<&'static str, Denied> {
    guard.permit(false)?;
    Ok("the object")
}

#[requires(scope = "write", hide_as = 404)]
pub(in crate::targets) async fn change(body: String) -> String {
    body
}

#[public(reason = "the response of an unknown path")]
pub(in crate::targets) async fn missing(
    method: Method,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response {
    let fields: Vec<_> = request.headers().keys().map(ToString::to_string).collect();
    let text = format!("{method} {uri} {} {fields:?}", request.uri());
    (StatusCode::NOT_FOUND, [("x-fallback", "yes")], text).into_response()
}

#[public(reason = "the response of an unknown path")]
pub(in crate::targets) async fn nothing() -> StatusCode {
    StatusCode::NOT_FOUND
}

pub(in crate::targets) fn field(name: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    let name = HeaderName::from_static(name);
    SetResponseHeaderLayer::appending(name, HeaderValue::from_static("layer"))
}

pub(in crate::targets) async fn inspect(request: Request, next: Next) -> Response {
    let has_body = request.headers().contains_key("content-length");
    let mut response = next.run(request).await;
    let seen = format!("{} {has_body}", response.status());
    let value = HeaderValue::from_str(&seen).expect("visible ASCII");
    response.headers_mut().insert("x-seen", value);
    response
}

fn routes(layers: usize, fallback: usize) -> GuardedRouter {
    let nested = GuardedRouter::new()
        .route("/hhhhhh", get(secret).post(change))
        .nest("/deep", GuardedRouter::new().route("/hhhhhh", any(secret)));
    let own = GuardedRouter::new()
        .route("/hhhhhh", get(object))
        .fallback(nothing);
    let mut routes = GuardedRouter::new()
        .route("/hhhhhh", get(secret).post(change))
        .route("/hhhhhh/", get(secret))
        .route("/hhhhhhh/{number}", get(numbered))
        .route("/hhhhh", get(object).layer(field("x-own")))
        .route("/hhhh", any(secret))
        .route("/hhhhhhhhh/{*rest}", get(secret))
        .route("/hhhhhhhh", get(secret).route_layer(field("x-route")))
        .nest("/nest", nested)
        .nest("/own", own);
    if layers & 1 != 0 {
        routes = routes.layer(field("x-root"));
    }
    routes = match fallback {
        1 => routes.fallback(missing),
        2 => routes
            .fallback(nothing)
            .method_not_allowed_fallback(nothing),
        _ => routes,
    };
    if layers & 2 != 0 {
        routes = routes
            .layer(CompressionLayer::new().compress_when(|_: StatusCode, _, _: &_, _: &_| true));
    }
    routes
}

pub(in crate::targets) fn space(unknown_paths: UnknownPaths) -> ProtectionSpace {
    let bearer = Bearer::new(|token: String| async move {
        match token.as_str() {
            "reader" => Caller::known(Identity::new("ann").with_scopes(["read"])),
            "down" => Caller::unverifiable(),
            _ => Caller::rejected(),
        }
    });
    let space = ProtectionSpace::builder()
        .realm("fuzz")
        .unknown_paths(unknown_paths)
        .scheme(bearer.accept_form());
    space.build().expect("a space")
}

pub(in crate::targets) type Service =
    tower::util::BoxCloneSyncService<Request, Response, std::convert::Infallible>;

fn service(unknown_paths: UnknownPaths, layers: usize, within: usize, fallback: usize) -> Service {
    let router = routes(within, fallback)
        .protect(space(unknown_paths))
        .expect("a router");
    layered(Service::new(router), layers)
}

/// Adds the layers with these numbers around a service.
pub(in crate::targets) fn layered(mut service: Service, layers: usize) -> Service {
    if layers & 1 != 0 {
        service = Service::new(
            tower::ServiceBuilder::new()
                .layer(field("x-around"))
                .service(service),
        );
    }
    if layers & 2 != 0 {
        service = Service::new(
            tower::ServiceBuilder::new()
                .layer(CorsLayer::permissive())
                .service(service),
        );
    }
    if layers & 4 != 0 {
        let layer = CompressionLayer::new();
        let compressed = tower::ServiceBuilder::new().layer(layer).service(service);
        service = Service::new(compressed.map_response(IntoResponse::into_response));
    }
    if layers & 8 != 0 {
        service = Service::new(
            tower::ServiceBuilder::new()
                .layer(from_fn(inspect))
                .service(service),
        );
    }
    service
}

struct Services {
    runtime: Runtime,
    services: std::collections::HashMap<(bool, usize, usize, usize), Service>,
}

fn start() -> Check {
    let mut services = Services {
        runtime: Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime"),
        services: Default::default(),
    };
    Box::new(move |input| {
        let Some(sent) = Sent::parse(input, "/") else {
            return Outcome::of("not a request");
        };
        let number = |name: &str| {
            sent.option(name)
                .and_then(|text| text.parse::<usize>().ok())
        };
        let place = number("place").unwrap_or(0) % PLACES.len();
        let key = (
            number("challenge").is_some(),
            number("layers").unwrap_or(0) % LAYERS,
            number("routes").unwrap_or(0) % ROUTES,
            number("fallback").unwrap_or(0) % FALLBACKS,
        );
        let (hidden, absent) = PLACES[place];
        let service = services.services.entry(key).or_insert_with(|| {
            let (challenge, layers, within, fallback) = key;
            let unknown_paths = match challenge {
                true => UnknownPaths::Challenge,
                false => UnknownPaths::NotFound,
            };
            service(unknown_paths, layers, within, fallback)
        });
        let answers = [hidden, absent].map(|path| {
            let sent = Sent::parse(input, path)?;
            let answer = services.runtime.block_on(async {
                let Ok(response) = service.clone().oneshot(sent.to_request()).await;
                Answer::of(response).await
            });
            Some(answer)
        });
        let [Some(hidden), Some(absent)] = answers else {
            return Outcome::of("not a request");
        };
        let text = String::from_utf8_lossy(&hidden.body);
        let is_granted = ["the secret", "the object"]
            .iter()
            .any(|secret| text.contains(secret));
        assert!(!is_granted, "granted: {hidden:?}");
        // `h` and `z` are replaced in paths only: six or more, or four at the shortest place.
        let shown = |answer: &Answer| {
            let fields: Vec<_> = answer
                .fields
                .iter()
                .map(|(name, value)| {
                    let value = String::from_utf8_lossy(value.as_bytes()).replace('z', "h");
                    (name.to_string(), value)
                })
                .collect();
            // The compressed bytes of two paths have no common form.
            let is_compressed = answer.fields.contains_key("content-encoding");
            let body = match is_compressed {
                true => String::new(),
                false => String::from_utf8_lossy(&answer.body).replace('z', "h"),
            };
            (answer.status, fields, body)
        };
        assert_eq!(shown(&hidden), shown(&absent), "{key:?} {place}");
        let names: Vec<_> = hidden.fields.keys().map(ToString::to_string).collect();
        Outcome::of((key, place, hidden.status.as_u16(), names))
    })
}
