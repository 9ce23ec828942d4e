//! Questions to the policy model about requirements as they are written.

use std::collections::BTreeSet;

use auth_runtime_policy::Requirement as Lowered;
use auth_runtime_policy::entailment::{self as logic, Contradiction};

use crate::lower;
use crate::requirement::ParsedRequirement;

fn lowered(parts: &[&ParsedRequirement]) -> Vec<Lowered> {
    parts.iter().map(|part| lower::requirement(part)).collect()
}

/// Returns, for each requirement in `by`, the indices of the requirements in `among` that it
/// implies. The entry is `None` if the requirement has too many alternatives.
pub(super) fn entailed(
    by: &[&ParsedRequirement],
    among: &[&ParsedRequirement],
) -> Vec<Option<BTreeSet<usize>>> {
    let (by, among) = (lowered(by), lowered(among));
    logic::entailed(&Vec::from_iter(&by), &Vec::from_iter(&among))
}

/// Returns whether no caller meets all of the parts; `false` if they have too many alternatives.
pub(super) fn is_impossible(parts: &[&ParsedRequirement]) -> bool {
    logic::is_impossible(&Vec::from_iter(&lowered(parts)))
}

/// Returns the first alternatives to meet all of the parts.
pub(super) fn first_alternatives<'r>(
    parts: &[&'r ParsedRequirement],
) -> Vec<Vec<&'r ParsedRequirement>> {
    let nodes = lower::nodes(parts);
    let written = |node: usize| Some(nodes.get(node)?.written);
    let found = logic::first_alternatives(&Vec::from_iter(&lowered(parts))).into_iter();
    found
        .map(|one| one.into_iter().filter_map(written).collect())
        .collect()
}

/// Returns the redundant parts and members of lists in them, in the order in which they are written:
/// those that `may_be` accepts, with the index of their part, and that the whole does not need. The
/// result is empty if the whole has too many alternatives.
pub(super) fn redundant<'r>(
    parts: &[&'r ParsedRequirement],
    is_all: bool,
    may_be: impl Fn(&'r ParsedRequirement, usize) -> bool,
) -> Vec<&'r ParsedRequirement> {
    let nodes = lower::nodes(parts);
    let may_be = |node: usize| {
        let node = nodes.get(node).filter(|node| node.is_removable);
        node.is_some_and(|node| may_be(node.written, node.part))
    };
    let found = logic::redundant(&Vec::from_iter(&lowered(parts)), is_all, &may_be);
    let written = |node: usize| Some(nodes.get(node)?.written);
    found.into_iter().filter_map(written).collect()
}

/// Returns whether another requirement can contradict it.
pub(super) fn can_contradict(requirement: &ParsedRequirement) -> bool {
    logic::can_contradict(&lower::requirement(requirement))
}

/// Returns each part that contradicts an earlier one: the first such part, the part itself, and the reason.
pub(super) fn contradictions<'r>(
    parts: &[&'r ParsedRequirement],
) -> Vec<(&'r ParsedRequirement, &'r ParsedRequirement, &'static str)> {
    let parts = parts.iter().filter(|part| can_contradict(part));
    let parts: Vec<_> = parts
        .map(|part| (*part, lower::requirement(part)))
        .collect();
    let of_part = |(index, (part, lowered)): (usize, &(&'r ParsedRequirement, Lowered))| {
        let mut earlier = parts.iter().take(index);
        earlier.find_map(|(other, other_lowered)| {
            let why = contradiction(other_lowered, lowered)?;
            Some((*other, *part, why))
        })
    };
    parts.iter().enumerate().filter_map(of_part).collect()
}

/// Returns the reason why no caller meets both, if there is one.
pub(super) fn contradiction(one: &Lowered, other: &Lowered) -> Option<&'static str> {
    Some(match logic::contradiction(one, other)? {
        Contradiction::Networks => "no address is in both networks",
        Contradiction::Acr => "a login has one acr",
    })
}
