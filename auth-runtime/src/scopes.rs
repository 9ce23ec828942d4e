//! Which scopes would turn a denial into a grant.

use std::collections::BTreeSet;

use crate::requirement::{Atom, Requirement};

type Scopes = BTreeSet<&'static str>;

/// How many ways through a requirement are looked at side by side.
///
/// Requirements have no *not*, so every way found is a way through; the bound can only make the
/// answer larger than the smallest one, for a requirement with more than this many alternatives
/// that none of the others makes superfluous.
const WAYS: usize = 64;

/// The smallest set of scopes that meets `requirement`, where every other atom is as `other` says.
///
/// Of several sets of one size: the one with the fewest scopes that are not `held` yet, then the
/// one that is written first. `None` if no set of scopes is enough.
pub(crate) fn smallest_scopes(
    requirement: &Requirement,
    other: &dyn Fn(Atom) -> bool,
    held: &dyn Fn(&'static str) -> bool,
) -> Option<Vec<&'static str>> {
    let cost = |way: &Scopes| {
        let missing = way.iter().filter(|scope| !held(scope)).count();
        (way.len(), missing)
    };
    ways(requirement, other, &cost)
        .into_iter()
        .min_by_key(cost)
        .map(|way| way.into_iter().collect())
}

/// Sets of scopes each of which meets `requirement`; none of them contains another.
fn ways(
    requirement: &Requirement,
    other: &dyn Fn(Atom) -> bool,
    cost: &dyn Fn(&Scopes) -> (usize, usize),
) -> Vec<Scopes> {
    match requirement {
        Requirement::Atom(Atom::Scope(scope)) => vec![Scopes::from([*scope])],
        Requirement::Atom(atom) if other(*atom) => vec![Scopes::new()],
        Requirement::Atom(_) => vec![],
        Requirement::Any(parts) => {
            let all = parts.iter().flat_map(|part| ways(part, other, cost));
            prune(all.collect(), cost)
        }
        Requirement::All(parts) => parts.iter().fold(vec![Scopes::new()], |so_far, part| {
            let further = ways(part, other, cost);
            let joined = so_far
                .iter()
                .flat_map(|way| further.iter().map(move |more| way | more));
            prune(joined.collect(), cost)
        }),
    }
}

/// Drops what contains another way, and the dearest ones beyond the bound.
fn prune(mut ways: Vec<Scopes>, cost: &dyn Fn(&Scopes) -> (usize, usize)) -> Vec<Scopes> {
    ways.sort_by_key(|way| cost(way));
    let mut kept: Vec<Scopes> = Vec::new();
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
