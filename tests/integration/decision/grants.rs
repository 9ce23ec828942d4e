//! The grants of an identity.

use std::time::Duration;

use auth_runtime::policy::{Vocabulary, VocabularyEntry};

use super::*;

/// Each name `all` implies `one`.
const NAMES: &[VocabularyEntry] = &[
    VocabularyEntry::new("one", "One", &[]),
    VocabularyEntry::new("all", "All", &["one"]),
];

#[test]
fn a_grant_meets_the_names_that_it_implies() {
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
fn a_name_is_met_by_its_own_kind_only() {
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

#[test]
fn a_login_has_the_error_of_its_clock() {
    let skew = Duration::from_secs(7);
    assert_eq!(Identity::new("ann").clock_skew(), Duration::ZERO);
    assert_eq!(
        Identity::new("ann").with_clock_skew(skew).clock_skew(),
        skew
    );
}
