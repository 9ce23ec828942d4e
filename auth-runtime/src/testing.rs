//! For tests: callers without credentials, and the comparison of hidden with unknown paths.
//!
//! Behind the feature `testing`, which does not belong into a release: enabled in a build without
//! debug assertions it is a compile error, so a `[dependencies]` entry that lists it by accident
//! fails the first release build. (For tests and benchmarks of optimised code, pass
//! `--cfg auth_testing_in_release` in `RUSTFLAGS`; nothing else turns the check off.) List it
//! under `[dev-dependencies]`:
//!
//! ```toml
//! [dev-dependencies]
//! auth-runtime = { version = "0.1", features = ["testing"] }
//! ```
//!
//! ```
//! use auth_runtime::routing::get;
//! use auth_runtime::testing::{assert_hidden, with_identity};
//! use auth_runtime::{GuardedRouter, Identity, ProtectionSpace, requires};
//! use axum::{body::Body, http::Request};
//! use tower::ServiceExt;
//! # struct Badge;
//! # impl auth_runtime::Scheme for Badge {
//! #     fn name(&self) -> &str { "Badge" }
//! #     fn verify(&self, _: &auth_runtime::Credentials<'_>) -> auth_runtime::Verification {
//! #         auth_runtime::Verification::done(auth_runtime::Caller::rejected())
//! #     }
//! # }
//!
//! #[requires(role = "admin", hide_as = 404)]
//! async fn dashboard() -> &'static str {
//!     "all is well"
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let space = ProtectionSpace::builder().realm("test").scheme(Badge).build()?;
//! let app = GuardedRouter::new().route("/admin", get(dashboard)).protect(space)?;
//!
//! let request = Request::get("/admin").body(Body::empty())?;
//! let admin = Identity::new("ann").with_roles(["admin"]);
//! let response = app.clone().oneshot(with_identity(request, admin)).await?;
//! assert_eq!(response.status(), 200);
//!
//! let request = Request::get("/admin").body(Body::empty())?;
//! assert_hidden(app, with_identity(request, Identity::new("bob"))).await;
//! # Ok(())
//! # }
//! ```

// Tests fail by panicking.
#![expect(clippy::panic)]

#[cfg(not(any(debug_assertions, auth_testing_in_release)))]
compile_error!(
    "the feature `testing` of `auth-runtime` lets requests in without credentials, and this is a \
     build without debug assertions: move the feature to `[dev-dependencies]`"
);

use std::fmt::Write as _;
use std::hash::{BuildHasher, Hasher, RandomState};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use http::request::Parts;
use http::{Extensions, Method, Request, Uri};
use tower::ServiceExt;

use crate::caller::Caller;
use crate::identity::Identity;
use crate::space::{Sender, Used};

/// Makes `request` come from `identity`, whatever credentials it carries.
///
/// It is taken for a caller of the first OAuth scheme that the handler accepts, or else of the first
/// scheme.
/// The identity travels in the request's extensions, which nothing from the network can reach.
pub fn with_identity<B>(request: Request<B>, identity: Identity) -> Request<B> {
    with_caller(request, Caller::known(identity))
}

/// Makes `request` come from `caller`: one whose token expired, say, or who cannot be verified.
pub fn with_caller<B>(mut request: Request<B>, caller: Caller) -> Request<B> {
    request.extensions_mut().insert(StandIn(caller));
    request
}

#[derive(Clone)]
struct StandIn(Caller);

pub(crate) fn stand_in(extensions: &Extensions) -> Option<Sender> {
    let StandIn(caller) = extensions.get()?;
    let used = match caller {
        Caller::Anonymous => Used::Nothing,
        _ => Used::WhateverIsAccepted,
    };
    Some(Sender::caller(caller.clone(), used))
}

/// Marks the answers of paths that no route matches.
#[derive(Clone)]
struct NotRouted;

