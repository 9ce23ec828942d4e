//! Requirements as numbered nodes.

use std::collections::HashSet;

use crate::dnf::{Expansion, MAX_ALTERNATIVES};
use crate::requirement::{Atom, Requirement};

/// Single requirements that are met together, by their nodes, in the order in which they are
/// written.
pub(super) type Alternative = Vec<usize>;

/// Requirements below a root list, which is node 0. Each list precedes its members.
pub(super) struct Tree<'r> {
    pub(super) nodes: Vec<Node<'r>>,
    pub(super) roots: Vec<usize>,
}

pub(super) struct Node<'r> {
    /// `None` for the root list.
    pub(super) requirement: Option<&'r Requirement>,
    /// `None` for a list.
    pub(super) atom: Option<&'r Atom>,
    pub(super) parent: usize,
    /// The index of the part that this node belongs to.
    pub(super) part: usize,
    pub(super) shape: Shape,
    pub(super) members: Vec<usize>,
    /// The index after the last node below this one.
    pub(super) end: usize,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Shape {
    Single,
    All,
    Any,
}

impl<'r> Tree<'r> {
    pub(super) fn new(parts: &[&'r Requirement], is_all: bool) -> Self {
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

    pub(super) fn add(
        &mut self,
        requirement: &'r Requirement,
        parent: usize,
        part: usize,
    ) -> usize {
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

    pub(super) fn close(&mut self, node: usize, members: Vec<usize>) {
        let end = self.nodes.len();
        if let Some(node) = self.nodes.get_mut(node) {
            node.members = members;
            node.end = end;
        }
    }

    /// Returns every way to meet a node; `None` if there are too many. `is_spare` selects members
    /// of a list of alternatives that can be left out.
    pub(super) fn alternatives(
        &self,
        node: usize,
        is_spare: &dyn Fn(&[usize]) -> HashSet<usize>,
    ) -> Option<Vec<Alternative>> {
        let list = self.nodes.get(node)?;
        let keep = |node: usize, mut alternatives: Vec<Alternative>, limit: usize| {
            let list = self.nodes.get(node)?;
            if list.shape == Shape::Any {
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

    pub(super) fn shape_around(&self, node: usize) -> Option<Shape> {
        let parent = self.nodes.get(node)?.parent;
        self.nodes.get(parent).map(|parent| parent.shape)
    }

    /// Splits an alternative into the nodes before, below and after a node.
    pub(super) fn split<'w>(
        &self,
        alternative: &'w [usize],
        node: usize,
    ) -> (&'w [usize], &'w [usize], &'w [usize]) {
        let end = self.nodes.get(node).map_or(node, |node| node.end);
        let (before, rest) =
            alternative.split_at(alternative.partition_point(|single| *single < node));
        let (part, after) = rest.split_at(rest.partition_point(|single| *single < end));
        (before, part, after)
    }
}
