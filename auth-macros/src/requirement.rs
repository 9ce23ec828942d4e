//! What an attribute says, once it was read: plain types without tokens, but for where they stand.

use std::fmt;

use proc_macro2::{Span, TokenStream};

/// What `#[requires(...)]` says.
#[derive(Default)]
pub(crate) struct Requires {
    /// All of them have to be met.
    pub(crate) requirements: Vec<Requirement>,
    /// Whatever was written; `check` says whether it is `404`.
    pub(crate) hide_as: Option<TokenStream>,
    pub(crate) hide_unless: Option<HideUnless>,
}

/// What `#[public(...)]` says.
pub(crate) struct Public {
    pub(crate) reason: String,
}

pub(crate) struct HideUnless {
    pub(crate) key: Span,
    pub(crate) lesser: Requirement,
}

/// A requirement and where it stands.
#[derive(Clone)]
pub(crate) struct Requirement {
    pub(crate) kind: Kind,
    /// The key of it.
    pub(crate) span: Span,
}

#[derive(Clone, PartialEq)]
pub(crate) enum Kind {
    Authenticated,
    Named(Namespace, Name),
    All(Vec<Requirement>),
    Any(Vec<Requirement>),
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Namespace {
    Scope,
    Role,
    Permission,
}

/// A name, and where it stands.
#[derive(Clone)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// Where a requirement stands does not matter to what it says.
impl PartialEq for Requirement {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Namespace {
    const ALL: [Self; 3] = [Self::Scope, Self::Role, Self::Permission];

    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Role => "role",
            Self::Permission => "permission",
        }
    }

    pub(crate) fn of(key: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|namespace| namespace.key() == key)
    }
}

impl Requirement {
    /// As it is written in `hide_unless`.
    pub(crate) fn called(&self) -> String {
        match &self.kind {
            Kind::Named(namespace, name) => format!("{}({:?})", namespace.key(), name.text),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Requirement {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, parts) = match &self.kind {
            Kind::Authenticated => return f.write_str("authenticated"),
            Kind::Named(namespace, name) => {
                return write!(f, "{} = {:?}", namespace.key(), name.text);
            }
            Kind::All(parts) => ("all", parts),
            Kind::Any(parts) => ("any", parts),
        };
        let parts: Vec<_> = parts.iter().map(Self::to_string).collect();
        write!(f, "{key}({})", parts.join(", "))
    }
}
