//! The names and policies that a vocabulary declares.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use crate::requirement::Namespace;

/// The declarations.
#[derive(Default)]
pub struct Vocabulary {
    /// The realm of the service.
    pub realm: Option<String>,
    /// `[scopes]`
    pub scopes: DeclaredNames,
    /// `[roles]`
    pub roles: DeclaredNames,
    /// `[permissions]`
    pub permissions: DeclaredNames,
    /// `[actions]`
    pub actions: BTreeMap<String, DeclaredAction>,
    /// `[resources]`: the types of objects, each with its description.
    pub resources: BTreeMap<String, String>,
    /// `[settings]`. None of them implies another.
    pub settings: DeclaredNames,
    /// `[networks]`
    pub networks: BTreeMap<String, Vec<IpNet>>,
    /// `[policies]`
    pub policies: BTreeMap<String, NamedPolicy>,
    /// The Cedar schema of `[cedar]`. Its actions and types are among those above.
    pub schema: Option<NamedSchema>,
}

/// A Cedar schema that a vocabulary names.
pub struct NamedSchema {
    /// The path, as written in the vocabulary.
    pub path: String,
    /// The actions that apply to no type: groups of actions.
    pub groups: BTreeSet<String>,
}

/// An action on objects.
#[derive(Default)]
pub struct DeclaredAction {
    /// The description.
    pub description: String,
    /// The types of the objects that it applies to; empty for all types, and the service itself.
    pub on: Vec<String>,
}

/// Requirements under one name.
pub struct NamedPolicy {
    /// The description; empty if there is none.
    pub description: String,
    /// The arguments of `#[requires(...)]`, as text: tokens do not outlive an expansion.
    pub requires: String,
    /// The number of single requirements, after names are resolved.
    pub size: usize,
}

/// The names of one kind, in order.
pub type DeclaredNames = BTreeMap<String, DeclaredName>;

/// A name that can be required.
pub struct DeclaredName {
    /// The description.
    pub description: String,
    /// The names that are granted with it.
    pub implies: Vec<String>,
    /// The names that directly imply it, in order.
    pub implied_by: Vec<String>,
}

/// The maximum number of names of a kind.
pub const MAX_TERMS: usize = 4096;

/// The maximum number of names that imply one name, directly or indirectly. Each is a part of every
/// policy that requires that name.
pub const MAX_IMPLYING: usize = 256;

/// The maximum number of blocks of addresses of a network.
pub const MAX_BLOCKS: usize = 1024;

impl Vocabulary {
    /// Returns all names, by the key of their kind.
    pub(crate) fn names(&self) -> Vec<(&'static str, Vec<&str>)> {
        fn keys<T>(declared: &BTreeMap<String, T>) -> Vec<&str> {
            declared.keys().map(String::as_str).collect()
        }
        vec![
            ("scope", keys(&self.scopes)),
            ("role", keys(&self.roles)),
            ("permission", keys(&self.permissions)),
            ("action", keys(&self.actions)),
            ("resource", keys(&self.resources)),
            ("network", keys(&self.networks)),
            ("setting", keys(&self.settings)),
            ("policy", keys(&self.policies)),
        ]
    }

    /// Returns the names of a kind; `None` for a kind that is not declared in a vocabulary.
    pub(crate) fn terms(&self, namespace: Namespace) -> Option<&DeclaredNames> {
        match namespace {
            Namespace::Scope => Some(&self.scopes),
            Namespace::Role => Some(&self.roles),
            Namespace::Permission => Some(&self.permissions),
            Namespace::Setting => Some(&self.settings),
            Namespace::Acr | Namespace::Amr => None,
        }
    }
}

/// Returns the names that imply `name`, directly or indirectly, without `name`.
pub fn implying(terms: &DeclaredNames, name: &str) -> Vec<String> {
    let mut found: Vec<&String> = Vec::new();
    let mut seen = BTreeSet::from([name]);
    let mut narrower = Some(name);
    // The list grows during the iteration.
    let mut at = 0;
    while let Some(term) = narrower.map(|narrower| terms.get(narrower)) {
        for broader in term.into_iter().flat_map(|term| &term.implied_by) {
            if seen.insert(broader) {
                found.push(broader);
            }
        }
        narrower = found.get(at).map(|name| name.as_str());
        at += 1;
    }
    found.into_iter().cloned().collect()
}
