//! The smallest sufficient scopes.

use super::*;

#[test]
fn overlapping_alternatives_are_exact() {
    let overlapping = Requirement::all([
        Requirement::any([Requirement::scope("a"), Requirement::scope("b")]),
        Requirement::any([Requirement::scope("b"), Requirement::scope("c")]),
        Requirement::any([Requirement::scope("c"), Requirement::scope("b")]),
    ]);
    let caller = Caller::known(Identity::new("ann").with_scopes(["a"]));
    assert_eq!(
        Decision::of(
            &Policy::requires(overlapping),
            &Context::new(&caller).by_oauth()
        ),
        Decision::Deny(Denial::InsufficientScope {
            scopes: vec!["b".into()],
            has_token_server: false,
        }),
    );
}

/// A caller that is not known is asked for scopes that suffice alone, and otherwise for those that suffice with a
/// role, but for none where no scope helps.
#[test]
fn unknown_callers_need_scopes_that_suffice() {
    let (read, write) = (Requirement::scope("read"), Requirement::scope("write"));
    let staff = Requirement::role("staff");
    let office = Requirement::network(Network::new("office", &OFFICE));
    let of = |parts: &[&Requirement]| Requirement::all(parts.iter().map(|part| (*part).clone()));
    for (requirement, expected) in [
        (of(&[&read, &staff]), vec!["read"]),
        (
            Requirement::any([of(&[&read, &staff]), write.clone()]),
            vec!["write"],
        ),
        (
            Requirement::any([of(&[&write, &office]), of(&[&read, &staff])]),
            vec!["read"],
        ),
        (
            Requirement::any([of(&[&read, &office]), staff.clone()]),
            vec![],
        ),
        (staff, vec![]),
    ] {
        let name = requirement.to_string();
        let policy = Policy::requires(requirement);
        let Decision::Deny(Denial::Unauthenticated { scopes, .. }) =
            Decision::of(&policy, &Context::new(&Caller::Anonymous))
        else {
            panic!("{name}: a 401");
        };
        assert_eq!(scopes, expected, "{name}");
    }
}

#[test]
fn smallest_then_nearest_then_first() {
    const SCOPES: [Requirement; 5] = [
        Requirement::scope("a"),
        Requirement::scope("b"),
        Requirement::scope("c"),
        Requirement::scope("d"),
        Requirement::scope("e"),
    ];
    let all = |names: &[usize]| Requirement::all(names.iter().map(|at| SCOPES[*at].clone()));
    let any = |parts: Vec<Requirement>| Requirement::any(parts);
    let two = |one, other| all(&[one, other]);
    let three = |one, two, three| all(&[one, two, three]);
    let [a, b, c, d, e] = [0, 1, 2, 3, 4];
    for (requirement, held, named) in [
        (
            any(vec![two(a, b), three(c, d, e)]),
            vec!["c", "d"],
            vec!["a", "b"],
        ),
        (any(vec![two(a, b), two(c, d)]), vec!["c"], vec!["c", "d"]),
        (any(vec![two(a, b), two(c, d)]), vec![], vec!["a", "b"]),
        (any(vec![two(c, d), two(a, b)]), vec![], vec!["c", "d"]),
    ] {
        let caller = Caller::known(Identity::new("ann").with_scopes(held));
        assert_eq!(
            Decision::of(
                &Policy::requires(requirement.clone()),
                &Context::new(&caller).by_oauth()
            ),
            Decision::Deny(Denial::InsufficientScope {
                scopes: named.into_iter().map(Into::into).collect(),
                has_token_server: false,
            }),
            "{requirement}"
        );
    }
}

/// More atoms than the limit of comparison, each written twice.
#[test]
fn many_scopes_keep_their_order() {
    let names: Vec<&'static str> = (0..40)
        .map(|number| &*Box::leak(format!("area{:02}", (number * 7) % 40).into_boxed_str()))
        .collect();
    let scopes = || names.iter().copied().map(Requirement::scope);
    let twice = Requirement::all(scopes().chain(scopes().rev()));
    let held = Caller::known(Identity::new("ann").with_scopes(names[..39].iter().copied()));
    let insufficient = |requirement: &Requirement, caller: &Caller| match Decision::of(
        &Policy::requires(requirement.clone()),
        &Context::new(caller).by_oauth(),
    ) {
        Decision::Deny(Denial::InsufficientScope { scopes, .. }) => scopes,
        other => panic!("{other:?}"),
    };
    let nobody = Caller::known(Identity::new("bob"));
    assert_eq!(insufficient(&twice, &nobody), names);
    assert_eq!(insufficient(&twice, &held), names);
    // Of alternatives with equal cost, the first one. Of an atom and a larger alternative, the
    // atom.
    let any = Requirement::any(scopes());
    assert_eq!(insufficient(&any, &nobody), names[..1]);
    let late = Requirement::any([twice.clone(), any]);
    assert_eq!(insufficient(&late, &nobody), names[..1]);
    // With a further alternative, the named scopes keep the order of their first occurrence.
    let admin = Requirement::role("admin");
    let either = Requirement::any([admin, twice]);
    assert_eq!(insufficient(&either, &nobody), names);
}

#[test]
fn many_alternatives_take_bounded_time() {
    fn alternatives(index: usize) -> Requirement {
        let scope = |letter| -> Requirement {
            let name = format!("{letter}{index}").leak();
            Requirement::scope(name)
        };
        Requirement::any([scope('x'), scope('y')])
    }
    let many = Requirement::all((0..40).map(alternatives));
    let caller = Caller::known(Identity::new("ann"));
    match Decision::of(&Policy::requires(many), &Context::new(&caller).by_oauth()) {
        Decision::Deny(Denial::InsufficientScope { scopes, .. }) => assert_eq!(scopes.len(), 40),
        other => panic!("{other:?}"),
    }
}
