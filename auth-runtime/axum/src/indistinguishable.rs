//! Comparison of the responses of a path and of an unknown path.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::hash::{BuildHasher, Hasher, RandomState};

use auth_runtime_core::HandlerLocation;
use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use http::{Method, Request, Uri, response};
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use crate::probe::{Probe, Responder};

/// The application under test.
pub type App = BoxCloneSyncService<Request<Body>, Response, Infallible>;

/// Returns whether two responses are equal, except that each may print its own path, or the part of
/// it that nested routers receive, in the same places.
pub fn same_but_for_the_path(
    (mut one, one_uri): (&str, &Uri),
    (mut other, other_uri): (&str, &Uri),
) -> bool {
    let pairs: Vec<(&str, &str)> = tails(one_uri).zip(tails(other_uri)).collect();
    while !(one.is_empty() && other.is_empty()) {
        let printed = pairs.iter().find_map(|(one_tail, other_tail)| {
            Some((one.strip_prefix(one_tail)?, other.strip_prefix(other_tail)?))
        });
        let (mut one_rest, mut other_rest) = (one.chars(), other.chars());
        (one, other) = match printed {
            Some(rests) => rests,
            None if one_rest.next() == other_rest.next() => {
                (one_rest.as_str(), other_rest.as_str())
            }
            None => return false,
        };
    }
    true
}

/// The whole path, and the remainders after each of its first segments.
fn tails(uri: &Uri) -> impl Iterator<Item = &str> {
    let path = uri.path();
    let starts = path.match_indices('/');
    starts.filter_map(|(start, _)| path.get(start..))
}

/// The fallback that responds for a path, if no route matches it: the location of the service's
/// fallback, or `None` for that of the space. `head` has the fields and extensions that layers of the
/// application need. Sent with an unknown method, so that no layer responds.
pub async fn fallback_of(app: &App, head: Parts, uri: &Uri) -> Option<Option<HandlerLocation>> {
    let mut request = Request::from_parts(head, Body::empty());
    *request.uri_mut() = uri.clone();
    if let Ok(method) = Method::from_bytes(b"IS-ROUTED") {
        *request.method_mut() = method;
    }
    let probe = Probe::listening();
    request.extensions_mut().insert(probe.clone());
    call(app, request).await;
    match probe.responder() {
        Some(Responder::NotRouted { fallback }) => Some(fallback),
        _ => None,
    }
}

/// The whole response, as text.
pub fn transcript(head: &response::Parts, body: &[u8]) -> String {
    let mut transcript = format!("{:?} {}\n", head.version, head.status);
    for (name, value) in &head.headers {
        let value = value.as_bytes().escape_ascii();
        let _ = writeln!(transcript, "{name}: {value}");
    }
    let _ = writeln!(transcript, "\n{}", String::from_utf8_lossy(body));
    transcript
}

/// Sends a request to an application.
pub async fn call(app: &App, request: Request<Body>) -> Response {
    match app.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Similar paths that are probably unknown. Some replace one segment by a name of the same length,
/// last segment first, so that a fallback that prints the path prints as many bytes. Others have
/// additional segments, for paths that consist of parameters only.
pub fn neighbours(uri: &Uri) -> Vec<Uri> {
    let segments: Vec<&str> = uri.path().split('/').collect();
    // The first one is the empty text in front of the path.
    let replaced = (1..segments.len()).rev().flat_map(|index| {
        let segments = &segments;
        (0..TRIES).filter_map(move |_| {
            let mut path = segments.clone();
            let name = random_name(path.get(index)?.len());
            *path.get_mut(index)? = &name;
            Some(path.join("/"))
        })
    });
    let longer = (1..=LONGER).map(|count| {
        let names: Vec<_> = (0..count).map(|_| random_name(12)).collect();
        let path = uri.path().trim_end_matches('/');
        format!("{path}/{}", names.join("/"))
    });
    replaced
        .chain(longer)
        .filter(|path| path != uri.path())
        .filter_map(|path| {
            let mut parts = uri.clone().into_parts();
            let target = match uri.query() {
                Some(query) => format!("{path}?{query}"),
                None => path,
            };
            parts.path_and_query = Some(target.parse().ok()?);
            Uri::from_parts(parts).ok()
        })
        .collect()
}

/// The number of names tried for each segment. A short segment has few possible names.
const TRIES: usize = 12;

/// The maximum number of additional segments, since segments below a path may be parameters, too.
const LONGER: usize = 4;

/// A random name, used neither for a route nor for a nested router with a fallback of its own: a
/// tilde, if there is room for one, and letters.
pub(crate) fn random_name(length: usize) -> String {
    let letter = |index| {
        if index == 0 && length > 1 {
            return '~';
        }
        let random = RandomState::new().build_hasher().finish();
        char::from(b'a' + u8::try_from(random % 26).unwrap_or_default())
    };
    (0..length).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::Uri;

    use super::same_but_for_the_path;

    #[test]
    fn only_the_paths_may_differ() {
        let (one_uri, other_uri) = (Uri::from_static("/one"), Uri::from_static("/other"));
        for (one, other, expected) in [
            ("", "", true),
            ("no /one here", "no /other here", true),
            ("no /one here", "no /one here", true),
            ("no page", "no pages", false),
            ("no pages", "no page", false),
            ("no /one", "no /other page", false),
            ("", "no page", false),
        ] {
            let is_same = same_but_for_the_path((one, &one_uri), (other, &other_uri));
            assert_eq!(is_same, expected, "{one:?} and {other:?}");
        }
    }
}
