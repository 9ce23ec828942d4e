//! Support for tests: requests from chosen callers, and the comparison of hidden with unknown
//! paths.
//!
//! Requires the feature `testing`, which must not be part of a release. In a build without debug
//! assertions it is a compile error, so that listing it in `[dependencies]` by mistake fails the
//! first release build. (To test or benchmark optimised code, pass `--cfg auth_testing_in_release`
//! in `RUSTFLAGS`; nothing else disables the check.) List it under `[dev-dependencies]`:
//!
//! ```toml
//! [dev-dependencies]
//! # Not published yet: the same path as in `[dependencies]`.
//! auth-runtime = { path = "…/auth-runtime", features = ["testing"] }
//! ```
//!
//! Cargo builds the examples of a package with its development dependencies, too. With this feature
//! they do not build with `--release`; move the tests or the examples to a package of their own.
//!
//! ```
//! use auth_runtime::routing::get;
//! use auth_runtime::testing::{assert_hidden, space, with_identity};
//! use auth_runtime::{GuardedRouter, Identity, requires};
//! use axum::{body::Body, http::Request};
//! use tower::ServiceExt;
//!
//! #[requires(role = "admin", hide_as = 404)]
//! async fn dashboard() -> &'static str {
//!     "all is well"
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let app = GuardedRouter::new().route("/admin", get(dashboard)).protect(space())?;
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
    "the feature `testing` of `auth-runtime` grants access without credentials, and this build \
     has no debug assertions: move the feature to `[dev-dependencies]`"
);

use std::convert::Infallible;

use auth_runtime_core::adapter::UserType;
use auth_runtime_core::{
    Caller, Credentials, Identity, ProtectionSpace, ProtectionSpaceBuilder, Scheme, Verification,
};
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::{Extension, Router};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, COOKIE};
use http::request::Parts;
use http::{Extensions, Request, Uri};
use tower::Service;

use crate::indistinguishable::{
    App, call, fallback_of, neighbours, same_but_for_the_path, transcript,
};

/// Returns a protection space without real schemes. [`with_identity`] and [`with_caller`] set the callers.
///
/// It accepts the built-in schemes by their names, and provides users of every type. It rejects all
/// credentials of requests. Its challenges have a realm, and no errors. A scheme with a name that the service chose,
/// such as by [`Tokens`](https://docs.rs/auth-runtime/latest/auth_runtime/schemes/struct.Tokens.html) or
/// `scheme_name`, is added to [`space_builder`].
pub fn space() -> ProtectionSpace {
    match space_builder().build() {
        Ok(space) => space,
        Err(error) => panic!("{error}"),
    }
}

/// Returns the builder of the space that [`space`] returns, to which a test adds the decision point, values
/// of settings, or a scheme that a policy names and that is not built in.
///
/// ```
/// use auth_runtime::objects::DecisionPoint;
/// use auth_runtime::testing::space_builder;
/// use auth_runtime::{ProtectionSpace, SpaceError};
///
/// fn space(rules: impl DecisionPoint) -> Result<ProtectionSpace, SpaceError> {
///     space_builder().decision_point(rules).build()
/// }
/// ```
pub fn space_builder() -> ProtectionSpaceBuilder {
    let builder = ProtectionSpace::builder().realm("test");
    SCHEMES
        .iter()
        .fold(builder, |builder, name| builder.scheme(AnyScheme(name)))
}

/// Adds `space` to a plain axum `Router`, so that its handlers with a policy decide by it.
///
/// ```
/// use auth_runtime::testing::{guarded, space, with_identity};
/// use auth_runtime::{Identity, requires};
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use tower::ServiceExt;
///
/// #[requires(scope = "reports:read")]
/// async fn reports() -> &'static str {
///     "the reports"
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let app = guarded(Router::new().route("/reports", get(reports)), space());
/// let ann = Identity::new("ann").with_scopes(["reports:read"]);
/// let request = with_identity(Request::get("/reports").body(Body::empty())?, ann);
/// assert_eq!(app.oneshot(request).await?.status(), 200);
/// # Ok(())
/// # }
/// ```
pub fn guarded(router: Router, space: ProtectionSpace) -> Router {
    router.layer(Extension(space))
}

