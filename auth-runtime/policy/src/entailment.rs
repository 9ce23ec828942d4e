//! Entailment: each caller that meets one requirement meets another one.
//!
//! Requirements have no *not*. Every way to meet one can therefore be listed. Of all addresses, one
//! is tested for each set of networks that some address lies in. For a caller, the single
//! requirements that it meets are looked up and followed to the lists that become true. The time is
//! proportional to the nodes followed, not to the size of the requirements.
//!
//! The nodes of requirements are numbered in the order of the attribute: each list before its parts,
//! and the first requirement of a slice from 0 on.

mod evaluation;
mod places;
mod tree;

use std::collections::{BTreeSet, HashSet};

use self::evaluation::{Evaluation, Single};
use self::tree::{Alternative, Shape, Tree};
#[cfg(doc)]
use crate::dnf::MAX_ALTERNATIVES;
use crate::requirement::{Atom, Requirement};

/// Returns whether each caller that meets `one` meets `other`; `None` if `one` has more than
/// [`MAX_ALTERNATIVES`].
pub fn entails(one: &Requirement, other: &Requirement) -> Option<bool> {
    let found = entailed(&[one], &[other]).pop().flatten();
    found.map(|entailed| entailed.contains(&0))
}

/// Returns whether each caller that meets the requirement is known.
pub fn makes_known(requirement: &Requirement) -> bool {
    fn is_known(requirement: &Requirement) -> bool {
        match requirement {
            Requirement::All(parts) => parts.iter().any(is_known),
            Requirement::Any(parts) => parts.iter().all(is_known),
            // Neither the address of a request nor a setting identifies the caller.
            Requirement::Atom(Atom::Network(_) | Atom::Setting(_)) => false,
            // An anonymous caller meets no other requirement.
            Requirement::Atom(_) => true,
        }
    }

    // Entailment fails on requirements with too many alternatives; `is_known` decides these, but
    // ignores contradicting networks.
    entails(requirement, &Requirement::authenticated()) == Some(true) || is_known(requirement)
}

/// Returns, for each requirement in `by`, the indices of the requirements in `among` that it
/// entails. The entry is `None` if the requirement has more than [`MAX_ALTERNATIVES`].
pub fn entailed(by: &[&Requirement], among: &[&Requirement]) -> Vec<Option<BTreeSet<usize>>> {
    let (source, target) = (Tree::new(by, true), Tree::new(among, true));
    let mut evaluation = Evaluation::new(&target, &source);
    let singles = evaluation.singles(&source);
    let roots = target.roots.iter().enumerate();
    let always: Vec<usize> = roots
        .filter(|(_, root)| evaluation.is_met(**root))
        .map(|(index, _)| index)
        .collect();
    let mut found = Vec::new();
    for root in &source.roots {
        let is_spare = |members: &[usize]| evaluation.spare(members, &singles);
        let Some(alternatives) = source.alternatives(*root, &is_spare) else {
            found.push(None);
            continue;
        };
        let mut callers = 0;
        let mut met_by = vec![0_usize; among.len()];
        for alternative in &alternatives {
            for place in evaluation.places(&[alternative], &singles) {
                callers += 1;
                evaluation.meet(alternative, &singles);
                evaluation.enter(place);
                let mut touched: BTreeSet<usize> = always.iter().copied().collect();
                let supported = evaluation.supported.iter();
                touched.extend(supported.filter_map(|node| Some(target.nodes.get(*node)?.part)));
                for part in touched {
                    let root = target.roots.get(part).copied().unwrap_or_default();
                    if let Some(met) = met_by.get_mut(part)
                        && evaluation.is_met(root)
                    {
                        *met += 1;
                    }
                }
                evaluation.reset();
            }
        }
        let met = met_by.iter().enumerate();
        let by_all = met.filter(|(_, met)| **met == callers);
        found.push(Some(by_all.map(|(index, _)| index).collect()));
    }
    found
}

/// Returns whether no caller meets all of the parts; `false` if they have more than
/// [`MAX_ALTERNATIVES`].
pub fn is_impossible(parts: &[&Requirement]) -> bool {
    let tree = Tree::new(parts, true);
    let evaluation = Evaluation::new(&tree, &tree);
    let singles = evaluation.singles(&tree);
    let is_spare = |members: &[usize]| evaluation.spare(members, &singles);
    let alternatives = tree.alternatives(0, &is_spare);
    alternatives.is_some_and(|alternatives| {
        let mut alternatives = alternatives.iter();
        alternatives.all(|one| evaluation.places(&[one], &singles).is_empty())
    })
}

/// Returns the first alternatives to meet all of the parts, each as the nodes of its atoms.
pub fn first_alternatives(parts: &[&Requirement]) -> Vec<Vec<usize>> {
    let tree = Tree::new(parts, true);
    let alternatives = tree
        .alternatives(0, &|_| HashSet::new())
        .unwrap_or_default();
    let without_root = |one: Alternative| one.into_iter().map(|node| node - 1).collect();
    alternatives
        .into_iter()
        .take(32)
        .map(without_root)
        .collect()
}

