//! Plain routers without policies, within a guarded one.

use std::panic::Location;
use std::sync::Arc;

use auth_runtime_core::route_pattern::Pattern;
use axum::Router;
use axum::extract::{MatchedPath, NestedPath, Request};
use axum::middleware::{Next, from_fn};

use crate::exchange::fallback::Fallback;
use crate::exchange::fallback_handler::FallbackHandler;
use crate::exchange::matched::Matched;
use crate::exchange::secrecy::uncacheable_if_missing;
use crate::routing::route::nested_path;
use crate::routing::step::{Step, apply, common_steps, split, with_steps};

/// The routes of a plain router, without policies.
#[derive(Clone)]
pub(super) struct Unguarded<S> {
    pub(super) router: Router<S>,
    /// The paths that are served, without the prefix.
    pub(super) paths: Vec<String>,
    pub(super) reason: &'static str,
    /// True if all of its routes are served, unlisted.
    pub(super) is_adopted: bool,
    /// The location in the service's source.
    pub(super) written: &'static Location<'static>,
    /// The prefix; `/` if the router is not nested.
    pub(super) prefix: String,
    pub(super) steps: Vec<Step>,
}

impl<S: Clone + Send + Sync + 'static> Unguarded<S> {
    pub(super) fn with_state<S2>(self, state: &S) -> Unguarded<S2> {
        Unguarded {
            router: self.router.with_state(state.clone()),
            paths: self.paths,
            reason: self.reason,
            is_adopted: self.is_adopted,
            written: self.written,
            prefix: self.prefix,
            steps: self.steps,
        }
    }
}

/// The listed routes of an unguarded router. The others are unknown paths, even if a listed pattern
/// matches them; another unguarded router may list them.
pub(super) fn only_listed(
    unguarded: &Unguarded<()>,
    fallback: &Fallback,
    fallback_steps: &[Step],
) -> Router {
    let common = common_steps(&unguarded.steps, fallback_steps);
    let (inside, around) = split(&unguarded.steps, common);
    let (fallback_inside, _) = split(fallback_steps, common);
    let fallback = with_steps(fallback, fallback_inside);
    let unknown = FallbackHandler::new(Matched::UnknownMethod, &fallback);

    let paths = unguarded.paths.iter();
    let paths = paths.map(|path| Pattern::of(&nested_path(&unguarded.prefix, path)));
    let paths: Arc<[Pattern]> = paths.collect();
    let only_listed = from_fn(move |request: Request, next: Next| {
        let path = request.uri().path();
        let route = route_of(&request);
        let is_listed = paths.iter().any(|listed| {
            // A route that does not take all the listed paths is another one.
            let matches = || route.as_ref().is_none_or(|route| route.covers(listed));
            listed.matches(path) && (listed.is_subtree() || matches())
        });
        let unknown = unknown.clone();
        async move {
            if is_listed {
                uncacheable_if_missing(next.run(request).await)
            } else {
                unknown.respond(request).await
            }
        }
    });
    let router = apply(inside, unguarded.router.clone());
    apply(around, router.layer(only_listed))
}

/// The route that a request matched. axum may put the paths of the routers around in front of it.
fn route_of(request: &Request) -> Option<Pattern> {
    let matched = request.extensions().get::<MatchedPath>()?.as_str();
    let route = Pattern::of(matched);
    if route.hands_on_paths() {
        let around = request.extensions().get::<NestedPath>();
        let around = around.map_or("", |prefix| prefix.as_str().trim_end_matches('/'));
        let own = matched.strip_prefix(around);
        let own = own.filter(|own| own.starts_with('/'));
        return Some(own.map_or(route, Pattern::of));
    }
    // It has as many segments as the path.
    let segments = |path: &str| path.split('/').count();
    let others = segments(matched).saturating_sub(segments(request.uri().path()));
    Some(route.without_first(others))
}
