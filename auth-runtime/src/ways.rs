//! Which atoms would turn a denial into a grant.

use std::collections::BTreeSet;

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
        let mut way = Vec::new();
        return follow(requirement, ask, &mut way).then_some(way);
    }
    let way = ways(requirement, ask)
        .into_iter()
        .min_by_key(|way| cost(way, ask))?;
    let mut written = Vec::with_capacity(way.len());
    for atom in requirement.atoms() {
        if way.contains(&atom) && !written.contains(&atom) {
            written.push(atom);
        }
    }
    Some(written)
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
fn follow(requirement: &Requirement, ask: &Ask<'_>, way: &mut Vec<Atom>) -> bool {
    match requirement {
        Requirement::Atom(atom) if (ask.wanted)(*atom) => {
            if !way.contains(atom) {
                way.push(*atom);
            }
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

fn cost(way: &Way, ask: &Ask<'_>) -> (usize, usize) {
    let missing = way.iter().filter(|atom| !(ask.held)(**atom)).count();
    (way.len(), missing)
}

/// Drops what contains another way, and the dearest ones beyond the bound.
fn prune(mut ways: Vec<Way>, ask: &Ask<'_>) -> Vec<Way> {
    ways.sort_by_key(|way| cost(way, ask));
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
