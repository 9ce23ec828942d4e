//! The access policies of operations, written into an OpenAPI document.

mod error;
mod hiding;
mod objects;
mod operations;
mod places;
mod responses;
mod security;
mod template;

use std::collections::{BTreeMap, BTreeSet};

use auth_runtime_core::adapter::Offered;
use auth_runtime_core::{AccessRow, AccessTable, HandlerLocation, ProtectionSpace, RouteKind};
use auth_runtime_policy::Policy;
use serde_json::{Value, json};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityScheme;
use utoipa::openapi::{
    Components, OpenApi, PathItem, Paths, RefOr, Required, Response, SecurityRequirement,
};

use self::error::Mistake;
pub use self::error::OpenApiError;
use self::places::Places;
use self::responses::{Audience, Circumstances};
use self::template::Template;

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
/// let json = document.to_pretty_json()?;
/// # assert!(json.contains("orders:read"));
/// # Ok(())
/// # }
/// # let bearer = auth_runtime::schemes::Bearer::new(async |_| auth_runtime::Caller::rejected());
/// # let space = ProtectionSpace::builder().realm("api").scheme(bearer).build().unwrap();
/// # document(&space).unwrap();
/// ```
///
/// Each operation receives
///
/// - its `security`: one alternative for each way to meet the policy and each accepted scheme,
///   with the scopes that this way requires; `[]` for a public handler, and `{}` among the
///   others if a network alone is sufficient;
/// - the responses of denials: 400, 401, 403 and 503, each only if the policy makes it
///   possible, with their fields and their body. The body is left out if the space
///   [renders](auth_runtime_core::ProtectionSpaceBuilder::render) its own. The text of a 403 states the
///   requirement with roles and permissions, but without the names of checks and networks. The document
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
/// that `utoipa` has no name for, such as DPoP, are an `apiKey` in `Authorization`.
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
/// Of a policy with more than 64 ways, the shortest 64 are written. Not written are redirects
/// to a login page (303), and denials by [`Guard::permit`](auth_runtime_axum::Guard::permit) that the
/// policy itself cannot cause.
///
/// # Errors
///
/// [`OpenApiError`] lists every operation without a route, every `security` or scheme that was
/// written by hand and differs from the policy or the space, and every policy that no scheme of
/// `space` can meet. Call it in a test, so that the documentation always matches the enforced
/// policies.
pub fn public_openapi(
    table: &AccessTable,
    space: &ProtectionSpace,
    document: OpenApi,
) -> Result<OpenApi, OpenApiError> {
    Writer::new(table, space, Audience::Everybody).write(document)
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
/// use utoipa::openapi::{Info, OpenApi, Paths};
///
/// /// For a scanner that tries every route as every caller.
/// fn everything(routes: &GuardedRouter, space: &ProtectionSpace) -> Result<OpenApi, OpenApiError> {
///     let empty = OpenApi::new(Info::new("Orders", "1"), Paths::new());
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
    document: OpenApi,
) -> Result<OpenApi, OpenApiError> {
    Writer::new(table, space, Audience::Insiders).write(document)
}

/// Writes a table into a document.
struct Writer<'a> {
    table: &'a AccessTable,
    places: Places<'a>,
    space: &'a ProtectionSpace,
    audience: Audience,
    mistakes: Vec<Mistake>,
    /// The schemes of the operations that were left out.
    only_hidden: BTreeSet<String>,
    /// The components that the written operations refer to.
    needs: Needs,
}

#[derive(Default)]
struct Needs {
    schemes: BTreeSet<String>,
    responses: BTreeMap<&'static str, Response>,
    /// True if the built-in body is one of them.
    body: bool,
}

/// An operation, as named in errors.
#[derive(Clone, Copy)]
struct Name<'n> {
    method: &'n str,
    path: &'n str,
}

impl<'a> Writer<'a> {
    fn new(table: &'a AccessTable, space: &'a ProtectionSpace, audience: Audience) -> Self {
        Self {
            table,
            places: Places::of(table),
            space,
            audience,
            mistakes: Vec::new(),
            only_hidden: BTreeSet::new(),
            needs: Needs::default(),
        }
    }

