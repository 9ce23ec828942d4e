//! The parameters of a route, which are private to axum.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::{MatchedPath, OriginalUri, Request};
use axum::response::IntoResponse;
use http::Extensions;

use crate::exchange::response::response_now;

/// The value that axum adds to a request whose route has no parameters.
static NO_PARAMETERS: LazyLock<Extensions> = LazyLock::new(|| {
    let routed = tower::service_fn(async |request: Request| {
        let mut response = ().into_response();
        *response.extensions_mut() = request.into_parts().0.extensions;
        Ok(response)
    });
    // unguarded: it receives no request of a client
    let router = Router::new().route_service("/", routed);
    let response = response_now(router, Request::default());
    let mut extensions = response.map_or_else(Extensions::new, |it| it.into_parts().0.extensions);
    extensions.remove::<OriginalUri>();
    extensions.remove::<MatchedPath>();
    extensions
});

/// Removes the parameters. axum appends those of a further route, so a fallback would receive them beside its own.
pub(super) fn strip_parameters(request: &mut Request) {
    request.extensions_mut().extend(NO_PARAMETERS.clone());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without it, parameters would remain, and no other test would notice a version of axum that adds none.
    #[test]
    fn axum_adds_a_value_without_parameters() {
        assert_eq!(NO_PARAMETERS.len(), 1);
    }
}
