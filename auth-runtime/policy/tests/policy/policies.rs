//! Policies: their parts, and the properties that the router and the space ask for.

use std::time::Duration;

use auth_runtime_policy::{
    Access, Atom, Disclosure, Group, Network, ObjectSource, Policy, Requirement, ResourcePattern,
};

fn scope() -> Requirement {
    Requirement::scope("a")
}

fn network() -> Requirement {
    Requirement::network(Network::owned("office", Vec::new()))
}

fn can(text: &'static str) -> Requirement {
    let on = ResourcePattern::parse(text).expect("a pattern");
    Requirement::can_on("read", on)
}

#[test]
fn each_part_is_returned() {
    let policy = Policy::requires(scope());
    assert_eq!(policy.access(), &Access::Requires(scope()));
    assert_eq!(policy.requirement(), Some(&scope()));
    assert_eq!(policy.disclosure(), &Disclosure::Shown);
    assert_eq!(policy.shown_to(), None);
    assert_eq!(policy.public_reason(), None);
    assert_eq!(policy.accepted_schemes(), None);
    assert_eq!(policy.own_realm(), None);
    assert_eq!(policy.denial_text(), None);
    assert_eq!(policy.loosened_reason(), None);
    assert!(!policy.is_hidden());
    assert!(!policy.ignores_credentials());
    assert!(!policy.has_optional_identity());

    let policy = policy
        .hide_unless(Requirement::authenticated())
        .schemes(["Basic", "Bearer"])
        .realm("files")
        .says("Ask for it.")
        .loosened("for guests");
    assert_eq!(
        policy.disclosure(),
        &Disclosure::Hidden(Some(Requirement::authenticated()))
    );
    assert_eq!(policy.shown_to(), Some(&Requirement::authenticated()));
    assert_eq!(
        policy.accepted_schemes(),
        Some(&["Basic".into(), "Bearer".into()][..])
    );
    assert_eq!(policy.own_realm(), Some("files"));
    assert_eq!(policy.denial_text(), Some("Ask for it."));
    assert_eq!(policy.loosened_reason(), Some("for guests"));
    assert!(policy.is_hidden());

    let hidden = policy.clone().hide_as_not_found();
    assert_eq!(hidden.disclosure(), &Disclosure::Hidden(None));
    assert!(hidden.is_hidden());
    assert_eq!(hidden.shown_to(), None);
    // The other parts remain.
    assert_eq!(
        hidden.clone().hide_unless(Requirement::authenticated()),
        policy
    );
    let shown = hidden.shown();
    assert_eq!(shown.disclosure(), &Disclosure::Shown);
    assert_eq!(shown.own_realm(), Some("files"));
}

#[test]
fn public_policies_have_a_reason() {
    let public = Policy::public("a page");
    let expected = |optional_identity| Access::Public {
        reason: "a page".into(),
        optional_identity,
    };
    assert_eq!(public.access(), &expected(false));
    assert_eq!(public.public_reason(), Some("a page"));
    assert_eq!(public.requirement(), None);
    assert!(public.ignores_credentials());
    assert!(!public.has_optional_identity());
    let optional = Policy::public_with_identity("a page");
    assert_eq!(optional.access(), &expected(true));
    assert_eq!(optional.public_reason(), Some("a page"));
    assert!(!optional.ignores_credentials());
    assert!(optional.has_optional_identity());
}

#[test]
fn schemes_are_accepted_in_any_case() {
    let all = Policy::requires(scope());
    assert!(all.accepts("Basic") && all.accepts("Own"));
    let some = all.schemes(["Basic", "Own"]);
    assert!(some.accepts("basic") && some.accepts("OWN"));
    assert!(!some.accepts("Bearer"));
}

#[test]
fn hidden_path_hides_its_other_methods() {
    let shown = Policy::requires(scope());
    let hidden = shown.clone().hide_as_not_found();
    assert_eq!(*shown.on_hidden_path(), hidden);
    let disclosed = shown.hide_unless(Requirement::authenticated());
    assert_eq!(*disclosed.on_hidden_path(), disclosed);
    let public = Policy::public("a page");
    assert_eq!(*public.on_hidden_path(), public);
}

#[test]
fn requirements_are_changed_in_both_places() {
    let policy = Policy::requires(Requirement::all([scope(), network()]))
        .hide_unless(scope())
        .schemes(["Basic"])
        .realm("files")
        .says("Ask for it.")
        .loosened("for guests")
        .written_as("as it was written");
    let changed = policy.map(|requirement| {
        requirement.map(&|atom| match atom {
            Atom::Scope(_) => Requirement::role("b"),
            other => Requirement::Atom(other.clone()),
        })
    });
    let role = Requirement::role("b");
    let expected = Policy::from_parts(
        Access::Requires(Requirement::all([role.clone(), network()])),
        Disclosure::Hidden(Some(role)),
        Some(vec!["Basic".into()].into()),
        Some("files".into()),
        Some("Ask for it.".into()),
        Some("for guests".into()),
        Some("as it was written".into()),
    );
    assert_eq!(changed, expected);
    let public = Policy::public("a page");
    assert_eq!(public.map(|_| scope()), public);
}

