//! Differences between policies.

use auth_runtime_policy::compare::{Aspect, Change, Comparison, Impact, compare};
use auth_runtime_policy::dnf::MAX_ALTERNATIVES;
use auth_runtime_policy::{Network, Policy, Requirement};

fn scope(name: &'static str) -> Requirement {
    Requirement::scope(name)
}

fn a() -> Policy {
    Policy::requires(scope("a"))
}

fn any_of_two() -> Policy {
    Policy::requires(Requirement::any([scope("a"), scope("b")]))
}

#[test]
fn each_other_aspect_is_named() {
    for (before, after, expected) in [
        (a(), a(), vec![]),
        (a(), a().schemes(["Basic"]), vec![Aspect::Schemes]),
        (
            a().schemes(["Basic", "Bearer"]),
            a().schemes(["Bearer", "Basic"]),
            vec![Aspect::Schemes],
        ),
        (a().schemes(["X-Own"]), a().schemes(["x-own"]), vec![]),
        (
            a().schemes(["X-Own"]),
            a().schemes(["x-other"]),
            vec![Aspect::Schemes],
        ),
        (a(), a().realm("files"), vec![Aspect::Realm]),
        (a(), a().says("No."), vec![Aspect::Text]),
        (
            a().loosened("one"),
            a().loosened("other"),
            vec![Aspect::Reason],
        ),
        (
            Policy::public("one"),
            Policy::public("other"),
            vec![Aspect::Reason],
        ),
        (
            Policy::public("one"),
            Policy::public_with_identity("one"),
            vec![Aspect::Identity],
        ),
        (
            a().realm("files").says("No."),
            a().schemes(["Basic"]).loosened("it is"),
            vec![Aspect::Schemes, Aspect::Realm, Aspect::Text, Aspect::Reason],
        ),
    ] {
        assert_eq!(compare(&before, &after).others, expected);
        assert_eq!(compare(&after, &before).others, expected);
    }
}

#[test]
fn reasons_are_in_words() {
    let others = vec![
        Aspect::Schemes,
        Aspect::Realm,
        Aspect::Text,
        Aspect::Reason,
        Aspect::Identity,
    ];
    let of = |callers, disclosure, others| Comparison {
        callers,
        disclosure,
        others,
    };
    assert!(of(Change::Same, Change::Same, vec![]).reasons().is_empty());
    assert_eq!(
        of(Change::Loosened, Change::Tightened, vec![]).reasons(),
        [
            "more callers are allowed",
            "fewer callers learn that the route exists"
        ]
    );
    assert_eq!(
        of(Change::Tightened, Change::Changed, vec![]).reasons(),
        [
            "fewer callers are allowed",
            "other callers learn that the route exists"
        ]
    );
    assert_eq!(
        of(Change::Changed, Change::Loosened, vec![]).reasons(),
        [
            "other callers are allowed",
            "more callers learn that the route exists"
        ]
    );
    assert_eq!(
        of(Change::Same, Change::Same, others).reasons(),
        [
            "other schemes are offered",
            "the realm differs",
            "the text of denials differs",
            "the reason differs",
            "the optional identity was added or removed"
        ]
    );
}

#[test]
fn gain_does_not_cancel_loss() {
    use Change::{Changed, Loosened, Same, Tightened};
    for (callers, disclosure, expected) in [
        (Same, Same, Same),
        (Same, Loosened, Loosened),
        (Same, Tightened, Tightened),
        (Same, Changed, Changed),
        (Loosened, Loosened, Loosened),
        (Loosened, Tightened, Loosened),
        (Loosened, Changed, Loosened),
        (Tightened, Tightened, Tightened),
        (Tightened, Changed, Changed),
        (Changed, Changed, Changed),
    ] {
        for (callers, disclosure) in [(callers, disclosure), (disclosure, callers)] {
            let of = |others: Vec<Aspect>| Comparison {
                callers,
                disclosure,
                others,
            };
            assert_eq!(of(vec![]).change(), expected, "{callers:?} {disclosure:?}");
            let impact = |same| match expected {
                Same => same,
                Loosened => Some(Impact::Loosened),
                Tightened => Some(Impact::Tightened),
                Changed => Some(Impact::Changed),
            };
            assert_eq!(of(vec![]).impact(), impact(None));
            let realm = of(vec![Aspect::Realm]);
            assert_eq!(realm.impact(), impact(Some(Impact::Restated)));
        }
    }
}

