//! The methods of routers for documented routes.

use auth_runtime_audit::adapter::add_operations;
use auth_runtime_audit::{OpenApiError, internal_openapi, public_openapi};
use auth_runtime_axum::GuardedRouter;
use auth_runtime_core::ProtectionSpace;
use serde::Serialize;
use serde_json::Value;

use crate::routes::{Documentation, Routes};

/// The methods of a [`GuardedRouter`] for documented routes.
pub trait RouterExt<S>: Sized {
    /// Adds handlers by their own methods and paths, made by [`routes!`](crate::routes!).
    ///
    /// # Panics
    ///
    /// Like [`GuardedRouter::route`].
    #[must_use]
    fn routes(self, routes: Routes<S>) -> Self;

    /// Adds the operations and schemas of the routes to `document`, without their policies. Hidden operations are
    /// included: serve the document behind a policy, or pass it to [`public_openapi`].
    ///
    /// # Errors
    ///
    /// If the document is not written as a JSON object, or if two types with different schemas have the same name.
    /// `#[schema(as = …)]` names one of them otherwise.
    fn openapi(&self, document: impl Serialize) -> Result<Value, OpenApiError>;

    /// Adds the operations of the routes to `document`, and writes their policies as
    /// [`public_openapi`] does: hidden operations are left out.
    ///
    /// # Errors
    ///
    /// Like [`openapi`](Self::openapi) and [`public_openapi`]. Two handlers of one name need an
    /// `operation_id`. If a router is nested twice, change the `operationId` in the document of
    /// [`openapi`](Self::openapi), and pass it to [`public_openapi`].
    fn public_openapi(
        &self,
        space: &ProtectionSpace,
        document: impl Serialize,
    ) -> Result<Value, OpenApiError>;

    /// Returns `document` with all operations, hidden ones included, as [`internal_openapi`] writes them. Serve it behind a policy.
    ///
    /// # Errors
    ///
    /// Like [`openapi`](Self::openapi) and [`internal_openapi`].
    fn internal_openapi(
        &self,
        space: &ProtectionSpace,
        document: impl Serialize,
    ) -> Result<Value, OpenApiError>;
}

impl<S: Clone + Send + Sync + 'static> RouterExt<S> for GuardedRouter<S> {
    #[track_caller]
    fn routes(self, routes: Routes<S>) -> Self {
        let routes = routes.routes.into_iter();
        routes.fold(self, |router, (path, methods)| router.route(&path, methods))
    }

    fn openapi(&self, document: impl Serialize) -> Result<Value, OpenApiError> {
        let handlers = self.extensions::<Documentation>();
        add_operations(&document, handlers.map(|(path, it)| (path, &*it.0)))
    }

    fn public_openapi(
        &self,
        space: &ProtectionSpace,
        document: impl Serialize,
    ) -> Result<Value, OpenApiError> {
        public_openapi(&self.access_table(), space, self.openapi(document)?)
    }

    fn internal_openapi(
        &self,
        space: &ProtectionSpace,
        document: impl Serialize,
    ) -> Result<Value, OpenApiError> {
        internal_openapi(&self.access_table(), space, self.openapi(document)?)
    }
}
