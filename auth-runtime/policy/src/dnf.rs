//! The disjunctive normal form of a requirement: the sets of atoms that are each sufficient.
//!
//! Requirements have no negation, so a set that is sufficient stays so with more atoms, and only the
//! minimal sets matter.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::requirement::{Atom, Requirement};

/// The maximum number of alternatives of a requirement. Their number grows with each `any` in an
/// `all`.
///
/// Beyond it, results that need all alternatives ([entailment](crate::entailment)) are unknown, and
/// minimal sets are the smallest of those that were kept: still sufficient, but smaller ones may exist.
/// [`minimal_set`] is computed for denied requests, so clients determine its frequency: it divides this
/// number by the number of atoms in the parts that share atoms.
pub const MAX_ALTERNATIVES: usize = 1024;

/// The state of an atom in the search for minimal sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtomState {
    /// The atom can be in a set, and the caller does not meet it yet.
    Missing,
    /// The atom can be in a set, and the caller meets it already.
    Held,
    /// The atom cannot be in a set, and is true.
    True,
    /// The atom cannot be in a set, and is false.
    False,
}

/// The smallest set of atoms that meets `requirement`, in the order of the attribute; `None` if no
/// set does.
///
/// Of several sets of the same size, the one with the fewest missing atoms is returned, then the
/// first one.
pub fn minimal_set<'r>(
    requirement: &'r Requirement,
    state: &dyn Fn(&Atom) -> AtomState,
) -> Option<Vec<&'r Atom>> {
    if let Requirement::Atom(atom) = requirement {
        return match state(atom) {
            AtomState::Missing | AtomState::Held => Some(vec![atom]),
            AtomState::True => Some(Vec::new()),
            AtomState::False => None,
        };
    }
    let search = Search::new(requirement, state);
    let set = search.smallest(requirement)?;
    Some(search.atoms_of(&set))
}

/// The sets of atoms that each meet `requirement`, the smallest first, each in the order of the
/// attribute. No set contains another.
pub fn minimal_sets<'r>(
    requirement: &'r Requirement,
    state: &dyn Fn(&Atom) -> AtomState,
) -> Vec<Vec<&'r Atom>> {
    let search = Search::new(requirement, state);
    let sets = search.sets(&[requirement], MAX_ALTERNATIVES);
    sets.iter().map(|set| search.atoms_of(set)).collect()
}

/// The search for minimal sets of one requirement.
struct Search<'r, 'a> {
    state: &'a dyn Fn(&Atom) -> AtomState,
    /// Each distinct atom that can be in a set, in the order of the attribute.
    atoms: Vec<&'r Atom>,
    /// The index of each of these atoms.
    numbers: HashMap<&'r Atom, usize>,
    /// The atoms that the caller meets already.
    held: Set,
}

impl<'r, 'a> Search<'r, 'a> {
    fn new(requirement: &'r Requirement, state: &'a dyn Fn(&Atom) -> AtomState) -> Self {
        let mut search = Self {
            state,
            atoms: Vec::new(),
            numbers: HashMap::new(),
            held: Set::default(),
        };
        for atom in requirement.atoms() {
            let state = state(atom);
            if matches!(state, AtomState::True | AtomState::False)
                || search.numbers.contains_key(atom)
            {
                continue;
            }
            let number = search.atoms.len();
            if state == AtomState::Held {
                search.held.insert(number);
            }
            search.numbers.insert(atom, number);
            search.atoms.push(atom);
        }
        search
    }

    /// The alternatives of an atom.
    fn of_atom(&self, atom: &Atom) -> Option<Set> {
        match (self.numbers.get(atom), (self.state)(atom)) {
            (Some(number), _) => Some(Set::of(*number)),
            (None, AtomState::True) => Some(Set::default()),
            (None, _) => None,
        }
    }

    /// The sets that meet all parts, the smallest first. At most `limit` are kept.
    fn sets(&self, parts: &[&Requirement], limit: usize) -> Vec<Set> {
        let expansion = Expansion {
            leaf: &|_, atom| Vec::from_iter(self.of_atom(atom)),
            join: &Set::join,
            keep: &|_, sets, limit| Some(self.prune(sets, limit)),
            limit,
        };
        let sets = expansion.of_list(parts.iter().copied(), true, &mut 0);
        sets.unwrap_or_default()
    }

