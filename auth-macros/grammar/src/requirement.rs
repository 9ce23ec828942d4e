//! Parsed attributes: plain types without tokens, except for their spans.

use std::fmt;

use auth_runtime_policy::scheme::is_word;
use ipnet::IpNet;
use proc_macro2::Span;
use quote::ToTokens;
use syn::Path;
use syn::spanned::Spanned;

/// The arguments of `#[requires(...)]`.
#[derive(Clone, Default)]
pub struct Requires {
    /// The requirements; all of them have to be met.
    pub requirements: Vec<ParsedRequirement>,
    /// The value as written, without invisible characters. `check` verifies that it is `404`.
    pub hide_as: Option<HideAs>,
    /// The callers to which denials are shown in spite of `hide_as`.
    pub hide_unless: Option<HideUnless>,
    /// The object of the `can` requirements that name none, until it is moved to them.
    pub on: Option<Name>,
    /// The function that returns this object, until it is moved with it.
    pub resource: Option<Function>,
    /// The default object that no `can` requirement is about.
    pub idle_on: Option<DefaultObject>,
    /// The accepted schemes; `None` for all.
    pub schemes: Option<Vec<Name>>,
    /// The realm of the challenges, if it is not the protection space's.
    pub realm: Option<Name>,
    /// The text of disclosed denials.
    pub says: Option<Name>,
    /// The policy of the enclosing module.
    pub module: Option<Box<Requires>>,
    /// The reason for replacing the policy of the enclosing module.
    pub loosen: Option<Name>,
    /// The path of the runtime, if it is not `::auth_runtime`.
    pub krate: Option<Path>,
}

impl Requires {
    /// Returns the effective policy: the requirements of the enclosing modules, outermost first,
    /// and then its own. The innermost disclosure applies. Loosening the requirement does not change
    /// the disclosure, so that concealed denials stay concealed. The reason is that of the innermost
    /// attribute that loosens.
    pub fn with_modules(mut self) -> Self {
        let Some(module) = self.module.take() else {
            return self;
        };
        let mut module = module.with_modules();
        if self.loosen.is_none() {
            module.requirements.append(&mut self.requirements);
            self.requirements = std::mem::take(&mut module.requirements);
            self.loosen = module.loosen.take();
        }
        self.or_disclosure_of(module)
    }

    /// Returns the functions that the requirements name, each with its key, in the order of the attribute.
    pub fn functions(&self) -> Vec<(&'static str, &Function)> {
        let mut found = Vec::new();
        let lesser = self.hide_unless.iter().map(|hide| &hide.lesser);
        for requirement in self.requirements.iter().chain(lesser) {
            requirement.write_functions(&mut found);
        }
        found
    }

    /// Adds the disclosure of another policy, except for its own keys. Hiding is one unit: a policy
    /// with `hide_as` also decides about `hide_unless`.
    pub(crate) fn or_disclosure_of(mut self, other: Self) -> Self {
        if self.hide_as.is_none() {
            self.hide_as = other.hide_as;
            self.hide_unless = self.hide_unless.or(other.hide_unless);
        }
        self.schemes = self.schemes.or(other.schemes);
        self.realm = self.realm.or(other.realm);
        self.says = self.says.or(other.says);
        self
    }
}

/// The arguments of `#[public(...)]`.
#[derive(Clone)]
pub struct Public {
    /// The reason why the handler is public.
    pub reason: String,
    /// True if the handler receives the identity of a known caller: `identity = optional`.
    pub optional_identity: bool,
    /// The schemes that identify callers; `None` for all schemes of the space.
    pub schemes: Option<Vec<Name>>,
}

/// The policy of either attribute.
#[derive(Clone)]
pub enum ParsedPolicy {
    /// `#[requires(...)]`
    Requires(Box<Requires>),
    /// `#[public(...)]`
    Public(Public),
}

/// The value of `hide_as = …`.
#[derive(Clone)]
pub struct HideAs {
    /// The value as written, without invisible characters.
    pub text: String,
    /// The span of its first token.
    pub span: Span,
    /// The span of its last token.
    pub end: Span,
}

/// The exception `hide_unless = …`.
#[derive(Clone)]
pub struct HideUnless {
    /// The span of the key.
    pub key: Span,
    /// The requirement for callers that see a denial.
    pub lesser: ParsedRequirement,
}

