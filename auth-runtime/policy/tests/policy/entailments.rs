//! Entailment between requirements with networks, logins, ages and settings, against a table of all callers.

use auth_runtime_policy::dnf::MAX_ALTERNATIVES;
use auth_runtime_policy::entailment::{
    Contradiction, can_contradict, contradiction, entailed, entails, first_alternatives,
    is_impossible, makes_known, redundant,
};
use auth_runtime_policy::{Atom, Network, Requirement};

use crate::callers::{Callers, Table, atoms, requirements};

fn scope(number: usize) -> Requirement {
    Requirement::Atom(Atom::Scope(format!("s{number}").into()))
}

#[test]
fn requirements_entail_those_of_more_callers() {
    let table = Table::new();
    let requirements: Vec<_> = requirements().into_iter().step_by(3).collect();
    let callers: Vec<Callers> = requirements.iter().map(|it| table.of(it)).collect();
    let all: Vec<&Requirement> = requirements.iter().collect();
    for start in 0..4 {
        let by: Vec<&Requirement> = all.iter().copied().skip(start).step_by(61).collect();
        let among: Vec<&Requirement> = all.iter().copied().skip(start).step_by(7).collect();
        let found = entailed(&by, &among);
        for (one, found) in (start..all.len()).step_by(61).zip(found) {
            let found = found.expect("few alternatives");
            for (index, other) in (start..all.len()).step_by(7).enumerate() {
                let expected = callers[one].is_within(&callers[other]);
                assert_eq!(
                    found.contains(&index),
                    expected,
                    "{} and {}",
                    all[one],
                    all[other]
                );
            }
        }
    }
    let known = Requirement::authenticated();
    for (requirement, callers) in all.iter().zip(&callers) {
        let is_known = callers.is_within(&table.of(&known));
        assert_eq!(makes_known(requirement), is_known, "{requirement}");
        assert_eq!(
            entails(requirement, &known),
            Some(is_known),
            "{requirement}"
        );
    }
}

#[test]
fn impossible_requirements_have_no_caller() {
    let table = Table::new();
    let requirements = requirements();
    for (index, one) in requirements.iter().enumerate() {
        let other = &requirements[index * 7 % requirements.len()];
        let callers = table.of(one).and(&table.of(other));
        assert_eq!(
            is_impossible(&[one, other]),
            callers.is_empty(),
            "{one} and {other}"
        );
        assert_eq!(is_impossible(&[one]), table.of(one).is_empty(), "{one}");
        if contradiction(one, other).is_some() {
            assert!(callers.is_empty(), "{one} and {other}");
            assert!(can_contradict(one) && can_contradict(other));
        }
    }
}

/// The requirement without the node at this place, in the order of the attribute; `None` if it is the node.
fn without(requirement: &Requirement, at: &mut usize) -> Option<Requirement> {
    if *at == 0 {
        *at = usize::MAX;
        return None;
    }
    *at -= 1;
    let mut parts = Vec::new();
    for part in requirement.parts() {
        match *at > usize::MAX / 2 {
            true => parts.push(part.clone()),
            false => parts.extend(without(part, at)),
        }
    }
    Some(match requirement {
        Requirement::All(_) => Requirement::all(parts),
        Requirement::Any(_) => Requirement::any(parts),
        Requirement::Atom(_) => requirement.clone(),
    })
}

fn nodes(requirement: &Requirement) -> usize {
    1 + requirement.parts().iter().map(nodes).sum::<usize>()
}

#[test]
fn redundant_parts_change_no_caller() {
    let table = Table::new();
    let requirements: Vec<_> = requirements()
        .into_iter()
        .filter(|it| !it.atoms().is_empty())
        .collect();
    for (index, one) in requirements.iter().enumerate().step_by(2) {
        let other = &requirements[index * 11 % requirements.len()];
        // A member that every caller meets stays met.
        let constant = Requirement::all([Requirement::always(), one.clone()]);
        let one = if index % 4 == 0 { one } else { &constant };
        for is_all in [true, false] {
            let parts = [one.clone(), other.clone()];
            let whole = match is_all {
                true => Requirement::all(parts),
                false => Requirement::any(parts),
            };
            let callers = table.of(&whole);
            let is_redundant = |node: usize| {
                let without = without(&whole, &mut { node + 1 }).expect("a list remains");
                table.of(&without) == callers
            };
            let expected: Vec<usize> = (0..nodes(&whole) - 1)
                .filter(|node| is_redundant(*node))
                .collect();
            let found = redundant(&[one, other], is_all, &|_| true);
            assert_eq!(found, expected, "{whole}");
            // Other nodes are not considered. A member of a redundant list may be found with them.
            let is_third = |node: usize| node.is_multiple_of(3);
            let found = redundant(&[one, other], is_all, &is_third);
            assert!(found.iter().all(|node| is_third(*node)), "{whole}");
            let mut thirds = expected.iter().filter(|node| is_third(**node));
            assert!(thirds.all(|node| found.contains(node)), "{whole}");
        }
    }
}

