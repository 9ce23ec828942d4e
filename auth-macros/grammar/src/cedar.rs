//! The entity types and actions that a Cedar schema declares.
//!
//! A small strict reader of both forms, independent of `cedar-policy`, which takes far longer to compile than
//! all attributes. It reads the declarations with their names, and the types that actions apply to. The
//! rest is checked for its syntax only: the engine checks attributes, parents and contexts at start. A
//! schema that Cedar accepts has the same types and actions here, or it is refused: beyond the bounds of this
//! module, and for actions that no policy can name.

mod declarations;
mod json;
mod json_form;
mod lexer;
mod parser;
mod schema;

pub use self::declarations::MAX_PAIRS;
pub use self::schema::{CedarSchema, MAX_DEPTH, SchemaAction, SchemaType};
use crate::mistake::Mistake;

/// The maximum length of a schema, in bytes.
pub const MAX_SCHEMA: usize = 1024 * 1024;

/// The form of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaForm {
    /// Cedar's own syntax, in files that end in `.cedarschema`.
    Cedar,
    /// JSON, in files that end in `.cedarschema.json`.
    Json,
}

impl SchemaForm {
    /// Returns the form of a file, by its name.
    pub fn of(path: &str) -> Option<Self> {
        match path {
            _ if path.ends_with(".cedarschema") => Some(Self::Cedar),
            _ if path.ends_with(".cedarschema.json") => Some(Self::Json),
            _ => None,
        }
    }
}

/// Reads a schema. After a mistake, its declarations are incomplete.
///
/// ```
/// use auth_grammar::cedar::{self, SchemaForm};
///
/// let text = "entity User, Repository; action read appliesTo { principal: User, resource: Repository };";
/// let (schema, mistakes) = cedar::read(text, SchemaForm::Cedar);
/// assert!(mistakes.is_empty());
/// let read = &schema.actions[&(String::new(), "read".to_owned())];
/// assert_eq!(read.on, ["Repository"]);
/// ```
pub fn read(text: &str, form: SchemaForm) -> (CedarSchema, Vec<Mistake>) {
    if text.len() > MAX_SCHEMA {
        let message = format!(
            "the schema has {} bytes; the maximum is {MAX_SCHEMA}",
            text.len()
        );
        return (CedarSchema::default(), vec![Mistake::schema(0, message)]);
    }
    let namespaces = match form {
        SchemaForm::Cedar => parser::parse(text),
        SchemaForm::Json => json_form::parse(text),
    };
    match namespaces {
        Ok(namespaces) => declarations::resolve(namespaces),
        Err(mistake) => (CedarSchema::default(), vec![mistake]),
    }
}
