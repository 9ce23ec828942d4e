//! The fields that keep responses out of caches, and credentials out of `Referer`.

use auth_runtime_core::adapter::{forbid_storing, is_targeted_cache_field, remove_fields};
use axum::response::Response;
use http::header::Entry;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

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

/// The parts of a granted request that its response must not reveal.
#[derive(Clone, Copy, Default)]
pub(super) struct Secrecy {
    pub(super) shared_caches: SharedCaches,
    /// Whether the query may contain credentials.
    pub(super) is_query_secret: bool,
}

/// The shared caches that may store the response of a granted request.
#[derive(Clone, Copy, Default)]
pub(super) enum SharedCaches {
    /// All, unless the handler excludes them.
    #[default]
    Allowed,
    /// Those that the handler allows, since the credentials are in `Authorization`.
    ByDirective,
    /// None.
    Excluded,
}

impl Secrecy {
    /// Adds the fields that keep the request secret to the response of its handler.
    pub(super) fn keep(self, headers: &mut HeaderMap) {
        match self.shared_caches {
            SharedCaches::Allowed => {}
            SharedCaches::ByDirective => keep_private_if_only_revalidated(headers),
            SharedCaches::Excluded => keep_private(headers),
        }
        if self.is_query_secret {
            keep_query_secret(headers);
        }
    }
}

/// Keeps the query out of the `Referer` of requests to linked pages and embedded resources. The
/// policy is not `no-referrer`: browsers would then send a form of the page with `Origin: null`
/// (Fetch, "append a request `Origin` header"), like a cross-site request.
fn keep_query_secret(headers: &mut HeaderMap) {
    const ORIGIN_ONLY: HeaderValue = HeaderValue::from_static("strict-origin");
    let mut lines = headers.get_all(header::REFERRER_POLICY).iter();
    let is_strict = lines.next().is_some_and(|line| line == "no-referrer");
    if !is_strict || lines.next().is_some() {
        headers.insert(header::REFERRER_POLICY, ORIGIN_ONLY);
    }
}

/// Excludes a response to authenticated callers from shared caches. These exclude only responses to
/// requests with `Authorization` on their own (RFC 9111 §3.5; RFC 6750 §2.3).
fn keep_private(headers: &mut HeaderMap) {
    remove_fields(headers, |name, _| is_targeted_cache_field(name));
    keep_cache_control_private(headers);
}

fn keep_cache_control_private(headers: &mut HeaderMap) {
    const PRIVATE: HeaderValue = HeaderValue::from_static("private");
    if let Entry::Vacant(absent) = headers.entry(header::CACHE_CONTROL) {
        absent.insert(PRIVATE);
        return;
    }
    let mut kept = vec!["private"];
    for directive in directives(headers, &header::CACHE_CONTROL) {
        if excludes_shared_caches(directive) {
            return;
        }
        let opens = ["public", "s-maxage", "private"];
        if !opens.iter().any(|name| is_called(directive, name)) {
            kept.push(directive);
        }
    }
    if let Ok(value) = HeaderValue::try_from(kept.join(", ")) {
        headers.insert(header::CACHE_CONTROL, value);
    }
}

/// Excludes a response to `Authorization` from shared caches if only `must-revalidate` includes it. A handler
/// that demands revalidation does not thereby share its response, in contrast to `public` and `s-maxage`
/// (RFC 9111 §3.5).
fn keep_private_if_only_revalidated(headers: &mut HeaderMap) {
    if is_only_revalidated(headers, &header::CACHE_CONTROL) {
        keep_cache_control_private(headers);
    }
    remove_fields(headers, |name, headers| {
        is_targeted_cache_field(name) && is_only_revalidated(headers, name)
    });
}

/// Returns whether only `must-revalidate` in `field` includes a response to `Authorization` in shared caches.
fn is_only_revalidated(headers: &HeaderMap, field: &HeaderName) -> bool {
    let has = |name| directives(headers, field).any(|directive| is_called(directive, name));
    has("must-revalidate")
        && !has("public")
        && !has("s-maxage")
        && !directives(headers, field).any(excludes_shared_caches)
}

fn excludes_shared_caches(directive: &str) -> bool {
    // `private="Set-Cookie"` applies to that field only.
    directive.eq_ignore_ascii_case("private") || is_called(directive, "no-store")
}

/// The directives of `Cache-Control`, or of a field that targets some caches.
fn directives<'h>(
    headers: &'h HeaderMap,
    field: &HeaderName,
) -> impl Iterator<Item = &'h str> + use<'h> {
    let lines = headers.get_all(field).into_iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let directives = lines.flat_map(elements).map(str::trim);
    directives.filter(|directive| !directive.is_empty())
}

/// Splits a list at the commas outside quoted strings (RFC 9110 §5.6.4).
fn elements(list: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    list.split(move |character| {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = is_quoted,
            '"' => is_quoted = !is_quoted,
            _ => {}
        }
        character == ',' && !is_quoted
    })
}

/// Returns whether a directive of `Cache-Control`, with or without a value, has this name.
fn is_called(directive: &str, name: &str) -> bool {
    let own = directive.split('=').next();
    own.is_some_and(|own| own.eq_ignore_ascii_case(name))
}
