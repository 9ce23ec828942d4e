//! The names of a vocabulary that policies and other code use.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use auth_grammar::codes;
use auth_grammar::requirement::{Namespace, ParsedRequirement, RequirementKind, Requires};
use auth_grammar::vocabulary::{DeclaredNames, Vocabulary, implying, line_and_column};
use proc_macro2::{TokenStream, TokenTree};
use syn::Lit;
use toml::de::{DeTable, DeValue};

use super::finding::{Finding, Place};

/// A vocabulary, and its used names by section.
pub(super) struct UsedNames {
    vocabulary: Arc<Vocabulary>,
    used: BTreeMap<&'static str, BTreeSet<String>>,
    /// The texts in the code that may be names of any section.
    texts: BTreeSet<String>,
}

impl UsedNames {
    pub(super) fn of(vocabulary: Arc<Vocabulary>) -> Self {
        Self {
            vocabulary,
            used: BTreeMap::new(),
            texts: BTreeSet::new(),
        }
    }

    /// Records texts in the code that may be names.
    pub(super) fn note_texts(&mut self, mut texts: BTreeSet<String>) {
        self.texts.append(&mut texts);
    }

    /// Records all names in a policy.
    pub(super) fn note(&mut self, requires: &Requires) {
        let lesser = requires.hide_unless.iter().map(|hide| &hide.lesser);
        for requirement in requires.requirements.iter().chain(lesser) {
            self.requirement(requirement);
        }
    }

    fn requirement(&mut self, requirement: &ParsedRequirement) {
        if let Some(policy) = &requirement.policy {
            self.add("policies", policy);
        }
        match &requirement.kind {
            RequirementKind::Named(namespace, name) => {
                if let Some(section) = section(*namespace) {
                    self.add(section, &name.text);
                }
            }
            RequirementKind::Network(network) => {
                self.add("networks", &network.text);
            }
            RequirementKind::All(parts) | RequirementKind::Any(parts) => {
                for part in parts {
                    self.requirement(part);
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, section: &'static str, name: &str) {
        self.used
            .entry(section)
            .or_default()
            .insert(name.to_owned());
    }

    /// Returns the unused names, with their places in the `text` of the vocabulary.
    pub(super) fn findings(&self, file: &str, text: &str) -> Vec<Finding> {
        let Ok(table) = DeTable::parse(text) else {
            return Vec::new();
        };
        let mut findings = Vec::new();
        for (section, value) in table.get_ref() {
            // Handlers ask about actions and objects as well, outside policies.
            let section_name = section.get_ref().as_ref();
            if matches!(section_name, "actions" | "resources" | "cedar") {
                continue;
            }
            let DeValue::Table(words) = value.get_ref() else {
                continue;
            };
            for word in words.keys() {
                let name = word.get_ref().as_ref();
                if !self.is_used(section_name, name) {
                    let (line, column) = line_and_column(text, word.span().start);
                    let place = Place {
                        file: file.to_owned(),
                        line,
                        column,
                    };
                    let message = unused(section_name, name);
                    findings.push(Finding::new(place, codes::UNUSED, message));
                }
            }
        }
        findings
    }

    /// Returns whether a name is used, implies a used name, or is implied by one.
    fn is_used(&self, section: &str, name: &str) -> bool {
        let required = self.used.get(section);
        let is_required = |name: &String| required.is_some_and(|names| names.contains(name));
        let is_named = |name: &String| self.texts.contains(name) || is_required(name);
        let none = DeclaredNames::new();
        let terms = match section {
            "scopes" => &self.vocabulary.scopes,
            "roles" => &self.vocabulary.roles,
            "permissions" => &self.vocabulary.permissions,
            _ => &none,
        };
        // The name is granted together with each name that implies it.
        let implied = |other: &String| implying(terms, other).iter().any(|it| it == name);
        let mut named = required.into_iter().flatten().chain(&self.texts);
        named.any(|other| other == name || implied(other))
            || implying(terms, name).iter().any(is_named)
    }
}

/// Returns whether a function asks for a grant of a caller, as those of `Identity` do.
pub(super) fn asks_for_grant(function: &str) -> bool {
    let grant = ["has_", "meets_"]
        .iter()
        .find_map(|prefix| function.strip_prefix(prefix));
    matches!(grant, Some("scope" | "role" | "permission"))
}

/// Adds the string literals in tokens.
pub(super) fn add_texts(tokens: TokenStream, texts: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => add_texts(group.stream(), texts),
            TokenTree::Literal(literal) => {
                if let Lit::Str(text) = Lit::new(literal) {
                    texts.insert(text.value());
                }
            }
            _ => {}
        }
    }
}

fn section(namespace: Namespace) -> Option<&'static str> {
    match namespace {
        Namespace::Scope => Some("scopes"),
        Namespace::Role => Some("roles"),
        Namespace::Permission => Some("permissions"),
        Namespace::Setting => Some("settings"),
        Namespace::Acr | Namespace::Amr => None,
    }
}

fn unused(section: &str, name: &str) -> String {
    let kind = match section {
        "policies" => "policy",
        other => other.trim_end_matches('s'),
    };
    format!(
        "the {kind} `{name}` is declared, and no policy requires it\n\
         help: remove it, or require it in a policy"
    )
}
