//! Removal of hidden operations, and of the components that only they use.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::link::Link;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Components, OpenApi, RefOr, Response};

use super::operations::{self, here};
use super::template::Template;

/// The kind and the name of an entry in `components`.
type Component = (String, String);

/// Removes the operations of `document` for which `is_hidden` returns true, and with them the
/// components, the tags and the links that only they use.
pub(super) fn leave_out(document: &mut OpenApi, is_hidden: &mut dyn FnMut(&str, &str) -> bool) {
    let components = written(&document.components);
    let used_before = used(
        &[written(&document.paths), written(&document.webhooks)],
        &components,
    );

    let mut hidden = Hidden::default();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations::take(item, &mut |method| is_hidden(path, method)) {
            hidden.add(path, &method, operation);
        }
    }
    if hidden.places.is_empty() {
        return;
    }
    let paths = &mut document.paths.paths;
    paths.retain(|path, item| !hidden.is_on(path) || !operations::all(item).is_empty());
    hidden.forget_links(document);

    // A component without any use before was not written for a hidden operation.
    let unused = unused(&components, &used_before);
    let left = [
        written(&document.paths),
        written(&document.webhooks),
        unused,
    ];
    let used_after = used(&left, &components);
    if let Some(components) = &mut document.components {
        for component in used_before.difference(&used_after) {
            forget(components, component);
        }
    }
    hidden.forget_tags(document);
}

/// The operations that were removed.
#[derive(Default)]
struct Hidden {
    /// Paths and methods.
    places: Vec<(String, String)>,
    /// The identifiers of the operations.
    ids: BTreeSet<String>,
    tags: BTreeSet<String>,
}

impl Hidden {
    fn add(&mut self, path: &str, method: &str, operation: Operation) {
        self.places.push((path.to_owned(), method.to_owned()));
        self.ids.extend(operation.operation_id);
        self.tags.extend(operation.tags.into_iter().flatten());
    }

    fn is_on(&self, path: &str) -> bool {
        self.places.iter().any(|(own, _)| own == path)
    }

    /// Returns whether `link` refers to one of them (OpenAPI §4.8.20).
    fn is_led_to_by(&self, link: &Link) -> bool {
        let is_place = |(path, method): &(String, String)| {
            let shape = Template::of_document(path).shape();
            let led_to = place_of(&link.operation_ref);
            led_to.is_some_and(|(other, its_method)| {
                let is_path = Template::of_document(&other).shape() == shape;
                is_path && its_method.eq_ignore_ascii_case(method)
            })
        };
        self.ids.contains(&link.operation_id) || self.places.iter().any(is_place)
    }

    fn forget_links(&self, document: &mut OpenApi) {
        let mut named = BTreeSet::new();
        if let Some(components) = &mut document.components {
            components.links.retain(|name, link| {
                let leads_there = matches!(link, RefOr::T(link) if self.is_led_to_by(link));
                if leads_there {
                    named.insert(format!("#/components/links/{name}"));
                }
                !leads_there
            });
        }
        each_response(document, &mut |response| {
            response.links.retain(|_, link| match link {
                RefOr::T(link) => !self.is_led_to_by(link),
                RefOr::Ref(link) => !named.contains(&link.ref_location),
            });
        });
    }

    /// Removes the tags that no remaining operation has.
    fn forget_tags(mut self, document: &mut OpenApi) {
        operations::each(document, &mut |operation| {
            for tag in operation.tags.iter().flatten() {
                self.tags.remove(tag);
            }
        });
        if let Some(tags) = &mut document.tags {
            // A tag that is the parent of a remaining tag is kept.
            while let Some(parent) = tags
                .iter()
                .filter(|tag| !self.tags.contains(&tag.name))
                .filter_map(|tag| tag.parent.as_ref())
                .find(|parent| self.tags.contains(*parent))
            {
                self.tags.remove(parent);
            }
            tags.retain(|tag| !self.tags.contains(&tag.name));
        }
    }
}

/// Returns the path and the method that a reference to an operation names. It is a pointer in the
/// fragment of a URI (RFC 6901 §6).
fn place_of(reference: &str) -> Option<(String, String)> {
    let (_, pointer) = reference.split_once("#/paths/")?;
    let pointer = percent_decode_str(pointer).decode_utf8_lossy();
    // Methods without a field in OpenAPI have a further segment between the two.
    let (path, _) = pointer.split_once('/')?;
    let (_, method) = pointer.rsplit_once('/')?;
    let path = path.replace("~1", "/").replace("~0", "~");
    Some((path, method.to_owned()))
}

/// Passes all responses of a document to `look`.
fn each_response(document: &mut OpenApi, look: &mut dyn FnMut(&mut Response)) {
    operations::each(document, &mut |operation| {
        let responses = operation.responses.responses.values_mut();
        responses.filter_map(here).for_each(&mut *look);
    });
    if let Some(components) = &mut document.components {
        let responses = components.responses.values_mut();
        responses.filter_map(here).for_each(look);
    }
}

/// Returns the part as JSON, where every reference is a string.
fn written(part: &impl Serialize) -> Value {
    // It cannot fail: all keys are strings.
    serde_json::to_value(part).unwrap_or_default()
}

/// Returns the components that `roots` refer to, directly or through other components.
fn used(roots: &[Value], components: &Value) -> BTreeSet<Component> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Value> = roots.iter().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Array(members) => open.extend(members),
            Value::Object(members) => open.extend(members.values()),
            Value::String(text) => {
                if let Some((kind, name)) = reference(text)
                    && found.insert((kind.to_owned(), name.to_owned()))
                {
                    let component = components.get(kind).and_then(|named| named.get(name));
                    open.extend(component);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    found
}

fn reference(text: &str) -> Option<(&str, &str)> {
    let (kind, name) = text.strip_prefix("#/components/")?.split_once('/')?;
    // The reference may continue into the component.
    Some((kind, name.split('/').next()?))
}

/// Returns the components that are not `used`.
fn unused(components: &Value, used: &BTreeSet<Component>) -> Value {
    let kinds = components.as_object().into_iter().flatten();
    let unused = kinds.flat_map(|(kind, named)| {
        let named = named.as_object().into_iter().flatten();
        named.filter_map(move |(name, component)| {
            let is_used = used.contains(&(kind.clone(), name.clone()));
            (!is_used).then(|| component.clone())
        })
    });
    Value::Array(unused.collect())
}

fn forget(components: &mut Components, (kind, name): &Component) {
    match kind.as_str() {
        "schemas" => drop(components.schemas.remove(name)),
        "responses" => drop(components.responses.remove(name)),
        "parameters" => drop(components.parameters.remove(name)),
        "examples" => drop(components.examples.remove(name)),
        "requestBodies" => drop(components.request_bodies.remove(name)),
        "headers" => drop(components.headers.remove(name)),
        "links" => drop(components.links.remove(name)),
        "callbacks" => drop(components.callbacks.remove(name)),
        "pathItems" => drop(components.path_items.remove(name)),
        "mediaTypes" => drop(components.media_types.remove(name)),
        _ => {}
    }
}
