//! What a service declares in `auth.toml`: its scopes, roles, permissions, networks and policies.

mod find;
mod read;

use std::collections::BTreeMap;

use ipnet::IpNet;

pub(crate) use self::find::{Found, find};
pub(crate) use self::read::undeclared;
use crate::requirement::Namespace;

/// What is declared.
#[derive(Default)]
pub(crate) struct Vocabulary {
    pub(crate) realm: Option<String>,
    pub(crate) scopes: Terms,
    pub(crate) roles: Terms,
    pub(crate) permissions: Terms,
    pub(crate) networks: BTreeMap<String, Vec<IpNet>>,
    /// What would stand in `#[requires(...)]`: text, since tokens do not outlive an expansion.
    pub(crate) policies: BTreeMap<String, String>,
}

/// The names of one kind, in their order.
pub(crate) type Terms = BTreeMap<String, Term>;

/// A name that can be required.
pub(crate) struct Term {
    pub(crate) description: String,
    /// What is granted with it.
    pub(crate) implies: Vec<String>,
}

impl Vocabulary {
    /// The names of a kind; `None` for a kind that is not declared in a vocabulary.
    pub(crate) fn terms(&self, namespace: Namespace) -> Option<&Terms> {
        match namespace {
            Namespace::Scope => Some(&self.scopes),
            Namespace::Role => Some(&self.roles),
            Namespace::Permission => Some(&self.permissions),
            Namespace::Acr | Namespace::Amr => None,
        }
    }
}

/// The names that imply `name`, themselves or through others, without `name`.
pub(crate) fn implying(terms: &Terms, name: &str) -> Vec<String> {
    let mut found = vec![name.to_owned()];
    // Grows while it is gone through.
    let mut at = 0;
    while let Some(narrower) = found.get(at).cloned() {
        for (broader, term) in terms {
            if term.implies.contains(&narrower) && !found.contains(broader) {
                found.push(broader.clone());
            }
        }
        at += 1;
    }
    found.remove(0);
    found
}
