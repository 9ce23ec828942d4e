//! Every caller that the atoms of these tests distinguish, and the requirements over these atoms.

use std::net::IpAddr;
use std::time::Duration;

use auth_runtime_policy::{Atom, Network, Requirement};

/// A caller: its identity, if it is known, its address, and the setting of the service.
struct Caller {
    known: Option<Known>,
    address: IpAddr,
    is_open: bool,
}

#[derive(Clone, Copy)]
struct Known {
    has_scope: bool,
    acr: Option<&'static str>,
    /// The minutes since the login.
    minutes: Option<u64>,
}

/// The first and last addresses of the networks, their neighbours, and the ends of both families.
const ADDRESSES: [&str; 18] = [
    "0.0.0.0",
    "9.255.255.255",
    "10.0.0.0",
    "10.0.255.255",
    "10.1.0.0",
    "10.1.255.255",
    "10.2.0.0",
    "10.255.255.255",
    "11.0.0.0",
    "192.0.2.0",
    "192.0.2.255",
    "255.255.255.255",
    "::",
    "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db8::",
    "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db9::",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
];

fn network(name: &'static str, blocks: &[&str]) -> Atom {
    let blocks = blocks.iter().map(|block| block.parse().expect("a block"));
    Atom::Network(Network::owned(name, blocks.collect()))
}

/// Atoms of each kind: two logins, two ages, and networks in each relation.
pub(crate) fn atoms() -> Vec<Atom> {
    vec![
        Atom::Authenticated,
        Atom::Scope("a".into()),
        Atom::Acr("gold".into()),
        Atom::Acr("silver".into()),
        Atom::MaxAge(Duration::from_secs(15 * 60)),
        Atom::MaxAge(Duration::from_secs(60 * 60)),
        Atom::Setting("open".into()),
        network("desk", &["10.1.0.0/16"]),
        network("building", &["10.0.0.0/8"]),
        network("elsewhere", &["192.0.2.0/24", "2001:db8::/32"]),
        network("four", &["0.0.0.0/0"]),
        network("six", &["::/0"]),
    ]
}

impl Caller {
    fn all() -> Vec<Self> {
        let mut known = vec![None];
        for has_scope in [false, true] {
            for acr in [None, Some("gold"), Some("silver")] {
                for minutes in [None, Some(5), Some(30), Some(120)] {
                    known.push(Some(Known {
                        has_scope,
                        acr,
                        minutes,
                    }));
                }
            }
        }
        let mut callers = Vec::new();
        for known in known {
            for address in ADDRESSES {
                for is_open in [false, true] {
                    callers.push(Self {
                        known,
                        address: address.parse().expect("an address"),
                        is_open,
                    });
                }
            }
        }
        callers
    }

    fn meets(&self, atom: &Atom) -> bool {
        match atom {
            Atom::Setting(_) => self.is_open,
            Atom::Network(network) => network.blocks().iter().any(|it| it.contains(&self.address)),
            _ => self.known.is_some_and(|known| match atom {
                Atom::Scope(_) => known.has_scope,
                Atom::Acr(acr) => known.acr.is_some_and(|own| own == acr),
                Atom::MaxAge(age) => known
                    .minutes
                    .is_some_and(|minutes| minutes * 60 <= age.as_secs()),
                _ => true,
            }),
        }
    }
}

/// A set of callers, one bit for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Callers(Vec<u64>);

impl Callers {
    pub(crate) fn is_within(&self, others: &Self) -> bool {
        let mut both = self.0.iter().zip(&others.0);
        both.all(|(own, other)| own & !other == 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(crate) fn and(mut self, others: &Self) -> Self {
        let both = self.0.iter_mut().zip(&others.0);
        both.for_each(|(own, other)| *own &= other);
        self
    }

    fn or(mut self, others: &Self) -> Self {
        let both = self.0.iter_mut().zip(&others.0);
        both.for_each(|(own, other)| *own |= other);
        self
    }
}

/// The callers that meet each atom.
pub(crate) struct Table {
    atoms: Vec<(Atom, Callers)>,
    everybody: Callers,
}

impl Table {
    pub(crate) fn new() -> Self {
        let callers = Caller::all();
        let of = |meets: &dyn Fn(&Caller) -> bool| {
            let words = callers.chunks(64).map(|chunk| {
                let bits = chunk.iter().enumerate();
                bits.map(|(bit, caller)| u64::from(meets(caller)) << bit)
                    .sum()
            });
            Callers(words.collect())
        };
        let atoms = atoms().into_iter().map(|atom| {
            let callers = of(&|caller| caller.meets(&atom));
            (atom, callers)
        });
        Self {
            atoms: atoms.collect(),
            everybody: of(&|_| true),
        }
    }

    pub(crate) fn of(&self, requirement: &Requirement) -> Callers {
        match requirement {
            Requirement::Atom(atom) => {
                let own = self.atoms.iter().find(|(own, _)| own == atom);
                own.expect("an atom of the table").1.clone()
            }
            Requirement::All(parts) => parts
                .iter()
                .fold(self.everybody.clone(), |all, part| all.and(&self.of(part))),
            Requirement::Any(parts) => {
                let nobody = Callers(vec![0; self.everybody.0.len()]);
                parts
                    .iter()
                    .fold(nobody, |any, part| any.or(&self.of(part)))
            }
        }
    }
}

/// Lists of one to three atoms, and lists in them.
pub(crate) fn requirements() -> Vec<Requirement> {
    let single: Vec<Requirement> = atoms().into_iter().map(Requirement::Atom).collect();
    let mut all = vec![Requirement::always(), Requirement::never()];
    let mut lists = Vec::new();
    for (at, one) in single.iter().enumerate() {
        for other in &single[at + 1..] {
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
        for other in lists.iter().skip(index).step_by(5) {
            let parts = [list.clone(), other.clone()];
            all.push(Requirement::all(parts.clone()));
            all.push(Requirement::any(parts));
        }
    }
    all.extend(single);
    all.extend(lists);
    all
}
