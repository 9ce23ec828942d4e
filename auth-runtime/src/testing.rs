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
//! Cargo builds a package's examples with its development dependencies, too: with this one they do not
//! build with `--release`. Then tests or examples belong into a package of their own.
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

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::request::Parts;
use http::{Extensions, Request, Uri};
use tower::Service;

use crate::caller::Caller;
use crate::identity::Identity;
use crate::lookalike::{App, call, fallback_of, neighbours, same_but_for_the_path, transcript};
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

/// Asserts that nobody who sends `request` to `app` can tell its path from one that is not there.
///
/// Sends the request, and then the same request to a path beside it that is not routed, and
/// compares status, fields with their order and values, and body. Where the service's fallback
/// prints the path, the two may differ in just that.
///
/// `app` is a [`ProtectedRouter`](crate::ProtectedRouter), or an application around one.
///
/// # Panics
///
/// If the two answers differ; if the path of `request` is itself not routed, so that there is
/// nothing to hide; or if no path beside it is free.
pub async fn assert_hidden<A>(app: A, request: Request<Body>)
where
    A: Service<Request<Body>, Response = Response, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    A::Future: Send,
{
    let app = App::new(app);
    let (head, body) = request.into_parts();
    let body = collect(body).await;
    assert!(
        fallback_of(&app, &head.uri).await.is_none(),
        "no route matches {}, so there is nothing there to hide",
        head.uri
    );
    for uri in neighbours(&head.uri) {
        if fallback_of(&app, &uri).await.is_none() {
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

/// The whole answer, as text.
async fn send(app: &App, head: &Parts, uri: &Uri, body: &Bytes) -> String {
    let mut head = head.clone();
    head.uri = uri.clone();
    let request = Request::from_parts(head, Body::from(body.clone()));
    let (head, body) = call(app, request).await.into_parts();
    transcript(&head, &collect(body).await)
}

async fn collect(body: Body) -> Bytes {
    match axum::body::to_bytes(body, usize::MAX).await {
        Ok(bytes) => bytes,
        Err(error) => panic!("a body could not be read: {error}"),
    }
}