/// A requirement and its span.
#[derive(Clone)]
pub struct ParsedRequirement {
    /// The kind of requirement.
    pub kind: RequirementKind,
    /// The span of its key.
    pub span: Span,
    /// The span of its last token.
    pub end: Span,
    /// The policy of the vocabulary that it comes from.
    pub policy: Option<String>,
}

/// A kind of requirement.
#[derive(Clone)]
pub enum RequirementKind {
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
    /// `can = "…"`
    Can(Can),
    /// A policy of the vocabulary, until it is resolved.
    Policy(Name),
    /// `all(…)`
    All(Vec<ParsedRequirement>),
    /// `any(…)`
    Any(Vec<ParsedRequirement>),
}

/// The kind of a name.
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
    /// A setting of the service.
    Setting,
}

/// The maximum age of a login.
#[derive(Clone)]
pub struct Age {
    /// The age as it is written.
    pub text: String,
    /// The age in seconds.
    pub seconds: u64,
}

/// Blocks of addresses: a literal block, or the blocks of a name.
#[derive(Clone)]
pub struct Network {
    /// The name or the block, as it is written.
    pub text: String,
    /// The span.
    pub span: Span,
    /// The blocks; empty for a name until it is resolved.
    pub blocks: Vec<IpNet>,
}

/// An action on an object.
#[derive(Clone)]
pub struct Can {
    /// The name of the action.
    pub action: Name,
    /// The object as written: `Type::{parameter}`, or the type of the object that a function returns;
    /// `None` for the service itself.
    pub on: Option<Name>,
    /// The function that returns the object.
    pub resource: Option<Function>,
}

impl fmt::Display for Can {
    /// Formats the call, which names the object.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "can({:?}", self.action.text)?;
        if let Some(on) = &self.on {
            write!(f, ", on = {:?}", on.text)?;
        }
        if let Some(resource) = &self.resource {
            write!(f, ", resource = {resource}")?;
        }
        f.write_str(")")
    }
}

/// The object of the `can` requirements that name none. At least one field is there.
#[derive(Clone)]
pub struct DefaultObject {
    /// The value of `on`.
    pub name: Option<Name>,
    /// The value of `resource`.
    pub resource: Option<Function>,
}

impl DefaultObject {
    /// Returns the object of these keys, if one of them is there.
    pub(crate) fn of(name: Option<Name>, resource: Option<Function>) -> Option<Self> {
        let is_given = name.is_some() || resource.is_some();
        is_given.then_some(Self { name, resource })
    }

    /// The first key, and the place of its value.
    pub(crate) fn key(&self) -> (&'static str, Span) {
        match (&self.name, &self.resource) {
            (None, Some(Function(path))) => ("resource", path.span()),
            (name, _) => (
                "on",
                name.as_ref().map_or_else(Span::call_site, |name| name.span),
            ),
        }
    }
}

/// The path of a function.
#[derive(Clone)]
pub struct Function(pub Path);

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_token_stream().to_string();
        f.write_str(&text.replace(' ', ""))
    }
}

/// A name and its span.
#[derive(Clone)]
pub struct Name {
    /// The name itself.
    pub text: String,
    /// The span.
    pub span: Span,
    /// The names that imply it, according to the vocabulary.
    pub broader: Vec<String>,
}

/// Equality ignores spans.
impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Namespace {
    const ALL: [Self; 6] = [
        Self::Scope,
        Self::Role,
        Self::Permission,
        Self::Acr,
        Self::Amr,
        Self::Setting,
    ];

    /// Returns the key that it is written with.
    pub fn key(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Role => "role",
            Self::Permission => "permission",
            Self::Acr => "acr",
            Self::Amr => "amr",
            Self::Setting => "setting",
        }
    }

    /// Returns the namespace of a key.
    pub fn of(key: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|namespace| namespace.key() == key)
    }
}

impl ParsedRequirement {
    /// Creates a requirement that reaches from `span` to `end`.
    pub fn new(kind: RequirementKind, span: Span, end: Span) -> Self {
        Self {
            kind,
            span,
            end,
            policy: None,
        }
    }

