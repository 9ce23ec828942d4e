//! The operations of a handler, as attached to its route.

use std::sync::Arc;

use utoipa::openapi::{OpenApi, PathItem};

/// The document of one handler: its path, its operations and their schemas.
#[derive(Clone)]
pub(crate) struct Documentation(pub(crate) Arc<OpenApi>);

impl Documentation {
    /// Adds the operations, on the path of their route, and the schemas to `document`.
    pub(crate) fn add_to(&self, document: &mut OpenApi, path: &str) {
        for item in self.0.paths.paths.values() {
            let paths = &mut document.paths.paths;
            match paths.get_mut(path) {
                Some(own) => own.merge_operations(item.clone()),
                None => {
                    paths.insert(path.to_owned(), item.clone());
                }
            }
        }
        if let Some(components) = &self.0.components {
            let own = document.components.get_or_insert_default();
            let schemas = components.schemas.iter();
            own.schemas
                .extend(schemas.map(|(name, schema)| (name.clone(), schema.clone())));
        }
    }
}

/// Returns the names of the methods that an item has an operation for.
pub(crate) fn methods_of(item: &PathItem) -> Vec<&str> {
    let fields = [
        ("GET", &item.get),
        ("PUT", &item.put),
        ("POST", &item.post),
        ("DELETE", &item.delete),
        ("OPTIONS", &item.options),
        ("HEAD", &item.head),
        ("PATCH", &item.patch),
        ("TRACE", &item.trace),
        ("QUERY", &item.query),
    ];
    let fields = fields.into_iter().filter(|(_, field)| field.is_some());
    let fields = fields.map(|(method, _)| method);
    fields
        .chain(item.additional_operations.keys().map(String::as_str))
        .collect()
}