/// Networks that touch, that have one address, and that reach the first or the last address of a family.
#[test]
fn networks_are_compared_at_their_ends() {
    let network = |blocks: &[&str]| {
        let blocks = blocks.iter().map(|block| block.parse().expect("a block"));
        Requirement::network(Network::owned("named", blocks.collect()))
    };
    let any = |names: &[&str]| Requirement::any(names.iter().map(|block| network(&[*block])));
    let [always, never] = [Requirement::always(), Requirement::never()];
    let whole = || network(&["10.0.0.0/8"]);
    for (one, other, expected) in [
        (whole(), any(&["10.0.0.0/9", "10.128.0.0/9"]), true),
        (any(&["10.0.0.0/9", "10.128.0.0/9"]), whole(), true),
        (whole(), network(&["10.0.0.0/9", "10.128.0.0/9"]), true),
        (whole(), any(&["10.0.0.0/9", "10.129.0.0/16"]), false),
        (network(&["10.1.0.1/32"]), whole(), true),
        (whole(), network(&["10.1.0.1/32"]), false),
        (network(&["10.1.0.1/32"]), network(&["10.1.0.2/32"]), false),
        (
            network(&["10.1.0.0/31"]),
            any(&["10.1.0.0/32", "10.1.0.1/32"]),
            true,
        ),
        (always.clone(), any(&["0.0.0.0/0", "::/0"]), true),
        (
            always.clone(),
            any(&["0.0.0.0/0", "::/1", "8000::/1"]),
            true,
        ),
        (always.clone(), any(&["0.0.0.0/0"]), false),
        (always.clone(), any(&["::/0"]), false),
        (always.clone(), any(&["128.0.0.0/1", "::/0"]), false),
        (always.clone(), any(&["0.0.0.0/1", "::/0"]), false),
        (always.clone(), any(&["0.0.0.0/0", "8000::/1"]), false),
        (always.clone(), any(&["0.0.0.0/0", "::/1"]), false),
        (
            network(&["128.0.0.0/1"]),
            any(&["128.0.0.0/2", "192.0.0.0/2"]),
            true,
        ),
        (network(&["0.0.0.0/0"]), network(&["::/0"]), false),
        (never.clone(), network(&["::/0"]), true),
        (network(&["::/0"]), never, false),
    ] {
        assert_eq!(
            entails(&one, &other),
            Some(expected),
            "{one:?} and {other:?}"
        );
    }
    let [host, other] = [network(&["10.1.0.1/32"]), network(&["10.1.0.2/32"])];
    assert!(is_impossible(&[&host, &other]) && !is_impossible(&[&host, &whole()]));
}

