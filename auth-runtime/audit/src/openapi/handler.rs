//! The operations of a single handler, for routers that document their routes.

use serde::Serialize;
use serde_json::Value;

use super::document::{self, Object, change_object};
use super::error::OpenApiError;
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

    fn add_to(&self, document: &mut Object, path: &str) {
        change_object(document, "paths", |paths| {
            for item in self.items().into_iter().flat_map(Object::values) {
                match paths.get_mut(path) {
                    Some(own) => operations::merge(own, item),
                    None => drop(paths.insert(path.to_owned(), item.clone())),
                }
            }
        });
        let Some(schemas) = self.schemas() else {
            return;
        };
        change_object(document, "components", |components| {
            change_object(components, "schemas", |own| own.extend(schemas.clone()));
        });
    }
}

/// Returns `document` with the operations of handlers, each on the path of its route.
///
/// # Errors
///
/// If the document is not written as a JSON object.
pub fn add_operations<'o>(
    document: &impl Serialize,
    handlers: impl IntoIterator<Item = (&'o str, &'o HandlerOperations)>,
) -> Result<Value, OpenApiError> {
    let mut document = document::read(document)?;
    for (path, operations) in handlers {
        operations.add_to(&mut document, path);
    }
    Ok(Value::Object(document))
}