    /// The smallest set that meets a requirement. Alternatives are compared one by one.
    fn smallest(&self, requirement: &Requirement) -> Option<Set> {
        match requirement {
            Requirement::Atom(atom) => self.of_atom(atom),
            Requirement::All(parts) => self.smallest_of_all(parts),
            Requirement::Any(parts) => {
                let sets = parts.iter().filter_map(|part| self.smallest(part));
                sets.min_by_key(|set| self.cost(set))
            }
        }
    }

    /// The smallest set that meets all parts. Parts without a common atom do not depend on each
    /// other, so only the others are multiplied.
    fn smallest_of_all(&self, parts: &[Requirement]) -> Option<Set> {
        let mut whole = Set::default();
        for group in self.connected(parts) {
            let set = match group.as_slice() {
                [only] => self.smallest(only)?,
                several => {
                    let atoms = several.iter().flat_map(|part| part.atoms()).count();
                    let limit = (MAX_ALTERNATIVES / atoms.max(1)).max(1);
                    self.sets(several, limit).into_iter().next()?
                }
            };
            whole.join(&set);
        }
        Some(whole)
    }

    /// Groups the parts that have an atom in common, directly or through others.
    fn connected<'p>(&self, parts: &'p [Requirement]) -> Vec<Vec<&'p Requirement>> {
        // Each part leads to an earlier one of its group, the first one to itself.
        let mut earlier: Vec<usize> = (0..parts.len()).collect();
        // The last part with each atom.
        let mut last = vec![None; self.atoms.len()];
        for (index, part) in parts.iter().enumerate() {
            for atom in part.atoms() {
                let last = self.numbers.get(atom).and_then(|at| last.get_mut(*at));
                if let Some(other) = last.and_then(|last| last.replace(index)) {
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

    /// The number of atoms, and the number of missing ones.
    fn cost(&self, set: &Set) -> (u32, u32) {
        (set.len(), set.len_without(&self.held))
    }

    /// Removes supersets of other sets, and the most expensive sets beyond the limit.
    fn prune(&self, mut sets: Vec<Set>, limit: usize) -> Vec<Set> {
        if sets.len() > 1 {
            sets.sort_by_cached_key(|set| self.cost(set));
        }
        let mut seen = HashSet::new();
        let mut kept: Vec<Set> = Vec::new();
        // The number of kept sets that are smaller than the current one.
        let mut smaller = 0;
        for set in sets {
            if kept.len() == limit {
                break;
            }
            if kept.last().is_some_and(|last| last.len() < set.len()) {
                smaller = kept.len();
                seen.clear();
            }
            let mut others = kept.iter().take(smaller);
            if !others.any(|other| other.is_within(&set)) && seen.insert(set.clone()) {
                kept.push(set);
            }
        }
        kept
    }

    fn atoms_of(&self, set: &Set) -> Vec<&'r Atom> {
        let atoms = set.numbers().filter_map(|at| self.atoms.get(at).copied());
        atoms.collect()
    }
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

/// The multiplication of requirements to their alternatives.
///
/// Nodes are numbered from `next` on, each list before its parts.
pub(crate) struct Expansion<'a, T> {
    /// Returns the alternatives of an atom.
    pub(crate) leaf: &'a dyn Fn(usize, &Atom) -> Vec<T>,
    /// Adds the second alternative to the first one.
    pub(crate) join: &'a dyn Fn(&mut T, &T),
    /// Reduces the alternatives of a list to the given number, before they are multiplied further;
    /// `None` ends the expansion.
    pub(crate) keep: &'a dyn Fn(usize, Vec<T>, usize) -> Option<Vec<T>>,
    /// The maximum number of alternatives of a list, from 1 to [`MAX_ALTERNATIVES`].
    pub(crate) limit: usize,
}

impl<T: Clone + Default> Expansion<'_, T> {
    pub(crate) fn of(&self, requirement: &Requirement, next: &mut usize) -> Option<Vec<T>> {
        let (parts, is_all) = match requirement {
            Requirement::All(parts) => (parts, true),
            Requirement::Any(parts) => (parts, false),
            Requirement::Atom(atom) => {
                let node = *next;
                *next += 1;
                return Some((self.leaf)(node, atom));
            }
        };
        self.of_list(parts.iter(), is_all, next)
    }

    pub(crate) fn of_list<'r>(
        &self,
        parts: impl Iterator<Item = &'r Requirement>,
        is_all: bool,
        next: &mut usize,
    ) -> Option<Vec<T>> {
        let list = *next;
        *next += 1;
        let mut whole = if is_all {
            vec![T::default()]
        } else {
            Vec::new()
        };
        for part in parts {
            let further = self.of(part, next)?;
            if !is_all {
                whole.extend(further);
            } else if let [only] = further.as_slice() {
                whole.iter_mut().for_each(|one| (self.join)(one, only));
            } else {
                let limit = (MAX_ALTERNATIVES / further.len().max(1)).max(1);
                if whole.len() > limit {
                    whole = (self.keep)(list, whole, limit)?;
                }
                let both = whole.iter().flat_map(|one| {
                    further.iter().map(|more| {
                        let mut one = one.clone();
                        (self.join)(&mut one, more);
                        one
                    })
                });
                whole = (self.keep)(list, both.collect(), self.limit)?;
            }
        }
        (self.keep)(list, whole, self.limit)
    }
}

