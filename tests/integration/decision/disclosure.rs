//! Public policies, and `hide_unless`.

use super::*;

#[test]
fn public_policies_grant_every_caller() {
    let policy = Policy::public("a test");
    for caller in [
        Caller::Anonymous,
        Caller::rejected(),
        Caller::unverifiable(),
        Caller::known(Identity::new("ann")),
    ] {
        assert_eq!(
            Decision::of(&policy, &Context::new(&caller)),
            Decision::Grant,
            "{caller:?}"
        );
    }
}

#[test]
fn hide_unless_discloses_denials() {
    let write = Policy::requires(Requirement::scope("write"));
    let hidden = write.clone().hide_as_not_found();
    let half_hidden = hidden.clone().hide_unless(Requirement::scope("read"));
    let reader = Caller::known(Identity::new("ann").with_scopes(["read"]));
    let stranger = Caller::known(Identity::new("bob"));

    for (policy, caller, hides) in [
        (&write, &reader, false),
        (&write, &Caller::Anonymous, false),
        (&hidden, &reader, true),
        (&hidden, &stranger, true),
        (&hidden, &Caller::Anonymous, true),
        (&half_hidden, &reader, false),
        (&half_hidden, &stranger, true),
        (&half_hidden, &Caller::Anonymous, true),
        (&half_hidden, &Caller::rejected(), true),
        (&half_hidden, &Caller::unverifiable(), true),
    ] {
        let decision = Decision::of(policy, &Context::new(caller));
        assert_eq!(decision == Decision::Conceal, hides, "{policy} {caller:?}");
    }
}

/// Each kind of denial is disclosed to a caller that meets the lesser requirement.
#[test]
fn disclosed_denials_match_shown_policies() {
    let reader = Caller::known(Identity::new("ann").with_scopes(["read"]));
    let context = Context::new(&reader).by_oauth();
    for requirement in [
        Requirement::role("staff"),
        Requirement::scope("write"),
        Requirement::acr("mfa"),
        Requirement::sender_constrained(),
        Requirement::network(Network::new("office", &OFFICE)),
    ] {
        let shown = Policy::requires(requirement);
        let half_hidden = shown.clone().hide_unless(Requirement::scope("read"));
        let expected = Decision::of(&shown, &context);
        assert!(matches!(expected, Decision::Deny(_)), "{shown}");
        assert_eq!(Decision::of(&half_hidden, &context), expected, "{shown}");
    }
}

#[test]
fn checks_in_hide_unless_decide() {
    let check = A_CHECK;
    let policy = Policy::requires(Requirement::role("staff"))
        .hide_as_not_found()
        .hide_unless(Requirement::check(check));
    let caller = Caller::known(Identity::new("ann"));
    let facts = Context::new(&caller);
    assert_eq!(
        Decision::of(&policy, &facts),
        Decision::Undecided(Atom::Check(check.into()))
    );
    for (answer, expected) in [
        (Some(true), Decision::Deny(Denial::FORBIDDEN)),
        (Some(false), Decision::Conceal),
        (None, Decision::Conceal),
    ] {
        let facts = facts.clone().checked(check, answer);
        assert_eq!(Decision::of(&policy, &facts), expected, "{answer:?}");
    }
    assert_eq!(
        Decision::of(&policy, &Context::new(&Caller::Anonymous)),
        Decision::Conceal
    );
}
