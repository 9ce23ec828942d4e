//! The access policies of operations, written into an OpenAPI document.

mod document;
mod error;
mod handler;
mod hiding;
mod objects;
mod operations;
mod places;
mod responses;
mod security;
mod template;
mod writer;

use auth_runtime_core::{AccessTable, ProtectionSpace};
use serde::Serialize;
use serde_json::Value;

pub use self::error::OpenApiError;
pub use self::handler::{HandlerOperations, add_operations};
use self::responses::Audience;
use self::writer::Writer;

/// Writes the access policies of operations into an OpenAPI `document` for the public.
///
/// ```
/// use auth_runtime::routing::get;
/// use auth_runtime::{GuardedRouter, ProtectionSpace, requires};
/// use auth_runtime_audit::public_openapi;
/// use utoipa::OpenApi;
///
/// /// Shows an order.
/// #[requires(scope = "orders:read")]
/// #[utoipa::path(get, path = "/orders/{id}", params(("id" = u64, Path)),
///     responses((status = 200, body = String)))]
/// async fn show() -> &'static str {
///     "an order"
/// }
///
/// #[derive(OpenApi)]
/// #[openapi(paths(show))]
/// struct Orders;
///
/// # fn document(space: &ProtectionSpace) -> Result<(), Box<dyn std::error::Error>> {
/// let routes: GuardedRouter = GuardedRouter::new().route("/orders/{id}", get(show));
/// let document = public_openapi(&routes.access_table(), space, Orders::openapi())?;
/// let text = format!("{document:#}");
/// # assert!(text.contains("orders:read"));
/// # Ok(())
/// # }
/// # let bearer = auth_runtime::schemes::Bearer::new(async |_| auth_runtime::Caller::rejected());
/// # let space = ProtectionSpace::builder().realm("api").scheme(bearer).build().unwrap();
/// # document(&space).unwrap();
/// ```
///
/// The document is JSON, or a type of any library that `serde` writes as such, as those of utoipa 5 and 6. Its
/// version is 3.1 or later, since in OpenAPI 3.0 only OAuth schemes have scopes, and no scheme is a client certificate.
/// The result is JSON. `SwaggerUi::external_url_unchecked` serves it, and [`serde_json::from_value`] makes a type of the
/// library of it.
///
/// Each operation receives
///
/// - its `security`: one alternative for each way to meet the policy and each accepted scheme,
///   with the scopes that this way requires; `[]` for a public handler, and `{}` among the
///   others if a network alone is sufficient;
/// - the responses of denials: 400, 401, 403 and 503, each only if the policy makes it
///   possible, with their fields and their body. The body is left out if the space
///   [renders](auth_runtime_core::ProtectionSpaceBuilder::render) its own. The text of a 403 states the
///   requirement with roles and permissions, but without the names of functions and networks. Missing scopes
///   are a 401 for callers with a [token server](auth_runtime_core::Scheme::has_token_server). The document
///   describes a service with the settings of `space`, and names none of them;
/// - the extension `x-authorization`, if the policy has `can`: each action and its object, in the form of
///   [AuthZEN's evaluations](https://openid.net/specs/authorization-api-1_0.html), with the document's names
///   of path parameters. The 403 states which of them are alternatives.
///
/// ```json
/// "x-authorization": {
///   "evaluations": [
///     { "action": { "name": "update" }, "resource": { "type": "Repository", "id": "{owner}/{repo}" } }
///   ]
/// }
/// ```
///
/// The schemes of these alternatives are written into `components` under their own names, or those of
/// [`openapi_name`](auth_runtime_core::ProtectionSpaceBuilder::openapi_name): as
/// `http`, or as `apiKey` in the field, the cookie or the parameter that the space reads. A
/// scheme that was written by hand is kept if it is the same. For an OAuth scheme it is also
/// kept if it describes the source of the tokens (`oauth2`, `openIdConnect`). If a client
/// certificate meets `sender_constrained`, the alternative names `MutualTLS` as well. Schemes
/// that many tools do not know as `http`, such as DPoP, are an `apiKey` in `Authorization`.
///
/// # Hidden operations
///
/// Hidden operations are left out, and so are the schemas, tags, links and schemes that only they
/// use: a document that names a hidden path discloses it. [`internal_openapi`] includes them, for
/// readers with access to the whole table. Other parts of the document (its description, the scopes
/// of an `oauth2` scheme, extensions) are not changed.
///
/// # The document and the router
///
/// Paths are compared without the names of their parameters. OpenAPI has no wildcard, so
/// `{*rest}` becomes `{rest}`, and cannot be documented beside `{id}` in the same place. The
/// paths of the table start at its router. To document a router that is nested in another one,
/// use the table of the nested router, and give the prefix in `servers`. A route without an
/// operation is not documented.
///
/// An operation without a route is kept unchanged if an unguarded router may respond to it,
/// since the table has no routes below the prefix of such a router. Therefore an operation that
/// lacks the prefix of its nested route is published without its policy, unless its
/// `operation_id` names a hidden handler. Nest unguarded routers under a prefix of their own.
///
/// If a policy has more than 64 alternatives, the shortest 64 are written. Redirects to a login page (303), the response
/// to credentials of more than 16 KiB in a field (431), and denials by
/// [`Guard::permit`](auth_runtime_axum::Guard::permit) that the policy itself cannot cause are not written.
///
/// # Errors
///
/// [`OpenApiError`] lists an earlier version than 3.1, every operation without a route, every `security` or scheme that was
/// written by hand and differs from the policy or the space, every policy that no scheme of
/// `space` can meet, and every `operationId` of several operations. Call it in a test, so that the documentation always matches the enforced
/// policies.
pub fn public_openapi(
    table: &AccessTable,
    space: &ProtectionSpace,
    document: impl Serialize,
) -> Result<Value, OpenApiError> {
    Writer::new(table, space.for_adapters(), Audience::Public).write(&document)
}