    /// Returns the number of single requirements: one for each name and for each name that implies
    /// it, and one for each block of addresses.
    pub(crate) fn size(&self) -> usize {
        match &self.kind {
            RequirementKind::Named(_, name) => 1 + name.broader.len(),
            RequirementKind::Network(network) => network.blocks.len().max(1),
            RequirementKind::All(parts) | RequirementKind::Any(parts) => {
                parts.iter().map(Self::size).sum()
            }
            _ => 1,
        }
    }

    fn write_functions<'r>(&'r self, found: &mut Vec<(&'static str, &'r Function)>) {
        match &self.kind {
            RequirementKind::Check(function) => found.push(("check", function)),
            RequirementKind::Can(can) => {
                found.extend(can.resource.iter().map(|it| ("resource", it)));
            }
            RequirementKind::All(parts) | RequirementKind::Any(parts) => {
                parts.iter().for_each(|part| part.write_functions(found));
            }
            _ => {}
        }
    }

    /// Formats the requirement as in `hide_unless`.
    pub(crate) fn called(&self) -> String {
        self.write(|key, value| format!("{key}({value})"))
    }

    /// Formats the requirement. `pair` formats a key and its value; the members of a list are formatted as in the
    /// attribute.
    fn write(&self, pair: fn(&str, &str) -> String) -> String {
        let quoted = |key: &str, text: &str| pair(key, &format!("{text:?}"));
        let list = |key: &str, parts: &[Self]| {
            let parts: Vec<_> = parts.iter().map(Self::to_string).collect();
            format!("{key}({})", parts.join(", "))
        };
        if let Some(policy) = &self.policy {
            return quoted("policy", policy);
        }
        match &self.kind {
            RequirementKind::Authenticated => "authenticated".to_owned(),
            RequirementKind::SenderConstrained => "sender_constrained".to_owned(),
            RequirementKind::Named(namespace, name) => quoted(namespace.key(), &name.text),
            RequirementKind::MaxAge(age) => quoted("max_age", &age.text),
            RequirementKind::Network(network) => quoted("network", &network.text),
            RequirementKind::Check(function) => pair("check", &function.to_string()),
            RequirementKind::Can(Can {
                action,
                on: None,
                resource: None,
            }) => quoted("can", &action.text),
            RequirementKind::Can(can) => can.to_string(),
            RequirementKind::Policy(name) => quoted("policy", &name.text),
            RequirementKind::All(parts) => list("all", parts),
            RequirementKind::Any(parts) => list("any", parts),
        }
    }
}

impl fmt::Display for ParsedRequirement {
    /// Formats the requirement as in the attribute.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.write(|key, value| format!("{key} = {value}")))
    }
}

impl fmt::Display for Requires {
    /// Formats the arguments as they are written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |key: &str, name: &Option<Name>| {
            let name = name.as_ref();
            name.map(|name| format!("{key} = {:?}", name.text))
        };
        let hide_unless = self.hide_unless.as_ref();
        let settings = [
            quoted("on", &self.on),
            self.resource.as_ref().map(|it| format!("resource = {it}")),
            self.hide_as
                .as_ref()
                .map(|it| format!("hide_as = {}", it.text)),
            hide_unless.map(|it| format!("hide_unless = {}", it.lesser.called())),
            self.schemes.as_deref().map(schemes),
            quoted("realm", &self.realm),
            quoted("says", &self.says),
            quoted("loosen", &self.loosen),
        ];
        let requirements = self.requirements.iter().map(ParsedRequirement::to_string);
        let parts: Vec<String> = requirements.chain(settings.into_iter().flatten()).collect();
        f.write_str(&parts.join(", "))
    }
}

impl fmt::Display for Public {
    /// Formats the arguments as they are written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reason = {:?}", self.reason)?;
        if self.optional_identity {
            f.write_str(", identity = optional")?;
        }
        match &self.schemes {
            Some(names) => write!(f, ", {}", schemes(names)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ParsedPolicy {
    /// Formats the attribute, without the brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requires(requires) => write!(f, "requires({requires})"),
            Self::Public(public) => write!(f, "public({public})"),
        }
    }
}

fn schemes(names: &[Name]) -> String {
    let names: Vec<_> = names.iter().map(scheme).collect();
    format!("schemes({})", names.join(", "))
}

/// Formats a scheme: registered schemes are words, others are strings.
pub(crate) fn scheme(name: &Name) -> String {
    if is_word(&name.text) {
        name.text.clone()
    } else {
        format!("{:?}", name.text)
    }
}
