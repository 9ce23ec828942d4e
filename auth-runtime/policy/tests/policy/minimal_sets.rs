//! The sets of atoms that meet a requirement.

use auth_runtime_policy::dnf::{AtomState, MAX_ALTERNATIVES, minimal_set, minimal_sets};
use auth_runtime_policy::{Atom, Requirement};

fn scope(name: &str) -> Requirement {
    Requirement::Atom(Atom::Scope(name.to_owned().into()))
}

fn any(names: &str) -> Requirement {
    Requirement::any(names.split(' ').map(scope))
}

fn all(names: &str) -> Requirement {
    Requirement::all(names.split(' ').map(scope))
}

fn names(set: &[&Atom]) -> String {
    let names = set.iter().map(|atom| match atom {
        Atom::Scope(name) => &**name,
        other => panic!("{other} is a scope"),
    });
    names.collect::<Vec<_>>().join(" ")
}

/// Names in upper case are held, `true` and `false` are not grants.
fn state(atom: &Atom) -> AtomState {
    match atom {
        Atom::Scope(name) if name == "true" => AtomState::True,
        Atom::Scope(name) if name == "false" => AtomState::False,
        Atom::Scope(name) if name.starts_with(char::is_uppercase) => AtomState::Held,
        _ => AtomState::Missing,
    }
}

#[test]
fn smallest_set_has_fewest_missing_atoms() {
    for (requirement, expected) in [
        (scope("a"), Some("a")),
        (scope("A"), Some("A")),
        (scope("true"), Some("")),
        (scope("false"), None),
        (any("a b"), Some("a")),
        (any("a B"), Some("B")),
        (any("a true"), Some("")),
        (any("a false"), Some("a")),
        (all("a false"), None),
        (all("a true"), Some("a")),
        (all("b a"), Some("b a")),
        (
            Requirement::any([all("A B"), all("c D"), scope("e")]),
            Some("e"),
        ),
        (
            Requirement::any([all("a b"), all("c D"), all("e f")]),
            Some("c D"),
        ),
        // The parts share atoms, so that they are met together.
        (Requirement::all([any("a b"), any("c b")]), Some("b")),
        (
            Requirement::all([any("a b"), any("c d"), any("b d")]),
            Some("a d"),
        ),
        (
            Requirement::all([any("a b"), scope("x"), any("b c"), any("y z")]),
            Some("b x y"),
        ),
        (Requirement::always(), Some("")),
        (Requirement::never(), None),
    ] {
        let found = minimal_set(&requirement, &state);
        assert_eq!(
            found.as_deref().map(names).as_deref(),
            expected,
            "{requirement}"
        );
    }
}

#[test]
fn no_minimal_set_contains_another() {
    let requirement = Requirement::any([
        all("a b c"),
        all("b a"),
        all("C d"),
        all("d true C"),
        all("e false"),
        scope("f"),
        all("f a"),
    ]);
    let found = minimal_sets(&requirement, &state);
    let found: Vec<String> = found.iter().map(|set| names(set)).collect();
    assert_eq!(found, ["f", "C d", "a b"]);
    assert!(minimal_sets(&Requirement::never(), &state).is_empty());
    assert_eq!(
        minimal_sets(&Requirement::always(), &state),
        [Vec::<&Atom>::new()]
    );
}

/// More atoms than bits in a word.
#[test]
fn sets_of_many_atoms_are_sets() {
    let names_of = |from: usize, to: usize| {
        let names: Vec<String> = (from..to).map(|number| format!("s{number:03}")).collect();
        names.join(" ")
    };
    let [low, high] = [names_of(0, 100), names_of(100, 230)];
    let requirement = Requirement::any([
        all(&format!("{low} {high}")),
        all(&high),
        all(&low),
        all(&names_of(60, 70)),
    ]);
    let found = minimal_sets(&requirement, &state);
    let found: Vec<String> = found.iter().map(|set| names(set)).collect();
    assert_eq!(found, [names_of(60, 70), high]);
}

/// A list is reduced before it is multiplied: 25 alternatives with 40 each, of 1600 in total.
#[test]
fn products_are_bounded_in_advance() {
    let one_of = |letter: &str, count: usize| {
        let names: Vec<String> = (0..count)
            .map(|number| format!("{letter}{number}"))
            .collect();
        any(&names.join(" "))
    };
    for (count, expected) in [(32, 32 * 32), (40, 25 * 40)] {
        let requirement = Requirement::all([one_of("x", count), one_of("y", count)]);
        let found = minimal_sets(&requirement, &state);
        assert_eq!(found.len(), expected);
        assert!(found.iter().all(|set| set.len() == 2));
    }
    assert_eq!(32 * 32, MAX_ALTERNATIVES);
}

/// Parts without common atoms are not multiplied with each other, so that the bound leaves the others exact.
#[test]
fn independent_parts_do_not_share_bound() {
    let pair = |number: usize| any(&format!("x{number} y{number}"));
    let linked = [any("a b"), any("c d"), any("b d")];
    let parts = (0..300).map(pair).chain(linked.clone());
    let parts = parts.chain((300..600).map(pair));
    let requirement = Requirement::all(parts);
    let set = minimal_set(&requirement, &state).expect("a sufficient set");
    assert_eq!(set.len(), 602);
    // A chain of pairs is one group, which the bound divides.
    let chain = |number: usize| any(&format!("z{number} z{}", number + 1));
    let requirement = Requirement::all((0..60).map(chain));
    let set = minimal_set(&requirement, &state).expect("a sufficient set");
    assert_eq!(set.len(), 30);
}
