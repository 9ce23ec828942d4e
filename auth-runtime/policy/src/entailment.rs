//! Entailment: each caller that meets one requirement meets another one.
//!
//! Requirements have no *not*. Every way to meet one can therefore be listed. Of all addresses, one
//! is tested for each set of networks that some address lies in. For a caller, the single
//! requirements that it meets are looked up and followed to the lists that become true. The time is
//! proportional to the nodes followed, not to the size of the requirements.
//!
//! The nodes of requirements are numbered in the order of the attribute: each list before its parts,
//! and the first requirement of a slice from 0 on.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::dnf::{Expansion, MAX_ALTERNATIVES};
use crate::network::Network;
use crate::requirement::{Atom, Requirement};

/// Single requirements that are met together, by their nodes, in the order in which they are
/// written.
type Alternative = Vec<usize>;

/// Requirements below a root list, which is node 0. Each list precedes its members.
struct Tree<'r> {
    nodes: Vec<Node<'r>>,
    roots: Vec<usize>,
}

struct Node<'r> {
    /// `None` for the root list.
    requirement: Option<&'r Requirement>,
    /// `None` for a list.
    atom: Option<&'r Atom>,
    parent: usize,
    /// The index of the part that this node belongs to.
    part: usize,
    shape: Shape,
    members: Vec<usize>,
    /// The index after the last node below this one.
    end: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Single,
    All,
    Any,
}

impl<'r> Tree<'r> {
    fn new(parts: &[&'r Requirement], is_all: bool) -> Self {
        let shape = if is_all { Shape::All } else { Shape::Any };
        let mut tree = Self {
            nodes: vec![Node {
                requirement: None,
                atom: None,
                parent: 0,
                part: 0,
                shape,
                members: Vec::new(),
                end: 0,
            }],
            roots: Vec::new(),
        };
        for (index, part) in parts.iter().enumerate() {
            let root = tree.add(part, 0, index);
            tree.roots.push(root);
        }
        tree.close(0, tree.roots.clone());
        tree
    }

    fn add(&mut self, requirement: &'r Requirement, parent: usize, part: usize) -> usize {
        let (shape, atom) = match requirement {
            Requirement::All(_) => (Shape::All, None),
            Requirement::Any(_) => (Shape::Any, None),
            Requirement::Atom(atom) => (Shape::Single, Some(atom)),
        };
        let node = self.nodes.len();
        self.nodes.push(Node {
            requirement: Some(requirement),
            atom,
            parent,
            part,
            shape,
            members: Vec::new(),
            end: node + 1,
        });
        let parts = requirement.parts().iter();
        let members = parts.map(|member| self.add(member, node, part)).collect();
        self.close(node, members);
        node
    }

    fn close(&mut self, node: usize, members: Vec<usize>) {
        let end = self.nodes.len();
        if let Some(node) = self.nodes.get_mut(node) {
            node.members = members;
            node.end = end;
        }
    }

    /// Returns every way to meet a node; `None` if there are too many. `is_spare` selects members
    /// of a list of alternatives that can be left out.
    fn alternatives(
        &self,
        node: usize,
        is_spare: &dyn Fn(&[usize]) -> HashSet<usize>,
    ) -> Option<Vec<Alternative>> {
        let list = self.nodes.get(node)?;
        let keep = |node: usize, mut alternatives: Vec<Alternative>, limit: usize| {
            let list = self.nodes.get(node)?;
            if list.shape == Shape::Any && list.members.len() > 1 {
                let members = list.members.iter().copied();
                let single =
                    |node: &usize| self.nodes.get(*node).is_some_and(|it| it.atom.is_some());
                let spare = is_spare(&members.filter(single).collect::<Vec<_>>());
                alternatives.retain(|it| !matches!(it.as_slice(), [only] if spare.contains(only)));
            }
            (alternatives.len() <= limit).then_some(alternatives)
        };
        let expansion = Expansion {
            leaf: &|node, _| vec![vec![node]],
            join: &|one, other| one.extend(other),
            keep: &keep,
            limit: MAX_ALTERNATIVES,
        };
        match list.requirement {
            Some(requirement) => expansion.of(requirement, &mut { node }),
            None => {
                let parts = self
                    .roots
                    .iter()
                    .filter_map(|root| self.nodes.get(*root)?.requirement);
                expansion.of_list(parts, list.shape == Shape::All, &mut { node })
            }
        }
    }

    fn shape_around(&self, node: usize) -> Option<Shape> {
        let parent = self.nodes.get(node)?.parent;
        self.nodes.get(parent).map(|parent| parent.shape)
    }

    /// Splits an alternative into the nodes before, below and after a node.
    fn split<'w>(
        &self,
        alternative: &'w [usize],
        node: usize,
    ) -> (&'w [usize], &'w [usize], &'w [usize]) {
        let end = self.nodes.get(node).map_or(node, |node| node.end);
        let (before, rest) =
            alternative.split_at(alternative.partition_point(|single| *single < node));
        let (part, behind) = rest.split_at(rest.partition_point(|single| *single < end));
        (before, part, behind)
    }
}

