//! Who may call what, written into an OpenAPI document.

mod error;
mod hiding;
mod operations;
mod places;
mod responses;
mod security;
mod template;

use std::collections::{BTreeMap, BTreeSet};

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
use self::responses::Circumstances;
use self::template::Template;
use crate::access_table::{AccessRow, AccessTable, Mounted};
use crate::declaration::Declaration;
use crate::policy::Policy;
use crate::space::{Offered, ProtectionSpace};

/// Who reads a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Audience {
    Everybody,
    /// Those who may know all that the table says.
    Insiders,
}

impl AccessTable {
    /// Writes into an OpenAPI `document` who may call its operations, for everybody to read.
    ///
    /// ```
    /// use auth_runtime::routing::get;
    /// use auth_runtime::{GuardedRouter, ProtectionSpace, requires};
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
    /// let document = routes.access_table().public_openapi(space, Orders::openapi())?;
    /// let json = document.to_pretty_json()?;
    /// # assert!(json.contains("orders:read"));
    /// # Ok(())
    /// # }
    /// # let bearer = auth_runtime::Bearer::new(async |_| auth_runtime::Caller::rejected());
    /// # let space = ProtectionSpace::builder().realm("api").scheme(bearer).build().unwrap();
    /// # document(&space).unwrap();
    /// ```
    ///
    /// Each operation gets
    ///
    /// - its `security`: one alternative for each way to meet the policy and each scheme that is
    ///   accepted, with the scopes that this way takes; `[]` for a public handler, and `{}` among the
    ///   others where a network alone is enough;
    /// - the answers to those who are not let in: 400, 401, 403 and 503, each only where the policy
    ///   makes it possible, with their fields and (unless the space
    ///   [renders](crate::ProtectionSpaceBuilder::render) its own) their body. What 403 takes is told in
    ///   words, with roles and permissions, but without the names of checks and networks.
    ///
    /// The schemes that these name are written into `components` under their own names: as `http`, or
    /// as `apiKey` in the field, the cookie or the parameter that the space looks at. What is written
    /// there by hand stays, if it says the same, or for OAuth's schemes where tokens come from (`oauth2`,
    /// `openIdConnect`). Where `sender_constrained` is met by a client certificate, the alternative names
    /// `MutualTLS` as well. Schemes that `utoipa` has no name for, as DPoP, are an `apiKey` in
    /// `Authorization`.
    ///
    /// # Hidden operations
    ///
    /// They are left out, and so are the schemas, tags, links and schemes that nothing else speaks of: a
    /// document that names a hidden path has told everybody. Who may read of them gets another document,
    /// from [`internal_openapi`](Self::internal_openapi). What the document says elsewhere (its
    /// description, the scopes of an `oauth2` scheme, extensions) stays as it is written.
    ///
    /// # The document and the router
    ///
    /// Paths are compared without the names of their parameters; `{*rest}`, which OpenAPI does not know,
    /// becomes `{rest}`, so it cannot be documented beside `{id}` in the same place. The table's paths begin
    /// where its router does: write the document of a router that is nested elsewhere from the table of the
    /// nested one, and say the prefix in `servers`. A route without an operation stays undocumented. An
    /// operation that no route answers, but that an unguarded router may, is taken as it is: below its
    /// prefix nothing is known. So an operation whose path lacks the prefix that its route is nested under
    /// is published with nothing said of its policy, unless it is named (`operation_id`) as a hidden
    /// handler: put unguarded routers under a prefix of their own.
    ///
    /// Of a policy with more than 64 ways the shortest 64 are written. That a page sends browsers to log
    /// in (303) is not written, nor what [`Guard::permit`](crate::Guard::permit) denies where the policy
    /// itself cannot.
    ///
    /// # Errors
    ///
    /// [`OpenApiError`] lists every operation that no route answers, every `security` or scheme that was
    /// written by hand and is not kept, and every policy that no scheme of `space` can meet. Call it in
    /// a test, and documentation cannot drift from what is enforced.
    pub fn public_openapi(
        &self,
        space: &ProtectionSpace,
        document: OpenApi,
    ) -> Result<OpenApi, OpenApiError> {
        Writer::new(self, space, Audience::Everybody).write(document)
    }

    /// The same for those who may know all that the table says: with what is hidden.
    ///
    /// Serve it behind a policy of its own, or not at all.
    ///
    /// ```
    /// # use auth_runtime::{GuardedRouter, OpenApiError, ProtectionSpace};
    /// use utoipa::openapi::{Info, OpenApi, Paths};
    ///
    /// /// For a scanner that tries every route as everybody.
    /// fn everything(routes: &GuardedRouter, space: &ProtectionSpace) -> Result<OpenApi, OpenApiError> {
    ///     let empty = OpenApi::new(Info::new("Orders", "1"), Paths::new());
    ///     routes.access_table().internal_openapi(space, empty)
    /// }
    /// ```
    ///
    /// Besides what [`public_openapi`](Self::public_openapi) writes, there are
    ///
    /// - the hidden operations, with what is told of them: 404, and 401 and 403 where they stay to be
    ///   seen;
    /// - an operation for each route that has none in the document: bare, but with its security. So the
    ///   document is whole even if `document` is empty, which is enough for the tools that test who may
    ///   call what;
    /// - the extension `x-access` in each operation: `policy` as it is written, `handler`, and whether it
    ///   is `hidden`; or the `unguarded_reason`.
    ///
    /// Services that take all methods or all paths, and `CONNECT`, have no operation unless one is
    /// written by hand; nor has a wildcard (`/files/{*rest}`) beside a parameter in its place
    /// (`/files/{id}`), which OpenAPI cannot tell apart.
    ///
    /// # Errors
    ///
    /// As [`public_openapi`](Self::public_openapi).
    pub fn internal_openapi(
        &self,
        space: &ProtectionSpace,
        document: OpenApi,
    ) -> Result<OpenApi, OpenApiError> {
        Writer::new(self, space, Audience::Insiders).write(document)
    }
}

