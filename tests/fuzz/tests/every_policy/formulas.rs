//! Formulas, and their enumeration.

use auth_runtime_policy::{Atom, Network, Requirement};
use std::borrow::Cow;
use std::time::Duration;

/// A formula over numbered atoms.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Formula {
    Atom(usize),
    List { is_all: bool, parts: Vec<Formula> },
}

/// A kind of atoms that the rules treat in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// True for every known caller.
    Authenticated,
    Scope,
    /// Roles, permissions, and all that a caller cannot request.
    Role,
    /// One at most, since a login has one class only.
    Acr,
    Amr,
    /// One at most, since a login within the shortest time is within the others.
    MaxAge,
    Bound,
    /// Its result is found out during the decision, and may fail.
    Check,
    /// A network for the first atom, and settings for the others.
    Context,
}

/// The kinds that a new login makes true.
pub const FRESH: [Kind; 3] = [Kind::Acr, Kind::Amr, Kind::MaxAge];

const KINDS: [Kind; 9] = [
    Kind::Authenticated,
    Kind::Scope,
    Kind::Role,
    Kind::Acr,
    Kind::Amr,
    Kind::MaxAge,
    Kind::Bound,
    Kind::Check,
    Kind::Context,
];

impl Kind {
    /// Every choice of kinds for this number of atoms.
    pub fn choices(number: usize) -> impl Iterator<Item = Vec<Kind>> {
        let all = KINDS.len().pow(number as u32);
        let choices = (0..all).map(move |choice| {
            let digit = |place| choice / KINDS.len().pow(place as u32) % KINDS.len();
            (0..number)
                .map(|place| KINDS[digit(place)])
                .collect::<Vec<_>>()
        });
        choices.filter(|kinds| {
            let is_once = |kind| kinds.iter().filter(|own| **own == kind).count() <= 1;
            let single = [Kind::Authenticated, Kind::Acr, Kind::MaxAge, Kind::Bound];
            single.into_iter().all(is_once)
        })
    }
}

/// The number of an atom among those of its kind.
pub fn number_in_kind(kinds: &[Kind], atom: usize) -> usize {
    let kind = kinds[atom];
    kinds[..atom].iter().filter(|own| **own == kind).count()
}

/// The atom of this kind with this number.
pub fn atom(kind: Kind, number: usize) -> Atom {
    match requirement_of(kind, number) {
        Requirement::Atom(atom) => atom,
        list => panic!("{list} is not an atom"),
    }
}

pub const SCOPES: [&str; 5] = ["s0", "s1", "s2", "s3", "s4"];
pub const ROLES: [&str; 5] = ["r0", "r1", "r2", "r3", "r4"];
pub const CLASS: &str = "gold";
pub const METHODS: [&str; 5] = ["m0", "m1", "m2", "m3", "m4"];
pub const AGE: Duration = Duration::from_secs(900);
pub const CHECKS: [&str; 5] = ["k0", "k1", "k2", "k3", "k4"];
pub const SETTINGS: [&str; 5] = ["c0", "c1", "c2", "c3", "c4"];

const OFFICE: [auth_runtime_policy::IpNet; 1] = [auth_runtime_policy::IpNet::new_assert(
    std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 0)),
    24,
)];

fn requirement_of(kind: Kind, number: usize) -> Requirement {
    match (kind, number) {
        (Kind::Authenticated, _) => Requirement::authenticated(),
        (Kind::Scope, _) => Requirement::scope(SCOPES[number]),
        (Kind::Role, _) => Requirement::role(ROLES[number]),
        (Kind::Acr, _) => Requirement::acr(CLASS),
        (Kind::Amr, _) => Requirement::amr(METHODS[number]),
        (Kind::MaxAge, _) => Requirement::max_age(AGE),
        (Kind::Bound, _) => Requirement::sender_constrained(),
        (Kind::Check, _) => Requirement::check(CHECKS[number]),
        (Kind::Context, 0) => Requirement::network(Network::new("office", &OFFICE)),
        (Kind::Context, _) => Requirement::setting(SETTINGS[number]),
    }
}

impl Formula {
    /// Numbers the leaves, from the left.
    pub fn with_atoms(&self, atoms: &mut impl Iterator<Item = usize>) -> Self {
        match self {
            Self::Atom(_) => Self::Atom(atoms.next().expect("an atom for each leaf")),
            Self::List { is_all, parts } => {
                let mut numbered = Vec::with_capacity(parts.len());
                for part in parts {
                    numbered.push(part.with_atoms(atoms));
                }
                Self::List {
                    is_all: *is_all,
                    parts: numbered,
                }
            }
        }
    }

    /// The meaning in two-valued logic. `holds` has a bit for each true atom.
    pub fn grants(&self, holds: u16) -> bool {
        match self {
            Self::Atom(atom) => holds & (1 << atom) != 0,
            Self::List {
                is_all: true,
                parts,
            } => parts.iter().all(|part| part.grants(holds)),
            Self::List {
                is_all: false,
                parts,
            } => parts.iter().any(|part| part.grants(holds)),
        }
    }

    pub fn requirement(&self, kinds: &[Kind]) -> Requirement {
        match self {
            Self::Atom(atom) => requirement_of(kinds[*atom], number_in_kind(kinds, *atom)),
            Self::List { is_all, parts } => {
                let parts = parts.iter().map(|part| part.requirement(kinds));
                match *is_all {
                    true => Requirement::all(parts),
                    false => Requirement::any(parts),
                }
            }
        }
    }