/// The sets of networks that some address lies in.
struct Places<'r> {
    networks: HashMap<&'r [IpNet], usize>,
    /// The networks of each place.
    sets: Vec<Vec<usize>>,
    /// The places in each network.
    within: Vec<Vec<usize>>,
    /// The places that decide for callers at an unrestricted address.
    anywhere: Vec<usize>,
}

impl<'r> Places<'r> {
    fn of(networks: &[&'r Network]) -> Self {
        let mut index = HashMap::new();
        for network in networks {
            let next = index.len();
            index.entry(network.blocks()).or_insert(next);
        }
        // The addresses at which networks begin and end.
        let mut ends = Vec::new();
        for (blocks, network) in &index {
            for block in *blocks {
                let (is_six, first, last, greatest) = match (block.network(), block.broadcast()) {
                    (IpAddr::V4(first), IpAddr::V4(last)) => (
                        false,
                        u128::from(u32::from(first)),
                        u128::from(u32::from(last)),
                        u128::from(u32::MAX),
                    ),
                    (IpAddr::V6(first), IpAddr::V6(last)) => {
                        (true, u128::from(first), u128::from(last), u128::MAX)
                    }
                    _ => continue,
                };
                ends.push((is_six, first, *network, true));
                if last < greatest {
                    ends.push((is_six, last + 1, *network, false));
                }
            }
        }
        ends.sort_unstable();
        let mut sets = BTreeSet::new();
        for is_six in [false, true] {
            let mut inside: BTreeSet<usize> = BTreeSet::new();
            let mut depth = vec![0_usize; index.len()];
            let mut ends = ends.iter().filter(|end| end.0 == is_six).peekable();
            if ends.peek().is_none_or(|end| end.1 > 0) {
                sets.insert(Vec::new());
            }
            while let Some((_, address, network, begins)) = ends.next() {
                if let Some(depth) = depth.get_mut(*network) {
                    *depth = if *begins {
                        *depth + 1
                    } else {
                        depth.saturating_sub(1)
                    };
                    if *depth == 0 {
                        inside.remove(network);
                    } else {
                        inside.insert(*network);
                    }
                }
                if ends.peek().is_none_or(|next| next.1 != *address) {
                    sets.insert(inside.iter().copied().collect());
                }
            }
        }
        let sets: Vec<Vec<usize>> = sets.into_iter().collect();
        let mut within = vec![Vec::new(); index.len()];
        for (place, networks) in sets.iter().enumerate() {
            for network in networks {
                if let Some(places) = within.get_mut(*network) {
                    places.push(place);
                }
            }
        }
        // A requirement that is met outside of all networks is also met within them. The sets are
        // sorted, so the empty set comes first.
        let anywhere = match sets.first() {
            Some(first) if first.is_empty() => vec![0],
            _ => (0..sets.len()).collect(),
        };
        Self {
            networks: index,
            sets,
            within,
            anywhere,
        }
    }

    /// Returns the places that lie in all of these networks.
    fn in_all(&self, networks: &[usize]) -> Vec<usize> {
        let within = |network: &usize| self.within.get(*network).map_or(&[][..], Vec::as_slice);
        let Some(fewest) = networks
            .iter()
            .map(within)
            .min_by_key(|places| places.len())
        else {
            return self.anywhere.clone();
        };
        let lies_in_all = |place: &&usize| {
            let set = self.sets.get(**place);
            set.is_some_and(|set| {
                networks
                    .iter()
                    .all(|network| set.binary_search(network).is_ok())
            })
        };
        fewest.iter().filter(lies_in_all).copied().collect()
    }
}

/// The consequences of meeting a single requirement.
#[derive(Default)]
struct Single<'r> {
    /// The nodes that are met by it.
    meets: Vec<usize>,
    network: Option<usize>,
    acr: Option<&'r str>,
}

/// A tree with an index of its single requirements.
struct Evaluation<'t, 'r> {
    tree: &'t Tree<'r>,
    /// The nodes by the atom that meets them, for all atoms that only the same one meets.
    same: HashMap<&'r Atom, Vec<usize>>,
    authenticated: Vec<usize>,
    ages: Vec<(Duration, usize)>,
    in_network: Vec<Vec<usize>>,
    places: Places<'r>,
    /// For a single node, the number of requirements met so far that meet it.
    support: Vec<usize>,
    /// For a list, the number of its members that are met.
    met: Vec<usize>,
    is_met: Vec<bool>,
    supported: Vec<usize>,
}

