//! Requirements: their atoms, groups and evaluation.

use std::cell::RefCell;
use std::time::Duration;

use auth_runtime_policy::Truth::{False, True, Unknown};
use auth_runtime_policy::{Atom, Group, Groups, Network, Requirement};

const GROUPS: [Group; 4] = [
    Group::Identity,
    Group::Freshness,
    Group::Binding,
    Group::Context,
];

/// An atom of each kind, with its group.
fn atoms() -> Vec<(Requirement, Group)> {
    vec![
        (Requirement::authenticated(), Group::Identity),
        (Requirement::scope("a"), Group::Identity),
        (Requirement::role("a"), Group::Identity),
        (Requirement::permission("a"), Group::Identity),
        (Requirement::check("a"), Group::Identity),
        (Requirement::can("a"), Group::Identity),
        (Requirement::acr("a"), Group::Freshness),
        (Requirement::amr("a"), Group::Freshness),
        (
            Requirement::max_age(Duration::from_secs(1)),
            Group::Freshness,
        ),
        (Requirement::sender_constrained(), Group::Binding),
        (
            Requirement::network(Network::owned("a", Vec::new())),
            Group::Context,
        ),
        (Requirement::setting("a"), Group::Context),
    ]
}

#[test]
fn each_constructor_makes_its_atom() {
    for (requirement, atom) in [
        (Requirement::authenticated(), Atom::Authenticated),
        (Requirement::scope("a"), Atom::Scope("a".into())),
        (Requirement::role("a"), Atom::Role("a".into())),
        (Requirement::permission("a"), Atom::Permission("a".into())),
        (Requirement::check("a"), Atom::Check("a".into())),
        (Requirement::acr("a"), Atom::Acr("a".into())),
        (Requirement::amr("a"), Atom::Amr("a".into())),
        (
            Requirement::max_age(Duration::from_secs(60)),
            Atom::MaxAge(Duration::from_secs(60)),
        ),
        (Requirement::sender_constrained(), Atom::SenderConstrained),
        (Requirement::setting("a"), Atom::Setting("a".into())),
        (
            Requirement::network(Network::owned("a", Vec::new())),
            Atom::Network(Network::owned("a", Vec::new())),
        ),
    ] {
        assert_eq!(requirement, Requirement::Atom(atom));
    }
}

#[test]
fn each_atom_has_its_group() {
    assert!(GROUPS.iter().all(|group| !Groups::NONE.contain(*group)));
    for (requirement, own) in atoms() {
        let Requirement::Atom(atom) = &requirement else {
            panic!("{requirement} is an atom");
        };
        assert_eq!(atom.group(), own, "{atom}");
        for group in GROUPS {
            let expected = group == own;
            assert_eq!(requirement.groups().contain(group), expected, "{atom}");
        }
    }
}

#[test]
fn lists_have_groups_of_their_parts() {
    for (one, of_one) in atoms() {
        for (other, of_other) in atoms() {
            let nested = Requirement::any([
                one.clone(),
                Requirement::all([other.clone(), other.clone()]),
            ]);
            for group in GROUPS {
                let expected = group == of_one || group == of_other;
                assert_eq!(nested.groups().contain(group), expected, "{nested}");
            }
        }
    }
    assert_eq!(Requirement::always().groups(), Groups::NONE);
}

#[test]
fn parts_and_atoms_keep_their_order() {
    let [a, b, c] = ["a", "b", "c"].map(Requirement::scope);
    let both = Requirement::all([b.clone(), c.clone()]);
    let nested = Requirement::any([a.clone(), both.clone()]);
    assert_eq!(nested.parts(), [a.clone(), both]);
    assert!(a.parts().is_empty());
    assert!(Requirement::never().parts().is_empty());
    let scopes = ["a", "b", "c"].map(|name| Atom::Scope(name.into()));
    assert_eq!(nested.atoms(), scopes.each_ref());
    let second = nested.find(&|atom| (*atom != scopes[0]).then(|| atom.clone()));
    assert_eq!(second.as_ref(), Some(&scopes[1]));
    assert_eq!(nested.find(&|_| None::<()>), None);
    assert!(nested.contains(|atom| *atom == scopes[2]));
    assert!(!nested.contains(|atom| *atom == Atom::Authenticated));
}

#[test]
fn the_constants_are_empty_lists() {
    assert_eq!(Requirement::always(), Requirement::all([]));
    assert_eq!(Requirement::never(), Requirement::any([]));
    assert_eq!(Requirement::always().evaluate(&|_| False), True);
    assert_eq!(Requirement::never().evaluate(&|_| True), False);
}

#[test]
fn evaluation_follows_the_lists() {
    let [a, b, c] = ["a", "b", "c"].map(Requirement::scope);
    let requirement = Requirement::any([a, Requirement::all([b, c])]);
    for (truths, expected, asked) in [
        ([True, False, False], True, "a"),
        ([False, True, True], True, "abc"),
        ([False, False, True], False, "ab"),
        ([Unknown, True, Unknown], Unknown, "abc"),
        ([Unknown, True, True], True, "abc"),
        ([Unknown, False, True], Unknown, "ab"),
    ] {
        let seen = RefCell::new(String::new());
        let found = requirement.evaluate(&|atom| {
            let Atom::Scope(name) = atom else {
                panic!("{atom} is a scope");
            };
            seen.borrow_mut().push_str(name);
            match &**name {
                "a" => truths[0],
                "b" => truths[1],
                _ => truths[2],
            }
        });
        assert_eq!(found, expected, "{truths:?}");
        assert_eq!(seen.into_inner(), asked, "{truths:?}");
    }
}

#[test]
fn bound_credentials_meet_more() {
    let bound = Requirement::sender_constrained;
    let scope = || Requirement::scope("a");
    for (requirement, by_others, by_bound) in [
        (scope(), true, true),
        (bound(), false, true),
        (Requirement::all([scope(), bound()]), false, true),
        (Requirement::all([scope(), scope()]), true, true),
        (Requirement::any([bound(), scope()]), true, true),
        (Requirement::any([bound(), bound()]), false, true),
        (Requirement::always(), true, true),
        (Requirement::never(), false, false),
        (
            Requirement::all([bound(), Requirement::never()]),
            false,
            false,
        ),
    ] {
        assert_eq!(requirement.can_be_met(false), by_others, "{requirement}");
        assert_eq!(requirement.can_be_met(true), by_bound, "{requirement}");
    }
}

#[test]
fn atoms_are_replaced_in_lists() {
    let [a, b, c] = ["a", "b", "c"].map(Requirement::scope);
    let all = Requirement::all([a.clone(), Requirement::any([b.clone(), a])]);
    let changed = all.map(&|atom| match atom {
        Atom::Scope(name) if name == "a" => c.clone(),
        other => Requirement::Atom(other.clone()),
    });
    assert_eq!(
        changed,
        Requirement::all([c.clone(), Requirement::any([b, c])])
    );
}