pub(crate) fn mark_not_routed(mut response: Response) -> Response {
    response.extensions_mut().insert(NotRouted);
    response
}

/// Asserts that nobody who sends `request` to `app` can tell its path from one that is not there.
///
/// Sends the request, and then the same request to a path beside it that is not routed, and
/// compares status, fields with their order and values, and body. Where the service's fallback
/// prints the path, the two may differ in just that.
///
/// `app` is what [`GuardedRouter::protect`](crate::GuardedRouter::protect) gave, with whatever was
/// put around it since.
///
/// # Panics
///
/// If the two answers differ; if the path of `request` is itself not routed, so that there is
/// nothing to hide; or if no path beside it is free.
pub async fn assert_hidden(app: Router, request: Request<Body>) {
    let (head, body) = request.into_parts();
    let body = collect(body).await;
    assert!(
        is_routed(&app, &head.uri).await,
        "no route matches {}, so there is nothing there to hide",
        head.uri
    );
    for uri in neighbours(&head.uri) {
        if is_routed(&app, &uri).await {
            continue;
        }
        let subject = send(&app, &head, &head.uri, &body).await;
        let unknown = send(&app, &head, &uri, &body).await;
        assert!(
            same_but_for_the_path((&subject, &head.uri), (&unknown, &uri)),
            "{} {} can be told from a path that is not there.\n\n\
             it answers:\n{subject}\n\
             {uri}, which is not there, answers:\n{unknown}",
            head.method,
            head.uri,
        );
        return;
    }
    panic!(
        "every path beside {} is routed, so it cannot be compared",
        head.uri
    );
}

/// Whether two answers are the same where neither prints its path, or what nested routers see of
/// it, in the same place.
fn same_but_for_the_path(
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

/// Whether a route matches, whatever the method: asked with one that no layer answers itself.
async fn is_routed(app: &Router, uri: &Uri) -> bool {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = uri.clone();
    if let Ok(method) = Method::from_bytes(b"IS-ROUTED") {
        *request.method_mut() = method;
    }
    let answer = call(app, request).await;
    answer.extensions().get::<NotRouted>().is_none()
}

/// The whole answer, as text.
async fn send(app: &Router, head: &Parts, uri: &Uri, body: &Bytes) -> String {
    let mut head = head.clone();
    head.uri = uri.clone();
    let request = Request::from_parts(head, Body::from(body.clone()));
    let (head, body) = call(app, request).await.into_parts();
    let mut transcript = format!("{:?} {}\n", head.version, head.status);
    for (name, value) in &head.headers {
        let value = value.as_bytes().escape_ascii();
        let _ = writeln!(transcript, "{name}: {value}");
    }
    let body = collect(body).await;
    let _ = writeln!(transcript, "\n{}", String::from_utf8_lossy(&body));
    transcript
}

async fn call(app: &Router, request: Request<Body>) -> Response {
    match app.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn collect(body: Body) -> Bytes {
    match axum::body::to_bytes(body, usize::MAX).await {
        Ok(bytes) => bytes,
        Err(error) => panic!("a body could not be read: {error}"),
    }
}

/// Paths like this one that are likely not to be there: with another last segment, or another one
/// before it, of the same length, so that a fallback that prints the path prints as much; and
/// with one more segment, for paths of which every segment is a parameter.
fn neighbours(uri: &Uri) -> Vec<Uri> {
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
    let longer = format!("{}/{}", uri.path().trim_end_matches('/'), random_name(12));
    replaced
        .chain([longer])
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

/// A name that nobody gives a route, nor a router that is nested beside it, whose fallback would
/// answer in other words: letters after a tilde, where there is room for one.
fn random_name(length: usize) -> String {
    let letter = |index| {
        if index == 0 && length > 1 {
            return '~';
        }
        let random = RandomState::new().build_hasher().finish();
        char::from(b'a' + u8::try_from(random % 26).unwrap_or_default())
    };
    (0..length).map(letter).collect()
}
