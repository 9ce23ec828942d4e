//! The writer of a table's policies into a document.

use std::collections::{BTreeMap, BTreeSet};

use auth_runtime_core::adapter::{SchemeDescription, Space};
use auth_runtime_core::{AccessRow, AccessTable, HandlerLocation, RouteKind};
use auth_runtime_policy::Policy;
use http::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::document::{self, Object, change_object, set_field, text};
use super::error::{Mistake, OpenApiError};
use super::places::Places;
use super::responses::{self, Audience, Circumstances};
use super::template::Template;
use super::{hiding, objects, operations, security};

/// Writes a table into a document.
pub(super) struct Writer<'a> {
    table: &'a AccessTable,
    places: Places<'a>,
    space: &'a Space,
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
    responses: BTreeMap<&'static str, Object>,
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
    pub(super) fn new(table: &'a AccessTable, space: &'a Space, audience: Audience) -> Self {
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

    /// Returns `document` with the policies of the table.
    pub(super) fn write(mut self, document: &impl Serialize) -> Result<Value, OpenApiError> {
        let mut document = document::read(document)?;
        self.mistakes.extend(document::unknown_version(&document));
        self.write_document(&mut document);
        if self.mistakes.is_empty() {
            Ok(Value::Object(document))
        } else {
            Err(OpenApiError {
                mistakes: self.mistakes,
            })
        }
    }

    fn write_document(&mut self, document: &mut Object) {
        match self.audience {
            Audience::Public => {
                let places = &self.places;
                let mut left_out = Vec::new();
                hiding::leave_out(document, &mut |path, method| {
                    let row = places.find(path, method).filter(|row| row.is_hidden());
                    left_out.extend(row);
                    row.is_some()
                });
                let policies = left_out.into_iter().filter_map(AccessRow::policy);
                let schemes =
                    policies.flat_map(|policy| self.space.scheme_descriptions_for(policy));
                let schemes = schemes.flat_map(security::with_application);
                self.only_hidden = schemes
                    .map(|scheme| scheme.openapi_name.to_owned())
                    .collect();
            }
            Audience::Insiders => change_object(document, "paths", |paths| self.complete(paths)),
        }
        change_object(document, "paths", |paths| {
            for (path, item) in &mut *paths {
                self.write_item(path, item);
            }
            self.mistakes.extend(without_wildcards(paths));
        });
        self.mistakes.extend(operations::ambiguous_ids(document));
        let named = security::schemes_of(document);
        change_object(document, "components", |components| {
            self.write_components(components);
            document::retain(components, "securitySchemes", |name, _| {
                named.contains(name) || !self.only_hidden.contains(name)
            });
        });
        document.retain(|name, value| name != "components" || *value != json!({}));
    }

    fn write_item(&mut self, path: &str, item: &mut Value) {
        if item.get("$ref").is_some() {
            let path = path.to_owned();
            self.mistakes.push(Mistake::Elsewhere { path });
        }
        for (method, operation) in operations::all(item) {
            let name = Name {
                method: &method,
                path,
            };
            match self.places.find(path, &method) {
                Some(row) => {
                    self.mistakes.extend(self.misplaced(name, row, operation));
                    self.write_operation(name, row, operation);
                }
                None => self.mistakes.push(Mistake::Unrouted {
                    path: path.to_owned(),
                    methods: self.places.methods(path),
                    method,
                }),
            }
        }
    }

    /// Returns the mistake of an operation that names a hidden handler, but is at a path that an
    /// unguarded router may serve. Its path lacks a prefix, and would disclose the hidden handler.
    fn misplaced(&self, name: Name<'_>, row: &AccessRow, operation: &Object) -> Option<Mistake> {
        row.unguarded_reason()?;
        let id = text(operation, "operationId")?;
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
    fn complete(&self, paths: &mut Object) {
        let shape = |path: &String| (Template::of_document(path).shape(), path.clone());
        let mut shapes: BTreeMap<_, _> = paths.keys().map(shape).collect();
        let routes = self.table.rows().iter();
        for row in routes.filter(|row| row.kind() == RouteKind::Route) {
            let field =
                |method: &Method| Some((method.clone(), operations::field(method.as_str())?));
            let Some((method, field)) = row.method().and_then(field) else {
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
            change_object(paths, &path, |item| {
                let operation = item.entry(field);
                operation.or_insert_with(|| undocumented(&route, &path));
            });
            shapes.insert(route.shape(), path);
        }
    }

    fn write_operation(&mut self, name: Name<'_>, row: &AccessRow, operation: &mut Object) {
        if self.audience == Audience::Insiders {
            operation.insert("x-access".to_owned(), access(row));
        }
        let Some(policy) = row.policy() else {
            return;
        };
        let policy = &self.space.with_settings(policy);
        let is_shown = row.policy().is_some_and(Policy::is_hidden) && !policy.is_hidden();
        let policy = &objects::in_document(policy, row.path(), name.path);
        let realm = self.space.realm().unwrap_or_default();
        if let Some(evaluations) = objects::evaluations(policy, realm) {
            operation.insert(objects::EXTENSION.to_owned(), evaluations);
        }
        let schemes = self.space.scheme_descriptions_for(policy);
        if let Some(security) = self.security(name, row, policy, &schemes) {
            self.write_security(name, security, operation);
        }
        let circumstances = Circumstances {
            audience: self.audience,
            is_hidden: row.is_hidden() && !is_shown,
            challenges_unknown: self.space.challenges_unknown_paths(),
            can_ask_for_binding: self.space.can_ask_for_binding(policy),
            can_bind: schemes.iter().any(|scheme| scheme.constrains_sender),
            is_oauth: schemes.iter().any(|scheme| scheme.is_oauth),
            has_token_server: schemes.iter().any(|scheme| scheme.has_token_server),
            has_only_token_servers: schemes.iter().all(|scheme| scheme.has_token_server),
            has_object_scopes: self.space.has_object_scopes(),
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
        schemes: &[SchemeDescription<'_>],
    ) -> Option<Vec<Value>> {
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

    fn write_security(&mut self, name: Name<'_>, security: Vec<Value>, operation: &mut Object) {
        let kept = security::canonical(&security);
        if let Some(written) = operation.get("security").and_then(Value::as_array)
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
        operation.insert("security".to_owned(), Value::Array(security));
    }

    fn write_components(&mut self, components: &mut Object) {
        if self.needs.body {
            change_object(components, "schemas", |schemas| {
                let body = schemas.entry(responses::BODY);
                body.or_insert_with(responses::body);
            });
        }
        let shared = std::mem::take(&mut self.needs.responses);
        if !shared.is_empty() {
            change_object(components, "responses", |responses| {
                for (key, response) in shared {
                    responses.entry(key).or_insert(Value::Object(response));
                }
            });
        }
        if !self.needs.schemes.is_empty() {
            change_object(components, "securitySchemes", |it| self.write_schemes(it));
        }
    }

    fn write_schemes(&mut self, schemes: &mut Object) {
        if self.needs.schemes.contains(security::CERTIFICATE) {
            let certificate = schemes.entry(security::CERTIFICATE);
            let written = certificate.or_insert_with(security::certificate);
            if written["type"] != security::MUTUAL_TLS {
                self.mistakes.push(Mistake::Scheme {
                    name: security::CERTIFICATE.to_owned(),
                });
            }
        }
        for scheme in self
            .space
            .scheme_descriptions()
            .flat_map(security::with_application)
        {
            if !self.needs.schemes.contains(scheme.openapi_name) {
                continue;
            }
            match schemes.get(scheme.openapi_name) {
                Some(written) if security::is_kept(written, &scheme) => {}
                Some(_) => self.mistakes.push(Mistake::Scheme {
                    name: scheme.openapi_name.to_owned(),
                }),
                None => match security::describe(&scheme, self.space.resource_metadata()) {
                    Ok(described) => {
                        schemes.insert(scheme.openapi_name.to_owned(), described);
                    }
                    Err(mistake) => self.mistakes.push(mistake),
                },
            }
        }
    }
}

/// Returns the operation of a route without one, which is at `path` in the document.
fn undocumented(route: &Template, path: &str) -> Value {
    // At least one response is required.
    let mut operation = json!({
        "responses": { "default": { "description": "The response of the handler." } },
    });
    let names = Template::of_document(path);
    let kinds = route.parameters().map(|(_, is_rest)| is_rest);
    let parameters = names.parameters().zip(kinds);
    let parameters = parameters.map(|((name, _), is_rest)| parameter(name, is_rest));
    let parameters: Vec<_> = parameters.collect();
    if !parameters.is_empty() {
        set_field(&mut operation, "parameters", parameters);
    }
    operation
}

/// Writes the wildcards of `paths` as parameters. It is a mistake if that makes two paths equal.
fn without_wildcards(paths: &mut Object) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut shapes = BTreeMap::new();
    let (wildcards, others): (Vec<_>, Vec<_>) = std::mem::take(paths)
        .into_iter()
        .partition(|(path, _)| Template::of_document(path).shape_before_rest().is_some());
    for (path, item) in others {
        shapes.insert(Template::of_document(&path).shape(), path.clone());
        paths.insert(path, item);
    }
    for (path, item) in wildcards {
        let template = Template::of_document(&path);
        let written = template.to_document();
        let Some(other) = shapes.get(&template.shape()) else {
            shapes.insert(template.shape(), path);
            paths.insert(written, item);
            continue;
        };
        let own = paths.get_mut(&written);
        if !own.is_some_and(|own| operations::join(own, &item)) {
            let other = other.clone();
            mistakes.push(Mistake::Same { path, other });
        }
    }
    mistakes
}

fn parameter(name: &str, is_rest: bool) -> Value {
    let text = json!({ "type": "string" });
    let mut parameter = json!({ "name": name, "in": "path", "required": true, "schema": text });
    if is_rest {
        set_field(
            &mut parameter,
            "description",
            "All that is left of the path, with its slashes.",
        );
    }
    parameter
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
