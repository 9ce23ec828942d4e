//! Removal of hidden operations, and of the components that only they use.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::document::{self, Object, here, list, text, values_mut};
use super::operations;
use super::template::Template;

/// The kind and the name of an entry in `components`.
type Component = (String, String);

/// Removes the operations of `document` for which `is_hidden` returns true, and with them the
/// components, the tags and the links that only they use.
pub(super) fn leave_out(document: &mut Object, is_hidden: &mut dyn FnMut(&str, &str) -> bool) {
    let components = document.get("components").cloned().unwrap_or_default();
    let used_before = used(&roots(document), &components);

    let mut hidden = Hidden::default();
    document::retain(document, "paths", |path, item| {
        let taken = operations::take(item, &mut |method| is_hidden(path, method));
        let is_changed = !taken.is_empty();
        for (method, operation) in taken {
            hidden.add(path, method, &operation);
        }
        !is_changed || !operations::all(item).is_empty()
    });
    if hidden.places.is_empty() {
        return;
    }
    // The field is required.
    document::change_object(document, "paths", |_| {});
    hidden.forget_links(document);

    // A component without any use before was not written for a hidden operation.
    let unused = unused(&components, &used_before);
    let mut left = roots(document);
    left.push(&unused);
    let used_after = used(&left, &components);
    if let Some(components) = document.get_mut("components").and_then(here) {
        for (kind, name) in used_before.difference(&used_after) {
            // The writer removes the security schemes of hidden operations.
            if kind != "securitySchemes" {
                document::retain(components, kind, |own, _| own != name);
            }
        }
    }
    hidden.forget_tags(document);
}

/// Returns the parts of a document that use components.
fn roots(document: &Object) -> Vec<&Value> {
    let roots = ["paths", "webhooks"].into_iter();
    roots.filter_map(|name| document.get(name)).collect()
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
    fn add(&mut self, path: &str, method: String, operation: &Object) {
        self.places.push((path.to_owned(), method));
        self.ids
            .extend(text(operation, "operationId").map(str::to_owned));
        let tags = list(operation, "tags").iter().filter_map(Value::as_str);
        self.tags.extend(tags.map(str::to_owned));
    }

    /// Returns whether `link` refers to one of them (OpenAPI §4.8.20).
    fn is_led_to_by(&self, link: &Object) -> bool {
        let is_place = |(path, method): &(String, String)| {
            let shape = Template::of_document(path).shape();
            let led_to = text(link, "operationRef").and_then(place_of);
            led_to.is_some_and(|(other, its_method)| {
                let is_path = Template::of_document(&other).shape() == shape;
                is_path && its_method.eq_ignore_ascii_case(method)
            })
        };
        let is_named = text(link, "operationId").is_some_and(|id| self.ids.contains(id));
        is_named || self.places.iter().any(is_place)
    }

    fn forget_links(&self, document: &mut Object) {
        let mut named = BTreeSet::new();
        if let Some(components) = document.get_mut("components").and_then(here) {
            document::retain(components, "links", |name, link| {
                let leads_there = here(link).is_some_and(|link| self.is_led_to_by(link));
                if leads_there {
                    named.insert(format!("#/components/links/{name}"));
                }
                !leads_there
            });
        }
        each_response(document, &mut |response| {
            document::retain(response, "links", |_, link| match here(link) {
                Some(link) => !self.is_led_to_by(link),
                None => !link["$ref"].as_str().is_some_and(|it| named.contains(it)),
            });
        });
    }

    /// Removes the tags that no remaining operation has.
    fn forget_tags(mut self, document: &mut Object) {
        operations::each(document, &mut |operation| {
            for tag in list(operation, "tags").iter().filter_map(Value::as_str) {
                self.tags.remove(tag);
            }
        });
        if let Some(Value::Array(tags)) = document.get_mut("tags") {
            let is_hidden = |hidden: &BTreeSet<String>, name: &Value| {
                name.as_str().is_some_and(|name| hidden.contains(name))
            };
            // A tag that is the parent of a remaining tag is kept.
            while let Some(parent) = tags
                .iter()
                .filter(|tag| !is_hidden(&self.tags, &tag["name"]))
                .find_map(|tag| tag["parent"].as_str().filter(|it| self.tags.contains(*it)))
            {
                self.tags.remove(parent);
            }
            tags.retain(|tag| !is_hidden(&self.tags, &tag["name"]));
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
fn each_response(document: &mut Object, look: &mut dyn FnMut(&mut Object)) {
    operations::each(document, &mut |operation| {
        let responses = values_mut(operation, "responses");
        responses.filter_map(here).for_each(&mut *look);
    });
    if let Some(components) = document.get_mut("components").and_then(here) {
        let responses = values_mut(components, "responses");
        responses.filter_map(here).for_each(look);
    }
}

/// Returns the components that `roots` refer to, directly or through other components.
fn used(roots: &[&Value], components: &Value) -> BTreeSet<Component> {
    let mut found = BTreeSet::new();
    let mut open = roots.to_vec();
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
