//! Responses, and the fields that keep them out of caches.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use auth_runtime_core::adapter::forbid_storing;
use axum::response::{IntoResponse, Response};
use http::header::Entry;
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// A response that is not available yet.
pub(crate) type BoxedResponse = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A response, available now or later.
pub(crate) enum ResponseOrFuture {
    Now(Response),
    Later(BoxedResponse),
}

impl Future for ResponseOrFuture {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        match &mut *self {
            Self::Now(response) => Poll::Ready(std::mem::take(response)),
            Self::Later(response) => response.as_mut().poll(context),
        }
    }
}

/// Forbids storing a 404 or 405, which a cache could otherwise send to callers with more rights
/// (RFC 9111 §3 and §4).
pub(crate) fn uncacheable_if_missing(mut response: Response) -> Response {
    if matches!(
        response.status(),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
    ) {
        forbid_storing(response.headers_mut());
    }
    response
}

/// Keeps the query out of the `Referer` of requests to linked pages and embedded resources. The
/// policy is not `no-referrer`: browsers would then send a form of the page with `Origin: null`
/// (Fetch, "append a request `Origin` header"), like a cross-site request.
pub(super) fn keep_query_secret(headers: &mut HeaderMap) {
    const ORIGIN_ONLY: HeaderValue = HeaderValue::from_static("strict-origin");
    let mut lines = headers.get_all(header::REFERRER_POLICY).iter();
    let is_strict = lines.next().is_some_and(|line| line == "no-referrer");
    if !is_strict || lines.next().is_some() {
        headers.insert(header::REFERRER_POLICY, ORIGIN_ONLY);
    }
}

/// Excludes a response to authenticated callers from shared caches. These exclude only responses to
/// requests with `Authorization` on their own (RFC 9111 §3.5; RFC 6750 §2.3).
pub(super) fn keep_private(headers: &mut HeaderMap) {
    const PRIVATE: HeaderValue = HeaderValue::from_static("private");
    if let Entry::Vacant(absent) = headers.entry(header::CACHE_CONTROL) {
        absent.insert(PRIVATE);
        return;
    }
    let lines = headers.get_all(header::CACHE_CONTROL).iter();
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    let directives = lines.iter().flat_map(|line| line.split(',')).map(str::trim);
    let is = |directive: &str, name: &str| {
        let end = directive.find('=').unwrap_or(directive.len());
        directive
            .get(..end)
            .is_some_and(|own| own.eq_ignore_ascii_case(name))
    };
    let mut kept = vec!["private"];
    for directive in directives {
        // `private="Set-Cookie"` applies to that field only.
        let is_enough = directive.eq_ignore_ascii_case("private");
        if is_enough || is(directive, "no-store") {
            return;
        }
        let opens =
            is(directive, "public") || is(directive, "s-maxage") || is(directive, "private");
        if !directive.is_empty() && !opens {
            kept.push(directive);
        }
    }
    if let Ok(value) = HeaderValue::try_from(kept.join(", ")) {
        headers.insert(header::CACHE_CONTROL, value);
    }
}

/// The response of a service that does not fail.
pub(crate) fn response_of(result: Result<impl IntoResponse, Infallible>) -> Response {
    match result {
        Ok(response) => response.into_response(),
        Err(never) => match never {},
    }
}

/// The response if the state of a request is inconsistent: nothing is granted.
pub(super) fn internal_error() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
