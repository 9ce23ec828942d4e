//! Requirements for tests.

use crate::requirement::{Atom, Requirement};

/// Four grants.
pub(crate) fn grants() -> Vec<Atom> {
    vec![
        Atom::Scope("a".into()),
        Atom::Scope("b".into()),
        Atom::Role("a".into()),
        Atom::Permission("a".into()),
    ]
}

/// All atoms, all lists of two and three of them, and those lists in lists.
pub(crate) fn requirements(atoms: &[Atom]) -> Vec<Requirement> {
    let single: Vec<Requirement> = atoms.iter().cloned().map(Requirement::Atom).collect();
    let mut all = vec![Requirement::always(), Requirement::never()];
    all.extend(single.iter().cloned());
    let mut lists = Vec::new();
    for one in &single {
        for other in &single {
            let parts = [one.clone(), other.clone()];
            lists.push(Requirement::all(parts.clone()));
            lists.push(Requirement::any(parts));
        }
    }
    for list in &lists {
        for one in &single {
            let parts = [one.clone(), list.clone()];
            all.push(Requirement::all(parts.clone()));
            all.push(Requirement::any(parts));
        }
    }
    for (index, list) in lists.iter().enumerate() {
        for other in lists.iter().skip(index).step_by(3) {
            let parts = [list.clone(), other.clone()];
            all.push(Requirement::all(parts.clone()));
            all.push(Requirement::any(parts));
        }
    }
    all.extend(lists);
    all
}

/// Evaluates a requirement for a caller: bit `n` of `held` is the truth of the `n`th atom. Each grant
/// implies an authenticated caller.
pub(crate) fn holds(requirement: &Requirement, held: u32, atoms: &[Atom]) -> bool {
    match requirement {
        Requirement::Atom(Atom::Authenticated) => held != 0,
        Requirement::Atom(atom) => {
            let at = atoms.iter().position(|own| own == atom);
            at.is_some_and(|at| held & (1 << at) != 0)
        }
        Requirement::All(parts) => parts.iter().all(|part| holds(part, held, atoms)),
        Requirement::Any(parts) => parts.iter().any(|part| holds(part, held, atoms)),
    }
}
