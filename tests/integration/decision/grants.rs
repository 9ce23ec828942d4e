//! The grants of an identity.

use std::time::Duration;

use auth_runtime::policy::{Vocabulary, VocabularyEntry};

use super::*;

/// Each name `all` implies `one`.
const NAMES: &[VocabularyEntry] = &[
    VocabularyEntry::new("one", "One", &[]),
    VocabularyEntry::new("all", "All", &["one"]),
];

/// No name implies another.
const APART: &[VocabularyEntry] = &[
    VocabularyEntry::new("one", "One", &[]),
    VocabularyEntry::new("all", "All", &[]),
];

/// A name of one kind implies no name of another kind.
#[test]
fn grants_have_implications_of_their_kind() {
    let ann = Identity::new("ann")
        .with_scopes(["all"])
        .with_roles(["all"])
        .with_permissions(["all"]);
    for (lists, expected) in [
        ([NAMES, APART, APART], [true, false, false]),
        ([APART, NAMES, APART], [false, true, false]),
        ([APART, APART, NAMES], [false, false, true]),
    ] {
        let [scopes, roles, permissions] = lists;
        let vocabulary = Vocabulary::new(None, scopes, roles, permissions, &[], &[]);
        let met = [
            ann.meets_scope("one", &vocabulary),
            ann.meets_role("one", &vocabulary),
            ann.meets_permission("one", &vocabulary),
        ];
        assert_eq!(met, expected);
    }
}

#[test]
fn grant_meets_names_that_it_implies() {
    let vocabulary = Vocabulary::new(None, NAMES, NAMES, NAMES, &[], &[]);
    let plain = || Identity::new("ann");
    for (identity, expected) in [
        (plain(), [false; 3]),
        (plain().with_scopes(["all"]), [true, false, false]),
        (plain().with_roles(["all"]), [false, true, false]),
        (plain().with_permissions(["all"]), [false, false, true]),
    ] {
        let meets = |name| {
            [
                identity.meets_scope(name, &vocabulary),
                identity.meets_role(name, &vocabulary),
                identity.meets_permission(name, &vocabulary),
            ]
        };
        assert_eq!((meets("one"), meets("all")), (expected, expected));
        assert_eq!(meets("other"), [false; 3]);
    }
}

/// A name has another meaning in each kind of grant, and in each property of a login.
#[test]
fn names_are_met_by_their_kind() {
    type With = fn(Identity) -> Identity;
    let kinds: [(Requirement, With); 5] = [
        (Requirement::scope("x"), |ann| ann.with_scopes(["x"])),
        (Requirement::role("x"), |ann| ann.with_roles(["x"])),
        (Requirement::permission("x"), |ann| {
            ann.with_permissions(["x"])
        }),
        (Requirement::acr("x"), |ann| ann.with_acr("x")),
        (Requirement::amr("x"), |ann| ann.with_amr(["x"])),
    ];
    for (required, _) in &kinds {
        let policy = Policy::requires(required.clone());
        for (own, with) in &kinds {
            let caller = Caller::known(with(Identity::new("x").with_issuer("x")));
            let decision = Decision::of(&policy, &Context::new(&caller));
            let is_granted = decision == Decision::Grant;
            assert_eq!(is_granted, own == required, "{required}, held: {own}");
        }
    }
}

/// A name is compared as a whole, with its case.
#[test]
fn a_similar_name_meets_no_requirement() {
    for (required, held) in [
        ("admin", "Admin"),
        ("Admin", "admin"),
        ("admin", "admin "),
        ("admin", "admins"),
        ("admins", "admin"),
        ("repo", "repo:read"),
        ("repo:read", "repo"),
        ("repo:read", "repo:*"),
        ("repo:read", "*"),
        ("admin", "staff admin"),
    ] {
        let similar = Identity::new("ann")
            .with_scopes([held])
            .with_roles([held])
            .with_permissions([held])
            .with_acr(held)
            .with_amr([held]);
        let similar = Caller::known(similar);
        for requirement in [
            Requirement::scope(required),
            Requirement::role(required),
            Requirement::permission(required),
            Requirement::acr(required),
            Requirement::amr(required),
        ] {
            let policy = Policy::requires(requirement.clone());
            let decision = Decision::of(&policy, &Context::new(&similar));
            assert_ne!(decision, Decision::Grant, "{requirement}: {held}");
        }
    }
}

/// Later grants are in addition to earlier ones.
#[test]
fn grants_of_each_kind_add_up() {
    let ann = Identity::new("ann")
        .with_scopes(["a"])
        .with_scopes(["b"])
        .with_roles(["a"])
        .with_roles(["b"])
        .with_permissions(["a"])
        .with_permissions(["b"])
        .with_amr(["a"])
        .with_amr(["b"]);
    let ann = Caller::known(ann);
    for of_kind in [
        Requirement::scope,
        Requirement::role,
        Requirement::permission,
        Requirement::amr,
    ] {
        let both = Requirement::all([of_kind("a"), of_kind("b")]);
        let policy = Policy::requires(both);
        let decision = Decision::of(&policy, &Context::new(&ann));
        assert_eq!(decision, Decision::Grant, "{policy}");
    }
}

#[test]
fn login_has_error_of_its_clock() {
    let skew = Duration::from_secs(7);
    assert_eq!(Identity::new("ann").clock_skew(), Duration::ZERO);
    assert_eq!(
        Identity::new("ann").with_clock_skew(skew).clock_skew(),
        skew
    );
}
