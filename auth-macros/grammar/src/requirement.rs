//! What an attribute says, once it was read: plain types without tokens, but for where they stand.

use std::fmt;

use ipnet::IpNet;
use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::Path;

use crate::values::SCHEMES;

/// What `#[requires(...)]` says.
#[derive(Clone, Default)]
pub struct Requires {
    /// All of them have to be met.
    pub requirements: Vec<Requirement>,
    /// Whatever was written; `check` says whether it is `404`.
    pub hide_as: Option<TokenStream>,
    /// Whom denials are shown to in spite of `hide_as`.
    pub hide_unless: Option<HideUnless>,
    /// The schemes that are accepted; `None` for all.
    pub schemes: Option<Vec<Name>>,
    /// The realm of the challenges, if it is not the space's.
    pub realm: Option<Name>,
    /// What the module around it says.
    pub module: Option<Box<Requires>>,
    /// Why the module's policy does not hold here.
    pub loosen: Option<Name>,
    /// The path of the runtime, if it is not `::auth_runtime`.
    pub krate: Option<Path>,
}

impl Requires {
    /// What holds in the end: what the modules around ask for, from the outside in, and then its own.
    /// How denials are shown, the innermost says; to loosen who may call leaves that as it is, so that
    /// nothing that is hidden comes to light by it.
    pub fn with_modules(mut self) -> Self {
        let Some(module) = self.module.take() else {
            return self;
        };
        let module = module.with_modules();
        let is_loosened = self.loosen.is_some();
        let asked_around = module.requirements.iter().filter(|_| !is_loosened);
        self.requirements = asked_around.chain(&self.requirements).cloned().collect();
        self.showing_as(module)
    }

    /// As another one shows denials, but for what it says itself. Hiding is one thing: who says `hide_as`
    /// says from whom, too.
    pub(crate) fn showing_as(mut self, other: Self) -> Self {
        if self.hide_as.is_none() {
            self.hide_as = other.hide_as;
            self.hide_unless = self.hide_unless.or(other.hide_unless);
        }
        self.schemes = self.schemes.or(other.schemes);
        self.realm = self.realm.or(other.realm);
        self
    }
}

/// What `#[public(...)]` says.
#[derive(Clone)]
pub struct Public {
    /// Why everybody may call.
    pub reason: String,
}

/// What either attribute says.
#[derive(Clone)]
pub enum Policy {
    /// `#[requires(...)]`
    Requires(Box<Requires>),
    /// `#[public(...)]`
    Public(Public),
}

/// `hide_unless = …`.
#[derive(Clone)]
pub struct HideUnless {
    /// Where the key stands.
    pub key: Span,
    /// Whoever meets it is told of a denial.
    pub lesser: Requirement,
}

/// A requirement and where it stands.
#[derive(Clone)]
pub struct Requirement {
    /// What is required.
    pub kind: Kind,
    /// The key of it.
    pub span: Span,
    /// The last token of it.
    pub end: Span,
    /// The policy of the vocabulary that it was looked up in.
    pub policy: Option<String>,
}

/// What can be required.
#[derive(Clone, PartialEq)]
pub enum Kind {
    /// `authenticated`
    Authenticated,
    /// `sender_constrained`
    SenderConstrained,
    /// `scope = "…"`, `role = "…"` and their like.
    Named(Namespace, Name),
    /// `max_age = "…"`
    MaxAge(Age),
    /// `network = "…"`
    Network(Network),
    /// `check = …`
    Check(Function),
    /// A policy of the vocabulary, until it was looked up.
    Policy(Name),
    /// `all(…)`
    All(Vec<Requirement>),
    /// `any(…)`
    Any(Vec<Requirement>),
}

/// What a name is the name of.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Namespace {
    /// A scope token (RFC 6749 §3.3).
    Scope,
    /// A role.
    Role,
    /// A permission.
    Permission,
    /// An authentication context class (RFC 9470 §4).
    Acr,
    /// A method of authentication (RFC 8176).
    Amr,
}

/// How long ago a login may be.
#[derive(Clone)]
pub struct Age {
    /// As it is written.
    pub text: String,
    /// As it is meant.
    pub seconds: u64,
}

/// Blocks of addresses: one that is written as such, or those that a name stands for.
#[derive(Clone)]
pub struct Network {
    /// The name or the block, as it is written.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// Empty for a name as long as it was not looked up.
    pub blocks: Vec<IpNet>,
}

impl Network {
    /// Whether no address is in both.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        let mut own = self.blocks.iter();
        own.all(|own| {
            let mut others = other.blocks.iter();
            others.all(|block| !block.contains(own) && !own.contains(block))
        })
    }
}

/// The path of a function.
#[derive(Clone)]
pub struct Function(pub Path);

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
pub struct Name {
    /// The name itself.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// The names that imply it, as far as a vocabulary says.
    pub broader: Vec<String>,
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

    /// The key that it is written with.
    pub fn key(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Role => "role",
            Self::Permission => "permission",
            Self::Acr => "acr",
            Self::Amr => "amr",
        }
    }

    /// The namespace of a key.
    pub fn of(key: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|namespace| namespace.key() == key)
    }
}

impl Requirement {
    /// A requirement that stands from `span` to `end`.
    pub fn new(kind: Kind, span: Span, end: Span) -> Self {
        Self {
            kind,
            span,
            end,
            policy: None,
        }
    }

    /// How many single requirements it is: one for each name that implies another one, and for each block
    /// of addresses.
    pub(crate) fn size(&self) -> usize {
        match &self.kind {
            Kind::Named(_, name) => 1 + name.broader.len(),
            Kind::Network(network) => network.blocks.len().max(1),
            Kind::All(parts) | Kind::Any(parts) => parts.iter().map(Self::size).sum(),
            _ => 1,
        }
    }

    /// As it is written in `hide_unless`.
    pub fn called(&self) -> String {
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
            Kind::SenderConstrained => return f.write_str("sender_constrained"),
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

impl fmt::Display for Requires {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.requirements.iter().map(Requirement::to_string));
        parts.extend(
            self.hide_as
                .iter()
                .map(|status| format!("hide_as = {status}")),
        );
        let lesser = self.hide_unless.iter().map(|hide| hide.lesser.called());
        parts.extend(lesser.map(|lesser| format!("hide_unless = {lesser}")));
        parts.extend(self.schemes.iter().map(|schemes| {
            let names: Vec<_> = schemes.iter().map(scheme).collect();
            format!("schemes({})", names.join(", "))
        }));
        let realm = self.realm.iter();
        parts.extend(realm.map(|realm| format!("realm = {:?}", realm.text)));
        let loosen = self.loosen.iter();
        parts.extend(loosen.map(|reason| format!("loosen = {:?}", reason.text)));
        f.write_str(&parts.join(", "))
    }
}

impl fmt::Display for Public {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reason = {:?}", self.reason)
    }
}

impl fmt::Display for Policy {
    /// The attribute, as it is written between the brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requires(requires) => write!(f, "requires({requires})"),
            Self::Public(public) => write!(f, "public({public})"),
        }
    }
}

/// Registered schemes are words.
pub(crate) fn scheme(name: &Name) -> String {
    if SCHEMES.contains(&name.text.as_str()) {
        name.text.clone()
    } else {
        format!("{:?}", name.text)
    }
}
