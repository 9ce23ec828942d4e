//! Lowering of parsed attributes to the policy model: spans are dropped, and names of the vocabulary
//! are replaced by the names that meet them.

use std::borrow::Cow;
use std::time::Duration;

use auth_runtime_policy as model;
use auth_runtime_policy::{Access, Atom, Disclosure};

use crate::objects;
use crate::requirement::{
    Name, Namespace, ParsedPolicy, ParsedRequirement, RequirementKind, Requires,
};

/// Lowers the policy of either attribute.
pub fn policy(policy: &ParsedPolicy) -> model::Policy {
    match policy {
        ParsedPolicy::Public(public) => model::Policy::from_parts(
            Access::Public {
                reason: Cow::Owned(public.reason.clone()),
                optional_identity: public.optional_identity,
            },
            Disclosure::Shown,
            public.schemes.as_deref().map(schemes),
            None,
            None,
            None,
            None,
        ),
        ParsedPolicy::Requires(requires) => self::requires(requires),
    }
}

/// Lowers the arguments of `#[requires(...)]`, with those of the enclosing modules.
pub fn requires(requires: &Requires) -> model::Policy {
    let text = |name: &Name| Cow::Owned(name.text.clone());
    let requires = requires.clone().with_modules();
    let required = match requires.requirements.as_slice() {
        // Deny by default: after any mistake, a missing requirement never grants access.
        [] => model::Requirement::never(),
        [only] => requirement(only),
        several => all(several),
    };
    let lesser = requires.hide_unless.iter();
    let disclosure = match &requires.hide_as {
        Some(_) => Disclosure::Hidden(lesser.map(|hide| requirement(&hide.lesser)).next()),
        None => Disclosure::Shown,
    };
    model::Policy::from_parts(
        Access::Requires(required),
        disclosure,
        requires.schemes.as_deref().map(schemes),
        requires.realm.as_ref().map(text),
        requires.says.as_ref().map(text),
        requires.loosen.as_ref().map(text),
        None,
    )
}

fn schemes(names: &[Name]) -> Cow<'static, [Cow<'static, str>]> {
    names
        .iter()
        .map(|name| Cow::Owned(name.text.clone()))
        .collect()
}

/// Lowers a list without `all`.
pub(crate) fn all(parts: &[ParsedRequirement]) -> model::Requirement {
    model::Requirement::all(parts.iter().map(requirement))
}

/// Lowers a requirement. A caller with a name that implies another one meets that one as well.
pub fn requirement(requirement: &ParsedRequirement) -> model::Requirement {
    let atom = match &requirement.kind {
        RequirementKind::All(parts) => return all(parts),
        RequirementKind::Any(parts) => {
            return model::Requirement::any(parts.iter().map(self::requirement));
        }
        RequirementKind::Named(namespace, name) => {
            if !name.broader.is_empty() {
                let names = std::iter::once(&name.text).chain(&name.broader);
                let alone = names.map(|name| model::Requirement::Atom(named(*namespace, name)));
                return model::Requirement::any(alone);
            }
            named(*namespace, &name.text)
        }
        RequirementKind::Authenticated => Atom::Authenticated,
        RequirementKind::SenderConstrained => Atom::SenderConstrained,
        RequirementKind::MaxAge(age) => Atom::MaxAge(Duration::from_secs(age.seconds)),
        RequirementKind::Network(network) => {
            let blocks = network.blocks.clone();
            Atom::Network(model::Network::owned(network.text.clone(), blocks))
        }
        RequirementKind::Can(can) => objects::lowered(can),
        RequirementKind::Check(function) => Atom::Check(Cow::Owned(function.to_string())),
        // Only a policy that could not be looked up is left.
        RequirementKind::Policy(_) => return model::Requirement::never(),
    };
    model::Requirement::Atom(atom)
}

fn named(namespace: Namespace, name: &str) -> Atom {
    let name = Cow::Owned(name.to_owned());
    match namespace {
        Namespace::Scope => Atom::Scope(name),
        Namespace::Role => Atom::Role(name),
        Namespace::Permission => Atom::Permission(name),
        Namespace::Acr => Atom::Acr(name),
        Namespace::Amr => Atom::Amr(name),
        Namespace::Setting => Atom::Setting(name),
    }
}

/// The written requirement behind a node of the model.
pub(crate) struct Node<'r> {
    /// The requirement. Several nodes have the same one if it is a name that others imply.
    pub(crate) written: &'r ParsedRequirement,
    /// The index of the part that the node belongs to.
    pub(crate) part: usize,
    /// True if the node is the whole requirement, and can be removed from the attribute.
    pub(crate) is_removable: bool,
}

/// The nodes of lowered parts, in the order of the model: each list before its parts.
pub(crate) fn nodes<'r>(parts: &[&'r ParsedRequirement]) -> Vec<Node<'r>> {
    let mut nodes = Vec::new();
    for (part, requirement) in parts.iter().enumerate() {
        collect(requirement, part, true, &mut nodes);
    }
    nodes
}

fn collect<'r>(
    written: &'r ParsedRequirement,
    part: usize,
    is_removable: bool,
    nodes: &mut Vec<Node<'r>>,
) {
    nodes.push(Node {
        written,
        part,
        is_removable,
    });
    match &written.kind {
        RequirementKind::All(parts) | RequirementKind::Any(parts) => {
            // A policy is required as a whole.
            let is_removable = is_removable && written.policy.is_none();
            for inner in parts {
                collect(inner, part, is_removable, nodes);
            }
        }
        RequirementKind::Named(_, name) if !name.broader.is_empty() => {
            nodes.extend((0..=name.broader.len()).map(|_| Node {
                written,
                part,
                is_removable: false,
            }));
        }
        _ => {}
    }
}