/// A set of numbers, one bit for each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Set(Vec<u64>);

impl Set {
    fn of(number: usize) -> Self {
        let mut set = Self::default();
        set.insert(number);
        set
    }

    fn insert(&mut self, number: usize) {
        let word = number / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1 << (number % 64);
        }
    }

    fn join(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }

    /// The words of both.
    fn words<'s>(&'s self, other: &'s Self) -> impl Iterator<Item = (u64, u64)> {
        let others = other.0.iter().copied().chain(std::iter::repeat(0));
        self.0.iter().copied().zip(others)
    }

    fn is_within(&self, other: &Self) -> bool {
        self.words(other).all(|(own, other)| own & !other == 0)
    }

    /// The number of members that the other set does not have.
    fn len_without(&self, other: &Self) -> u32 {
        let missing = self.words(other).map(|(own, other)| own & !other);
        missing.map(u64::count_ones).sum()
    }

    fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    fn numbers(&self) -> impl Iterator<Item = usize> {
        let words = self.0.iter().enumerate();
        words.flat_map(|(index, word)| {
            (0..64)
                .filter(move |bit| word & (1 << bit) != 0)
                .map(move |bit| index * 64 + bit)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::test_cases::{self, holds};

    /// Every assignment of the atoms is tried: the minimal sets are those that hold, and that hold
    /// no longer without any one of their atoms.
    #[test]
    fn minimal_sets_match_the_truth_table() {
        let atoms = test_cases::grants();
        for requirement in test_cases::requirements(&atoms) {
            let size = 1_u32 << atoms.len();
            let sufficient = (0..size).filter(|set| holds(&requirement, *set, &atoms));
            let minimal = sufficient.filter(|set| {
                let mut bits = (0..atoms.len()).filter(|bit| set & (1 << bit) != 0);
                bits.all(|bit| !holds(&requirement, set & !(1 << bit), &atoms))
            });
            let expected: BTreeSet<u32> = minimal.collect();
            let sets = minimal_sets(&requirement, &|_| AtomState::Missing);
            let bit = |atom: &Atom| atoms.iter().position(|own| own == atom).expect("an atom");
            let found = sets
                .iter()
                .map(|set| set.iter().map(|atom| 1 << bit(atom)).sum());
            let found: Vec<u32> = found.collect();
            let sizes: Vec<u32> = found.iter().map(|set| set.count_ones()).collect();
            assert!(sizes.is_sorted(), "{requirement}");
            assert_eq!(found.len(), expected.len(), "{requirement}");
            assert_eq!(BTreeSet::from_iter(found), expected, "{requirement}");
        }
    }

    /// With every combination of states, the smallest set is as cheap as the cheapest that the truth
    /// table has.
    #[test]
    fn no_set_is_below_the_minimum() {
        let atoms = test_cases::grants();
        let states = [
            AtomState::Missing,
            AtomState::Held,
            AtomState::True,
            AtomState::False,
        ];
        for requirement in test_cases::requirements(&atoms) {
            for combination in 0..4_usize.pow(4) {
                let state_at = |at: usize| states[combination / 4_usize.pow(at as u32) % 4];
                let state = |atom: &Atom| {
                    state_at(atoms.iter().position(|own| own == atom).expect("an atom"))
                };
                let bits = |wanted: fn(AtomState) -> bool| -> u32 {
                    let bits = (0..atoms.len()).filter(|at| wanted(state_at(*at)));
                    bits.map(|at| 1 << at).sum()
                };
                let given = bits(|state| state == AtomState::True);
                let open = bits(|state| matches!(state, AtomState::Missing | AtomState::Held));
                let missing = bits(|state| state == AtomState::Missing);
                let sets = (0..1_u32 << atoms.len()).filter(|set| set & !open == 0);
                let sufficient = sets.filter(|set| holds(&requirement, set | given, &atoms));
                let cost = |set: u32| (set.count_ones(), (set & missing).count_ones());
                let expected = sufficient.map(cost).min();
                let found = minimal_set(&requirement, &state).map(|set| {
                    let of =
                        |atom: &&Atom| 1 << atoms.iter().position(|own| own == *atom).expect("");
                    cost(set.iter().map(of).sum())
                });
                assert_eq!(found, expected, "{requirement}");
            }
        }
    }

    fn scope(index: usize) -> Requirement {
        Requirement::Atom(Atom::Scope(format!("s{index:04}").into()))
    }

    #[test]
    fn the_number_of_alternatives_is_bounded() {
        let pair = |at: usize| Requirement::any([scope(2 * at), scope(2 * at + 1)]);
        let many = Requirement::all((0..64).map(pair));
        let sets = minimal_sets(&many, &|_| AtomState::Missing);
        assert_eq!(sets.len(), MAX_ALTERNATIVES);
        assert!(sets.iter().all(|set| set.len() == 64));
    }

    /// Less than 1 ms each in a release build.
    #[test]
    fn the_largest_policies_take_little_time() {
        let apart = |index: usize| Requirement::any([scope(2 * index), scope(2 * index + 1)]);
        let linked = |index: usize| Requirement::any([scope(index), scope(index + 1)]);
        let shared = |index: usize| Requirement::any((0..16).map(|at| scope(index * 8 + at)));
        for (requirement, most) in [
            (Requirement::all((0..512).map(apart)), 512),
            (Requirement::all((0..511).map(linked)), 511),
            (Requirement::all((0..64).map(shared)), 64),
            (Requirement::all((0..16).map(linked)), 8),
        ] {
            let began = Instant::now();
            let set = minimal_set(&requirement, &|_| AtomState::Missing).expect("a sufficient set");
            let passed = began.elapsed();
            let state = |atom: &Atom| {
                if set.contains(&atom) {
                    AtomState::True
                } else {
                    AtomState::False
                }
            };
            assert_eq!(minimal_set(&requirement, &state), Some(Vec::new()));
            assert!(set.len() <= most, "{}", set.len());
            let most = if cfg!(debug_assertions) { 200 } else { 5 };
            assert!(passed < Duration::from_millis(most), "{passed:?}");
        }
    }

    #[test]
    fn parts_sharing_atoms_are_met_together() {
        let [a, b, c, d] = [1, 2, 3, 4].map(scope);
        let requirement = Requirement::all([
            Requirement::any([a, b.clone()]),
            Requirement::any([c.clone(), d]),
            Requirement::any([b, c]),
        ]);
        let set = minimal_set(&requirement, &|_| AtomState::Missing).expect("a sufficient set");
        let named = |name: &'static str| Atom::Scope(name.into());
        assert_eq!(set, [&named("s0001"), &named("s0003")]);
    }
}
