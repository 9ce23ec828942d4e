//! Every small policy for every caller, against an oracle that knows nothing of three-valued logic.
//!
//! # The enumeration
//!
//! A policy is a requirement and an optional `hide_unless`: formulas over `any` and `all`, without negation.
//!
//! 1. **Shapes.** Nested lists of one operator are one list, and the order of a list has no meaning. So each
//!    formula has a form in which the operators of nested lists alternate, with two parts or more in each
//!    list. [`shapes`](formulas::shapes) lists these trees with unordered parts: 1, 2, 4, 10 and 24 for one to
//!    five leaves (the series-parallel networks, OEIS A000084). A second writing of each formula, with nested
//!    lists, lists of one part and the reverse order, is decided as well.
//! 2. **Atoms.** The leaves of a shape are divided in groups of the same atom, in every way. Each group gets
//!    each [`Kind`](formulas::Kind) of atom that the rules distinguish. Atoms of one kind differ in their name
//!    only, so names are given in the order of their occurrence. `authenticated` and `sender_constrained` have
//!    no name, so they occur in one group at most, as do `acr` and `max_age`: a login has one class, and the
//!    shortest `max_age` implies the others.
//! 3. **Callers.** A caller is anonymous, rejected, unverifiable, or known with a set of true atoms. Every set
//!    of the atoms of the policy is tried, each check succeeds, is denied or fails, and the caller uses an OAuth
//!    scheme or not, in a space with a scheme that binds tokens or without one.
//!
//! So every policy with up to the number of leaves is that of a tested one, up to the order and nesting of
//! its lists and the names of its atoms. Formulas that a renaming makes equal are tested once, where that
//! is found at little cost.
//!
//! The number of leaves is 4 by default, and `POLICY_LEAVES=5` sets it. The constants `any()` and `all()`, which
//! no attribute can state, are not among the kinds; `tests/integration/decision/oracle.rs` has them.

mod formulas;
mod oracle;

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use auth_runtime_policy::dnf::{AtomState, minimal_set, minimal_sets};
use auth_runtime_policy::{Atom, Truth};

use crate::formulas::{Formula, Kind, groups, normal_form, shapes};
use crate::oracle::Case;

fn leaves() -> usize {
    let set = std::env::var("POLICY_LEAVES").ok();
    set.map_or(4, |number| number.parse().expect("a number of leaves"))
}

/// Calls `run` for each number below `end`, on all processors.
fn in_parallel(end: usize, run: impl Fn(usize) + Sync) {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for worker in 0..workers {
            let run = &run;
            scope.spawn(move || (worker..end).step_by(workers).for_each(run));
        }
    });
}

/// Returns every policy with this number of leaves: a requirement, and perhaps a `hide_unless`.
fn policies(leaves: usize) -> Vec<Case> {
    let mut seen = HashSet::new();
    let mut policies = Vec::new();
    for disclosed in 0..leaves {
        let lessers: Vec<Option<Formula>> = match disclosed {
            0 => vec![None],
            number => shapes(number).into_iter().map(Some).collect(),
        };
        for requirement in shapes(leaves - disclosed) {
            for lesser in &lessers {
                for (names, number) in groups(leaves) {
                    for kinds in Kind::choices(number) {
                        let mut rest = names.iter().copied();
                        let requirement = requirement.with_atoms(&mut rest);
                        let lesser = lesser.as_ref().map(|it| it.with_atoms(&mut rest));
                        if seen.insert(normal_form(&requirement, lesser.as_ref(), &kinds)) {
                            policies.push(Case::new(requirement, lesser, kinds));
                        }
                    }
                }
            }
        }
    }
    policies
}

#[test]
fn decisions_are_those_of_the_oracle() {
    for leaves in 1..=leaves() {
        let policies = policies(leaves);
        let decided = AtomicU64::new(0);
        in_parallel(policies.len(), |place| {
            decided.fetch_add(policies[place].check(), Ordering::Relaxed);
        });
        let decided = decided.into_inner();
        println!(
            "{leaves} leaves: {} policies, {decided} decisions",
            policies.len()
        );
        assert!(decided > policies.len() as u64);
    }
}

