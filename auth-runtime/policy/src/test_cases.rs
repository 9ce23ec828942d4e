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
