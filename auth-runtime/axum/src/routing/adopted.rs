//! Plain routers of a service that moves to guarded routers one file at a time.

use auth_runtime_core::route_pattern::{Piece, pieces};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};

use crate::exchange::response::response_now;
use crate::routing::route::Extent;
use crate::routing::router::GuardedRouter;
use crate::routing::unguarded::Unguarded;

impl<S: Clone + Send + Sync + 'static> GuardedRouter<S> {
    /// Adds all routes of a plain axum router, without policies and with a reason, while a service
    /// moves to guarded routers. [`protect`](Self::protect) rejects an empty reason.
    ///
    /// ```
    /// use auth_runtime::routing::get;
    /// use auth_runtime::{GuardedRouter, requires};
    /// use axum::Router;
    ///
    /// #[requires(scope = "users:read")]
    /// async fn users() -> &'static str {
    ///     "ada"
    /// }
    ///
    /// fn orders() -> Router {
    ///     Router::new().route("/orders", axum::routing::get(async || "none"))
    /// }
    ///
    /// let router: GuardedRouter = GuardedRouter::new()
    ///     .route("/users", get(users))
    ///     .adopt(orders(), "its handlers check the session themselves");
    /// ```
    ///
    /// The access table and `access.lock` have one row for the router, `/*`, since axum does not
    /// disclose its routes. `cargo auth check --progress` counts them in the sources. A router that
    /// stays plain is added by [`merge_unguarded`](Self::merge_unguarded), which lists its paths.
    ///
    /// The fallback of the plain router is dropped, with those of routers that are nested in it, so that
    /// all unknown paths have the same response. [`protect`](Self::protect) rejects an adopted router with a
    /// route that also matches a hidden path, such as `/{page}` beside the hidden path `/admin`: the response of
    /// this route to other paths would distinguish the hidden one. It tests one path for each hidden pattern: it
    /// does not find `/{section}/list` beside the hidden `/admin/{id}`. Guard such routes first.
    #[track_caller]
    pub fn adopt(self, router: Router<S>, reason: &'static str) -> Self {
        self.add_unguarded(reason, &["/*"], router, true)
    }
}

/// Returns the hidden paths that a route of an adopted router matches as well.
pub(super) fn matched_paths(router: &GuardedRouter, adopted: &Unguarded<()>) -> Vec<String> {
    if !adopted.router.has_routes() {
        return Vec::new();
    }
    let plain = adopted.router.clone().route_layer(from_fn(matched));
    let plain = match adopted.prefix.as_str() {
        "/" => plain,
        prefix => Router::new().nest(prefix, plain),
    };
    let hidden = router
        .routes
        .iter()
        .filter(|route| route.endpoint.policy.is_hidden());
    let mut paths: Vec<_> = hidden
        .filter(|route| {
            let path = sample(&route.full_path);
            let below = format!("{}/{OTHER}", path.trim_end_matches('/'));
            matches(&plain, &path) || route.extent == Extent::Subtree && matches(&plain, &below)
        })
        .map(|route| route.full_path.clone())
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

/// A mark in a response: a route matched.
#[derive(Clone)]
struct RouteMark;

/// Responds in place of every route, so that no handler and no layer runs.
async fn matched(_: Request, _: Next) -> Response {
    let mut response = ().into_response();
    response.extensions_mut().insert(RouteMark);
    response
}

/// Returns whether a route of a router that responds with [`matched`] matches a path.
fn matches(router: &Router, path: &str) -> bool {
    let Ok(request) = Request::builder().uri(path).body(Body::empty()) else {
        return false;
    };
    // Nothing in the response is awaited.
    let response = response_now(router.clone(), request);
    response.is_none_or(|response| response.extensions().get::<RouteMark>().is_some())
}

/// A segment that no literal route has.
const OTHER: &str = "zzzzzzzz";

/// Returns a path that a pattern matches.
fn sample(pattern: &str) -> String {
    let pieces = pieces(pattern).into_iter();
    pieces
        .map(|piece| match piece {
            Piece::Literal(text) => text,
            Piece::Parameter(_) => OTHER,
        })
        .collect()
}
