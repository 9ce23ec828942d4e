//! Who meets a requirement, in how many ways, and whether that is enough for another one.
//!
//! Requirements have no *not*, so every way to meet one can be written down.

use std::collections::BTreeSet;

use ipnet::IpNet;
use proc_macro2::Span;

use crate::requirement::{Kind, Namespace, Requirement};

/// A list without `all`.
pub(crate) fn all_of(parts: Vec<Requirement>) -> Requirement {
    Requirement::new(Kind::All(parts), Span::call_site(), Span::call_site())
}

/// Whether everybody who meets all of `requirements` is known.
pub fn makes_known(requirements: &[Requirement]) -> bool {
    let authenticated = Requirement {
        kind: Kind::Authenticated,
        ..all_of(Vec::new())
    };
    let all = all_of(requirements.to_vec());
    // Of what is too long for the one, the other knows all but what networks rule out.
    entails(&all, &authenticated) || is_known(&all)
}

fn is_known(requirement: &Requirement) -> bool {
    match &requirement.kind {
        Kind::All(parts) => parts.iter().any(is_known),
        Kind::Any(parts) => parts.iter().all(is_known),
        kind => implies(kind, &Kind::Authenticated),
    }
}

/// Whether everybody who meets `a` meets `b`: `false` is the answer to what is not known, so that
/// nothing right is refused.
pub fn entails(a: &Requirement, b: &Requirement) -> bool {
    is_enough(a, b).unwrap_or(false)
}

/// Whether everybody who meets `a` meets `b`; `None` if `a` can be met in too many ways to tell.
pub fn is_enough(a: &Requirement, b: &Requirement) -> Option<bool> {
    let ways = ways(a)?;
    let mut named = Vec::new();
    blocks(b, &mut named);
    let mut possible = ways.iter().filter(|way| is_possible(way));
    Some(possible.all(|way| {
        let mut places = places(common(way), &named).into_iter();
        places.all(|place| meets(way, place, b))
    }))
}

/// What is met together in one of the ways to meet a requirement: nothing but single ones.
pub(super) type Way<'a> = Vec<&'a Requirement>;

/// More than anybody writes; their number grows with each `any` in an `all`.
const MAX_WAYS: usize = 1024;

/// Every way to meet a requirement; `None` if there are too many.
pub(super) fn ways(requirement: &Requirement) -> Option<Vec<Way<'_>>> {
    match &requirement.kind {
        Kind::Any(parts) => {
            let mut ways = Vec::new();
            for part in parts {
                ways.extend(self::ways(part)?);
            }
            (ways.len() <= MAX_WAYS).then_some(ways)
        }
        Kind::All(parts) => {
            let mut ways = vec![Vec::new()];
            for part in parts {
                let further = self::ways(part)?;
                if ways.len() * further.len() > MAX_WAYS {
                    return None;
                }
                let mut both = Vec::new();
                for way in &ways {
                    for further in &further {
                        both.push([way.as_slice(), further].concat());
                    }
                }
                ways = both;
            }
            Some(ways)
        }
        _ => Some(vec![vec![requirement]]),
    }
}

/// Whether anybody can meet all of it at once.
pub(super) fn is_possible(way: &Way<'_>) -> bool {
    let acr = |single: &&Requirement| match &single.kind {
        Kind::Named(Namespace::Acr, name) => Some(name.text.clone()),
        _ => None,
    };
    let mut acrs = way.iter().filter_map(acr);
    let first = acrs.next();
    let has_one_acr = acrs.all(|acr| Some(acr) == first);
    has_one_acr && common(way).is_none_or(|blocks| !blocks.is_empty())
}

/// The addresses that lie in all networks of a way; `None` if it names no network.
pub(super) fn common(way: &Way<'_>) -> Option<Vec<IpNet>> {
    let networks = way.iter().filter_map(|single| match &single.kind {
        Kind::Network(network) => Some(network.blocks.clone()),
        _ => None,
    });
    networks.reduce(|all, blocks| {
        let both = |one: &IpNet, other: &IpNet| match (one.contains(other), other.contains(one)) {
            (true, _) => Some(*other),
            (_, true) => Some(*one),
            _ => None,
        };
        let pairs = all
            .iter()
            .flat_map(|one| blocks.iter().map(move |other| (one, other)));
        pairs.filter_map(|(one, other)| both(one, other)).collect()
    })
}

