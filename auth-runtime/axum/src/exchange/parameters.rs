//! The parameters of a route, which are private to axum.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::{OriginalUri, Request};
use axum::response::IntoResponse;
use http::Extensions;

use crate::exchange::response::response_now;

/// The value that axum adds to a request without parameters: to one that it routes to a fallback.
static NO_PARAMETERS: LazyLock<Extensions> = LazyLock::new(|| {
    let routed = tower::service_fn(async |request: Request| {
        let mut response = ().into_response();
        *response.extensions_mut() = request.into_parts().0.extensions;
        Ok(response)
    });
    // unguarded: it receives no request of a client
    let router = Router::new().fallback_service(routed);
    let response = response_now(router, Request::default());
    let mut extensions = response.map_or_else(Extensions::new, |it| it.into_parts().0.extensions);
    extensions.remove::<OriginalUri>();
    extensions
});

/// Removes the parameters. axum appends those of a further route, so a fallback would receive them beside its own.
pub(super) fn strip_parameters(request: &mut Request) {
    request.extensions_mut().extend(NO_PARAMETERS.clone());
}
