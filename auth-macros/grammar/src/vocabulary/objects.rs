//! The sections `[actions]` and `[resources]`.

use std::collections::BTreeMap;

use auth_runtime_policy::ResourcePattern;
use toml::de::{DeTable, DeValue};

use super::reader::{Reader, Value, in_order};
use crate::declared::DeclaredAction;
use crate::objects::{action_problem, type_problem};
use crate::suggest::nearest;
use crate::values::bare;

impl Reader {
    /// Reads `Type = "description"`.
    pub(super) fn resources(&mut self, value: &Value<'_>) -> BTreeMap<String, String> {
        let mut resources = BTreeMap::new();
        let Some(table) = self.section(value, "resources") else {
            return resources;
        };
        for (key, value) in in_order(table) {
            let name = key.get_ref().to_string();
            if let Some(problem) = type_problem(&name) {
                self.note(key.span().start, problem);
            }
            let description = self.description(value, "type", &name, &bare(&name));
            resources.insert(name, description);
        }
        resources
    }

    /// Reads `name = "description"`, or a table with `description` and `on`.
    pub(super) fn actions(
        &mut self,
        value: &Value<'_>,
        resources: &BTreeMap<String, String>,
    ) -> BTreeMap<String, DeclaredAction> {
        let mut actions = BTreeMap::new();
        let Some(table) = self.section(value, "actions") else {
            return actions;
        };
        for (key, value) in in_order(table) {
            let name = key.get_ref().to_string();
            if let Some(problem) = action_problem(&name) {
                self.note(key.span().start, problem);
            }
            let action = match value.get_ref() {
                DeValue::Table(own) => self.action(&name, key.span().start, own, resources),
                _ => DeclaredAction {
                    description: self.description(value, "action", &name, &bare(&name)),
                    on: Vec::new(),
                },
            };
            actions.insert(name, action);
        }
        actions
    }

    fn action(
        &mut self,
        name: &str,
        at: usize,
        table: &DeTable<'_>,
        resources: &BTreeMap<String, String>,
    ) -> DeclaredAction {
        let mut description = None;
        let mut on = Vec::new();
        for (key, value) in in_order(table) {
            match key.get_ref().as_ref() {
                "description" => {
                    description = Some(self.description(value, "action", name, "description"));
                }
                "on" => {
                    let what = format!("`on` of `{name}`");
                    if matches!(value.get_ref(), DeValue::Array(types) if types.is_empty()) {
                        let message = format!(
                            "{what} has no type\nhelp: name some, or remove `on` for all types"
                        );
                        self.note(value.span().start, message);
                    }
                    for (kind, at) in self.strings(value, &what, "`\"...\"`") {
                        if let Some(problem) = type_of_action(&kind, &on, resources) {
                            self.note(at, problem);
                        }
                        on.push(kind);
                    }
                }
                other => self.unknown(key.span(), other, "a key", &["description", "on"]),
            }
        }
        if description.is_none() {
            let message = format!(
                "the action `{name}` has no description\nhelp: add `description = \"...\"`"
            );
            self.note(at, message);
        }
        DeclaredAction {
            description: description.unwrap_or_default(),
            on,
        }
    }
}

/// Returns the mistake in a type that an action applies to.
fn type_of_action(
    kind: &str,
    earlier: &[String],
    resources: &BTreeMap<String, String>,
) -> Option<String> {
    if earlier.iter().any(|own| own == kind) {
        return Some(format!("duplicate `{kind}`\nhelp: remove one of them"));
    }
    if resources.contains_key(kind) || kind == ResourcePattern::SERVICE {
        return None;
    }
    let declared: Vec<&str> = resources.keys().map(String::as_str).collect();
    let advice = match nearest(kind, &declared) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "declare it below `[resources]`, or remove it".to_owned(),
    };
    Some(format!("the type `{kind}` is not declared\nhelp: {advice}"))
}