/// Returns the nodes of redundant parts and of redundant members of lists in them, in ascending
/// order. Only nodes that `may_be` accepts are considered. The result is empty if the whole has more
/// than [`MAX_ALTERNATIVES`].
///
/// An alternative is redundant if each caller that meets it meets the whole without it. A member of
/// an `all` is redundant if each caller that meets the whole without it meets the whole. The parts
/// are joined by `all` (`is_all`) or by `any`.
pub fn redundant(
    parts: &[&Requirement],
    is_all: bool,
    may_be: &dyn Fn(usize) -> bool,
) -> Vec<usize> {
    let tree = Tree::new(parts, is_all);
    let mut evaluation = Evaluation::new(&tree, &tree);
    let singles = evaluation.singles(&tree);
    let may_be = |node: usize| node > 0 && may_be(node - 1);
    // Only nodes that are not considered themselves can be left out.
    let is_spare = |members: &[usize]| {
        if members.iter().any(|member| may_be(*member)) {
            HashSet::new()
        } else {
            evaluation.spare(members, &singles)
        }
    };
    let Some(alternatives) = tree.alternatives(0, &is_spare) else {
        return Vec::new();
    };
    let mut decides: Vec<bool> = (0..tree.nodes.len()).map(|node| !may_be(node)).collect();
    let (possible, impossible): (Vec<&Alternative>, Vec<&Alternative>) = alternatives
        .iter()
        .partition(|one| !evaluation.places(&[one], &singles).is_empty());
    let mut seen = vec![usize::MAX; tree.nodes.len()];
    for (stamp, alternative) in possible.iter().chain(&impossible).enumerate() {
        let members = undecided(&tree, alternative, &decides, &mut seen, stamp);
        if members.is_empty() {
            continue;
        }
        for place in evaluation.places(&[alternative], &singles) {
            evaluation.meet(alternative, &singles);
            evaluation.enter(place);
            for member in &members {
                let (_, part, _) = tree.split(alternative, *member);
                let found = match tree.shape_around(*member) {
                    Some(Shape::Any) => !evaluation.holds_without(*member),
                    _ if is_somewhere(part, &singles) => false,
                    _ => {
                        evaluation.lose(part, &singles);
                        let found = !evaluation.is_met(0);
                        evaluation.meet(part, &singles);
                        found
                    }
                };
                if found && let Some(decides) = decides.get_mut(*member) {
                    *decides = true;
                }
            }
            evaluation.reset();
        }
        let is_possible = stamp < possible.len();
        for member in members {
            let (before, part, after) = tree.split(alternative, member);
            let is_decided = decides.get(member).copied().unwrap_or(true);
            // Without a network, a caller may be in other places, and an impossible combination may
            // become possible.
            let is_wider = !is_possible || is_somewhere(part, &singles);
            if is_decided || !is_wider || tree.shape_around(member) == Some(Shape::Any) {
                continue;
            }
            for place in evaluation.places(&[before, after], &singles) {
                evaluation.meet(before, &singles);
                evaluation.meet(after, &singles);
                evaluation.enter(place);
                let found = !evaluation.is_met(0);
                evaluation.reset();
                if found {
                    if let Some(decides) = decides.get_mut(member) {
                        *decides = true;
                    }
                    break;
                }
            }
        }
    }
    let nodes = decides.iter().enumerate();
    let idle = nodes.filter(|(_, decides)| !**decides);
    idle.map(|(node, _)| node - 1).collect()
}

fn is_somewhere(part: &[usize], singles: &[Single<'_>]) -> bool {
    let mut part = part.iter().filter_map(|single| singles.get(*single));
    part.any(|single| single.network.is_some())
}

/// Returns the single requirements of an alternative, and the lists around them, that are not yet known to
/// decide.
fn undecided(
    tree: &Tree<'_>,
    alternative: &[usize],
    decides: &[bool],
    seen: &mut [usize],
    stamp: usize,
) -> Vec<usize> {
    let mut members = Vec::new();
    for single in alternative {
        let mut node = *single;
        while let Some(seen) = seen.get_mut(node).filter(|seen| **seen != stamp) {
            *seen = stamp;
            if !decides.get(node).copied().unwrap_or(true) {
                members.push(node);
            }
            node = tree.nodes.get(node).map_or(0, |node| node.parent);
        }
    }
    members
}

/// The reason why no caller meets two requirements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contradiction {
    /// No address lies in both networks.
    Networks,
    /// A login has one authentication context class, and two are required.
    Acr,
}

/// Returns whether another requirement can contradict it.
pub fn can_contradict(requirement: &Requirement) -> bool {
    requirement.contains(|atom| matches!(atom, Atom::Acr(_) | Atom::Network(_)))
}

/// Returns the reason why no caller meets both, if two of their atoms show it.
pub fn contradiction(one: &Requirement, other: &Requirement) -> Option<Contradiction> {
    use Requirement::{All, Any};
    match (one, other) {
        (All(parts), _) => parts.iter().find_map(|part| contradiction(part, other)),
        (_, All(parts)) => parts.iter().find_map(|part| contradiction(one, part)),
        (Any(parts), _) => all_contradict(parts, other),
        (_, Any(parts)) => all_contradict(parts, one),
        (Requirement::Atom(one), Requirement::Atom(other)) => match (one, other) {
            (Atom::Network(one), Atom::Network(other)) => {
                one.is_disjoint(other).then_some(Contradiction::Networks)
            }
            (Atom::Acr(one), Atom::Acr(other)) => (one != other).then_some(Contradiction::Acr),
            _ => None,
        },
    }
}

