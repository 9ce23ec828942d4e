//! The reasons for decisions.

use super::*;

#[test]
fn explanations_cover_every_part() {
    let staff_in_office = Requirement::all([
        Requirement::any([Requirement::role("staff"), Requirement::scope("write")]),
        Requirement::acr("mfa"),
        Requirement::network(Network::new("office", &OFFICE)),
    ]);
    let policy = Policy::requires(staff_in_office)
        .hide_as_not_found()
        .hide_unless(Requirement::scope("read"));
    let known = Caller::known(Identity::new("ann").with_scopes(["read"]).with_acr("mfa"));
    for (caller, told) in [
        (
            known,
            r#"rule 3c: no: all(no: any(no: role = "staff", no: scope = "write"), yes: acr = "mfa", yes: network = "office"); hide_unless: yes: scope = "read""#,
        ),
        (
            Caller::rejected(),
            r#"rule 2: unknown: all(unknown: any(unknown: role = "staff", unknown: scope = "write"), unknown: acr = "mfa", yes: network = "office"); hide_unless: unknown: scope = "read""#,
        ),
    ] {
        let facts = Context::new(&caller).by_oauth().from_address(IN_OFFICE);
        assert_eq!(Explanation::of(&policy, &facts).to_string(), told);
    }
}

#[test]
fn explanations_do_not_guess_checks() {
    let policy = Policy::requires(Requirement::check(A_CHECK)).hide_as_not_found();
    let caller = Caller::known(Identity::new("ann"));
    let explanation = Explanation::of(&policy, &Context::new(&caller));
    assert_eq!(
        explanation.decision(),
        &Decision::Undecided(Atom::Check(A_CHECK.into()))
    );
    assert_eq!((explanation.rule(), explanation.denial()), (None, None));
    assert_eq!(
        explanation.to_string(),
        "undecided: unknown: check = is_fine"
    );
}
