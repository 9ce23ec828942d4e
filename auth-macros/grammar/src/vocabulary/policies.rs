//! The section `[policies]`.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use toml::de::DeValue;

use super::reader::{Reader, Value, in_order};
use super::syntax::unclosed;
use crate::characters::unfit;
use crate::declared::{NamedPolicy, Vocabulary};
use crate::errors::Errors;
use crate::requirement::{ParsedRequirement, RequirementKind};
use crate::resolver::Resolver;
use crate::size::is_too_large;
use crate::values::bare;
use crate::{args, check, codes, objects, resolve};

impl Reader {
    /// Reads `[policies.staff]` with `requires = '…'` in the grammar of the attribute.
    pub(super) fn policies(
        &mut self,
        value: &Value<'_>,
        vocabulary: &Vocabulary,
    ) -> BTreeMap<String, NamedPolicy> {
        let mut policies = BTreeMap::new();
        let Some(table) = self.section(value, "policies") else {
            return policies;
        };
        for (key, value) in in_order(table) {
            let name = key.get_ref().to_string();
            if name.trim().is_empty() {
                let message = "the policy has no name\nhelp: name it, or remove it".to_owned();
                self.note(key.span().start, message);
            } else if let Some(problem) = unfit("policy", &name) {
                self.note(key.span().start, problem);
            }
            let requires = match value.get_ref() {
                DeValue::String(text) => text.to_string(),
                _ => "...".to_owned(),
            };
            let instead = format!(
                "\nhelp: write `[policies.{}]` with `requires = '{requires}'`",
                bare(&name)
            );
            let Some(table) = self.table(value, &format!("the policy `{name}`"), &instead) else {
                continue;
            };
            let mut requires = None;
            let mut description = None;
            for (key, value) in in_order(table) {
                match key.get_ref().as_ref() {
                    "requires" => requires = Some(self.requires(&name, value, vocabulary)),
                    "description" => {
                        description = Some(self.description(value, "policy", &name, "description"));
                    }
                    other => {
                        self.unknown(key.span(), other, "a key", &["requires", "description"]);
                    }
                }
            }
            if requires.is_none() {
                let message = format!(
                    "the policy `{name}` has no requirement\n\
                     help: add `requires = 'role = \"...\"'`, with the arguments of \
                     `#[requires(...)]`"
                );
                self.note(key.span().start, message);
            }
            let (requires, size) = requires.unwrap_or_default();
            policies.insert(
                name,
                NamedPolicy {
                    description: description.unwrap_or_default(),
                    requires,
                    size,
                },
            );
        }
        policies
    }

    /// Returns the requirements of a policy as text, and their number.
    fn requires(
        &mut self,
        name: &str,
        value: &Value<'_>,
        vocabulary: &Vocabulary,
    ) -> (String, usize) {
        let at = value.span().start;
        let what = format!("`requires` of the policy `{name}`");
        let Some(text) = self.string(value, &what, "`requires = 'role = \"...\"'`") else {
            return (String::new(), 0);
        };
        if args::is_too_deep(&text) {
            let message = format!("in the policy `{name}`: {}", args::too_deep_message());
            self.note(at, message);
            return (String::new(), 0);
        }
        let Ok(tokens) = text.parse::<TokenStream>() else {
            let message = format!("in the policy `{name}`: {}", unclosed(&text));
            self.note(at, message);
            return (text, 0);
        };
        let mut errors = Errors::default();
        let mut requires = args::requires(tokens, &mut errors);
        let lesser = requires.hide_unless.iter().map(|hidden| &hidden.lesser);
        let mut parts = requires.requirements.iter().chain(lesser);
        if let Some(other) = parts.find_map(named_policy) {
            let message = format!(
                "in the policy `{name}`: a policy cannot contain another\n\
                 help: write out the requirements of `{other}`"
            );
            self.note(at, message);
            return (text, 0);
        }
        if let Some((key, function)) = check::relative_function(&requires) {
            let message = format!(
                "in the policy `{name}`: the path of the function is not absolute\n\
                 help: write `{key} = crate::...::{function}`"
            );
            self.note(at, message);
        }
        if requires.krate.is_some() {
            let message = format!(
                "in the policy `{name}`: `crate` is a key of the attribute\nhelp: remove it"
            );
            self.note(at, message);
        }
        let resolver = Resolver {
            vocabulary: Some(vocabulary),
            shown: "",
        };
        // Formatted from the parsed policy, without comments and line breaks.
        let written = requires.to_string();
        if !is_too_large(&requires, None, &mut errors) {
            resolve::requires(&mut requires, resolver, &mut errors);
            objects::place(&mut requires);
            resolve::objects(&requires, resolver, &mut errors);
            objects::idle(&requires, &mut errors);
            if !is_too_large(&requires, None, &mut errors) {
                check::requires(&requires, &mut errors);
            }
        }
        let size = requires
            .requirements
            .iter()
            .map(ParsedRequirement::size)
            .sum();
        for message in errors.messages() {
            let (message, _) = codes::split(&message);
            self.note(at, format!("in the policy `{name}`: {message}"));
        }
        (written, size)
    }
}

/// Returns the first policy that a requirement names.
fn named_policy(requirement: &ParsedRequirement) -> Option<&str> {
    match &requirement.kind {
        RequirementKind::Policy(name) => Some(&name.text),
        RequirementKind::All(parts) | RequirementKind::Any(parts) => {
            parts.iter().find_map(named_policy)
        }
        _ => None,
    }
}