/// The evaluator and the minimal sets of every formula up to five leaves, by their truth tables.
///
/// An atom is missing, held, true or false; the evaluator sees it as unknown, true or false.
#[test]
fn formulas_have_truth_of_their_tables() {
    let mut formulas = Vec::new();
    for leaves in 1..=5 {
        for shape in shapes(leaves) {
            for (names, number) in groups(leaves) {
                let formula = shape.with_atoms(&mut names.iter().copied());
                formulas.push((formula, number));
            }
        }
    }
    // 1 + 2·2 + 4·5 + 10·15 + 24·52, the numbers of shapes and of groups (Bell numbers).
    assert_eq!(formulas.len(), 1423);
    let compared = AtomicU64::new(0);
    in_parallel(formulas.len(), |place| {
        let (formula, number) = &formulas[place];
        compared.fetch_add(check_table(formula, *number), Ordering::Relaxed);
    });
    // Four assignments of each atom: the sum of shapes · Σ S(leaves, atoms) · 4^atoms.
    assert_eq!(compared.into_inner(), 138_340);
}

/// Returns the number of assignments.
fn check_table(formula: &Formula, number: usize) -> u64 {
    let kinds = vec![Kind::Scope; number];
    let requirement = formula.requirement(&kinds);
    let place = |atom: &Atom| {
        let is_own = |other: &usize| formulas::atom(Kind::Scope, *other) == *atom;
        (0..number).find(is_own).expect("an atom of the formula")
    };
    let states = [
        AtomState::Missing,
        AtomState::Held,
        AtomState::True,
        AtomState::False,
    ];
    let assignments = 4_usize.pow(number as u32);
    for assignment in 0..assignments {
        let state_of = |atom: usize| states[assignment / 4_usize.pow(atom as u32) % 4];
        let state = |atom: &Atom| state_of(place(atom));
        let bits = |wanted: &dyn Fn(AtomState) -> bool| -> u16 {
            let atoms = (0..number).filter(|atom| wanted(state_of(*atom)));
            atoms.map(|atom| 1 << atom).sum()
        };
        let fixed = bits(&|state| state == AtomState::True);
        let held = bits(&|state| state == AtomState::Held);
        let free = bits(&|state| matches!(state, AtomState::Missing | AtomState::Held));

        // Three-valued logic: unknown, unless all assignments of the unknown atoms agree.
        let truth = requirement.evaluate(&|atom: &Atom| match state(atom) {
            AtomState::Missing | AtomState::Held => Truth::Unknown,
            AtomState::True => Truth::True,
            AtomState::False => Truth::False,
        });
        let subsets = || (0..1_u16 << number).filter(|set| set & !free == 0);
        let grants = |set: u16| formula.grants(fixed | set);
        let expected = match (subsets().all(grants), subsets().any(grants)) {
            (true, _) => Truth::True,
            (_, true) => Truth::Unknown,
            _ => Truth::False,
        };
        assert_eq!(truth, expected, "{requirement} {assignment}");

        let is_minimal = |set: &u16| {
            let parts = (0..number).filter(|atom| set & (1 << atom) != 0);
            grants(*set) && parts.clone().all(|atom| !grants(set & !(1 << atom)))
        };
        let minimal: HashSet<u16> = subsets().filter(is_minimal).collect();
        let set_of = |atoms: &Vec<&Atom>| atoms.iter().map(|atom| 1 << place(atom)).sum();
        let sets: Vec<u16> = minimal_sets(&requirement, &state)
            .iter()
            .map(set_of)
            .collect();
        assert_eq!(sets.len(), minimal.len(), "{requirement} {assignment}");
        assert!(
            sets.iter().all(|set| minimal.contains(set)),
            "{requirement} {assignment}"
        );
        let sizes: Vec<u32> = sets.iter().map(|set| set.count_ones()).collect();
        assert!(sizes.is_sorted(), "{requirement} {assignment}");

        let cost = |set: &u16| (set.count_ones(), (set & !held).count_ones());
        let smallest = minimal_set(&requirement, &state);
        let smallest = smallest.as_ref().map(set_of);
        assert_eq!(
            smallest.as_ref().map(cost),
            minimal.iter().map(cost).min(),
            "{requirement}"
        );
        assert!(
            smallest.is_none_or(|set| minimal.contains(&set)),
            "{requirement}"
        );
    }
    assignments as u64
}
