//! Documents as JSON, the form that the types of all libraries have in common.

use serde::Serialize;
use serde_json::{Map, Value};

use super::error::Mistake;

/// An object of a document, by the names of its fields.
pub(super) type Object = Map<String, Value>;

/// Returns the fields of a document.
pub(super) fn read(document: &impl Serialize) -> Result<Object, Mistake> {
    match serde_json::to_value(document) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Mistake::NoObject {
            reason: "another value".to_owned(),
        }),
        Err(error) => Err(Mistake::NoObject {
            reason: error.to_string(),
        }),
    }
}

/// Returns the mistake that the version of a document is not 3.1 or a later 3. In 3.0, only `oauth2` and
/// `openIdConnect` have scopes in `security`, and no scheme is `mutualTLS`.
pub(super) fn unknown_version(document: &Object) -> Option<Mistake> {
    let written = text(document, "openapi");
    let minor = |version: &str| -> Option<u32> {
        version.strip_prefix("3.")?.split('.').next()?.parse().ok()
    };
    let is_known = written.and_then(minor).is_some_and(|minor| minor >= 1);
    (!is_known).then(|| Mistake::Version {
        written: written.map(str::to_owned),
    })
}

/// Passes the object in a field to `change`. A field that is missing is added.
pub(super) fn change_object(parent: &mut Object, name: &str, change: impl FnOnce(&mut Object)) {
    let field = parent.entry(name).or_insert(Value::Null);
    let mut object = match field.take() {
        Value::Object(object) => object,
        _ => Object::new(),
    };
    change(&mut object);
    *field = Value::Object(object);
}

/// Sets a field of an object.
pub(super) fn set_field(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value.into());
    }
}

/// Returns the text in a field.
pub(super) fn text<'o>(object: &'o Object, name: &str) -> Option<&'o str> {
    object.get(name)?.as_str()
}

/// Returns the members of the list in a field.
pub(super) fn list<'o>(object: &'o Object, name: &str) -> &'o [Value] {
    let list = object.get(name).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

/// Returns the values of the object in a field.
pub(super) fn values_mut<'o>(
    object: &'o mut Object,
    name: &str,
) -> impl Iterator<Item = &'o mut Value> {
    let inner = object.get_mut(name).and_then(Value::as_object_mut);
    inner.into_iter().flat_map(|inner| inner.values_mut())
}

/// Removes the members for which `is_kept` returns false from the object in a field, and the field if none
/// remains.
pub(super) fn retain(
    object: &mut Object,
    name: &str,
    is_kept: impl FnMut(&String, &mut Value) -> bool,
) {
    let Some(inner) = object.get_mut(name).and_then(Value::as_object_mut) else {
        return;
    };
    inner.retain(is_kept);
    if inner.is_empty() {
        object.retain(|field, _| field != name);
    }
}

/// Returns the object itself. `None` if it is a reference.
pub(super) fn here(part: &mut Value) -> Option<&mut Object> {
    let part = part.as_object_mut()?;
    (!part.contains_key("$ref")).then_some(part)
}
