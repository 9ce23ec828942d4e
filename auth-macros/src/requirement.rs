//! What an attribute says, once it was read: plain types without tokens, but for where they stand.

use std::fmt;

use ipnet::IpNet;
use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::Path;

/// What `#[requires(...)]` says.
#[derive(Clone, Default)]
pub(crate) struct Requires {
    /// All of them have to be met.
    pub(crate) requirements: Vec<Requirement>,
    /// Whatever was written; `check` says whether it is `404`.
    pub(crate) hide_as: Option<TokenStream>,
    pub(crate) hide_unless: Option<HideUnless>,
    /// The schemes that are accepted; `None` for all.
    pub(crate) schemes: Option<Vec<Name>>,
    pub(crate) realm: Option<Name>,
    /// What the module around it says.
    pub(crate) module: Option<Box<Requires>>,
    /// Why the module's policy does not hold here.
    pub(crate) loosen: Option<Name>,
}

impl Requires {
    /// What holds in the end: what the modules around ask for, from the outside in, and then its own.
    /// How denials are shown, the innermost says.
    pub(crate) fn with_modules(mut self) -> Self {
        let Some(module) = self.module.take().filter(|_| self.loosen.is_none()) else {
            return self;
        };
        let mut module = module.with_modules();
        module.requirements.append(&mut self.requirements);
        Self {
            requirements: module.requirements,
            hide_as: self.hide_as.or(module.hide_as),
            hide_unless: self.hide_unless.or(module.hide_unless),
            schemes: self.schemes.or(module.schemes),
            realm: self.realm.or(module.realm),
            module: None,
            loosen: None,
        }
    }
}

/// What `#[public(...)]` says.
pub(crate) struct Public {
    pub(crate) reason: String,
}

#[derive(Clone)]
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
    /// The last token of it.
    pub(crate) end: Span,
    /// The policy of the vocabulary that it was looked up in.
    pub(crate) policy: Option<String>,
}

#[derive(Clone, PartialEq)]
pub(crate) enum Kind {
    Authenticated,
    Named(Namespace, Name),
    MaxAge(Age),
    Network(Network),
    Check(Function),
    /// A policy of the vocabulary, until it was looked up.
    Policy(Name),
    All(Vec<Requirement>),
    Any(Vec<Requirement>),
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Namespace {
    Scope,
    Role,
    Permission,
    Acr,
    Amr,
}

/// How long ago a login may be.
#[derive(Clone)]
pub(crate) struct Age {
    pub(crate) text: String,
    pub(crate) seconds: u64,
}

/// Blocks of addresses: one that is written as such, or those that a name stands for.
#[derive(Clone)]
pub(crate) struct Network {
    pub(crate) text: String,
    pub(crate) span: Span,
    /// Empty for a name as long as it was not looked up.
    pub(crate) blocks: Vec<IpNet>,
}

impl Network {
    /// Whether every address of this one is one of the other.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        let mut own = self.blocks.iter();
        own.all(|own| other.blocks.iter().any(|block| block.contains(own)))
    }

    /// Whether no address is in both.
    pub(crate) fn is_disjoint(&self, other: &Self) -> bool {
        let mut own = self.blocks.iter();
        own.all(|own| {
            let mut others = other.blocks.iter();
            others.all(|block| !block.contains(own) && !own.contains(block))
        })
    }
}

/// The path of a function.
#[derive(Clone)]
pub(crate) struct Function(pub(crate) Path);

impl PartialEq for Age {
    fn eq(&self, other: &Self) -> bool {
        self.seconds == other.seconds
    }
}

impl PartialEq for Network {
    fn eq(&self, other: &Self) -> bool {
        self.blocks == other.blocks
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_token_stream().to_string();
        f.write_str(&text.replace(' ', ""))
    }
}

/// A name, and where it stands.
#[derive(Clone)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
    /// The names that imply it, as far as a vocabulary says.
    pub(crate) broader: Vec<String>,
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
    const ALL: [Self; 5] = [
        Self::Scope,
        Self::Role,
        Self::Permission,
        Self::Acr,
        Self::Amr,
    ];

    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Role => "role",
            Self::Permission => "permission",
            Self::Acr => "acr",
            Self::Amr => "amr",
        }
    }

    pub(crate) fn of(key: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|namespace| namespace.key() == key)
    }
}

impl Requirement {
    pub(crate) fn new(kind: Kind, span: Span, end: Span) -> Self {
        Self {
            kind,
            span,
            end,
            policy: None,
        }
    }

    /// As it is written in `hide_unless`.
    pub(crate) fn called(&self) -> String {
        if let Some(policy) = &self.policy {
            return format!("policy({policy:?})");
        }
        match &self.kind {
            Kind::Named(namespace, name) => format!("{}({:?})", namespace.key(), name.text),
            Kind::MaxAge(age) => format!("max_age({:?})", age.text),
            Kind::Network(network) => format!("network({:?})", network.text),
            Kind::Check(function) => format!("check({function})"),
            Kind::Policy(name) => format!("policy({:?})", name.text),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Requirement {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(policy) = &self.policy {
            return write!(f, "policy = {policy:?}");
        }
        let (key, parts) = match &self.kind {
            Kind::Authenticated => return f.write_str("authenticated"),
            Kind::Named(namespace, name) => {
                return write!(f, "{} = {:?}", namespace.key(), name.text);
            }
            Kind::MaxAge(age) => return write!(f, "max_age = {:?}", age.text),
            Kind::Network(network) => return write!(f, "network = {:?}", network.text),
            Kind::Check(function) => return write!(f, "check = {function}"),
            Kind::Policy(name) => return write!(f, "policy = {:?}", name.text),
            Kind::All(parts) => ("all", parts),
            Kind::Any(parts) => ("any", parts),
        };
        let parts: Vec<_> = parts.iter().map(Self::to_string).collect();
        write!(f, "{key}({})", parts.join(", "))
    }
}