    fn write(mut self, mut document: OpenApi) -> Result<OpenApi, OpenApiError> {
        match self.audience {
            Audience::Everybody => {
                let places = &self.places;
                let mut left_out = Vec::new();
                hiding::leave_out(&mut document, &mut |path, method| {
                    let row = places.find(path, method).filter(|row| row.is_hidden());
                    left_out.extend(row);
                    row.is_some()
                });
                let offered = left_out.into_iter().filter_map(AccessRow::policy);
                let offered = offered.flat_map(|policy| self.space.offered_to(policy));
                let offered = offered.flat_map(security::with_application);
                self.only_hidden = offered.map(|scheme| scheme.key.to_owned()).collect();
            }
            Audience::Insiders => self.complete(&mut document.paths),
        }
        for (path, item) in &mut document.paths.paths {
            if item.ref_path.is_some() {
                let path = path.clone();
                self.mistakes.push(Mistake::Elsewhere { path });
            }
            for (method, operation) in operations::all(item) {
                let name = Name { method, path };
                match self.places.find(path, method) {
                    Some(row) => {
                        self.mistakes.extend(self.misplaced(name, row, operation));
                        self.write_operation(name, row, operation);
                    }
                    None => self.mistakes.push(Mistake::Unrouted {
                        method: method.to_owned(),
                        path: path.clone(),
                        methods: self.places.methods(path),
                    }),
                }
            }
        }
        self.mistakes.extend(without_wildcards(&mut document.paths));
        let named = security::schemes_of(&mut document);
        let components = document.components.get_or_insert_default();
        self.write_components(components);
        components
            .security_schemes
            .retain(|name, _| named.contains(name) || !self.only_hidden.contains(name));
        if *components == Components::default() {
            document.components = None;
        }
        match self.mistakes.is_empty() {
            true => Ok(document),
            false => Err(OpenApiError {
                mistakes: self.mistakes,
            }),
        }
    }

    /// Returns the mistake of an operation that names a hidden handler, but is at a path that an
    /// unguarded router may serve. Its path lacks a prefix, and would disclose the hidden handler.
    fn misplaced(&self, name: Name<'_>, row: &AccessRow, operation: &Operation) -> Option<Mistake> {
        row.unguarded_reason()?;
        let id = operation.operation_id.as_deref()?;
        let hidden = self.table.rows().iter().filter(|row| row.is_hidden());
        let mut handlers = hidden.filter_map(|row| Some(row.location()?.handler()));
        let handler = handlers.find(|handler| handler.rsplit("::").next() == Some(id))?;
        Some(Mistake::Misplaced {
            method: name.method.to_owned(),
            path: name.path.to_owned(),
            handler,
        })
    }

    /// Adds an operation for each route that has none.
    fn complete(&self, paths: &mut Paths) {
        let shape = |path: &String| (Template::of_document(path).shape(), path.clone());
        let mut shapes: BTreeMap<_, _> = paths.paths.keys().map(shape).collect();
        let routes = self.table.rows().iter();
        for row in routes.filter(|row| row.mounted() == RouteKind::Route) {
            let Some(method) = row.method() else {
                continue;
            };
            let route = Template::of_route(row.path());
            let own = shapes.get(&route.shape()).cloned();
            let path = own.unwrap_or_else(|| route.to_document());
            // OpenAPI cannot distinguish a wildcard from a parameter in its place.
            let decides = self.places.find(&path, method.as_str());
            if !decides.is_some_and(|decides| std::ptr::eq(decides, row)) {
                continue;
            }
            let mut fresh = PathItem::default();
            let item = paths.paths.get_mut(&path);
            let is_new = item.is_none();
            let item = item.unwrap_or(&mut fresh);
            let Some(field) = operations::field(item, method.as_str()) else {
                continue;
            };
            if field.is_some() {
                continue;
            }
            let mut operation = Operation::new();
            // At least one response is required.
            let answer = Response::new("What the handler answers.");
            let responses = &mut operation.responses.responses;
            responses.insert("default".to_owned(), RefOr::T(answer));
            let names = Template::of_document(&path);
            let kinds = route.parameters().map(|(_, is_rest)| is_rest);
            let parameters = names.parameters().zip(kinds);
            let parameters: Vec<_> = parameters
                .map(|((name, _), is_rest)| RefOr::T(parameter(name, is_rest)))
                .collect();
            operation.parameters = (!parameters.is_empty()).then_some(parameters);
            *field = Some(operation);
            if is_new {
                shapes.insert(route.shape(), path.clone());
                paths.paths.insert(path, fresh);
            }
        }
    }

    fn write_operation(&mut self, name: Name<'_>, row: &AccessRow, operation: &mut Operation) {
        if self.audience == Audience::Insiders {
            let extensions = operation.extensions.get_or_insert_default();
            extensions.insert("x-access".to_owned(), access(row));
        }
        let Some(policy) = row.policy() else {
            return;
        };
        let policy = &self.space.with_settings(policy);
        let is_shown = row.policy().is_some_and(Policy::is_hidden) && !policy.is_hidden();
        let policy = &objects::in_document(policy, row.path(), name.path);
        let realm = self.space.realm().unwrap_or_default();
        if let Some(evaluations) = objects::evaluations(policy, realm) {
            let extensions = operation.extensions.get_or_insert_default();
            extensions.insert(objects::EXTENSION.to_owned(), evaluations);
        }
        let schemes = self.space.offered_to(policy);
        if let Some(security) = self.security(name, row, policy, &schemes) {
            self.write_security(name, security, operation);
        }
        let circumstances = Circumstances {
            audience: self.audience,
            is_hidden: row.is_hidden() && !is_shown,
            challenges_unknown: self.space.challenges_unknown_paths(),
            can_constrain_senders: self.space.can_constrain_senders(policy),
            is_oauth: schemes.iter().any(|scheme| scheme.is_oauth),
        };
        let has_body = !self.space.renders_bodies();
        for denied in responses::denials(policy, circumstances) {
            denied.add_to(operation, has_body);
            self.needs.body |= has_body;
            if let Some(key) = denied.shared {
                self.needs.responses.insert(key, denied.response(has_body));
            }
        }
    }

