//! Three-valued logic, by its truth tables.

use std::cell::Cell;

use auth_runtime_policy::Truth::{self, False, True, Unknown};

#[test]
fn and_is_the_minimum() {
    for (truths, expected) in [
        (vec![], True),
        (vec![False], False),
        (vec![Unknown], Unknown),
        (vec![True], True),
        (vec![True, Unknown], Unknown),
        (vec![Unknown, True], Unknown),
        (vec![Unknown, False], False),
        (vec![False, Unknown], False),
        (vec![True, True], True),
    ] {
        assert_eq!(
            Truth::all(truths.iter().copied()),
            expected,
            "all of {truths:?}"
        );
    }
}

#[test]
fn or_is_the_maximum() {
    for (truths, expected) in [
        (vec![], False),
        (vec![False], False),
        (vec![Unknown], Unknown),
        (vec![True], True),
        (vec![False, Unknown], Unknown),
        (vec![Unknown, False], Unknown),
        (vec![Unknown, True], True),
        (vec![True, Unknown], True),
        (vec![False, False], False),
    ] {
        assert_eq!(
            Truth::any(truths.iter().copied()),
            expected,
            "any of {truths:?}"
        );
    }
}

/// Checks of the service behind the decisive part do not run.
#[test]
fn evaluation_stops_at_the_decisive_value() {
    let seen = Cell::new(0);
    let count = |truth: Truth| {
        seen.set(seen.get() + 1);
        truth
    };
    Truth::all([True, False, True, True].into_iter().map(count));
    assert_eq!(seen.take(), 2);
    Truth::any([False, Unknown, True, False].into_iter().map(count));
    assert_eq!(seen.take(), 3);
}

#[test]
fn booleans_are_known() {
    assert_eq!(Truth::from(true), True);
    assert_eq!(Truth::from(false), False);
}