    /// The same formula in another writing: in the reverse order, in lists of two parts, with lists of one.
    pub fn other_writing(&self, kinds: &[Kind]) -> Requirement {
        let Self::List { is_all, parts } = self else {
            return Requirement::Any(vec![self.requirement(kinds)].into());
        };
        let list = |parts: Cow<'static, [Requirement]>| match *is_all {
            true => Requirement::All(parts),
            false => Requirement::Any(parts),
        };
        let parts = parts.iter().map(|part| part.other_writing(kinds));
        parts.fold(list(Vec::new().into()), |behind, part| match &behind {
            Requirement::All(empty) | Requirement::Any(empty) if empty.is_empty() => {
                list(vec![part].into())
            }
            _ => list(vec![part, behind].into()),
        })
    }

    /// Sorts the parts of all lists, by the kinds and the numbers of their atoms.
    fn sort(&mut self, kinds: &[Kind]) {
        if let Self::List { parts, .. } = self {
            parts.iter_mut().for_each(|part| part.sort(kinds));
            parts.sort_by_cached_key(|part| {
                let mut key = Vec::new();
                part.write(kinds, &mut key);
                key
            });
        }
    }

    fn write(&self, kinds: &[Kind], key: &mut Vec<u8>) {
        match self {
            Self::Atom(atom) => key.extend([kinds[*atom] as u8, *atom as u8]),
            Self::List { is_all, parts } => {
                key.push(100 + u8::from(*is_all));
                parts.iter().for_each(|part| part.write(kinds, key));
                key.push(102);
            }
        }
    }

    fn atoms(&self, atoms: &mut Vec<usize>) {
        match self {
            Self::Atom(atom) if atoms.contains(atom) => {}
            Self::Atom(atom) => atoms.push(*atom),
            Self::List { parts, .. } => parts.iter().for_each(|part| part.atoms(atoms)),
        }
    }

    fn rename(&mut self, order: &[usize]) {
        match self {
            Self::Atom(atom) => {
                let place = order.iter().position(|own| own == atom);
                *atom = place.expect("every atom has a place");
            }
            Self::List { parts, .. } => parts.iter_mut().for_each(|part| part.rename(order)),
        }
    }
}

/// Every shape with this number of leaves, without numbers of its atoms.
pub fn shapes(leaves: usize) -> Vec<Formula> {
    match leaves {
        1 => vec![Formula::Atom(0)],
        _ => [true, false]
            .into_iter()
            .flat_map(|is_all| lists(leaves, is_all))
            .collect(),
    }
}

fn lists(leaves: usize, is_all: bool) -> Vec<Formula> {
    // The parts, the larger ones first. Parts of the same size are in the order of their own list.
    let parts: Vec<Vec<Formula>> = (0..leaves)
        .map(|size| match size {
            0 => Vec::new(),
            1 => vec![Formula::Atom(0)],
            _ => lists(size, !is_all),
        })
        .collect();
    let mut found = Vec::new();
    multisets(
        &parts,
        leaves,
        (leaves - 1, 0),
        &mut Vec::new(),
        &mut |chosen| {
            found.push(Formula::List {
                is_all,
                parts: chosen.to_vec(),
            });
        },
    );
    found
}

/// Calls `found` with each multiset of parts whose sizes have this sum. `last` is the size and the place of the
/// last part, and the next one is not before it.
fn multisets(
    parts: &[Vec<Formula>],
    sum: usize,
    last: (usize, usize),
    chosen: &mut Vec<Formula>,
    found: &mut dyn FnMut(&[Formula]),
) {
    if sum == 0 {
        found(chosen);
        return;
    }
    for size in (1..=last.0.min(sum)).rev() {
        let start = if size == last.0 { last.1 } else { 0 };
        for (place, part) in parts[size].iter().enumerate().skip(start) {
            chosen.push(part.clone());
            multisets(parts, sum - size, (size, place), chosen, found);
            chosen.pop();
        }
    }
}

/// Every division of the leaves in groups of the same atom: the atom of each leaf, numbered in the order of their
/// occurrence, and the number of atoms.
pub fn groups(leaves: usize) -> Vec<(Vec<usize>, usize)> {
    let mut all = vec![(Vec::new(), 0)];
    for _ in 0..leaves {
        let longer = all.iter().flat_map(|(atoms, number)| {
            (0..=*number).map(move |atom| {
                let mut atoms: Vec<usize> = atoms.clone();
                atoms.push(atom);
                (atoms, (*number).max(atom + 1))
            })
        });
        all = longer.collect();
    }
    all
}

/// The form of a policy with sorted lists, and with atoms in the order of their occurrence. Policies of the same
/// form differ in names and orders only.
pub fn normal_form(requirement: &Formula, lesser: Option<&Formula>, kinds: &[Kind]) -> Vec<u8> {
    let mut requirement = requirement.clone();
    let mut lesser = lesser.cloned();
    let mut kinds = kinds.to_vec();
    // A renaming can change the order. It need not become stable: another form only means another test.
    for _ in 0..3 {
        requirement.sort(&kinds);
        if let Some(lesser) = &mut lesser {
            lesser.sort(&kinds);
        }
        let mut order = Vec::new();
        requirement.atoms(&mut order);
        lesser.iter().for_each(|lesser| lesser.atoms(&mut order));
        requirement.rename(&order);
        lesser.iter_mut().for_each(|lesser| lesser.rename(&order));
        kinds = order.iter().map(|atom| kinds[*atom]).collect();
    }
    let mut key = Vec::new();
    requirement.write(&kinds, &mut key);
    lesser
        .iter()
        .for_each(|lesser| lesser.write(&kinds, &mut key));
    key
}
