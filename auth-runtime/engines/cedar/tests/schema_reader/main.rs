//! The reader of the attributes for Cedar schemas, against Cedar's own.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod generated;
mod generator;
mod refused;
mod vocabulary;

use std::collections::{BTreeMap, BTreeSet};

use auth_grammar::cedar::{self, CedarSchema, SchemaForm};
use cedar_policy::{Schema, SchemaFragment};

/// The types, and the types that each action applies to, by its namespace and id.
#[derive(Debug, PartialEq)]
struct Declared {
    types: BTreeSet<String>,
    actions: BTreeMap<(String, String), BTreeSet<String>>,
}

impl From<CedarSchema> for Declared {
    fn from(schema: CedarSchema) -> Self {
        let actions = schema.actions.into_iter();
        Self {
            types: schema.types.into_keys().collect(),
            actions: actions
                .map(|(name, action)| (name, action.on.into_iter().collect()))
                .collect(),
        }
    }
}

impl From<Schema> for Declared {
    fn from(schema: Schema) -> Self {
        let actions = schema.actions().map(|uid| {
            let namespace = uid.type_name().namespace();
            let on = schema.resources_for_action(uid).into_iter().flatten();
            let on = on.map(ToString::to_string).collect();
            ((namespace, uid.id().unescaped().to_owned()), on)
        });
        Self {
            actions: actions.collect(),
            types: schema.entity_types().map(ToString::to_string).collect(),
        }
    }
}

/// Returns the declarations, or the messages.
fn ours(text: &str, form: SchemaForm) -> Result<Declared, Vec<String>> {
    let (schema, mistakes) = cedar::read(text, form);
    match mistakes.is_empty() {
        true => Ok(schema.into()),
        false => Err(mistakes.into_iter().map(|it| it.message).collect()),
    }
}

/// Returns the declarations, or the message.
fn theirs(text: &str) -> Result<Declared, String> {
    let (schema, _) = Schema::from_cedarschema_str(text).map_err(|error| error.to_string())?;
    Ok(schema.into())
}

/// Compares both readers on one text.
///
/// A schema that Cedar accepts has the same declarations. One that its syntax, or the conversion to its JSON
/// form, refuses is refused. Only mistakes that Cedar finds by looking at several declarations may pass here, and
/// the engine reports them at start: unknown parents, principals and attribute types, cycles, and names of
/// types that hide each other.
fn compare(text: &str) {
    let own = ours(text, SchemaForm::Cedar);
    match theirs(text) {
        Ok(declared) => assert_eq!(own.as_ref(), Ok(&declared), "{text}"),
        Err(_) => {
            if let Err(error) = SchemaFragment::from_cedarschema_str(text) {
                assert!(own.is_err(), "{error}\n{text}");
            }
        }
    }
}

/// Compares both readers on the JSON form of a schema in Cedar's syntax.
fn compare_json(text: &str) {
    let Ok((fragment, _)) = SchemaFragment::from_cedarschema_str(text) else {
        return;
    };
    let json = fragment.to_json_string().expect("it is JSON");
    if let Ok(schema) = Schema::from_json_str(&json) {
        let declared = Declared::from(schema);
        assert_eq!(
            ours(&json, SchemaForm::Json).as_ref(),
            Ok(&declared),
            "{json}"
        );
    }
}
