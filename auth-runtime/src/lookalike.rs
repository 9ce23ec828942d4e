//! Whether a path can be told from one that is not there, by what they answer.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::hash::{BuildHasher, Hasher, RandomState};

use axum::body::Body;
use axum::response::Response;
use http::{Method, Request, Uri, response};
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use crate::declaration::Declaration;
use crate::witness::{Testimony, Witness};

/// An application that a test sends requests to.
pub(crate) type App = BoxCloneSyncService<Request<Body>, Response, Infallible>;

/// Whether two answers are the same where neither prints its path, or what nested routers see of
/// it, in the same place.
pub(crate) fn same_but_for_the_path(
    (mut one, one_uri): (&str, &Uri),
    (mut other, other_uri): (&str, &Uri),
) -> bool {
    let pairs: Vec<(&str, &str)> = tails(one_uri).zip(tails(other_uri)).collect();
    while !one.is_empty() && !other.is_empty() {
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
    one.is_empty() && other.is_empty()
}

/// The whole path, and what is left of it without its first segments.
fn tails(uri: &Uri) -> impl Iterator<Item = &str> {
    let path = uri.path();
    let starts = path.match_indices('/');
    starts.filter_map(|(start, _)| path.get(start..))
}

/// The fallback that answers a path, if no route matches it: of the service's own, or nothing for that
/// of the space. Asked with a method that no layer answers itself.
pub(crate) async fn fallback_of(app: &App, uri: &Uri) -> Option<Option<Declaration>> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = uri.clone();
    if let Ok(method) = Method::from_bytes(b"IS-ROUTED") {
        *request.method_mut() = method;
    }
    let witness = Witness::listening();
    request.extensions_mut().insert(witness.clone());
    call(app, request).await;
    match witness.testimony() {
        Some(Testimony::NotRouted { fallback }) => Some(fallback),
        _ => None,
    }
}

/// A whole answer, as text.
pub(crate) fn transcript(head: &response::Parts, body: &[u8]) -> String {
    let mut transcript = format!("{:?} {}\n", head.version, head.status);
    for (name, value) in &head.headers {
        let value = value.as_bytes().escape_ascii();
        let _ = writeln!(transcript, "{name}: {value}");
    }
    let _ = writeln!(transcript, "\n{}", String::from_utf8_lossy(body));
    transcript
}

/// Sends a request to an application.
pub(crate) async fn call(app: &App, request: Request<Body>) -> Response {
    match app.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Paths like this one that are likely not to be there: with another last segment, or another one
/// before it, of the same length, so that a fallback that prints the path prints as much; and
/// with more segments, for paths of which every segment is a parameter.
pub(crate) fn neighbours(uri: &Uri) -> Vec<Uri> {
    let segments: Vec<&str> = uri.path().split('/').collect();
    let replaced = (0..segments.len()).rev().flat_map(|index| {
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
        .filter(|path| path.starts_with('/') && path != uri.path())
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

/// How many names are tried in place of a segment: a segment of one letter leaves few to choose.
const TRIES: usize = 12;

/// How many segments are added at most: those below a path may be parameters, too.
const LONGER: usize = 4;

/// A name that nobody gives a route, nor a router that is nested beside it, whose fallback would
/// answer in other words: letters after a tilde, where there is room for one.
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
