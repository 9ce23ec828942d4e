//! Policies while a setting has a value.

use auth_runtime_policy::{Network, Policy, Requirement};

fn open() -> Requirement {
    Requirement::setting("open")
}

fn scope(name: &'static str) -> Requirement {
    Requirement::scope(name)
}

#[test]
fn the_value_decides_its_parts() {
    let [always, never] = [Requirement::always(), Requirement::never()];
    for (requirement, on, off) in [
        (open(), always.clone(), never.clone()),
        (scope("a"), scope("a"), scope("a")),
        (
            Requirement::setting("other"),
            Requirement::setting("other"),
            Requirement::setting("other"),
        ),
        (
            Requirement::all([open(), scope("a")]),
            scope("a"),
            never.clone(),
        ),
        (
            Requirement::any([scope("a"), open()]),
            always.clone(),
            scope("a"),
        ),
        (
            Requirement::all([open(), scope("a"), scope("b")]),
            Requirement::all([scope("a"), scope("b")]),
            never.clone(),
        ),
        (
            Requirement::any([open(), scope("a"), scope("b")]),
            always.clone(),
            Requirement::any([scope("a"), scope("b")]),
        ),
        (
            Requirement::any([Requirement::all([open(), scope("a")]), scope("b")]),
            Requirement::any([scope("a"), scope("b")]),
            scope("b"),
        ),
        (Requirement::all([open(), open()]), always, never),
    ] {
        assert_eq!(requirement.with_setting("open", true), on, "{requirement}");
        assert_eq!(
            requirement.with_setting("open", false),
            off,
            "{requirement}"
        );
    }
}

#[test]
fn hidden_policies_are_shown_by_setting() {
    let policy = Policy::requires(scope("a")).hide_unless(open());
    assert_eq!(
        policy.with_setting("open", true),
        Policy::requires(scope("a"))
    );
    assert_eq!(
        policy.with_setting("open", false),
        Policy::requires(scope("a")).hide_as_not_found()
    );
    assert_eq!(policy.with_setting("other", true), policy);
    let either = Requirement::any([open(), scope("b")]);
    let policy = Policy::requires(scope("a")).hide_unless(either);
    assert_eq!(
        policy.with_setting("open", false),
        Policy::requires(scope("a")).hide_unless(scope("b"))
    );
    let public = Policy::public("a page");
    assert_eq!(public.with_setting("open", true), public);
}

#[test]
fn each_setting_is_named_once() {
    let other = || Requirement::setting("other");
    let [with, without] = [
        Policy::requires(Requirement::any([open(), other(), open()])),
        Policy::requires(scope("a")),
    ];
    assert_eq!(with.settings(), ["open", "other"]);
    assert!(without.settings().is_empty());
    let lesser = Policy::requires(scope("a")).hide_unless(Requirement::any([other(), scope("b")]));
    assert_eq!(lesser.settings(), ["other"]);
    let both = Policy::requires(open()).hide_unless(Requirement::any([other(), open()]));
    assert_eq!(both.settings(), ["open", "other"]);
    let network = Requirement::network(Network::owned("office", Vec::new()));
    assert!(Policy::requires(network).settings().is_empty());
    assert!(Policy::public("a page").settings().is_empty());
}
