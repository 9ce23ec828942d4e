//! Handlers with their methods, paths and operations.

use std::sync::Arc;

use auth_runtime_audit::adapter::HandlerOperations;
use auth_runtime_axum::routing::{GuardedMethodRouter, GuardedParameters, TakesGuard, on};
use axum::routing::MethodFilter;
use http::Method;
use serde::Serialize;

/// The operations of a handler, as attached to its routes.
#[derive(Clone)]
pub(crate) struct Documentation(pub(crate) Arc<HandlerOperations>);

/// Handlers on the methods and paths of their `#[utoipa::path]`, made by [`routes!`](crate::routes!).
#[derive(Clone, Debug)]
#[must_use]
pub struct Routes<S = ()> {
    pub(crate) routes: Vec<(String, GuardedMethodRouter<S>)>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// Creates an empty list.
    pub fn new() -> Self {
        Self { routes: Vec::new() }
    }

    /// Adds a handler with its document, which has one path. [`routes!`](crate::routes!) calls it.
    ///
    /// # Panics
    ///
    /// If axum has no filter for the method of an operation, such as `QUERY`, or if the document
    /// is not written as a JSON object.
    #[track_caller]
    pub fn handler<H, T, M>(mut self, document: impl Serialize, handler: H) -> Self
    where
        H: TakesGuard<T>,
        T: GuardedParameters<H, S, M>,
        M: 'static,
    {
        let operations = HandlerOperations::of(&document);
        assert!(operations.is_ok(), "the document of a handler is not JSON");
        let Ok(operations) = operations else {
            return self;
        };
        let documentation = Documentation(Arc::new(operations));
        for (path, methods) in documentation.0.routes() {
            let filters = methods.iter().map(|method| filter_of(method));
            let Some(filter) = filters.reduce(MethodFilter::or) else {
                continue;
            };
            let path = if path.is_empty() {
                "/".to_owned()
            } else {
                path
            };
            let methods = on(filter, handler.clone()).with_extension(documentation.clone());
            self.routes.push((path, methods));
        }
        self
    }

    /// Changes each handler, for example to add a layer.
    ///
    /// ```
    /// use auth_runtime::{GuardedRouter, public};
    /// use auth_runtime_utoipa::{RouterExt, routes};
    /// use axum::extract::DefaultBodyLimit;
    ///
    /// #[public(reason = "everybody may write")]
    /// #[utoipa::path(post, path = "/notes")]
    /// async fn write() {}
    ///
    /// let notes = routes!(write).map(|methods| methods.layer(DefaultBodyLimit::max(1024)));
    /// let router: GuardedRouter = GuardedRouter::new().routes(notes);
    /// ```
    pub fn map(self, change: impl Fn(GuardedMethodRouter<S>) -> GuardedMethodRouter<S>) -> Self {
        let routes = self.routes.into_iter();
        Self {
            routes: routes
                .map(|(path, methods)| (path, change(methods)))
                .collect(),
        }
    }
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self::new()
    }
}

#[track_caller]
fn filter_of(method: &str) -> MethodFilter {
    let parsed = Method::from_bytes(method.as_bytes()).ok();
    let filter = parsed.and_then(|method| MethodFilter::try_from(method).ok());
    assert!(filter.is_some(), "axum has no filter for `{method}`");
    filter.unwrap_or(MethodFilter::GET)
}

/// Collects handlers with `#[utoipa::path]`, for [`RouterExt::routes`](crate::RouterExt::routes). Each
/// is routed by its own method and path. A handler without a policy does not compile.
///
/// ```
/// use auth_runtime::{GuardedRouter, requires};
/// use auth_runtime_utoipa::{RouterExt, routes};
///
/// mod orders {
///     #[auth_runtime::requires(scope = "orders:read")]
///     #[utoipa::path(get, path = "/orders")]
///     pub async fn list() {}
/// }
///
/// #[requires(scope = "orders:write")]
/// #[utoipa::path(delete, path = "/orders/{id}", params(("id" = u64, Path)))]
/// async fn remove() {}
///
/// let router: GuardedRouter = GuardedRouter::new().routes(routes!(orders::list, remove));
/// assert_eq!(router.access_table().rows().len(), 2);
/// ```
///
/// ```compile_fail
/// use auth_runtime::GuardedRouter;
/// use auth_runtime_utoipa::{RouterExt, routes};
///
/// #[utoipa::path(get, path = "/orders")]
/// async fn list() {}
///
/// // error: handler has no access policy [AUTH0036]
/// let router: GuardedRouter = GuardedRouter::new().routes(routes!(list));
/// ```
#[macro_export]
macro_rules! routes {
    ($($first:ident $(:: $rest:ident)*),+ $(,)?) => {
        $crate::Routes::new()
            $(.handler(
                {
                    #[derive(utoipa::OpenApi)]
                    #[openapi(paths($first $(:: $rest)*))]
                    struct Operation;
                    <Operation as utoipa::OpenApi>::openapi()
                },
                $first $(:: $rest)*,
            ))+
    };
}