/// Writes a table into a document.
struct Writer<'a> {
    table: &'a AccessTable,
    places: Places<'a>,
    space: &'a ProtectionSpace,
    audience: Audience,
    mistakes: Vec<Mistake>,
    /// The schemes of what was left out.
    only_hidden: BTreeSet<String>,
    /// What the operations that were written refer to.
    needs: Needs,
}

#[derive(Default)]
struct Needs {
    schemes: BTreeSet<String>,
    responses: BTreeMap<&'static str, Response>,
    /// Whether the built-in body is among them.
    body: bool,
}

/// An operation, as errors name it.
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
                self.only_hidden = offered.map(|scheme| scheme.name.to_owned()).collect();
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

    /// An operation that is called as a hidden handler, but stands where a router without policies may
    /// answer: its path lacks a prefix, and what is hidden would be told.
    fn misplaced(&self, name: Name<'_>, row: &AccessRow, operation: &Operation) -> Option<Mistake> {
        row.unguarded_reason()?;
        let id = operation.operation_id.as_deref()?;
        let hidden = self.table.rows().iter().filter(|row| row.is_hidden());
        let mut handlers = hidden.filter_map(|row| Some(row.declaration()?.handler()));
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
        for row in routes.filter(|row| row.mounted() == Mounted::Route) {
            let Some(method) = row.method() else {
                continue;
            };
            let route = Template::of_route(row.path());
            let own = shapes.get(&route.shape()).cloned();
            let path = own.unwrap_or_else(|| route.to_document());
            // OpenAPI cannot tell a wildcard from a parameter in its place.
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
            // One response at least is required.
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
        let schemes = self.space.offered_to(policy);
        if let Some(security) = self.security(name, row, &schemes) {
            self.write_security(name, security, operation);
        }
        let circumstances = Circumstances {
            audience: self.audience,
            is_hidden: row.is_hidden(),
            challenges_unknown: self.space.challenges_unknown_paths(),
            can_constrain_senders: self.space.can_constrain_senders(policy),
            is_oauth: schemes.iter().any(|scheme| scheme.is_oauth),
        };
        let has_body = !self.space.renders_bodies();
        for told in responses::denials(policy, circumstances) {
            told.add_to(operation, has_body);
            self.needs.body |= has_body;
            if let Some(key) = told.shared {
                self.needs.responses.insert(key, told.response(has_body));
            }
        }
    }

    /// What a caller has to send; `None` if that is a mistake.
    fn security(
        &mut self,
        name: Name<'_>,
        row: &AccessRow,
        schemes: &[Offered<'_>],
    ) -> Option<Vec<SecurityRequirement>> {
        let Some(requirement) = row.policy().and_then(Policy::requirement) else {
            return Some(Vec::new());
        };
        let security = security::alternatives(requirement, schemes);
        if security.is_empty() {
            // As it stands, it would say that everybody is let in.
            self.mistakes.push(Mistake::Unmet {
                method: name.method.to_owned(),
                path: name.path.to_owned(),
                handler: row.declaration().map_or("", Declaration::handler),
            });
            return None;
        }
        Some(security)
    }

    fn write_security(
        &mut self,
        name: Name<'_>,
        security: Vec<SecurityRequirement>,
        operation: &mut Operation,
    ) {
        let kept = security::meaning(&security);
        if let Some(written) = &operation.security
            && security::meaning(written) != kept
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
        for scheme in self.space.offered() {
            if !self.needs.schemes.contains(scheme.name) {
                continue;
            }
            match schemes.get(scheme.name) {
                Some(RefOr::T(written)) if security::is_kept(written, &scheme) => {}
                Some(_) => self.mistakes.push(Mistake::Scheme {
                    name: scheme.name.to_owned(),
                }),
                None => match security::describe(&scheme, self.space.resource_metadata()) {
                    Ok(described) => {
                        schemes.insert(scheme.name.to_owned(), RefOr::T(described));
                    }
                    Err(mistake) => self.mistakes.push(mistake),
                },
            }
        }
    }
}

/// Writes the wildcards of `paths` as parameters. What would be one path then is a mistake.
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

/// What the table says of an operation.
fn access(row: &AccessRow) -> Value {
    match (row.policy(), row.unguarded_reason()) {
        (Some(policy), _) => json!({
            "policy": policy.to_string(),
            "handler": row.declaration().map(Declaration::handler),
            "hidden": row.is_hidden(),
        }),
        (None, reason) => json!({ "unguarded_reason": reason }),
    }
}
