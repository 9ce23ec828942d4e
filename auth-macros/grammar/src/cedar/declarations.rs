//! The declarations of a schema, before and after their names are resolved.

use std::collections::{BTreeMap, BTreeSet};

use super::schema::{CedarSchema, SchemaAction, SchemaType};
use crate::declared::MAX_TERMS;
use crate::mistake::Mistake;
use crate::suggest::nearest;

/// The maximum number of pairs of an action and a type that it applies to.
pub const MAX_PAIRS: usize = 65_536;

/// The number of mistakes after which reading ends. The search for the name that was meant takes long in a
/// schema with thousands of names.
const MAX_MISTAKES: usize = 32;

/// A name, and the byte at which it begins.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) at: usize,
}

/// The declarations of a namespace, in the order of the text.
#[derive(Default)]
pub(super) struct Namespace {
    /// Empty for declarations outside a namespace.
    pub(super) name: String,
    pub(super) at: usize,
    pub(super) types: Vec<(Name, String)>,
    pub(super) common_types: Vec<Name>,
    pub(super) actions: Vec<ActionDeclaration>,
}

/// A declaration of one or several actions.
pub(super) struct ActionDeclaration {
    pub(super) names: Vec<Name>,
    pub(super) description: String,
    /// The types as written.
    pub(super) resources: Vec<Name>,
}

/// Resolves the types that actions apply to, and records duplicates and unknown types.
pub(super) fn resolve(namespaces: Vec<Namespace>) -> (CedarSchema, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    if let Some(mistake) = too_large(&namespaces) {
        return (CedarSchema::default(), vec![mistake]);
    }
    let mut schema = CedarSchema::default();
    let mut seen = BTreeSet::new();
    for namespace in &namespaces {
        if !namespace.name.is_empty() && !seen.insert(&namespace.name) {
            mistakes.push(duplicate("namespace", &namespace.name, namespace.at));
        }
        names(namespace, &mut schema, &mut mistakes);
    }
    let types: Vec<&str> = schema.types.keys().map(String::as_str).collect();
    let mut actions = BTreeMap::new();
    'actions: for namespace in &namespaces {
        for declaration in &namespace.actions {
            if mistakes.len() >= MAX_MISTAKES {
                break 'actions;
            }
            let on = objects(&namespace.name, &declaration.resources, &types);
            let on = on.unwrap_or_else(|wrong| {
                mistakes.extend(wrong);
                Vec::new()
            });
            for name in &declaration.names {
                let key = (namespace.name.clone(), name.text.clone());
                let action = SchemaAction {
                    at: name.at,
                    description: declaration.description.clone(),
                    on: on.clone(),
                };
                if actions.insert(key, action).is_some() {
                    mistakes.push(duplicate("action", &name.text, name.at));
                }
            }
        }
    }
    schema.actions = actions;
    mistakes.truncate(MAX_MISTAKES);
    (schema, mistakes)
}

fn too_large(namespaces: &[Namespace]) -> Option<Mistake> {
    let types = namespaces.iter().map(|own| own.types.len()).sum();
    let actions = namespaces.iter().flat_map(|own| &own.actions);
    let count = actions.clone().map(|action| action.names.len()).sum();
    let pairs = actions.map(|action| action.names.len().saturating_mul(action.resources.len()));
    let pairs = pairs.fold(0, usize::saturating_add);
    let counts = [
        ("entity types", types, MAX_TERMS),
        ("actions", count, MAX_TERMS),
        ("pairs of an action and a type", pairs, MAX_PAIRS),
    ];
    let mut counts = counts.into_iter();
    let (what, count, maximum) = counts.find(|(_, count, maximum)| count > maximum)?;
    let message = format!("the schema has {count} {what}; the maximum is {maximum}");
    Some(Mistake::schema(0, message))
}

/// Adds the entity types of a namespace, and checks the names of its types.
fn names(namespace: &Namespace, schema: &mut CedarSchema, mistakes: &mut Vec<Mistake>) {
    for (name, description) in &namespace.types {
        let reserved = match name.text.as_str() {
            "__cedar" => true,
            // The type of actions.
            "Action" => true,
            _ => false,
        };
        if reserved {
            mistakes.push(reserved_name(name));
        }
        let declared = SchemaType {
            at: name.at,
            description: description.clone(),
        };
        let full = qualified(&namespace.name, &name.text);
        if schema.types.insert(full, declared).is_some() {
            mistakes.push(duplicate("entity type", &name.text, name.at));
        }
    }
    let mut seen = BTreeSet::new();
    for name in &namespace.common_types {
        const RESERVED: [&str; 9] = [
            "__cedar",
            "Bool",
            "Boolean",
            "Entity",
            "Extension",
            "Long",
            "Record",
            "Set",
            "String",
        ];
        if RESERVED.contains(&name.text.as_str()) {
            mistakes.push(reserved_name(name));
        }
        if !seen.insert(&name.text) {
            mistakes.push(duplicate("type", &name.text, name.at));
        }
    }
    if namespace.name.split("::").any(|part| part == "__cedar") {
        let text = namespace.name.clone();
        let at = namespace.at;
        mistakes.push(reserved_name(&Name { text, at }));
    }
}

/// Returns the full names of the types that an action applies to, each once. A name without a namespace
/// belongs to the current one, or else to none.
fn objects(
    namespace: &str,
    resources: &[Name],
    types: &[&str],
) -> Result<Vec<String>, Vec<Mistake>> {
    let mut on = Vec::new();
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for name in resources {
        let candidates = if name.text.contains("::") {
            vec![name.text.clone()]
        } else {
            vec![qualified(namespace, &name.text), name.text.clone()]
        };
        let is_declared = |name: &String| types.binary_search(&name.as_str()).is_ok();
        match candidates.into_iter().find(is_declared) {
            Some(full) if seen.insert(full.clone()) => on.push(full),
            Some(_) => {}
            None if wrong.len() >= MAX_MISTAKES => break,
            None => wrong.push(Mistake::schema(name.at, unknown(&name.text, types))),
        }
    }
    if wrong.is_empty() { Ok(on) } else { Err(wrong) }
}

fn unknown(name: &str, types: &[&str]) -> String {
    let advice = match nearest(name, types) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("declare it: `entity {name};`"),
    };
    format!("the entity type `{name}` is not declared\nhelp: {advice}")
}

fn qualified(namespace: &str, name: &str) -> String {
    match namespace {
        "" => name.to_owned(),
        namespace => format!("{namespace}::{name}"),
    }
}

fn duplicate(what: &str, name: &str, at: usize) -> Mistake {
    Mistake::schema(
        at,
        format!("duplicate {what} `{name}`\nhelp: remove one of them"),
    )
}

fn reserved_name(name: &Name) -> Mistake {
    let message = format!(
        "`{}` is a reserved name of Cedar\nhelp: rename it",
        name.text
    );
    Mistake::schema(name.at, message)
}
