//! Typed paths of [`axum_extra`] on the routers of `auth-runtime`.
//!
//! [`RouterExt`] corresponds to [`axum_extra::routing::RouterExt`]. The path is written in the type of
//! the handler's first parameter, or of the second one if the first is the guard. `route_with_tsr` has no counterpart,
//! since its redirect shows that a hidden path exists: `NormalizePathLayer::trim_trailing_slash` around the protected
//! router serves `/admin/` as `/admin`, hidden or not.
//!
//! ```
//! use auth_runtime::{Guard, GuardedRouter, requires};
//! use auth_runtime_axum_extra::RouterExt;
//! use axum_extra::routing::TypedPath;
//! use serde::Deserialize;
//!
//! #[derive(TypedPath, Deserialize)]
//! #[typed_path("/orders/{id}")]
//! struct Order {
//!     id: u64,
//! }
//!
//! #[requires(scope = "orders:read")]
//! async fn show(Order { id }: Order) -> String {
//!     format!("order {id}")
//! }
//!
//! #[requires(scope = "orders:write")]
//! async fn cancel(guard: Guard, Order { id }: Order) -> String {
//!     format!("{} cancelled {id}", guard.identity().subject())
//! }
//!
//! let router: GuardedRouter = GuardedRouter::new().typed_get(show).typed_delete(cancel);
//! assert_eq!(router.access_table().rows()[0].path(), "/orders/{id}");
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

use auth_runtime_axum::GuardedRouter;
use auth_runtime_axum::routing::{self, GuardedParameters, TakesGuard};
use axum_extra::routing::{SecondElementIs, TypedPath};

macro_rules! typed_methods {
    ($($typed:ident $function:ident $method:ident)*) => {
        /// The methods of a [`GuardedRouter`] for handlers with a [`TypedPath`].
        ///
        /// # Panics
        ///
        /// Like [`GuardedRouter::route`], if the path of the type is invalid.
        pub trait RouterExt<S>: Sized {
            $(
                #[doc = concat!(
                    "Routes `", stringify!($method), "` of the path of `P` to a handler with a policy."
                )]
                #[must_use]
                fn $typed<H, T, M, P>(self, handler: H) -> Self
                where
                    H: TakesGuard<T>,
                    T: GuardedParameters<H, S, M> + SecondElementIs<P>,
                    P: TypedPath,
                    M: 'static;
            )*
        }

        impl<S: Clone + Send + Sync + 'static> RouterExt<S> for GuardedRouter<S> {
            $(
                #[track_caller]
                fn $typed<H, T, M, P>(self, handler: H) -> Self
                where
                    H: TakesGuard<T>,
                    T: GuardedParameters<H, S, M> + SecondElementIs<P>,
                    P: TypedPath,
                    M: 'static,
                {
                    self.route(P::PATH, routing::$function(handler))
                }
            )*
        }
    };
}

typed_methods! {
    typed_connect connect CONNECT
    typed_delete delete DELETE
    typed_get get GET
    typed_head head HEAD
    typed_options options OPTIONS
    typed_patch patch PATCH
    typed_post post POST
    typed_put put PUT
    typed_trace trace TRACE
}
