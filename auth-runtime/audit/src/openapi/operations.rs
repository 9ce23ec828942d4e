//! The operations of a document: one field for each method of a path.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::document::{Object, change_object, here, text, values_mut};
use super::error::Mistake;

/// The fields of a path with the operation of one method.
const FIELDS: [&str; 9] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace", "query",
];

/// The field with the operations of other methods, by the names of the methods (OpenAPI 3.2).
const OTHERS: &str = "additionalOperations";

/// Returns the field for the operation of `method`. `None` if OpenAPI has no field for it.
pub(super) fn field(method: &str) -> Option<&'static str> {
    let mut fields = FIELDS.into_iter();
    fields.find(|field| field.to_ascii_uppercase() == method)
}

/// Returns all operations of `item`, each with its method.
pub(super) fn all(item: &mut Value) -> Vec<(String, &mut Object)> {
    let mut found = Vec::new();
    for (name, value) in item.as_object_mut().into_iter().flatten() {
        if name == OTHERS {
            let others = value.as_object_mut().into_iter().flatten();
            let others = others.filter_map(|(method, it)| Some((method, it.as_object_mut()?)));
            found.extend(others.map(|(method, it)| (FIELDS.len(), method.clone(), it)));
        } else if let Some(index) = FIELDS.iter().position(|field| field == name)
            && let Some(operation) = value.as_object_mut()
        {
            found.push((index, name.to_ascii_uppercase(), operation));
        }
    }
    found.sort_by_key(|(index, ..)| *index);
    let found = found.into_iter();
    found.map(|(_, method, it)| (method, it)).collect()
}

/// Returns the methods of the operations of `item`.
pub(super) fn methods(item: &Value) -> Vec<String> {
    let mut item = item.clone();
    let operations = all(&mut item).into_iter();
    operations.map(|(method, _)| method).collect()
}

/// Passes every operation of a document to `look`, nested ones included.
pub(super) fn each(document: &mut Object, look: &mut dyn FnMut(&mut Object)) {
    for name in ["paths", "webhooks"] {
        for item in values_mut(document, name) {
            each_of(item, look);
        }
    }
    if let Some(components) = document.get_mut("components").and_then(here) {
        for item in values_mut(components, "pathItems") {
            each_of(item, look);
        }
        each_called_back(components, look);
    }
}

fn each_of(item: &mut Value, look: &mut dyn FnMut(&mut Object)) {
    for (_, operation) in all(item) {
        look(operation);
        each_called_back(operation, look);
    }
}

fn each_called_back(parent: &mut Object, look: &mut dyn FnMut(&mut Object)) {
    for callback in values_mut(parent, "callbacks").filter_map(here) {
        for item in callback
            .values_mut()
            .filter(|item| item.get("$ref").is_none())
        {
            each_of(item, look);
        }
    }
}

/// Returns the identifiers that several operations of a document have. They are unique (OpenAPI §4.8.10). Operations of
/// one path may share one: `utoipa` gives a handler of several methods the same in each.
pub(super) fn ambiguous_ids(document: &mut Object) -> Vec<Mistake> {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut of_one_path: BTreeMap<String, usize> = BTreeMap::new();
    change_object(document, "paths", |paths| {
        for (path, item) in paths {
            let mut own = BTreeSet::new();
            for (method, operation) in all(item) {
                let Some(id) = text(operation, "operationId") else {
                    continue;
                };
                if own.insert(id.to_owned()) {
                    let places = places.entry(id.to_owned()).or_default();
                    places.push(format!("{method} {path}"));
                } else {
                    *of_one_path.entry(id.to_owned()).or_default() += 1;
                }
            }
        }
    });
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    each(document, &mut |operation| {
        if let Some(id) = text(operation, "operationId") {
            *numbers.entry(id.to_owned()).or_default() += 1;
        }
    });
    let numbers = numbers.into_iter().map(|(id, number)| {
        let repeated = of_one_path.get(&id).copied().unwrap_or_default();
        (id, number.saturating_sub(repeated))
    });
    let several = numbers.filter(|(_, number)| *number > 1);
    let mistakes = several.map(|(id, number)| Mistake::Id {
        places: places.remove(&id).unwrap_or_default(),
        id,
        number,
    });
    mistakes.collect()
}

/// Moves the operations of `other` into `item`. Returns false if both have one of the same method.
pub(super) fn join(item: &mut Value, other: &Value) -> bool {
    let taken = methods(item);
    let added = methods(other);
    if added.iter().any(|method| taken.contains(method)) {
        return false;
    }
    merge(item, other);
    true
}

/// Adds the operations of `other` to those of `item`, which are kept.
pub(super) fn merge(item: &mut Value, other: &Value) {
    let Some(item) = item.as_object_mut() else {
        return;
    };
    for (method, operation) in all(&mut other.clone()) {
        let operation = Value::Object(std::mem::take(operation));
        match field(&method) {
            Some(field) => {
                item.entry(field).or_insert(operation);
            }
            None => change_object(item, OTHERS, |others| {
                others.entry(method).or_insert(operation);
            }),
        }
    }
}

/// Removes and returns the operations of `item` with a method that `matches`.
pub(super) fn take(
    item: &mut Value,
    matches: &mut dyn FnMut(&str) -> bool,
) -> Vec<(String, Object)> {
    let mut taken = Vec::new();
    for (method, operation) in all(item) {
        if matches(&method) {
            taken.push((method, std::mem::take(operation)));
        }
    }
    if let Some(item) = item.as_object_mut() {
        let is_taken = |method: &str| taken.iter().any(|(own, _)| own == method);
        item.retain(|name, _| !(FIELDS.contains(&&**name) && is_taken(&name.to_ascii_uppercase())));
        super::document::retain(item, OTHERS, |method, _| !is_taken(method));
    }
    taken
}