#[test]
fn impact_is_that_of_the_aspects() {
    let found = [
        (a(), any_of_two()),
        (a(), Policy::public("a page")),
        (a(), Policy::requires(scope("b"))),
        (any_of_two(), a()),
        (a(), a().realm("files")),
        (a(), a()),
    ]
    .map(|(before, after)| compare(&before, &after).impact());
    let expected = [
        Some(Impact::Loosened),
        Some(Impact::Loosened),
        Some(Impact::Changed),
        Some(Impact::Tightened),
        Some(Impact::Restated),
        None,
    ];
    assert_eq!(found, expected);
}

#[test]
fn loosened_policies_sort_first() {
    let mut impacts = [
        Impact::Restated,
        Impact::Removed,
        Impact::Tightened,
        Impact::Moved,
        Impact::Changed,
        Impact::Added,
        Impact::Loosened,
    ];
    impacts.sort();
    let expected = [
        Impact::Loosened,
        Impact::Added,
        Impact::Changed,
        Impact::Moved,
        Impact::Tightened,
        Impact::Removed,
        Impact::Restated,
    ];
    assert_eq!(impacts, expected);
}

/// A caller without an accepted scheme is anonymous: only its address and the settings count.
#[test]
fn a_lost_scheme_leaves_the_context() {
    let office = Requirement::network(Network::owned(
        "office",
        vec!["10.0.0.0/8".parse().unwrap()],
    ));
    let open = Requirement::setting("open");
    for context in [office, open] {
        let policy = Policy::requires(context);
        let one = policy.clone().schemes(["Basic"]);
        assert_eq!(compare(&policy, &one).callers, Change::Same);
    }
    let (all, one) = (a(), a().schemes(["Basic"]));
    let two = [["Bearer", "Basic"], ["Basic", "Bearer"]].map(|names| a().schemes(names));
    for (before, after, expected) in [
        (&all, &one, Change::Tightened),
        (&one, &all, Change::Loosened),
        (&one, &two[0], Change::Loosened),
        (&two[1], &one, Change::Tightened),
        (
            &a().schemes(["X-Own"]),
            &a().schemes(["x-own"]),
            Change::Same,
        ),
    ] {
        let found = compare(before, after).callers;
        assert_eq!(found, expected, "{before} {after}");
    }
}

#[test]
fn too_many_alternatives_are_not_compared() {
    let name = |number: usize| scope(format!("s{number}").leak());
    let pair = |first: usize| Requirement::any([name(first), name(first + 1)]);
    let pairs = |from: usize| Requirement::all((0..12).map(|at| pair(from + 2 * at)));
    // At the ends, one name occurs in one pair only.
    const { assert!(1 << 11 > MAX_ALTERNATIVES) };
    let many = || Policy::requires(pairs(0));
    // Each name occurs in another pair, so that all alternatives count.
    let others = Policy::requires(pairs(1));
    assert_eq!(compare(&many(), &others).callers, Change::Changed);
    let fewer = Policy::requires(Requirement::all([pairs(0), pairs(1)]));
    assert_eq!(compare(&many(), &fewer).callers, Change::Changed);
    // Equal requirements need no alternatives.
    let same = compare(&fewer, &fewer.clone().realm("other"));
    assert_eq!(same.callers, Change::Same);
    // One alternative is followed through the other policy, however many that has.
    let one = Policy::requires(Requirement::all((0..24).map(name)));
    assert_eq!(compare(&many(), &one).callers, Change::Tightened);
    assert_eq!(compare(&one, &many()).callers, Change::Loosened);
}
