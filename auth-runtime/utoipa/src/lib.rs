//! Routes and their OpenAPI operations in one call, for services that describe their handlers with
//! [`utoipa`](https://docs.rs/utoipa).
//!
//! [`routes!`] and [`RouterExt`] correspond to `routes!` and `OpenApiRouter` of `utoipa-axum`, on a
//! [`GuardedRouter`]. The method and the path of a handler are written once, in `#[utoipa::path]`. The
//! document has the paths as they are routed, prefixes included, and the security and the responses
//! of the access policies, which [`auth_runtime_audit`] writes.
//!
//! ```
//! use auth_runtime::{Caller, GuardedRouter, ProtectionSpace, requires};
//! use auth_runtime_utoipa::{RouterExt, routes};
//! use utoipa::OpenApi;
//!
//! /// Lists the orders.
//! #[requires(scope = "orders:read")]
//! #[utoipa::path(get, path = "/orders", responses((status = 200, body = String)))]
//! async fn list() -> &'static str {
//!     "no orders"
//! }
//!
//! /// Places an order.
//! #[requires(scope = "orders:write")]
//! #[utoipa::path(post, path = "/orders")]
//! async fn add() {}
//!
//! #[derive(OpenApi)]
//! #[openapi(info(title = "Shop"))]
//! struct Shop;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let orders: GuardedRouter = GuardedRouter::new().routes(routes!(list, add));
//! let routes = GuardedRouter::new().nest("/v1", orders);
//! # let bearer = auth_runtime::schemes::Bearer::new(async |_| Caller::rejected());
//! # let builder = ProtectionSpace::builder().realm("shop").scheme(bearer);
//! let space = builder.openapi_name("Bearer", "access_token").build()?;
//! let document = routes.public_openapi(&space, Shop::openapi())?;
//! let app = routes.protect(space)?;
//!
//! let json = document.to_string();
//! assert!(json.contains("/v1/orders") && json.contains("access_token"));
//! # Ok(())
//! # }
//! ```
//!
//! The package has no version of `utoipa` of its own: `routes!` expands to the one that the service depends on, 5 or
//! 6, by the name `utoipa`. The documents are JSON, which `SwaggerUi::external_url_unchecked` of
//! `utoipa-swagger-ui` and `Scalar::with_url` of `utoipa-scalar` take.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod router_ext;
mod routes;

pub use auth_runtime_audit::OpenApiError;
#[cfg(doc)]
use auth_runtime_axum::GuardedRouter;

pub use crate::router_ext::RouterExt;
pub use crate::routes::Routes;
