//! Who meets a requirement, in how many ways, and whether that is enough for another one.
//!
//! Requirements have no *not*, so every way to meet one can be written down; and of the addresses it
//! takes a few, since all between two ends of networks lie in the same ones.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use proc_macro2::Span;

use crate::requirement::{Kind, Namespace, Network, Requirement};

/// A list without `all`.
pub(crate) fn all_of(parts: Vec<Requirement>) -> Requirement {
    Requirement::new(Kind::All(parts), Span::call_site(), Span::call_site())
}

/// Either of these.
pub(super) fn any_of(parts: Vec<Requirement>) -> Requirement {
    Requirement::new(Kind::Any(parts), Span::call_site(), Span::call_site())
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
    let mut networks = Vec::new();
    collect_networks(a, &mut networks);
    collect_networks(b, &mut networks);
    let places = places(&networks);
    let mut possible = ways.iter().filter(|way| has_one_acr(way));
    Some(possible.all(|way| {
        let mut places = places.iter().filter(|place| lies_in_all(**place, way));
        places.all(|place| meets(way, *place, b))
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
    let mut networks = Vec::new();
    for single in way {
        collect_networks(single, &mut networks);
    }
    let mut places = places(&networks).into_iter();
    has_one_acr(way) && places.any(|place| lies_in_all(place, way))
}

fn has_one_acr(way: &Way<'_>) -> bool {
    let acr = |single: &&Requirement| match &single.kind {
        Kind::Named(Namespace::Acr, name) => Some(name.text.clone()),
        _ => None,
    };
    let mut acrs = way.iter().filter_map(acr);
    let first = acrs.next();
    acrs.all(|acr| Some(acr) == first)
}

fn lies_in_all(place: IpAddr, way: &Way<'_>) -> bool {
    way.iter().all(|single| match &single.kind {
        Kind::Network(network) => lies_in(place, network),
        _ => true,
    })
}

fn lies_in(place: IpAddr, network: &Network) -> bool {
    network.blocks.iter().any(|block| block.contains(&place))
}

fn collect_networks<'r>(requirement: &'r Requirement, networks: &mut Vec<&'r Network>) {
    match &requirement.kind {
        Kind::Network(network) => networks.push(network),
        Kind::Any(parts) | Kind::All(parts) => {
            for part in parts {
                collect_networks(part, networks);
            }
        }
        _ => {}
    }
}

/// An address for each combination of the networks that some address lies in, and for none of them:
/// where one begins, or right behind where one ends, or else where all addresses begin.
fn places(networks: &[&Network]) -> Vec<IpAddr> {
    let mut starts = vec![
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    ];
    for block in networks.iter().flat_map(|network| &network.blocks) {
        starts.push(block.network());
        starts.extend(behind(block));
    }
    let combination = |place: &IpAddr| -> Vec<bool> {
        let networks = networks.iter();
        networks.map(|network| lies_in(*place, network)).collect()
    };
    let places: BTreeMap<Vec<bool>, IpAddr> = starts
        .into_iter()
        .map(|place| (combination(&place), place))
        .collect();
    places.into_values().collect()
}

/// The first address behind a block; `None` at the end of all.
fn behind(block: &IpNet) -> Option<IpAddr> {
    match block.broadcast() {
        IpAddr::V4(last) => u32::from(last)
            .checked_add(1)
            .map(|next| Ipv4Addr::from(next).into()),
        IpAddr::V6(last) => u128::from(last)
            .checked_add(1)
            .map(|next| Ipv6Addr::from(next).into()),
    }
}

/// Whether all that is met in that way, at that place, is enough.
fn meets(way: &Way<'_>, place: IpAddr, requirement: &Requirement) -> bool {
    match &requirement.kind {
        Kind::Any(parts) => parts.iter().any(|part| meets(way, place, part)),
        Kind::All(parts) => parts.iter().all(|part| meets(way, place, part)),
        Kind::Network(network) => lies_in(place, network),
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