/// The names of the built-in schemes, Bearer first.
const SCHEMES: [&str; 11] = [
    "Bearer",
    "DPoP",
    "Basic",
    "Digest",
    "Cookie",
    "ApiKey",
    "JWT",
    "SignedUrl",
    "Webhook",
    "Proxy",
    "MutualTLS",
];

/// A scheme in place of a real one of that name.
struct AnyScheme(&'static str);

impl AnyScheme {
    fn is_one_of(&self, names: &[&str]) -> bool {
        names.contains(&self.0)
    }
}

impl Scheme for AnyScheme {
    fn name(&self) -> &str {
        self.0
    }

    fn verify(&self, _: &Credentials<'_>) -> Verification {
        Verification::done(Caller::rejected())
    }

    fn has_challenge(&self) -> bool {
        self.0 != "SignedUrl"
    }

    fn is_oauth(&self) -> bool {
        self.is_one_of(&["Bearer", "DPoP"])
    }

    fn constrains_sender(&self) -> bool {
        self.is_one_of(&["Bearer", "DPoP", "MutualTLS"])
    }

    fn supports_step_up(&self) -> bool {
        self.is_one_of(&["Bearer", "DPoP", "Cookie", "JWT"])
    }

    fn provides_user(&self, _: UserType) -> bool {
        true
    }
}

/// Sets the caller of `request` to `identity`, regardless of its credentials.
///
/// The caller counts as using the first OAuth scheme that the handler accepts, or else the first
/// accepted scheme. The identity is stored in the extensions of the request, which no network
/// client can set.
pub fn with_identity<B>(request: Request<B>, identity: Identity) -> Request<B> {
    with_caller(request, Caller::known(identity))
}

/// Sets the caller of `request` to `caller`, such as one with an expired token or an unavailable
/// verifier.
pub fn with_caller<B>(mut request: Request<B>, caller: Caller) -> Request<B> {
    request.extensions_mut().insert(StandIn(caller));
    request
}

#[derive(Clone)]
struct StandIn(Caller);

/// The caller that the test set, if it set one.
pub(crate) fn stand_in(extensions: &Extensions) -> Option<&Caller> {
    let StandIn(caller) = extensions.get()?;
    Some(caller)
}

/// Asserts that the response to `request` does not distinguish its path from an unknown path.
///
/// Sends the request, and before and after it the same request to an adjacent path without a route.
/// Compares status, fields with their order and values, and body. The response has to equal one of the
/// other two, since a second may pass between responses that print the time, such as that of an expired
/// cookie. They may differ in the path itself, if the service's fallback prints it.
///
/// `app` is a [`ProtectedRouter`](crate::ProtectedRouter), or an application around one.
///
/// # Panics
///
/// If the responses differ; if no route matches the path of `request`, so that nothing is hidden;
/// or if each adjacent path has a route, or a layer around the router responds there.
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
    let question = without_credentials(head.clone());
    assert!(
        fallback_of(&app, question.clone(), &head.uri)
            .await
            .is_none(),
        "no route matches {}, so nothing is hidden there",
        head.uri
    );
    for uri in neighbours(&head.uri) {
        if fallback_of(&app, question.clone(), &uri).await.is_none() {
            continue;
        }
        let before = send(&app, &head, &uri, &body).await;
        let subject = send(&app, &head, &head.uri, &body).await;
        let after = send(&app, &head, &uri, &body).await;
        let is_like = |unknown| same_but_for_the_path((&subject, &head.uri), (unknown, &uri));
        assert!(
            is_like(&before) || is_like(&after),
            "{} {} differs from an unknown path.\n\nits response:\n{subject}\nthe response of \
             {uri}, an unknown path:\n{after}",
            head.method,
            head.uri,
        );
        return;
    }
    panic!(
        "every path beside {} is routed, or a layer responds there, so it cannot be compared",
        head.uri
    );
}

/// The head of a request that asks for the fallback of a path: with the fields and extensions that layers around the
/// router need, without credentials and body.
fn without_credentials(mut head: Parts) -> Parts {
    for name in [AUTHORIZATION, COOKIE, CONTENT_LENGTH] {
        head.headers.remove(name);
    }
    head.extensions.remove::<StandIn>();
    head
}

/// The whole response, as text.
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
