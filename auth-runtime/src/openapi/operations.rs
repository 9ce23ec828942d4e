//! The operations of a path, which an OpenAPI document has in a field for each method.

use std::collections::BTreeMap;

use utoipa::openapi::PathItem;
use utoipa::openapi::path::Operation;

/// The fields of the methods that OpenAPI knows.
type Fields<'i> = [(&'static str, &'i mut Option<Operation>); 9];

/// The fields, and what OpenAPI 3.2 has besides: methods that it does not know.
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

/// All operations of `item`, each with its method.
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

/// Puts the operations of `other` into `item`, unless both have one of the same method.
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

/// Takes those out of `item` whose method `is_meant`.
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

/// Where the operation of `method` stands; `None` if OpenAPI knows no such method.
pub(super) fn field<'i>(item: &'i mut PathItem, method: &str) -> Option<&'i mut Option<Operation>> {
    let (fields, _) = split(item);
    let mut fields = fields.into_iter();
    let (_, field) = fields.find(|(own, _)| *own == method)?;
    Some(field)
}
