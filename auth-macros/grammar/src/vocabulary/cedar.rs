//! The section `[cedar]`: the actions and the types of objects of a Cedar schema.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use auth_runtime_policy::ResourcePattern;
use toml::de::DeValue;

use super::reader::{Reader, Value, in_order};
use crate::cedar::{self, CedarSchema, SchemaForm};
use crate::characters::legible;
use crate::codes;
use crate::declared::{DeclaredAction, NamedSchema, Vocabulary};
use crate::mistake::Mistake;
use crate::objects::action_problem;

/// Returns the text of a file, by its path in the vocabulary, or the reason why it cannot be read.
pub type LoadSchema<'l> = &'l mut dyn FnMut(&str) -> Result<String, String>;

/// A schema that was read, and its path.
pub(super) struct ReadSchema {
    path: String,
    schema: CedarSchema,
}

const INSTEAD: &str = "\nhelp: write `[cedar]`, with `schema = \"schema.cedarschema\"` below";

impl Reader {
    /// Reads `schema = "schema.cedarschema"`, and that file.
    pub(super) fn cedar(&mut self, value: &Value<'_>, load: LoadSchema<'_>) -> Option<ReadSchema> {
        let table = self.table(value, "`cedar`", INSTEAD)?;
        let mut schema = None;
        for (key, value) in in_order(table) {
            match key.get_ref().as_ref() {
                "schema" => schema = Some(value),
                other => self.unknown(key.span(), other, "a key of `[cedar]`", &["schema"]),
            }
        }
        let Some(value) = schema else {
            let message = format!("`[cedar]` has no schema{INSTEAD}");
            self.note(value.span().start, message);
            return None;
        };
        let at = value.span().start;
        let path = self.string(value, "`schema`", "`schema = \"schema.cedarschema\"`")?;
        let Some(form) = SchemaForm::of(&path) else {
            let message = format!(
                "`{path}` is not the name of a Cedar schema\n\
                 help: name a file that ends in `.cedarschema`, or in `.cedarschema.json` for the \
                 JSON form"
            );
            self.note(at, message);
            return None;
        };
        if Path::new(&path).is_absolute() {
            let message =
                format!("the path `{path}` is absolute\nhelp: write it relative to `auth.toml`");
            self.note(at, message);
            return None;
        }
        let text = match load(&path) {
            Ok(text) => text,
            Err(reason) => {
                let message = format!(
                    "`{path}` cannot be read: {reason}\n\
                     help: correct the path, which is relative to `auth.toml`, or the file"
                );
                self.note(at, message);
                return None;
            }
        };
        let (schema, mistakes) = cedar::read(&text, form);
        let is_right = mistakes.is_empty();
        self.mistakes.extend(mistakes);
        is_right.then_some(ReadSchema { path, schema })
    }

    /// Adds the declarations of a schema to the vocabulary, and reads the section `[actions]`, which must not
    /// contradict them.
    pub(super) fn add_schema(
        &mut self,
        read: ReadSchema,
        own: Option<&Value<'_>>,
        vocabulary: &mut Vocabulary,
    ) {
        let ReadSchema { path, schema } = read;
        let namespaces = schema.actions.keys();
        let with_actions: BTreeSet<String> =
            namespaces.map(|(namespace, _)| namespace.clone()).collect();
        // The engine takes this type, in the namespace of the actions, for the service itself.
        let is_service = |name: &str| match name.rsplit_once("::") {
            Some((namespace, name)) => {
                name == ResourcePattern::SERVICE && with_actions.contains(namespace)
            }
            None => name == ResourcePattern::SERVICE,
        };
        for (name, declared) in &schema.types {
            if !is_service(name) {
                let own = vocabulary.resources.entry(name.clone());
                own.or_insert_with(|| declared.description.clone());
            }
        }
        let mut actions: BTreeMap<String, DeclaredAction> = BTreeMap::new();
        for ((_, name), declared) in schema.actions {
            if let Some(problem) = action_problem(&name) {
                self.mistakes.push(Mistake::schema(declared.at, problem));
            }
            let action = actions.entry(name).or_default();
            if action.description.is_empty() {
                action.description = declared.description;
            }
            for kind in declared.on {
                let kind = if is_service(&kind) {
                    ResourcePattern::SERVICE.to_owned()
                } else {
                    kind
                };
                if !action.on.contains(&kind) {
                    action.on.push(kind);
                }
            }
        }
        let (groups, mut actions): (BTreeMap<_, _>, BTreeMap<_, _>) = actions
            .into_iter()
            .partition(|(_, action)| action.on.is_empty());
        let schema = NamedSchema {
            path,
            groups: groups.into_keys().collect(),
        };
        if let Some(own) = own {
            self.add_own(own, &schema, &mut actions, &vocabulary.resources);
        }
        vocabulary.actions = actions;
        vocabulary.schema = Some(schema);
    }

    /// Reads the section `[actions]` beside a schema. An action of the schema may get a description there.
    fn add_own(
        &mut self,
        value: &Value<'_>,
        schema: &NamedSchema,
        actions: &mut BTreeMap<String, DeclaredAction>,
        resources: &BTreeMap<String, String>,
    ) {
        let mut own = self.actions(value, resources);
        let DeValue::Table(table) = value.get_ref() else {
            return;
        };
        for (key, _) in in_order(table) {
            let name = key.get_ref().as_ref();
            let Some(mut own) = own.remove(name) else {
                continue;
            };
            let declared = actions.get_mut(name);
            if let Some(message) = contradiction(name, &own, declared.as_deref(), schema) {
                self.mistakes.push(Mistake {
                    at: key.span().start,
                    code: codes::SCHEMA_CONTRADICTED,
                    message: legible(&message),
                });
            }
            if let Some(declared) = declared {
                own.on = std::mem::take(&mut declared.on);
            }
            actions.insert(name.to_owned(), own);
        }
    }
}

/// Returns the contradiction between an action of the vocabulary and its declaration in the schema.
fn contradiction(
    name: &str,
    own: &DeclaredAction,
    declared: Option<&DeclaredAction>,
    schema: &NamedSchema,
) -> Option<String> {
    let path = &schema.path;
    if schema.groups.contains(name) {
        return Some(format!(
            "the action `{name}` applies to no type in `{path}`\n\
             help: remove it here, or add `appliesTo` to it there"
        ));
    }
    let declared = declared?;
    let set = |action: &DeclaredAction| action.on.iter().cloned().collect::<BTreeSet<_>>();
    let is_same = own.on.is_empty() || set(own) == set(declared);
    (!is_same).then(|| {
        format!(
            "the action `{name}` applies to `{}` here, and to `{}` in `{path}`\n\
             help: remove `on`: the types of the schema apply",
            own.on.join("`, `"),
            declared.on.join("`, `")
        )
    })
}
