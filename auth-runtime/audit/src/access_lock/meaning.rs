//! What the text of a policy means: read back with the grammar of the attributes.

use ::auth_runtime_policy as policy;
use auth_grammar::args;
use auth_grammar::errors::Errors;
use auth_grammar::requirement::{Kind, Name, Network, Policy as Read, Requirement, Requires};
use auth_runtime_policy::{Atom, Policy};
use ipnet::IpNet;

/// The policy as it is written, but with the blocks of a network in place of its name, which may stand for
/// others tomorrow. The attributes have done the same for other names.
pub(super) fn spelled_out(policy: &Policy) -> String {
    let text = policy.to_string();
    let requirements = policy.requirement().into_iter().chain(policy.shown_to());
    let networks = requirements
        .flat_map(policy::Requirement::atoms)
        .filter_map(|atom| match atom {
            Atom::Network(network) => Some(network.blocks()),
            _ => None,
        });
    // The text has them in the same order.
    let mut networks = networks.collect::<Vec<_>>().into_iter();
    let Some(Read::Requires(mut requires)) = read_any(&text) else {
        // Nobody can tell which is which, but whether they are what they were.
        let blocks: Vec<_> = networks.flatten().map(ToString::to_string).collect();
        return match text.strip_suffix(')') {
            Some(text) if !blocks.is_empty() => format!("{text}, blocks({}))", blocks.join(", ")),
            _ => text,
        };
    };
    for requirement in parts_mut(&mut requires) {
        spell_networks(requirement, &mut networks);
    }
    Read::Requires(requires).to_string()
}

/// The policy, if all of it can be understood.
pub(super) fn read(text: &str) -> Option<Read> {
    let policy = read_any(text)?;
    let is_understood = match &policy {
        Read::Public(_) => true,
        Read::Requires(requires) => {
            // Nothing is written that everybody meets.
            let asks = !requires.requirements.is_empty();
            asks && parts(requires).all(is_complete)
        }
    };
    is_understood.then_some(policy)
}

/// Takes some checks for others than they were, though they are written the same: in another module
/// another function may be called so, and it may ask for parameters that another path has not.
pub(super) fn with_other_checks(policy: &mut Read, is_other: &dyn Fn(&str) -> bool) {
    fn rename(requirement: &mut Requirement, is_other: &dyn Fn(&str) -> bool) {
        let (span, broader) = (requirement.span, Vec::new());
        match &mut requirement.kind {
            Kind::All(parts) | Kind::Any(parts) => {
                parts.iter_mut().for_each(|part| rename(part, is_other));
            }
            Kind::Check(function) if is_other(&function.to_string()) => {
                // No function can be called so.
                let text = format!("another {function}");
                requirement.kind = Kind::Policy(Name {
                    text,
                    span,
                    broader,
                });
            }
            _ => {}
        }
    }
    if let Read::Requires(requires) = policy {
        parts_mut(requires).for_each(|part| rename(part, is_other));
    }
}

/// The policy, whose names may mean anything.
fn read_any(text: &str) -> Option<Read> {
    let (attribute, arguments) = text.strip_suffix(')')?.split_once('(')?;
    let arguments = arguments.parse().ok()?;
    let mut errors = Errors::default();
    let policy = match attribute {
        "requires" => Read::Requires(Box::new(args::requires(arguments, &mut errors))),
        "public" => Read::Public(args::public(arguments, &mut errors)?),
        _ => return None,
    };
    errors.is_empty().then_some(policy)
}

fn parts(requires: &Requires) -> impl Iterator<Item = &Requirement> {
    let lesser = requires.hide_unless.iter().map(|hide| &hide.lesser);
    requires.requirements.iter().chain(lesser)
}

fn parts_mut(requires: &mut Requires) -> impl Iterator<Item = &mut Requirement> {
    let lesser = requires.hide_unless.iter_mut();
    let lesser = lesser.map(|hide| &mut hide.lesser);
    requires.requirements.iter_mut().chain(lesser)
}

/// Whether no name is left that only a vocabulary could explain.
fn is_complete(requirement: &Requirement) -> bool {
    match &requirement.kind {
        Kind::All(parts) | Kind::Any(parts) => parts.iter().all(is_complete),
        Kind::Network(network) => !network.blocks.is_empty(),
        Kind::Policy(_) => false,
        _ => true,
    }
}

fn spell_networks(
    requirement: &mut Requirement,
    networks: &mut impl Iterator<Item = &'static [IpNet]>,
) {
    let (span, end) = (requirement.span, requirement.end);
    match &mut requirement.kind {
        Kind::All(parts) | Kind::Any(parts) => {
            for part in parts {
                spell_networks(part, networks);
            }
        }
        Kind::Network(_) => {
            let blocks = networks.next().unwrap_or_default().iter();
            let mut blocks: Vec<_> = blocks
                .map(|block| {
                    let network = Network {
                        text: block.to_string(),
                        span,
                        blocks: vec![*block],
                    };
                    Requirement::new(Kind::Network(network), span, end)
                })
                .collect();
            *requirement = match (blocks.pop(), blocks.is_empty()) {
                (Some(only), true) => only,
                (last, _) => {
                    blocks.extend(last);
                    Requirement::new(Kind::Any(blocks), span, end)
                }
            };
        }
        _ => {}
    }
}
