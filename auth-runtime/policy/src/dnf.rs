//! Sets of atoms that would turn a denial into a grant.

use std::collections::{BTreeSet, HashSet};

use crate::requirement::{Atom, Requirement};

/// A set of atoms that is sufficient.
type Way = BTreeSet<Atom>;

/// The maximum number of alternative sets that are kept.
///
/// Requirements have no negation, so every set found is sufficient. The bound can only lead to a
/// result that is larger than the smallest sufficient set, and only for a requirement with more
/// than this many alternatives, none of which is a superset of another.
const WAYS: usize = 64;

/// The atoms that can be requested from a caller, and the truth of the others.
pub struct Ask<'a> {
    /// Whether an atom can be requested.
    pub wanted: &'a dyn Fn(Atom) -> bool,
    /// Whether an atom that cannot be requested is true.
    pub settled: &'a dyn Fn(Atom) -> bool,
    /// Whether the caller already meets an atom that can be requested.
    pub held: &'a dyn Fn(Atom) -> bool,
}

/// The smallest set of wanted atoms that meets `requirement`, in the order of the attribute.
///
/// Of several sets of the same size, the one with the fewest atoms that are not yet held is
/// returned, then the first one. `None` if no set is sufficient.
pub fn minimal_atoms(requirement: &Requirement, ask: &Ask<'_>) -> Option<Vec<Atom>> {
    if !has_alternatives(requirement) {
        let mut way = Written::default();
        return follow(requirement, ask, &mut way).then_some(way.atoms);
    }
    let way = cheapest(requirement, ask)?;
    let mut written = Written::default();
    for atom in requirement.atoms() {
        if way.contains(&atom) {
            written.add(atom);
        }
    }
    Some(written.atoms)
}

/// Distinct atoms in the order of the attribute.
#[derive(Default)]
struct Written {
    atoms: Vec<Atom>,
    /// The same atoms, filled only for long lists.
    seen: HashSet<Atom>,
}

/// The length up to which comparing atoms is faster than hashing them.
const FEW: usize = 12;

/// The capacity reserved for longer lists, which avoids rehashing while they grow.
const MANY: usize = 112;

impl Written {
    fn add(&mut self, atom: Atom) {
        let is_new = if self.atoms.len() < FEW {
            !self.atoms.contains(&atom)
        } else {
            if self.seen.is_empty() {
                self.atoms.reserve(MANY);
                self.seen.reserve(MANY);
                self.seen.extend(&self.atoms);
            }
            self.seen.insert(atom)
        };
        if is_new {
            self.atoms.push(atom);
        }
    }
}

/// The set of the lowest cost; of several, the first one.
fn cheapest(requirement: &Requirement, ask: &Ask<'_>) -> Option<Way> {
    let Requirement::Any(parts) = requirement else {
        let ways = ways(requirement, ask).into_iter();
        return ways.min_by_key(|way| cost(way, ask));
    };
    let mut best: Option<(Cost, Way)> = None;
    for part in *parts {
        // The cost of a single atom can be computed without building a set.
        let least = match part {
            Requirement::Atom(atom) => cost_of(*atom, ask),
            _ => (0, 0),
        };
        if best.as_ref().is_some_and(|(cost, _)| *cost <= least) {
            continue;
        }
        if let Some(way) = cheapest(part, ask) {
            let cost = cost(&way, ask);
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, way));
            }
        }
    }
    best.map(|(_, way)| way)
}

/// Returns whether the requirement has an `any`. Most requirements do not.
fn has_alternatives(requirement: &Requirement) -> bool {
    match requirement {
        Requirement::Atom(_) => false,
        Requirement::All(parts) => parts.iter().any(has_alternatives),
        Requirement::Any(_) => true,
    }
}

/// Collects the wanted atoms of a requirement without alternatives. Returns whether they are
/// sufficient.
fn follow(requirement: &Requirement, ask: &Ask<'_>, way: &mut Written) -> bool {
    match requirement {
        Requirement::Atom(atom) if (ask.wanted)(*atom) => {
            way.add(*atom);
            true
        }
        Requirement::Atom(atom) => (ask.settled)(*atom),
        Requirement::All(parts) | Requirement::Any(parts) => {
            parts.iter().all(|part| follow(part, ask, way))
        }
    }
}

/// The sets of wanted atoms that meet `requirement`. No set contains another.
pub fn ways(requirement: &Requirement, ask: &Ask<'_>) -> Vec<Way> {
    match requirement {
        Requirement::Atom(atom) if (ask.wanted)(*atom) => vec![Way::from([*atom])],
        Requirement::Atom(atom) if (ask.settled)(*atom) => vec![Way::new()],
        Requirement::Atom(_) => vec![],
        Requirement::Any(parts) => {
            let all = parts.iter().flat_map(|part| ways(part, ask));
            prune(all.collect(), ask)
        }
        Requirement::All(parts) => parts.iter().fold(vec![Way::new()], |so_far, part| {
            let further = ways(part, ask);
            let joined = so_far
                .iter()
                .flat_map(|way| further.iter().map(move |more| way | more));
            prune(joined.collect(), ask)
        }),
    }
}

/// The number of atoms, and the number of those that are not held.
type Cost = (usize, usize);

fn cost(way: &Way, ask: &Ask<'_>) -> Cost {
    let missing = way.iter().filter(|atom| !(ask.held)(**atom)).count();
    (way.len(), missing)
}

/// The lowest possible cost of a set for this atom.
fn cost_of(atom: Atom, ask: &Ask<'_>) -> Cost {
    match (ask.wanted)(atom) {
        true => (1, usize::from(!(ask.held)(atom))),
        false => (0, 0),
    }
}

/// Removes supersets of other sets, and the most expensive sets beyond the bound.
fn prune(mut ways: Vec<Way>, ask: &Ask<'_>) -> Vec<Way> {
    ways.sort_by_cached_key(|way| cost(way, ask));
    let mut kept: Vec<Way> = Vec::new();
    for way in ways {
        if kept.len() == WAYS {
            break;
        }
        if !kept.iter().any(|smaller| smaller.is_subset(&way)) {
            kept.push(way);
        }
    }
    kept
}
