//! The policies in the lines of a lock, as text and as the compared model.

use std::borrow::Cow;

use auth_grammar::errors::Errors;
use auth_grammar::requirement::{ParsedPolicy, ParsedRequirement, RequirementKind};
use auth_grammar::{args, lower};
use auth_runtime_policy::{Atom, Network, ObjectSource, Policy, Requirement};

/// Returns the policy with the blocks of each network in place of its name, which may stand for
/// other blocks in a later version. The attributes have already replaced the other names.
pub(super) fn spelled_out(policy: &Policy) -> Policy {
    policy.map(|requirement| {
        requirement.map(&|atom| match atom {
            Atom::Network(network) => spelled_network(network),
            other => Requirement::Atom(other.clone()),
        })
    })
}

fn spelled_network(network: &Network) -> Requirement {
    let blocks = network.blocks().iter().map(|block| {
        let network = Network::owned(block.to_string(), vec![*block]);
        Requirement::Atom(Atom::Network(network))
    });
    match Vec::from_iter(blocks).as_slice() {
        [only] => only.clone(),
        several => Requirement::any(several.iter().cloned()),
    }
}

/// Parses the policy of a line. `None` if it is invalid, or has a name that only a vocabulary could
/// explain.
pub(super) fn read(text: &str) -> Option<Policy> {
    let (attribute, arguments) = text.strip_suffix(')')?.split_once('(')?;
    let arguments = arguments.parse().ok()?;
    let mut errors = Errors::default();
    let parsed = match attribute {
        "requires" => {
            let requires = args::requires(arguments, &mut errors);
            let lesser = requires.hide_unless.iter().map(|hide| &hide.lesser);
            let mut parts = requires.requirements.iter().chain(lesser);
            // A lock never has a `requires` that every caller meets.
            if requires.requirements.is_empty() || !parts.all(is_complete) {
                return None;
            }
            ParsedPolicy::Requires(Box::new(requires))
        }
        "public" => ParsedPolicy::Public(args::public(arguments, &mut errors)),
        _ => return None,
    };
    errors.is_empty().then(|| lower::policy(&parsed))
}

/// Returns whether no part needs a vocabulary to be understood.
fn is_complete(requirement: &ParsedRequirement) -> bool {
    match &requirement.kind {
        RequirementKind::All(parts) | RequirementKind::Any(parts) => parts.iter().all(is_complete),
        RequirementKind::Network(network) => !network.blocks.is_empty(),
        RequirementKind::Policy(_) => false,
        _ => true,
    }
}

/// Returns the policy with another name for each function that `is_other` accepts. In another module,
/// another function may have the same name. On another path, the function may lack a parameter that
/// it uses.
pub(super) fn with_other_checks(policy: &Policy, is_other: &dyn Fn(&str) -> bool) -> Policy {
    policy.map(|requirement| {
        requirement.map(&|atom| {
            Requirement::Atom(match atom {
                // A function cannot have such a name.
                Atom::Check(name) if is_other(name) => {
                    Atom::Check(Cow::Owned(format!("another {name}")))
                }
                Atom::Can {
                    action,
                    on:
                        ObjectSource::Function {
                            resource_type,
                            function,
                        },
                } if is_other(function) => Atom::Can {
                    action: action.clone(),
                    on: ObjectSource::Function {
                        resource_type: resource_type.clone(),
                        function: Cow::Owned(format!("another {function}")),
                    },
                },
                other => other.clone(),
            })
        })
    })
}

/// Returns the policy with the places of path parameters in `path` in place of their names in objects. The
/// same name may be another part of another path.
pub(super) fn with_places_of_parameters(policy: &Policy, path: &str) -> Policy {
    let place = |name: &str| -> Cow<'static, str> {
        let written = [format!("{{{name}}}"), format!("{{*{name}}}")];
        let mut segments = path.split('/').enumerate();
        // A parameter ends its segment, which can have a prefix.
        let found = segments.find(|(_, segment)| written.iter().any(|it| segment.ends_with(it)));
        match found {
            Some((index, segment)) if segment.ends_with(&written[1]) => format!("*{index}").into(),
            // A parameter cannot have such a name.
            Some((index, _)) => index.to_string().into(),
            None => name.to_owned().into(),
        }
    };
    policy.map_objects(|on| on.map_pattern(|on| on.rename_parameters(place)))
}
