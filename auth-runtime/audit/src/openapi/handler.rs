//! The operations of a single handler, for routers that document their routes.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::document::{self, Object, change_object};
use super::error::{Mistake, OpenApiError};
use super::operations;

/// The operations and the schemas of one handler, from a document with nothing else.
#[derive(Clone, Debug)]
pub struct HandlerOperations(Object);

impl HandlerOperations {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// If it is not written as a JSON object.
    pub fn of(document: &impl Serialize) -> Result<Self, OpenApiError> {
        Ok(Self(document::read(document)?))
    }

    /// Returns the paths, each with the methods of its operations.
    pub fn routes(&self) -> Vec<(String, Vec<String>)> {
        let routes = self.items().into_iter().flatten();
        let routes = routes.map(|(path, item)| (path.clone(), operations::methods(item)));
        routes.collect()
    }

    /// Returns the paths with their operations.
    fn items(&self) -> Option<&Object> {
        self.0.get("paths")?.as_object()
    }

    fn schemas(&self) -> Option<&Object> {
        self.0.get("components")?.get("schemas")?.as_object()
    }

    /// Adds the operations and schemas to a document. Returns the names of the schemas that differ from those of the
    /// document.
    fn add_to(&self, document: &mut Object, path: &str) -> Vec<String> {
        let mut differing = Vec::new();
        change_object(document, "paths", |paths| {
            for item in self.items().into_iter().flat_map(Object::values) {
                match paths.get_mut(path) {
                    Some(own) => operations::merge(own, item),
                    None => drop(paths.insert(path.to_owned(), item.clone())),
                }
            }
        });
        let Some(schemas) = self.schemas() else {
            return differing;
        };
        change_object(document, "components", |components| {
            change_object(components, "schemas", |own| {
                for (name, schema) in schemas {
                    if own.entry(name).or_insert_with(|| schema.clone()) != schema {
                        differing.push(name.clone());
                    }
                }
            });
        });
        differing
    }
}

/// Returns `document` with the operations of handlers, each on the path of its route.
///
/// # Errors
///
/// If the document is not written as a JSON object, or if two different schemas have the same name: the schema of a
/// hidden operation could take the place of another one.
pub fn add_operations<'o>(
    document: &impl Serialize,
    handlers: impl IntoIterator<Item = (&'o str, &'o HandlerOperations)>,
) -> Result<Value, OpenApiError> {
    let mut document = document::read(document)?;
    let mut differing = BTreeSet::new();
    for (path, operations) in handlers {
        differing.extend(operations.add_to(&mut document, path));
    }
    if differing.is_empty() {
        return Ok(Value::Object(document));
    }
    let mistakes = differing.into_iter().map(|name| Mistake::Schema { name });
    Err(OpenApiError {
        mistakes: mistakes.collect(),
    })
}
