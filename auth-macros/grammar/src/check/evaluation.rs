//! Evaluation of requirements for one caller at a time.
//!
//! Requirements have no *not*. Every way to meet one can therefore be listed. Of all addresses, one
//! is tested for each set of networks that some address lies in. For a caller, the single
//! requirements that it meets are looked up and followed to the lists that become true. The time is
//! proportional to the nodes followed, not to the size of the requirements.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::requirement::{Kind, Namespace, Network, Requirement};

/// The maximum number of ways to meet a requirement; their number grows with each `any` in an
/// `all`.
const MAX_WAYS: usize = 1024;

/// Single requirements that are met together, by their nodes, in the order in which they are
/// written.
type Way = Vec<usize>;

/// Requirements below a root list, which is node 0. Each list precedes its members.
struct Tree<'r> {
    nodes: Vec<Node<'r>>,
    roots: Vec<usize>,
}

struct Node<'r> {
    /// `None` for the root list.
    requirement: Option<&'r Requirement>,
    parent: usize,
    /// The index of the part that this node belongs to.
    part: usize,
    shape: Shape,
    members: Vec<usize>,
    /// The index after the last node below this one.
    end: usize,
    /// Marks a part of a vocabulary policy, which is required as a whole.
    is_in_policy: bool,
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
                parent: 0,
                part: 0,
                shape,
                members: Vec::new(),
                end: 0,
                is_in_policy: false,
            }],
            roots: Vec::new(),
        };
        for (index, part) in parts.iter().enumerate() {
            let root = tree.add(part, 0, index, false);
            tree.roots.push(root);
        }
        tree.close(0, tree.roots.clone());
        tree
    }

    fn add(
        &mut self,
        requirement: &'r Requirement,
        parent: usize,
        part: usize,
        is_in_policy: bool,
    ) -> usize {
        let (shape, parts) = match &requirement.kind {
            Kind::All(parts) => (Shape::All, parts.as_slice()),
            Kind::Any(parts) => (Shape::Any, parts.as_slice()),
            _ => (Shape::Single, &[][..]),
        };
        let node = self.nodes.len();
        self.nodes.push(Node {
            requirement: Some(requirement),
            parent,
            part,
            shape,
            members: Vec::new(),
            end: node + 1,
            is_in_policy,
        });
        let is_in_policy = is_in_policy || requirement.policy.is_some();
        let members = parts
            .iter()
            .map(|member| self.add(member, node, part, is_in_policy))
            .collect();
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

    /// Returns every way to meet a node; `None` if there are too many.
    fn ways(&self, node: usize) -> Option<Vec<Way>> {
        let Some(list) = self.nodes.get(node) else {
            return Some(Vec::new());
        };
        match list.shape {
            Shape::Single => Some(vec![vec![node]]),
            Shape::Any => {
                let mut ways = Vec::new();
                for member in &list.members {
                    ways.extend(self.ways(*member)?);
                }
                (ways.len() <= MAX_WAYS).then_some(ways)
            }
            Shape::All => {
                let mut ways = vec![Vec::new()];
                for member in &list.members {
                    let further = self.ways(*member)?;
                    if ways.len() * further.len() > MAX_WAYS {
                        return None;
                    }
                    if let [only] = further.as_slice() {
                        for way in &mut ways {
                            way.extend(only);
                        }
                        continue;
                    }
                    let both = |way: &Way| {
                        let way = way.clone();
                        further
                            .iter()
                            .map(move |further| [way.as_slice(), further].concat())
                    };
                    ways = ways.iter().flat_map(both).collect();
                }
                Some(ways)
            }
        }
    }

    fn shape_around(&self, node: usize) -> Option<Shape> {
        let parent = self.nodes.get(node)?.parent;
        self.nodes.get(parent).map(|parent| parent.shape)
    }

    /// Splits a way into the nodes before, below and after a node.
    fn part_of_way<'w>(
        &self,
        way: &'w [usize],
        node: usize,
    ) -> (&'w [usize], &'w [usize], &'w [usize]) {
        let end = self.nodes.get(node).map_or(node, |node| node.end);
        let (before, rest) = way.split_at(way.partition_point(|single| *single < node));
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
            index.entry(network.blocks.as_slice()).or_insert(next);
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
    /// The nodes by each name that meets them.
    named: HashMap<(Namespace, &'r str), Vec<usize>>,
    authenticated: Vec<usize>,
    ages: Vec<(u64, usize)>,
    /// The nodes by the text of the requirement.
    others: HashMap<String, Vec<usize>>,
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
            .filter_map(|node| match &node.requirement?.kind {
                Kind::Network(network) => Some(network),
                _ => None,
            })
            .collect();
        let places = Places::of(&networks);
        let mut evaluation = Self {
            tree,
            named: HashMap::new(),
            authenticated: Vec::new(),
            ages: Vec::new(),
            others: HashMap::new(),
            in_network: vec![Vec::new(); places.networks.len()],
            places,
            support: vec![0; tree.nodes.len()],
            met: vec![0; tree.nodes.len()],
            is_met: vec![false; tree.nodes.len()],
            supported: Vec::new(),
        };
        for (node, of) in tree.nodes.iter().enumerate() {
            match of.requirement {
                Some(requirement) if of.shape == Shape::Single => {
                    evaluation.list(node, requirement);
                }
                _ => {}
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

    fn list(&mut self, node: usize, requirement: &'r Requirement) {
        match &requirement.kind {
            Kind::Named(namespace, name) => {
                for name in std::iter::once(&name.text).chain(&name.broader) {
                    let nodes = self.named.entry((*namespace, name.as_str()));
                    nodes.or_default().push(node);
                }
            }
            Kind::Authenticated => self.authenticated.push(node),
            Kind::MaxAge(age) => self.ages.push((age.seconds, node)),
            Kind::Network(network) => {
                let network = self.places.networks.get(network.blocks.as_slice());
                let nodes = network.and_then(|network| self.in_network.get_mut(*network));
                if let Some(nodes) = nodes {
                    nodes.push(node);
                }
            }
            _ => {
                let nodes = self.others.entry(requirement.to_string());
                nodes.or_default().push(node);
            }
        }
    }

    /// Returns the consequences of each single requirement of another tree.
    fn singles(&self, tree: &Tree<'r>) -> Vec<Single<'r>> {
        let nodes = tree.nodes.iter();
        nodes
            .map(|node| match node.requirement {
                Some(requirement) if node.shape == Shape::Single => self.single(requirement),
                _ => Single::default(),
            })
            .collect()
    }

    fn single(&self, requirement: &'r Requirement) -> Single<'r> {
        let mut single = Single::default();
        match &requirement.kind {
            // The address of a request does not identify the caller.
            Kind::Network(network) => {
                let network = self.places.networks.get(network.blocks.as_slice());
                single.network = network.copied();
                return single;
            }
            Kind::Authenticated => {}
            Kind::Named(namespace, name) => {
                if *namespace == Namespace::Acr {
                    single.acr = Some(&name.text);
                }
                let nodes = self.named.get(&(*namespace, name.text.as_str()));
                single.meets.extend(nodes.into_iter().flatten());
            }
            Kind::MaxAge(age) => {
                let longer = self.ages.iter().filter(|(other, _)| age.seconds <= *other);
                single.meets.extend(longer.map(|(_, node)| node));
            }
            _ => {
                let nodes = self.others.get(&requirement.to_string());
                single.meets.extend(nodes.into_iter().flatten());
            }
        }
        // An anonymous caller meets no other requirement.
        single.meets.extend(&self.authenticated);
        single
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
    fn places(&self, way: &[&[usize]], singles: &[Single<'_>]) -> Vec<usize> {
        let met = || {
            let single = way.iter().copied().flatten();
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

/// Returns, for each requirement in `by`, the indices of the requirements in `among` that it
/// implies. The entry is `None` if the requirement can be met in more than `MAX_WAYS` ways.
pub(super) fn entailed<'r>(
    by: &[&'r Requirement],
    among: &[&'r Requirement],
) -> Vec<Option<BTreeSet<usize>>> {
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
        let Some(ways) = source.ways(*root) else {
            found.push(None);
            continue;
        };
        let mut callers = 0;
        let mut met_by = vec![0_usize; among.len()];
        for way in &ways {
            for place in evaluation.places(&[way], &singles) {
                callers += 1;
                evaluation.meet(way, &singles);
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

/// Returns whether no caller meets all of the parts; `false` if there are more than `MAX_WAYS`
/// ways.
pub(super) fn is_impossible(parts: &[&Requirement]) -> bool {
    let tree = Tree::new(parts, true);
    let evaluation = Evaluation::new(&tree, &tree);
    let singles = evaluation.singles(&tree);
    let ways = tree.ways(0);
    ways.is_some_and(|ways| {
        let mut ways = ways.iter();
        ways.all(|way| evaluation.places(&[way], &singles).is_empty())
    })
}

/// Returns the first ways to meet all of the parts.
pub(super) fn some_ways<'r>(parts: &[&'r Requirement]) -> Vec<Vec<&'r Requirement>> {
    let tree = Tree::new(parts, true);
    let ways = tree.ways(0).unwrap_or_default();
    let requirement = |node: &usize| tree.nodes.get(*node)?.requirement;
    let ways = ways.iter().take(32);
    ways.map(|way| way.iter().filter_map(requirement).collect())
        .collect()
}

/// Returns the redundant parts and members of lists in them, in the order in which they are
/// written. The result is empty if there are more than `MAX_WAYS` ways to meet the whole.
///
/// An alternative is redundant if each caller that meets it meets the whole without it. A member of
/// an `all` is redundant if each caller that meets the whole without it meets the whole.
pub(super) fn idle<'r>(
    parts: &[&'r Requirement],
    is_all: bool,
    may_be_idle: impl Fn(&'r Requirement, usize) -> bool,
) -> Vec<&'r Requirement> {
    let tree = Tree::new(parts, is_all);
    let Some(ways) = tree.ways(0) else {
        return Vec::new();
    };
    let mut evaluation = Evaluation::new(&tree, &tree);
    let singles = evaluation.singles(&tree);
    let may_be_idle = |node: &Node<'r>| {
        let of = node.requirement.filter(|_| !node.is_in_policy);
        of.is_some_and(|of| may_be_idle(of, node.part))
    };
    let mut decides: Vec<bool> = tree.nodes.iter().map(|node| !may_be_idle(node)).collect();
    let (possible, impossible): (Vec<&Way>, Vec<&Way>) = ways
        .iter()
        .partition(|way| !evaluation.places(&[way], &singles).is_empty());
    let mut seen = vec![usize::MAX; tree.nodes.len()];
    for (stamp, way) in possible.iter().chain(&impossible).enumerate() {
        let members = undecided(&tree, way, &decides, &mut seen, stamp);
        if members.is_empty() {
            continue;
        }
        for place in evaluation.places(&[way], &singles) {
            evaluation.meet(way, &singles);
            evaluation.enter(place);
            for member in &members {
                let (_, part, _) = tree.part_of_way(way, *member);
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
            let (before, part, behind) = tree.part_of_way(way, member);
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
    let nodes = tree.nodes.iter().zip(decides);
    let idle = nodes.filter(|(_, decides)| !decides);
    idle.filter_map(|(node, _)| node.requirement).collect()
}

fn is_somewhere(part: &[usize], singles: &[Single<'_>]) -> bool {
    let mut part = part.iter().filter_map(|single| singles.get(*single));
    part.any(|single| single.network.is_some())
}

/// Returns the single requirements of a way, and the lists around them, that are not yet known to
/// decide.
fn undecided(
    tree: &Tree<'_>,
    way: &[usize],
    decides: &[bool],
    seen: &mut [usize],
    stamp: usize,
) -> Vec<usize> {
    let mut members = Vec::new();
    for single in way {
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
