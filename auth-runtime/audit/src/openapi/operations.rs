//! The operations of a document: one field for each method of a path.

use std::collections::BTreeMap;

use utoipa::openapi::path::{Callback, Operation};
use utoipa::openapi::{OpenApi, PathItem, RefOr};

/// The fields of the methods that OpenAPI names.
type Fields<'i> = [(&'static str, &'i mut Option<Operation>); 9];

/// Returns the fields, and the operations of other methods, which OpenAPI 3.2 has.
fn split(item: &mut PathItem) -> (Fields<'_>, &mut BTreeMap<String, Operation>) {
    let PathItem {
        get,
        put,
        post,
        delete,
        options,
        head,
        patch,
        trace,
        query,
        additional_operations,
        ..
    } = item;
    let fields = [
        ("GET", get),
        ("PUT", put),
        ("POST", post),
        ("DELETE", delete),
        ("OPTIONS", options),
        ("HEAD", head),
        ("PATCH", patch),
        ("TRACE", trace),
        ("QUERY", query),
    ];
    (fields, additional_operations)
}

/// Returns all operations of `item`, each with its method.
pub(super) fn all(item: &mut PathItem) -> Vec<(&str, &mut Operation)> {
    let (fields, others) = split(item);
    let fields = fields
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)));
    let others = others
        .iter_mut()
        .map(|(method, operation)| (method.as_str(), operation));
    fields.chain(others).collect()
}

/// Passes every operation of a document to `look`, nested ones included.
pub(super) fn each(document: &mut OpenApi, look: &mut dyn FnMut(&mut Operation)) {
    let webhooks = document.webhooks.iter_mut();
    let webhooks = webhooks.flat_map(|webhooks| webhooks.paths.values_mut());
    for item in document.paths.paths.values_mut().chain(webhooks) {
        each_of(item, look);
    }
    if let Some(components) = &mut document.components {
        for item in components.path_items.values_mut() {
            each_of(item, look);
        }
        each_called_back(&mut components.callbacks, look);
    }
}

fn each_of(item: &mut PathItem, look: &mut dyn FnMut(&mut Operation)) {
    for (_, operation) in all(item) {
        look(operation);
        each_called_back(&mut operation.callbacks, look);
    }
}

fn each_called_back(
    callbacks: &mut BTreeMap<String, RefOr<Callback>>,
    look: &mut dyn FnMut(&mut Operation),
) {
    let items = callbacks.values_mut().filter_map(here);
    for item in items.flat_map(|callback| callback.values_mut().filter_map(here)) {
        each_of(item, look);
    }
}

/// Returns the part itself. `None` if it is a reference.
pub(super) fn here<T>(part: &mut RefOr<T>) -> Option<&mut T> {
    match part {
        RefOr::T(part) => Some(part),
        RefOr::Ref(_) => None,
    }
}

/// Moves the operations of `other` into `item`. Returns false if both have one of the same method.
pub(super) fn join(item: &mut PathItem, mut other: PathItem) -> bool {
    let taken = all(item).into_iter().map(|(method, _)| method.to_owned());
    let taken: Vec<_> = taken.collect();
    let mut added = all(&mut other).into_iter();
    if added.any(|(method, _)| taken.iter().any(|own| own == method)) {
        return false;
    }
    item.merge_operations(other);
    true
}

/// Removes and returns the operations of `item` with a method that `is_meant`.
pub(super) fn take(
    item: &mut PathItem,
    is_meant: &mut dyn FnMut(&str) -> bool,
) -> Vec<(String, Operation)> {
    let (fields, others) = split(item);
    let mut taken = Vec::new();
    for (method, field) in fields {
        if let Some(operation) = field.take_if(|_| is_meant(method)) {
            taken.push((method.to_owned(), operation));
        }
    }
    for (method, operation) in std::mem::take(others) {
        if is_meant(&method) {
            taken.push((method, operation));
        } else {
            others.insert(method, operation);
        }
    }
    taken
}

/// Returns the field for the operation of `method`. `None` if OpenAPI has no field for it.
pub(super) fn field<'i>(item: &'i mut PathItem, method: &str) -> Option<&'i mut Option<Operation>> {
    let (fields, _) = split(item);
    let mut fields = fields.into_iter();
    let (_, field) = fields.find(|(own, _)| *own == method)?;
    Some(field)
}