#[test]
fn objects_are_changed_in_both_places() {
    let policy = Policy::requires(Requirement::all([scope(), can("Order::{id}")]))
        .hide_unless(can("Order::{id}"));
    let changed = policy
        .map_objects(|on| on.map_pattern(|pattern| pattern.rename_parameters(|_| "order".into())));
    let expected = Policy::requires(Requirement::all([scope(), can("Order::{order}")]))
        .hide_unless(can("Order::{order}"));
    assert_eq!(changed, expected);
}

#[test]
fn groups_are_those_of_the_requirement() {
    let age = Requirement::max_age(Duration::from_secs(60));
    let policy = Policy::requires(Requirement::all([scope(), age])).hide_unless(network());
    for (group, expected) in [
        (Group::Identity, true),
        (Group::Freshness, true),
        (Group::Binding, false),
        (Group::Context, false),
    ] {
        assert_eq!(policy.has_group(group), expected, "{group:?}");
        assert!(!Policy::public("a page").has_group(group));
    }
}

#[test]
fn addresses_are_requested_in_both_places() {
    let nested = Requirement::any([scope(), Requirement::all([scope(), network()])]);
    for (policy, expected) in [
        (Policy::requires(scope()), false),
        (Policy::requires(Requirement::setting("open")), false),
        (
            Policy::requires(Requirement::all([scope(), scope()])),
            false,
        ),
        (Policy::requires(network()), true),
        (Policy::requires(nested), true),
        (Policy::requires(scope()).hide_unless(network()), true),
        (Policy::requires(network()).hide_unless(scope()), true),
        (Policy::requires(scope()).hide_unless(scope()), false),
        (Policy::requires(scope()).hide_as_not_found(), false),
        (Policy::public("a page"), false),
    ] {
        assert_eq!(policy.depends_on_network(), expected, "{policy}");
    }
}

#[test]
fn binding_is_demanded_where_necessary() {
    let bound = Requirement::sender_constrained;
    for (policy, expected) in [
        (Policy::requires(bound()), true),
        (Policy::requires(Requirement::all([scope(), bound()])), true),
        (
            Policy::requires(Requirement::any([scope(), bound()])),
            false,
        ),
        (Policy::requires(scope()), false),
        (Policy::requires(Requirement::never()), false),
        (Policy::requires(scope()).hide_unless(bound()), false),
        (Policy::public("a page"), false),
    ] {
        assert_eq!(policy.requires_sender_constraint(), expected, "{policy}");
    }
}

#[test]
fn credentials_are_requested_without_disclosure() {
    let [acr, bound] = [Requirement::acr("gold"), Requirement::sender_constrained()];
    for (policy, expected) in [
        (Policy::requires(scope()), true),
        (Policy::requires(network()), false),
        (Policy::requires(Requirement::setting("open")), false),
        (
            Policy::requires(Requirement::any([network(), scope()])),
            true,
        ),
        (Policy::requires(scope()).hide_as_not_found(), false),
        (Policy::requires(scope()).hide_unless(network()), true),
        (Policy::requires(network()).hide_unless(scope()), false),
        (Policy::requires(acr).hide_as_not_found(), true),
        (Policy::requires(bound.clone()), true),
        (Policy::requires(bound).hide_as_not_found(), false),
        (Policy::public("a page"), false),
        (Policy::public_with_identity("a page"), false),
    ] {
        assert_eq!(policy.may_request_credentials(), expected, "{policy}");
    }
}

#[test]
fn checks_are_in_order_of_attribute() {
    let [one, two] = [Requirement::check("one"), Requirement::check("two")];
    let policy = Policy::requires(Requirement::all([scope(), one.clone()]))
        .hide_unless(Requirement::any([two, one]));
    assert_eq!(policy.checks(), ["one", "two", "one"]);
    assert!(Policy::requires(scope()).checks().is_empty());
}

#[test]
fn objects_are_listed_once() {
    let [order, file] = [can("Order::{id}"), can("File::{id}")];
    let policy = Policy::requires(Requirement::all([scope(), order.clone(), file.clone()]))
        .hide_unless(Requirement::any([order, Requirement::can("list"), file]));
    let found = policy.object_requirements();
    let found = found.iter().map(|object| {
        let Atom::Can { action, on } = object.atom else {
            panic!("{} is about an object", object.atom);
        };
        assert_eq!((action, on), (object.action, object.on));
        (&**action, on.resource_type())
    });
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            ("read", "Order"),
            ("read", "File"),
            ("list", ResourcePattern::SERVICE)
        ]
    );
    assert!(policy.has_object_requirements());
    let lesser = Policy::requires(scope()).hide_unless(Requirement::can("list"));
    assert!(lesser.has_object_requirements());
    assert_eq!(lesser.object_requirements()[0].on, &ObjectSource::Service);
    let none = Policy::requires(scope());
    assert!(!none.has_object_requirements());
    assert!(none.object_requirements().is_empty());
}