#[test]
fn atoms_contradict_each_other() {
    let atoms = atoms();
    let [gold, silver, desk, building, elsewhere, four, six, known] =
        [2, 3, 7, 8, 9, 10, 11, 0].map(|at| Requirement::Atom(atoms[at].clone()));
    let networks = Some(Contradiction::Networks);
    let acr = Some(Contradiction::Acr);
    let any = |parts: &[&Requirement]| Requirement::any(parts.iter().map(|part| (*part).clone()));
    let all = |parts: &[&Requirement]| Requirement::all(parts.iter().map(|part| (*part).clone()));
    for (one, other, expected) in [
        (gold.clone(), silver.clone(), acr),
        (gold.clone(), gold.clone(), None),
        (desk.clone(), building.clone(), None),
        (desk.clone(), elsewhere.clone(), networks),
        (four.clone(), six.clone(), networks),
        (six.clone(), elsewhere.clone(), None),
        (gold.clone(), desk.clone(), None),
        (known.clone(), silver.clone(), None),
        (all(&[&known, &gold]), silver.clone(), acr),
        (all(&[&known, &gold]), all(&[&desk, &silver]), acr),
        (any(&[&desk, &building]), elsewhere.clone(), networks),
        (any(&[&desk, &gold]), elsewhere.clone(), None),
        // No atom of the list contradicts each alternative.
        (any(&[&gold, &desk]), all(&[&silver, &elsewhere]), None),
        (any(&[&gold, &desk]), any(&[&silver]), None),
        (any(&[&gold, &gold]), any(&[&silver, &silver]), acr),
        (any(&[&desk, &four]), any(&[&elsewhere, &six]), None),
        (any(&[&desk, &building]), any(&[&six, &elsewhere]), networks),
        (any(&[]), gold.clone(), None),
    ] {
        assert_eq!(contradiction(&one, &other), expected, "{one} and {other}");
        assert_eq!(contradiction(&other, &one).is_some(), expected.is_some());
    }
    for (requirement, expected) in [
        (&gold, true),
        (&desk, true),
        (&known, false),
        (&all(&[&known, &any(&[&known, &six])]), true),
        (&all(&[&known, &known]), false),
    ] {
        assert_eq!(can_contradict(requirement), expected, "{requirement}");
    }
}

#[test]
fn alternatives_are_named_by_their_nodes() {
    let either = Requirement::any([scope(0), scope(1)]);
    let both = Requirement::all([scope(2), Requirement::any([scope(3), scope(4)])]);
    assert_eq!(
        first_alternatives(&[&either, &both]),
        [vec![1, 4, 6], vec![1, 4, 7], vec![2, 4, 6], vec![2, 4, 7]]
    );
    assert_eq!(first_alternatives(&[&scope(0)]), [[0]]);
    assert!(first_alternatives(&[&Requirement::never()]).is_empty());
    assert_eq!(first_alternatives(&[]), [Vec::new()]);
    let many = Requirement::any((0..40).map(scope));
    let first: Vec<Vec<usize>> = (1..=32).map(|node| vec![node]).collect();
    assert_eq!(first_alternatives(&[&many]), first);
}

/// Pairs of names, of which each name occurs in another pair as well: no alternative can be left out.
fn pairs(count: usize) -> Requirement {
    let pair = |at: usize| {
        let other = (at + 1) % count;
        let one = Requirement::all([scope(2 * at), scope(2 * other + 1)]);
        let two = Requirement::all([scope(2 * at + 1), scope(2 * other)]);
        Requirement::any([one, two])
    };
    Requirement::all((0..count).map(pair))
}

/// To meet one of several alternatives is to meet the list, so that lists of names do not multiply.
#[test]
fn alternatives_of_one_list_count_once() {
    let list = |first: usize| Requirement::any((0..8).map(move |at| scope(8 * first + at)));
    let all = Requirement::all((0..8).map(list));
    let reversed = Requirement::all((0..8).rev().map(list));
    const { assert!(8_usize.pow(8) > MAX_ALTERNATIVES) };
    assert_eq!(entails(&all, &reversed), Some(true));
    let more = Requirement::all((0..9).rev().map(list));
    assert_eq!(entails(&all, &more), Some(false));
}

#[test]
fn alternatives_have_a_maximum() {
    let [most, more] = [10, 11].map(pairs);
    assert_eq!(1 << 10, MAX_ALTERNATIVES);
    let known = Requirement::authenticated();
    assert_eq!(entails(&most, &known), Some(true));
    assert_eq!(entails(&more, &known), None);
    assert_eq!(entails(&known, &more), Some(false));
    // Each alternative identifies the caller, which needs no list of them.
    assert!(makes_known(&more));
    let found = entailed(&[&more, &known], &[&known, &most]);
    assert_eq!(found, [None, Some([0].into())]);
    assert!(!is_impossible(&[&more]));
    assert_eq!(first_alternatives(&[&most]).len(), 32);
    assert!(first_alternatives(&[&more]).is_empty());
    assert_eq!(redundant(&[&most, &known], true, &|node| node > 50), [71]);
    assert!(redundant(&[&more, &known], true, &|node| node > 50).is_empty());
}
