//! The parts of a schema.

use std::collections::BTreeMap;

/// The maximum depth of types in a schema, and of values in its JSON form.
pub const MAX_DEPTH: usize = 128;

/// The declarations of a schema.
#[derive(Debug, Default, PartialEq)]
pub struct CedarSchema {
    /// The entity types, by their names with the namespace, such as `App::Repository`.
    pub types: BTreeMap<String, SchemaType>,
    /// The actions, by their namespace (which may be empty) and their id.
    pub actions: BTreeMap<(String, String), SchemaAction>,
}

/// An entity type.
#[derive(Debug, PartialEq)]
pub struct SchemaType {
    /// The byte offset of its declaration.
    pub at: usize,
    /// The value of its annotation `@doc`; empty without one.
    pub description: String,
}

/// An action.
#[derive(Debug, PartialEq)]
pub struct SchemaAction {
    /// The byte offset of its declaration.
    pub at: usize,
    /// The value of its annotation `@doc`; empty without one.
    pub description: String,
    /// The types that it applies to, with their namespaces, each once. Empty for a group of actions.
    pub on: Vec<String>,
}

/// Returns whether a text is an identifier of Cedar, and not one of its reserved words.
pub(super) fn is_name(text: &str) -> bool {
    const RESERVED: [&str; 9] = [
        "true", "false", "if", "then", "else", "in", "is", "like", "has",
    ];
    auth_runtime_policy::is_identifier(text) && !RESERVED.contains(&text)
}