impl<'t, 'r> Evaluation<'t, 'r> {
    /// Prepares an evaluation for callers in one of the networks of `tree` or `others`, or in none.
    fn new(tree: &'t Tree<'r>, others: &Tree<'r>) -> Self {
        let networks = tree.nodes.iter().chain(&others.nodes);
        let networks: Vec<&Network> = networks
            .filter_map(|node| match node.atom? {
                Atom::Network(network) => Some(network),
                _ => None,
            })
            .collect();
        let places = Places::of(&networks);
        let mut evaluation = Self {
            tree,
            same: HashMap::new(),
            authenticated: Vec::new(),
            ages: Vec::new(),
            in_network: vec![Vec::new(); places.networks.len()],
            places,
            support: vec![0; tree.nodes.len()],
            met: vec![0; tree.nodes.len()],
            is_met: vec![false; tree.nodes.len()],
            supported: Vec::new(),
        };
        for (node, of) in tree.nodes.iter().enumerate() {
            if let Some(atom) = of.atom {
                evaluation.list(node, atom);
            }
        }
        // Every caller meets a list without requirements.
        for (node, of) in tree.nodes.iter().enumerate() {
            if of.shape == Shape::All && of.members.is_empty() {
                evaluation.set(node, true);
            }
        }
        evaluation
    }

    fn list(&mut self, node: usize, atom: &'r Atom) {
        match atom {
            Atom::Authenticated => self.authenticated.push(node),
            Atom::MaxAge(age) => self.ages.push((*age, node)),
            Atom::Network(network) => {
                let network = self.places.networks.get(network.blocks());
                let nodes = network.and_then(|network| self.in_network.get_mut(*network));
                if let Some(nodes) = nodes {
                    nodes.push(node);
                }
            }
            _ => self.same.entry(atom).or_default().push(node),
        }
    }

