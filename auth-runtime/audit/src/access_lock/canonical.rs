//! The policies in the lines of a lock: as text, and as the model that is compared.

use std::borrow::Cow;

use auth_grammar::errors::Errors;
use auth_grammar::requirement::{Kind, ParsedPolicy, ParsedRequirement};
use auth_grammar::{args, lower};
use auth_runtime_policy::{Atom, Network, Policy, Requirement};

/// The policy with the blocks of each network in place of its name, which may stand for other blocks
/// in a later version. The attributes have done the same for other names.
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

/// The policy of a line, if all of it is understood: names that only a vocabulary could explain are
/// not.
pub(super) fn read(text: &str) -> Option<Policy> {
    let (attribute, arguments) = text.strip_suffix(')')?.split_once('(')?;
    let arguments = arguments.parse().ok()?;
    let mut errors = Errors::default();
    let parsed = match attribute {
        "requires" => {
            let requires = args::requires(arguments, &mut errors);
            let lesser = requires.hide_unless.iter().map(|hide| &hide.lesser);
            let mut parts = requires.requirements.iter().chain(lesser);
            // No line has a policy that every caller meets.
            if requires.requirements.is_empty() || !parts.all(is_complete) {
                return None;
            }
            ParsedPolicy::Requires(Box::new(requires))
        }
        "public" => ParsedPolicy::Public(args::public(arguments, &mut errors)?),
        _ => return None,
    };
    errors.is_empty().then(|| lower::policy(&parsed))
}

/// Returns whether no name is left that only a vocabulary could explain.
fn is_complete(requirement: &ParsedRequirement) -> bool {
    match &requirement.kind {
        Kind::All(parts) | Kind::Any(parts) => parts.iter().all(is_complete),
        Kind::Network(network) => !network.blocks.is_empty(),
        Kind::Policy(_) => false,
        _ => true,
    }
}

/// The policy with other checks in place of those that `is_other` accepts: in another module, another
/// function may have the same name, and it may use parameters that another path does not have.
pub(super) fn with_other_checks(policy: &Policy, is_other: &dyn Fn(&str) -> bool) -> Policy {
    policy.map(|requirement| {
        requirement.map(&|atom| {
            Requirement::Atom(match atom {
                // No function can have such a name.
                Atom::Check(name) if is_other(name) => {
                    Atom::Check(Cow::Owned(format!("another {name}")))
                }
                other => other.clone(),
            })
        })
    })
}
