//! A document without what is hidden, and without what only that spoke of.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::link::Link;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Components, OpenApi, RefOr};

use super::operations;

/// What stands in `components`, by its kind and its name.
type Component = (String, String);

/// Takes the operations out of `document` whose path and method `is_hidden`, and with them what tells
/// of them: the components, the tags and the links that nothing else needs.
pub(super) fn leave_out(document: &mut OpenApi, is_hidden: &dyn Fn(&str, &str) -> bool) {
    let components = written(&document.components);
    let used_before = used(
        &[written(&document.paths), written(&document.webhooks)],
        &components,
    );

    let mut hidden = Hidden::default();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations::take(item, &|method| is_hidden(path, method)) {
            hidden.add(path, &method, operation);
        }
    }
    if hidden.places.is_empty() {
        return;
    }
    let paths = &mut document.paths.paths;
    paths.retain(|path, item| !hidden.is_on(path) || !operations::all(item).is_empty());
    hidden.forget_links(document);

    // What nobody used before was not written for what is hidden.
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

/// What was taken out.
#[derive(Default)]
struct Hidden {
    /// Path and method.
    places: Vec<(String, String)>,
    /// The names of the operations.
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

    /// Whether `link` leads there (OpenAPI §4.8.20).
    fn is_led_to_by(&self, link: &RefOr<Link>) -> bool {
        let RefOr::T(link) = link else {
            return false;
        };
        let is_place = |(path, method): &(String, String)| {
            let path = path.replace('~', "~0").replace('/', "~1");
            let method = method.to_ascii_lowercase();
            link.operation_ref
                .ends_with(&format!("#/paths/{path}/{method}"))
        };
        self.ids.contains(&link.operation_id) || self.places.iter().any(is_place)
    }

    fn forget_links(&self, document: &mut OpenApi) {
        for item in document.paths.paths.values_mut() {
            for (_, operation) in operations::all(item) {
                for response in operation.responses.responses.values_mut() {
                    if let RefOr::T(response) = response {
                        response.links.retain(|_, link| !self.is_led_to_by(link));
                    }
                }
            }
        }
        let Some(components) = &mut document.components else {
            return;
        };
        for response in components.responses.values_mut() {
            if let RefOr::T(response) = response {
                response.links.retain(|_, link| !self.is_led_to_by(link));
            }
        }
    }

    /// The tags that no operation has any more.
    fn forget_tags(mut self, document: &mut OpenApi) {
        let webhooks = document.webhooks.iter_mut();
        let webhooks = webhooks.flat_map(|webhooks| webhooks.paths.values_mut());
        for item in document.paths.paths.values_mut().chain(webhooks) {
            for (_, operation) in operations::all(item) {
                for tag in operation.tags.iter().flatten() {
                    self.tags.remove(tag);
                }
            }
        }
        if let Some(tags) = &mut document.tags {
            tags.retain(|tag| !self.tags.contains(&tag.name));
        }
    }
}

/// As JSON, in which every reference is a text.
fn written(part: &impl Serialize) -> Value {
    // Nothing in a document can fail to be written: all keys are texts.
    serde_json::to_value(part).unwrap_or_default()
}

/// The components that `roots` refer to, and those that these refer to, and so on.
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
    // There may be a way into the component.
    Some((kind, name.split('/').next()?))
}

/// The components that are not `used`.
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
