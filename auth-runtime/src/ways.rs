//! Which atoms would turn a denial into a grant.

use std::collections::{BTreeSet, HashSet};

use crate::requirement::{Atom, Requirement};

/// Atoms that are enough together.
type Way = BTreeSet<Atom>;

/// How many ways through a requirement are looked at side by side.
///
/// Requirements have no *not*, so every way found is a way through; the bound can only make the
/// answer larger than the smallest one, for a requirement with more than this many alternatives
/// that none of the others makes superfluous.
const WAYS: usize = 64;

/// What can be asked of a caller, and what is settled.
pub(crate) struct Ask<'a> {
    /// Whether an atom can be asked for.
    pub(crate) wanted: &'a dyn Fn(Atom) -> bool,
    /// Whether an atom that cannot be asked for is true.
    pub(crate) settled: &'a dyn Fn(Atom) -> bool,
    /// Whether the caller has an atom already that can be asked for.
    pub(crate) held: &'a dyn Fn(Atom) -> bool,
}

/// The smallest set of wanted atoms that meets `requirement`, in the order in which they are
/// written there.
///
/// Of several sets of one size: the one with the fewest atoms that are not held yet, then the one
/// that is written first. `None` if no set is enough.
pub(crate) fn smallest_way(requirement: &Requirement, ask: &Ask<'_>) -> Option<Vec<Atom>> {
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

/// Atoms in the order in which they are written, each of them once.
#[derive(Default)]
struct Written {
    atoms: Vec<Atom>,
    /// The same, once there are many.
    seen: HashSet<Atom>,
}

/// So many are sooner compared than hashed.
const FEW: usize = 12;

/// So many more find room at once: in a larger table, all would have to be hashed again.
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

/// The way of the least cost; of several, the one that is written first.
fn cheapest(requirement: &Requirement, ask: &Ask<'_>) -> Option<Way> {
    let Requirement::Any(parts) = requirement else {
        let ways = ways(requirement, ask).into_iter();
        return ways.min_by_key(|way| cost(way, ask));
    };
    let mut best: Option<(Cost, Way)> = None;
    for part in *parts {
        // What an atom costs is known without a set of it.
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

/// Whether there is more than one way through, as there is not through most requirements.
fn has_alternatives(requirement: &Requirement) -> bool {
    match requirement {
        Requirement::Atom(_) => false,
        Requirement::All(parts) => parts.iter().any(has_alternatives),
        Requirement::Any(_) => true,
    }
}

/// Writes down the wanted atoms of a requirement that has no alternatives. Whether that is a way
/// through.
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

/// Sets of wanted atoms each of which meets `requirement`; none of them contains another.
pub(crate) fn ways(requirement: &Requirement, ask: &Ask<'_>) -> Vec<Way> {
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

/// How many atoms, and how many of them are not held.
type Cost = (usize, usize);

fn cost(way: &Way, ask: &Ask<'_>) -> Cost {
    let missing = way.iter().filter(|atom| !(ask.held)(**atom)).count();
    (way.len(), missing)
}

/// The least that a way through the atom can cost.
fn cost_of(atom: Atom, ask: &Ask<'_>) -> Cost {
    match (ask.wanted)(atom) {
        true => (1, usize::from(!(ask.held)(atom))),
        false => (0, 0),
    }
}

/// Drops what contains another way, and the dearest ones beyond the bound.
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