/// Writes a document with the hidden operations too, for readers with access to the whole
/// table.
///
/// Serve it behind a policy of its own, or not at all.
///
/// ```
/// # use auth_runtime::{GuardedRouter, ProtectionSpace};
/// # use auth_runtime_audit::OpenApiError;
/// use auth_runtime_audit::internal_openapi;
/// use serde_json::{Value, json};
///
/// /// For a scanner that tries every route as every caller.
/// fn everything(routes: &GuardedRouter, space: &ProtectionSpace) -> Result<Value, OpenApiError> {
///     let empty = json!({ "openapi": "3.1.0", "info": { "title": "Orders", "version": "1" }, "paths": {} });
///     internal_openapi(&routes.access_table(), space, empty)
/// }
/// ```
///
/// In addition to the content of [`public_openapi`](public_openapi), it has
///
/// - the hidden operations, with the responses to their denials: 404, and 401 and 403 if these
///   are visible;
/// - an operation for each route that has none in the document, with its security only. So the
///   document is complete even if `document` is empty, which is sufficient for tools that test
///   access control;
/// - the extension `x-access` in each operation: the `policy` as written, the `handler`, and
///   whether it is `hidden`; or the `unguarded_reason`.
///
/// Services for all methods or all paths, and `CONNECT`, have no operation unless one is
/// written by hand. Neither has a wildcard (`/files/{*rest}`) beside a parameter in its place
/// (`/files/{id}`), which OpenAPI cannot distinguish.
///
/// # Errors
///
/// The same as [`public_openapi`](public_openapi).
pub fn internal_openapi(
    table: &AccessTable,
    space: &ProtectionSpace,
    document: impl Serialize,
) -> Result<Value, OpenApiError> {
    Writer::new(table, space.for_adapters(), Audience::Insiders).write(&document)
}