    /// Returns the `security` of an operation. `None` if it has a mistake.
    fn security(
        &mut self,
        name: Name<'_>,
        row: &AccessRow,
        policy: &Policy,
        schemes: &[Offered<'_>],
    ) -> Option<Vec<SecurityRequirement>> {
        let security = security::of_policy(policy, schemes);
        if security.is_none() {
            self.mistakes.push(Mistake::Unmet {
                method: name.method.to_owned(),
                path: name.path.to_owned(),
                handler: row.location().map_or("", HandlerLocation::handler),
            });
        }
        security
    }

    fn write_security(
        &mut self,
        name: Name<'_>,
        security: Vec<SecurityRequirement>,
        operation: &mut Operation,
    ) {
        let kept = security::canonical(&security);
        if let Some(written) = &operation.security
            && security::canonical(written) != kept
        {
            self.mistakes.push(Mistake::Security {
                method: name.method.to_owned(),
                path: name.path.to_owned(),
                written: json!(written).to_string(),
                kept: json!(security).to_string(),
            });
        }
        let named = kept.into_iter().flatten().map(|(scheme, _)| scheme);
        self.needs.schemes.extend(named);
        operation.security = Some(security);
    }

    fn write_components(&mut self, components: &mut Components) {
        if self.needs.body {
            let schemas = components.schemas.entry(responses::BODY.to_owned());
            schemas.or_insert_with(responses::body);
        }
        for (key, response) in std::mem::take(&mut self.needs.responses) {
            let responses = components.responses.entry(key.to_owned());
            responses.or_insert(RefOr::T(response));
        }
        let schemes = &mut components.security_schemes;
        if self.needs.schemes.contains(security::CERTIFICATE) {
            let certificate = schemes.entry(security::CERTIFICATE.to_owned());
            let written = certificate.or_insert_with(|| RefOr::T(security::certificate()));
            if !matches!(written, RefOr::T(SecurityScheme::MutualTls { .. })) {
                self.mistakes.push(Mistake::Scheme {
                    name: security::CERTIFICATE.to_owned(),
                });
            }
        }
        for scheme in self.space.offered().flat_map(security::with_application) {
            if !self.needs.schemes.contains(scheme.key) {
                continue;
            }
            match schemes.get(scheme.key) {
                Some(RefOr::T(written)) if security::is_kept(written, &scheme) => {}
                Some(_) => self.mistakes.push(Mistake::Scheme {
                    name: scheme.key.to_owned(),
                }),
                None => match security::describe(&scheme, self.space.resource_metadata()) {
                    Ok(described) => {
                        schemes.insert(scheme.key.to_owned(), RefOr::T(described));
                    }
                    Err(mistake) => self.mistakes.push(mistake),
                },
            }
        }
    }
}

/// Writes the wildcards of `paths` as parameters. It is a mistake if that makes two paths equal.
fn without_wildcards(paths: &mut Paths) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut shapes = BTreeMap::new();
    let (wildcards, others): (Vec<_>, Vec<_>) = std::mem::take(&mut paths.paths)
        .into_iter()
        .partition(|(path, _)| Template::of_document(path).shape_before_rest().is_some());
    for (path, item) in others {
        shapes.insert(Template::of_document(&path).shape(), path.clone());
        paths.paths.insert(path, item);
    }
    for (path, item) in wildcards {
        let template = Template::of_document(&path);
        let written = template.to_document();
        let Some(other) = shapes.get(&template.shape()) else {
            shapes.insert(template.shape(), path);
            paths.paths.insert(written, item);
            continue;
        };
        let own = paths.paths.get_mut(&written);
        if !own.is_some_and(|own| operations::join(own, item)) {
            let other = other.clone();
            mistakes.push(Mistake::Same { path, other });
        }
    }
    mistakes
}

fn parameter(name: &str, is_rest: bool) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(is_rest.then_some("All that is left of the path, with its slashes."))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

/// Returns the access data of an operation's row.
fn access(row: &AccessRow) -> Value {
    match (row.policy(), row.unguarded_reason()) {
        (Some(policy), _) => json!({
            "policy": policy.to_string(),
            "handler": row.location().map(HandlerLocation::handler),
            "hidden": row.is_hidden(),
        }),
        (None, reason) => json!({ "unguarded_reason": reason }),
    }
}