/// The blocks of addresses that a requirement names.
fn blocks(requirement: &Requirement, found: &mut Vec<IpNet>) {
    match &requirement.kind {
        Kind::All(parts) | Kind::Any(parts) => {
            for part in parts {
                blocks(part, found);
            }
        }
        Kind::Network(network) => found.extend(&network.blocks),
        _ => {}
    }
}

/// Where somebody may call from: the smallest of the `named` blocks around each of the addresses, and
/// `None` for those that are in none. Who may call from anywhere may do so from nowhere in particular.
fn places(addresses: Option<Vec<IpNet>>, named: &[IpNet]) -> BTreeSet<Option<IpNet>> {
    let Some(addresses) = addresses else {
        return BTreeSet::from([None]);
    };
    let mut places = BTreeSet::new();
    for block in addresses {
        split(block, named, &mut places);
    }
    places
}

/// Halves a block until each of the `named` ones has all of a part, or nothing.
fn split(block: IpNet, named: &[IpNet], places: &mut BTreeSet<Option<IpNet>>) {
    let is_cut = named
        .iter()
        .any(|other| block.contains(other) && *other != block);
    // Only a single address has no halves, and nothing cuts that.
    if is_cut && let Ok(halves) = block.subnets(block.prefix_len() + 1) {
        for half in halves {
            split(half, named, places);
        }
        return;
    }
    let around = named.iter().filter(|other| other.contains(&block));
    places.insert(around.max_by_key(|other| other.prefix_len()).copied());
}

/// Whether all that is met in that way is enough for who calls from that place.
fn meets(way: &Way<'_>, place: Option<IpNet>, requirement: &Requirement) -> bool {
    match &requirement.kind {
        Kind::Any(parts) => parts.iter().any(|part| meets(way, place, part)),
        Kind::All(parts) => parts.iter().all(|part| meets(way, place, part)),
        Kind::Network(network) => place.is_some_and(|place| {
            let mut blocks = network.blocks.iter();
            blocks.any(|block| block.contains(&place))
        }),
        _ => way
            .iter()
            .any(|single| implies(&single.kind, &requirement.kind)),
    }
}

/// Whether whoever meets the one single requirement meets the other.
fn implies(one: &Kind, other: &Kind) -> bool {
    match (one, other) {
        // Where a request comes from says nothing of who sent it.
        (Kind::Network(_), _) => false,
        // Nothing else is known of somebody who is not known.
        (_, Kind::Authenticated) => true,
        (Kind::Named(kind, one), Kind::Named(other, two)) => {
            kind == other && (one.text == two.text || two.broader.contains(&one.text))
        }
        (Kind::MaxAge(short), Kind::MaxAge(long)) => short.seconds <= long.seconds,
        (one, other) => one == other,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::args;
    use crate::errors::Errors;
    use crate::requirement::Name;

    /// Implication, held against every way of granting three names.
    #[test]
    fn entailment_is_sound() {
        let atoms = [
            "authenticated",
            r#"scope = "a""#,
            r#"scope = "b""#,
            r#"role = "a""#,
        ];
        let mut all: Vec<String> = atoms.iter().map(ToString::to_string).collect();
        for key in ["any", "all"] {
            for one in atoms {
                for two in atoms {
                    all.push(format!("{key}({one}, {two})"));
                    all.push(format!("any({one}, all({two}, {}))", atoms[1]));
                    all.push(format!("all({one}, any({two}, {}))", atoms[2]));
                }
            }
        }
        let all: Vec<Requirement> = all.iter().map(|text| parse(text)).collect();
        for a in &all {
            for b in &all {
                let implied = (0..8).all(|granted| !holds(a, granted) || holds(b, granted));
                assert!(!entails(a, b) || implied, "{a} does not imply {b}");
            }
        }
    }

    pub(in crate::check) fn parse(text: &str) -> Requirement {
        let read = args::requires(text.parse().expect("tokens"), &mut Errors::default());
        read.requirements.into_iter().next().expect("a requirement")
    }

    pub(in crate::check) fn holds(requirement: &Requirement, granted: u8) -> bool {
        let bit = |name: &Name, first: u8| {
            let bit = if name.text == "a" { first } else { first << 1 };
            granted & bit != 0
        };
        match &requirement.kind {
            Kind::Authenticated => true,
            Kind::Named(Namespace::Scope, name) => bit(name, 1),
            Kind::Named(_, name) => bit(name, 4),
            Kind::All(parts) => parts.iter().all(|part| holds(part, granted)),
            Kind::Any(parts) => parts.iter().any(|part| holds(part, granted)),
            _ => unreachable!("not used here"),
        }
    }
}