    /// Returns the consequences of each single requirement of another tree.
    fn singles(&self, tree: &Tree<'r>) -> Vec<Single<'r>> {
        let nodes = tree.nodes.iter();
        nodes
            .map(|node| node.atom.map(|atom| self.single(atom)).unwrap_or_default())
            .collect()
    }

    fn single(&self, atom: &'r Atom) -> Single<'r> {
        let mut single = Single::default();
        match atom {
            // The address of a request does not identify the caller.
            Atom::Network(network) => {
                let network = self.places.networks.get(network.blocks());
                single.network = network.copied();
                return single;
            }
            Atom::Authenticated => {}
            Atom::MaxAge(age) => {
                let longer = self.ages.iter().filter(|(other, _)| age <= other);
                single.meets.extend(longer.map(|(_, node)| node));
            }
            _ => {
                if let Atom::Acr(acr) = atom {
                    single.acr = Some(acr);
                }
                let nodes = self.same.get(atom);
                single.meets.extend(nodes.into_iter().flatten());
            }
        }
        // An anonymous caller meets no other requirement.
        single.meets.extend(&self.authenticated);
        single
    }

    /// Of single requirements that are alternatives to each other, those that can be left out: a
    /// caller that meets one of them meets at least as much as by another one, as with names that
    /// imply each other.
    fn spare(&self, alternatives: &[usize], singles: &[Single<'_>]) -> HashSet<usize> {
        // To meet one of several alternatives is to meet the list.
        let highest = |mut node: usize| {
            while let Some(of) = self.tree.nodes.get(node)
                && of.parent != node
                && self.tree.shape_around(node) == Some(Shape::Any)
            {
                node = of.parent;
            }
            node
        };
        let effect = |node: &usize| {
            let single = singles.get(*node)?;
            let met: BTreeSet<usize> = single.meets.iter().copied().map(highest).collect();
            Some((*node, single.network, single.acr, met))
        };
        let mut effects: Vec<_> = alternatives.iter().filter_map(effect).collect();
        effects.sort_by_key(|(_, _, _, met)| met.len());
        let mut kept: Vec<(Option<usize>, Option<&str>, BTreeSet<usize>)> = Vec::new();
        let mut spare = HashSet::new();
        for (node, network, acr, met) in effects {
            let is_less =
                |(other, other_acr, less): &(Option<usize>, Option<&str>, BTreeSet<usize>)| {
                    (*other, *other_acr) == (network, acr) && less.is_subset(&met)
                };
            if network.is_none() && kept.iter().any(is_less) {
                spare.insert(node);
            } else {
                kept.push((network, acr, met));
            }
        }
        spare
    }

    fn set(&mut self, mut node: usize, is_met: bool) {
        loop {
            if let Some(of) = self.is_met.get_mut(node) {
                *of = is_met;
            }
            let Some(parent) = self.tree.nodes.get(node).map(|node| node.parent) else {
                return;
            };
            let (Some(list), Some(met)) = (self.tree.nodes.get(parent), self.met.get_mut(parent))
            else {
                return;
            };
            if parent == node {
                return;
            }
            *met = if is_met {
                *met + 1
            } else {
                met.saturating_sub(1)
            };
            let is_list_met = match list.shape {
                Shape::Any => *met > 0,
                _ => *met == list.members.len(),
            };
            if self.is_met(parent) == is_list_met {
                return;
            }
            node = parent;
        }
    }

    fn support(&mut self, node: usize) {
        if let Some(support) = self.support.get_mut(node) {
            *support += 1;
            if *support == 1 {
                self.supported.push(node);
                self.set(node, true);
            }
        }
    }

    fn meet(&mut self, part: &[usize], singles: &[Single<'_>]) {
        for single in part.iter().filter_map(|single| singles.get(*single)) {
            for node in &single.meets {
                self.support(*node);
            }
        }
    }

    /// Withdraws requirements that were met before.
    fn lose(&mut self, part: &[usize], singles: &[Single<'_>]) {
        for single in part.iter().filter_map(|single| singles.get(*single)) {
            for node in &single.meets {
                if let Some(support) = self.support.get_mut(*node) {
                    *support = support.saturating_sub(1);
                    if *support == 0 {
                        self.set(*node, false);
                    }
                }
            }
        }
    }

    /// Meets the networks of one place.
    fn enter(&mut self, place: usize) {
        let networks = self.places.sets.get(place).cloned().unwrap_or_default();
        for network in networks {
            for node in self.in_network.get(network).cloned().unwrap_or_default() {
                self.support(node);
            }
        }
    }

    /// Resets the evaluation for the next caller.
    fn reset(&mut self) {
        for node in std::mem::take(&mut self.supported) {
            if let Some(support) = self.support.get_mut(node) {
                let was_met = *support > 0;
                *support = 0;
                if was_met {
                    self.set(node, false);
                }
            }
        }
    }

    fn is_met(&self, node: usize) -> bool {
        self.is_met.get(node).copied().unwrap_or_default()
    }

    /// Returns whether the whole is still met if one alternative is not.
    fn holds_without(&self, mut alternative: usize) -> bool {
        loop {
            let Some(node) = self.tree.nodes.get(alternative) else {
                return false;
            };
            if node.parent == alternative {
                return false;
            }
            let is_any = self.tree.shape_around(alternative) == Some(Shape::Any);
            if is_any && self.met.get(node.parent).is_some_and(|met| *met > 1) {
                return true;
            }
            alternative = node.parent;
        }
    }

    /// Returns the places where a caller can meet all of this at once; none, if that is impossible.
    fn places(&self, parts: &[&[usize]], singles: &[Single<'_>]) -> Vec<usize> {
        let met = || {
            let single = parts.iter().copied().flatten();
            single.filter_map(|single| singles.get(*single))
        };
        let mut acrs = met().filter_map(|single| single.acr);
        let first = acrs.next();
        if acrs.any(|acr| Some(acr) != first) {
            return Vec::new();
        }
        let networks: Vec<usize> = met().filter_map(|single| single.network).collect();
        self.places.in_all(&networks)
    }
}

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
            // The address of a request does not identify the caller.
            Requirement::Atom(Atom::Network(_)) => false,
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
    let is_spare = |members: &[usize]| match members.iter().any(|member| may_be(*member)) {
        true => HashSet::new(),
        false => evaluation.spare(members, &singles),
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
            let (before, part, behind) = tree.split(alternative, member);
            let is_decided = decides.get(member).copied().unwrap_or(true);
            // Without a network, a caller may be in other places, and an impossible combination may
            // become possible.
            let is_wider = !is_possible || is_somewhere(part, &singles);
            if is_decided || !is_wider || tree.shape_around(member) == Some(Shape::Any) {
                continue;
            }
            for place in evaluation.places(&[before, behind], &singles) {
                evaluation.meet(before, &singles);
                evaluation.meet(behind, &singles);
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
    fn entailment_is_that_of_the_truth_table() {
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
    fn redundant_parts_are_those_of_the_truth_table() {
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
            match is_passed {
                true => parts.push(part.clone()),
                false => parts.extend(without(part, at)),
            }
        }
        Some(match requirement {
            Requirement::All(_) => Requirement::all(parts),
            Requirement::Any(_) => Requirement::any(parts),
            Requirement::Atom(_) => requirement.clone(),
        })
    }

    #[test]
    fn alternatives_of_names_that_imply_each_other_count_once() {
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
