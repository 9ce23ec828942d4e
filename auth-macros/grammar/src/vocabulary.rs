//! What a service declares in `auth.toml`: its scopes, roles, permissions, networks and policies.

mod find;
mod read;
mod workspace;

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

pub use self::find::{Found, find};
pub(crate) use self::read::bare;
pub use self::read::{Mistake, read};
use crate::requirement::Namespace;

/// What is declared.
#[derive(Default)]
pub struct Vocabulary {
    /// The realm of the service.
    pub realm: Option<String>,
    /// `[scopes]`
    pub scopes: Terms,
    /// `[roles]`
    pub roles: Terms,
    /// `[permissions]`
    pub permissions: Terms,
    /// `[networks]`
    pub networks: BTreeMap<String, Vec<IpNet>>,
    /// `[policies]`
    pub policies: BTreeMap<String, Policy>,
}

/// Requirements under one name.
pub struct Policy {
    /// For people; empty if there is none.
    pub description: String,
    /// What would stand in `#[requires(...)]`: text, since tokens do not outlive an expansion.
    pub requires: String,
    /// How many single requirements that is, once names are looked up.
    pub size: usize,
}

/// The names of one kind, in their order.
pub type Terms = BTreeMap<String, Term>;

/// A name that can be required.
pub struct Term {
    /// For people.
    pub description: String,
    /// What is granted with it.
    pub implies: Vec<String>,
    /// The names that imply it themselves, in their order.
    pub implied_by: Vec<String>,
}

/// The names of a kind, at most.
pub const MAX_TERMS: usize = 4096;

/// The names that imply one name, themselves or through others, at most: each is a part of every policy
/// that asks for that name.
pub const MAX_IMPLYING: usize = 256;

/// The blocks of addresses of a network, at most.
pub const MAX_BLOCKS: usize = 1024;

impl Vocabulary {
    /// All names, by the key of their kind.
    pub(crate) fn names(&self) -> Vec<(&'static str, Vec<&str>)> {
        fn keys<T>(declared: &BTreeMap<String, T>) -> Vec<&str> {
            declared.keys().map(String::as_str).collect()
        }
        vec![
            ("scope", keys(&self.scopes)),
            ("role", keys(&self.roles)),
            ("permission", keys(&self.permissions)),
            ("network", keys(&self.networks)),
            ("policy", keys(&self.policies)),
        ]
    }

    /// The names of a kind; `None` for a kind that is not declared in a vocabulary.
    pub fn terms(&self, namespace: Namespace) -> Option<&Terms> {
        match namespace {
            Namespace::Scope => Some(&self.scopes),
            Namespace::Role => Some(&self.roles),
            Namespace::Permission => Some(&self.permissions),
            Namespace::Acr | Namespace::Amr => None,
        }
    }
}

/// The names that imply `name`, themselves or through others, without `name`.
pub fn implying(terms: &Terms, name: &str) -> Vec<String> {
    let mut found: Vec<&String> = Vec::new();
    let mut seen = BTreeSet::from([name]);
    let mut narrower = Some(name);
    // Grows while it is gone through.
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
