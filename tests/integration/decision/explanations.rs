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
        let facts = Context::new(&caller).by_oauth().with_address(IN_OFFICE);
        assert_eq!(Explanation::of(&policy, &facts).to_string(), told);
    }
}

#[test]
fn explanations_have_parts_of_policy() {
    let requirement = Requirement::all([Requirement::role("staff"), Requirement::scope("write")]);
    let policy = Policy::requires(requirement.clone())
        .hide_as_not_found()
        .hide_unless(Requirement::scope("read"));
    let ann = Caller::known(Identity::new("ann").with_roles(["staff"]));
    let explanation = Explanation::of(&policy, &Context::new(&ann).by_oauth());
    assert_eq!(explanation.decision(), &Decision::Conceal);
    let denial = Denial::InsufficientScope {
        scopes: vec!["write".into()],
        has_token_server: false,
    };
    assert_eq!(explanation.denial(), Some(&denial));
    assert_eq!(explanation.rule(), Some(Rule::MissingScope));
    let found = explanation.requirement().expect("a requirement");
    assert_eq!(found.requirement(), &requirement);
    assert_eq!(found.truth(), Truth::False);
    let parts = found.parts().iter();
    let parts: Vec<_> = parts.map(|part| (part.to_string(), part.truth())).collect();
    let expected = [
        (r#"yes: role = "staff""#.to_owned(), Truth::True),
        (r#"no: scope = "write""#.to_owned(), Truth::False),
    ];
    assert_eq!(parts, expected);
    let lesser = explanation.shown_to().expect("a lesser requirement");
    assert_eq!(lesser.to_string(), r#"no: scope = "read""#);

    let public = Policy::public("a test");
    let explanation = Explanation::of(&public, &Context::new(&Caller::Anonymous));
    assert_eq!(explanation.rule(), Some(Rule::Met));
    assert_eq!(explanation.denial(), None);
    assert_eq!(explanation.requirement(), None);
    assert_eq!(explanation.shown_to(), None);
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
