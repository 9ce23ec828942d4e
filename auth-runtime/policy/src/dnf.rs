//! Sets of atoms that would turn a denial into a grant.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::requirement::{Atom, Requirement};

/// A set of atoms that is sufficient.
type Way = BTreeSet<Atom>;

/// The maximum number of alternative sets that are kept.
///
/// Requirements have no negation, so every set found is sufficient. The bound can only lead to a
/// result that is larger than the smallest sufficient set, and only for parts that share atoms and have more
/// than this many alternatives, none of which is a superset of another.
const WAYS: usize = 64;

/// The maximum number of atoms in all sets that are kept: large requirements keep fewer sets. A denied
/// request computes the sets, so clients decide how often.
const ATOMS: usize = 1024;

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
    let parts = match requirement {
        Requirement::Any(parts) => parts,
        Requirement::All(parts) => return cheapest_of_all(parts, ask),
        Requirement::Atom(_) => return ways(requirement, ask).pop(),
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

/// The set of the lowest cost that meets all parts. Parts without a common atom do not depend on each other.
fn cheapest_of_all(parts: &[Requirement], ask: &Ask<'_>) -> Option<Way> {
    let mut way = Way::new();
    for group in connected(parts, ask) {
        way.extend(match group.as_slice() {
            [only] => cheapest(only, ask)?,
            several => {
                let most = most_ways(several.iter().copied());
                let ways = ways_to_all(several.iter().copied(), ask, most).into_iter();
                ways.min_by_key(|way| cost(way, ask))?
            }
        });
    }
    Some(way)
}

/// Groups the parts that have a wanted atom in common, directly or through others.
fn connected<'r>(parts: &'r [Requirement], ask: &Ask<'_>) -> Vec<Vec<&'r Requirement>> {
    // Each part leads to an earlier one of its group, the first one to itself.
    let mut earlier: Vec<usize> = (0..parts.len()).collect();
    let mut seen: HashMap<Atom, usize> = HashMap::new();
    for (index, part) in parts.iter().enumerate() {
        for atom in part.atoms().into_iter().filter(|atom| (ask.wanted)(*atom)) {
            if let Some(other) = seen.insert(atom, index) {
                let (one, other) = (first(&mut earlier, index), first(&mut earlier, other));
                if let Some(later) = earlier.get_mut(one.max(other)) {
                    *later = one.min(other);
                }
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<&Requirement>> = BTreeMap::new();
    for (index, part) in parts.iter().enumerate() {
        let group = groups.entry(first(&mut earlier, index)).or_default();
        group.push(part);
    }
    groups.into_values().collect()
}

/// Returns the first part of the group, and shortens the way to it.
fn first(earlier: &mut [usize], mut part: usize) -> usize {
    while let Some(next) = earlier.get(part).copied().filter(|next| *next != part) {
        let next = earlier.get(next).copied().unwrap_or(next);
        if let Some(shorter) = earlier.get_mut(part) {
            *shorter = next;
        }
        part = next;
    }
    part
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
    at_most(requirement, ask, most_ways(std::iter::once(requirement)))
}

/// The number of sets to keep for these requirements.
fn most_ways<'r>(parts: impl Iterator<Item = &'r Requirement>) -> usize {
    let atoms = parts.flat_map(Requirement::atoms).count();
    (ATOMS / atoms.max(1)).clamp(1, WAYS)
}

fn at_most(requirement: &Requirement, ask: &Ask<'_>, most: usize) -> Vec<Way> {
    match requirement {
        Requirement::Atom(atom) if (ask.wanted)(*atom) => vec![Way::from([*atom])],
        Requirement::Atom(atom) if (ask.settled)(*atom) => vec![Way::new()],
        Requirement::Atom(_) => vec![],
        Requirement::Any(parts) => {
            let all = parts.iter().flat_map(|part| at_most(part, ask, most));
            prune(all.collect(), ask, most)
        }
        Requirement::All(parts) => ways_to_all(parts.iter(), ask, most),
    }
}

fn ways_to_all<'r>(
    parts: impl Iterator<Item = &'r Requirement>,
    ask: &Ask<'_>,
    most: usize,
) -> Vec<Way> {
    parts.fold(vec![Way::new()], |so_far, part| {
        let further = at_most(part, ask, most);
        let joined = so_far
            .iter()
            .flat_map(|way| further.iter().map(move |more| way | more));
        prune(joined.collect(), ask, most)
    })
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
fn prune(mut ways: Vec<Way>, ask: &Ask<'_>, most: usize) -> Vec<Way> {
    ways.sort_by_cached_key(|way| cost(way, ask));
    let mut kept: Vec<Way> = Vec::new();
    for way in ways {
        if kept.len() == most {
            break;
        }
        if !kept.iter().any(|smaller| smaller.is_subset(&way)) {
            kept.push(way);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn minimal(requirement: &Requirement) -> Vec<Atom> {
        let ask = Ask {
            wanted: &|_| true,
            settled: &|_| false,
            held: &|_| false,
        };
        minimal_atoms(requirement, &ask).expect("a sufficient set")
    }

    fn scope(index: usize) -> Requirement {
        Requirement::scope(format!("s{index:04}").leak())
    }

    fn all(parts: Vec<Requirement>) -> Requirement {
        Requirement::all(parts.leak())
    }

    fn any(parts: Vec<Requirement>) -> Requirement {
        Requirement::any(parts.leak())
    }

    #[test]
    fn the_largest_policies_take_little_time() {
        let apart = |index: usize| any(vec![scope(2 * index), scope(2 * index + 1)]);
        let linked = |index: usize| any(vec![scope(index), scope(index + 1)]);
        for (requirement, most) in [
            (all((0..512).map(apart).collect()), 512),
            (all((0..511).map(linked).collect()), 511),
        ] {
            let began = Instant::now();
            let atoms = minimal(&requirement);
            assert!(atoms.len() <= most, "{}", atoms.len());
            assert!(began.elapsed() < Duration::from_secs(5));
        }
    }

    #[test]
    fn parts_that_share_atoms_are_met_together() {
        let (a, b, c, d) = (scope(1), scope(2), scope(3), scope(4));
        let requirement = all(vec![any(vec![a, b]), any(vec![c, d]), any(vec![b, c])]);
        assert_eq!(
            minimal(&requirement),
            [Atom::Scope("s0001"), Atom::Scope("s0003")]
        );
    }
}
