//! The evaluation of requirements for a caller that meets others.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use super::places::Places;
use super::tree::{Shape, Tree};
use crate::network::Network;
use crate::requirement::Atom;

/// The consequences of meeting a single requirement.
#[derive(Default)]
pub(super) struct Single<'r> {
    /// The nodes that are met by it.
    pub(super) meets: Vec<usize>,
    pub(super) network: Option<usize>,
    pub(super) acr: Option<&'r str>,
}

/// A tree with an index of its single requirements.
pub(super) struct Evaluation<'t, 'r> {
    pub(super) tree: &'t Tree<'r>,
    /// The nodes by the atom that meets them, for all atoms that only the same one meets.
    pub(super) same: HashMap<&'r Atom, Vec<usize>>,
    pub(super) authenticated: Vec<usize>,
    pub(super) ages: Vec<(Duration, usize)>,
    pub(super) in_network: Vec<Vec<usize>>,
    pub(super) places: Places<'r>,
    /// For a single node, the number of requirements met so far that meet it.
    pub(super) support: Vec<usize>,
    /// For a list, the number of its members that are met.
    pub(super) met: Vec<usize>,
    pub(super) is_met: Vec<bool>,
    pub(super) supported: Vec<usize>,
}

impl<'t, 'r> Evaluation<'t, 'r> {
    /// Prepares an evaluation for callers in one of the networks of `tree` or `others`, or in none.
    pub(super) fn new(tree: &'t Tree<'r>, others: &Tree<'r>) -> Self {
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

    pub(super) fn list(&mut self, node: usize, atom: &'r Atom) {
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
    pub(super) fn singles(&self, tree: &Tree<'r>) -> Vec<Single<'r>> {
        let nodes = tree.nodes.iter();
        nodes
            .map(|node| node.atom.map(|atom| self.single(atom)).unwrap_or_default())
            .collect()
    }

    pub(super) fn single(&self, atom: &'r Atom) -> Single<'r> {
        let mut single = Single::default();
        match atom {
            // The address of a request does not identify the caller.
            Atom::Network(network) => {
                let network = self.places.networks.get(network.blocks());
                single.network = network.copied();
                return single;
            }
            // Neither does a setting of the service.
            Atom::Setting(_) => {
                single
                    .meets
                    .extend(self.same.get(atom).into_iter().flatten());
                return single;
            }
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
    pub(super) fn spare(&self, alternatives: &[usize], singles: &[Single<'_>]) -> HashSet<usize> {
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

    pub(super) fn set(&mut self, mut node: usize, is_met: bool) {
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

    pub(super) fn support(&mut self, node: usize) {
        if let Some(support) = self.support.get_mut(node) {
            *support += 1;
            if *support == 1 {
                self.supported.push(node);
                self.set(node, true);
            }
        }
    }

    pub(super) fn meet(&mut self, part: &[usize], singles: &[Single<'_>]) {
        for single in part.iter().filter_map(|single| singles.get(*single)) {
            for node in &single.meets {
                self.support(*node);
            }
        }
    }

    /// Withdraws requirements that were met before.
    pub(super) fn lose(&mut self, part: &[usize], singles: &[Single<'_>]) {
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
    pub(super) fn enter(&mut self, place: usize) {
        let networks = self.places.sets.get(place).cloned().unwrap_or_default();
        for network in networks {
            for node in self.in_network.get(network).cloned().unwrap_or_default() {
                self.support(node);
            }
        }
    }

    /// Resets the evaluation for the next caller.
    pub(super) fn reset(&mut self) {
        for node in std::mem::take(&mut self.supported) {
            if let Some(support) = self.support.get_mut(node) {
                // A requirement that was withdrawn and met again is listed twice.
                let was_met = *support > 0;
                *support = 0;
                if was_met {
                    self.set(node, false);
                }
            }
        }
    }

    pub(super) fn is_met(&self, node: usize) -> bool {
        self.is_met.get(node).copied().unwrap_or_default()
    }

    /// Returns whether the whole is still met if one alternative is not.
    pub(super) fn holds_without(&self, mut alternative: usize) -> bool {
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
    pub(super) fn places(&self, parts: &[&[usize]], singles: &[Single<'_>]) -> Vec<usize> {
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