/// Returns the reason of the first alternative, if there is one for each.
fn all_contradict(alternatives: &[Requirement], other: &Requirement) -> Option<Contradiction> {
    let mut reasons = alternatives.iter().map(|part| contradiction(part, other));
    let first = reasons.next()??;
    reasons.all(|reason| reason.is_some()).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_cases::{self, holds};

    /// Returns whether a caller with the grants in `held` meets the requirement.
    /// Every caller is tried: bit 0 stands for an authenticated caller, which each grant implies.
    fn callers() -> impl Iterator<Item = u32> {
        (0..1_u32 << 4).filter(|held| *held == 0 || held & 1 == 1)
    }

    fn atoms() -> Vec<Atom> {
        let mut atoms = test_cases::grants();
        atoms.truncate(3);
        atoms.insert(0, Atom::Authenticated);
        atoms
    }

    #[test]
    fn entailment_is_that_of_truth_table() {
        let atoms = atoms();
        let requirements = test_cases::requirements(&atoms);
        for one in &requirements {
            for other in requirements.iter().step_by(7) {
                let implied =
                    callers().all(|held| !holds(one, held, &atoms) || holds(other, held, &atoms));
                assert_eq!(entails(one, other), Some(implied), "{one} and {other}");
            }
        }
    }

    /// A node is redundant if the whole without it is met by the same callers.
    #[test]
    fn redundant_parts_match_the_truth_table() {
        let atoms = atoms();
        let mut requirements = test_cases::requirements(&atoms);
        // No attribute writes an empty list.
        requirements.retain(|requirement| !requirement.atoms().is_empty());
        for one in requirements.iter().step_by(7) {
            for other in requirements.iter().step_by(5) {
                let found = redundant(&[one, other], true, &|_| true);
                let whole = Requirement::all([one.clone(), other.clone()]);
                for node in 1..nodes(&whole) {
                    let without = without(&whole, &mut { node }).expect("a list remains");
                    let is_same = callers()
                        .all(|held| holds(&whole, held, &atoms) == holds(&without, held, &atoms));
                    let is_found = found.contains(&(node - 1));
                    assert_eq!(is_found, is_same, "node {node} of {whole}: {found:?}");
                }
            }
        }
    }

    fn nodes(requirement: &Requirement) -> usize {
        1 + requirement.parts().iter().map(nodes).sum::<usize>()
    }

    /// The requirement without the node at this position; `None` if it is the node.
    fn without(requirement: &Requirement, at: &mut usize) -> Option<Requirement> {
        if *at == 0 {
            *at = usize::MAX;
            return None;
        }
        *at = at.saturating_sub(1);
        let mut parts = Vec::new();
        for part in requirement.parts() {
            let is_passed = *at > usize::MAX / 2;
            if is_passed {
                parts.push(part.clone());
            } else {
                parts.extend(without(part, at));
            }
        }
        Some(match requirement {
            Requirement::All(_) => Requirement::all(parts),
            Requirement::Any(_) => Requirement::any(parts),
            Requirement::Atom(_) => requirement.clone(),
        })
    }

    /// A setting is true or false for every caller: it implies no other atom, and no other implies it.
    #[test]
    fn setting_is_independent_of_caller() {
        let [open, pull, known] = [
            Requirement::setting("open"),
            Requirement::scope("pull"),
            Requirement::authenticated(),
        ];
        let either = Requirement::any([open.clone(), pull.clone()]);
        let both = Requirement::all([open.clone(), pull.clone()]);
        let other = Requirement::setting("other");
        for (one, two, expected) in [
            (&open, &known, false),
            (&known, &open, false),
            (&open, &other, false),
            (&open, &either, true),
            (&either, &open, false),
            (&either, &known, false),
            (&both, &known, true),
            (&both, &open, true),
            (&Requirement::always(), &open, false),
        ] {
            assert_eq!(entails(one, two), Some(expected), "{one} and {two}");
        }
        assert!(makes_known(&both) && !makes_known(&either) && !makes_known(&open));
        assert!(!is_impossible(&[&open, &other]));
        let parts = [&either, &open];
        assert_eq!(redundant(&parts, true, &|_| true), [0, 2]);
    }

    #[test]
    fn alternatives_implying_each_other_count_once() {
        // The atoms of `scope = "s0"`, … in an attribute, each with names that imply it.
        let named = |at: usize| {
            let scope =
                |level: usize| Requirement::Atom(Atom::Scope(format!("s{at}.{level}").into()));
            Requirement::any((0..8).map(scope))
        };
        let all = Requirement::all((0..8).map(named));
        let first = named(0);
        assert_eq!(entails(&all, &first), Some(true));
        assert_eq!(entails(&first, &all), Some(false));
    }
}
