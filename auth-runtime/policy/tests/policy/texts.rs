//! Policies and requirements as they are written in an attribute.

use std::time::Duration;

use auth_runtime_policy::{Atom, Network, Policy, Requirement, ResourcePattern};

#[test]
fn each_atom_has_its_text() {
    let on = ResourcePattern::parse("Repository::{id}").expect("a pattern");
    let seconds = |seconds| Requirement::max_age(Duration::from_secs(seconds));
    let network = Network::owned("office", Vec::new());
    for (requirement, text, call) in [
        (
            Requirement::authenticated(),
            "authenticated",
            "authenticated",
        ),
        (
            Requirement::scope("a\"b"),
            r#"scope = "a\"b""#,
            r#"scope("a\"b")"#,
        ),
        (
            Requirement::role("admin"),
            r#"role = "admin""#,
            r#"role("admin")"#,
        ),
        (
            Requirement::permission("own"),
            r#"permission = "own""#,
            r#"permission("own")"#,
        ),
        (
            Requirement::check("checks::is_open"),
            "check = checks::is_open",
            "check(checks::is_open)",
        ),
        (
            Requirement::can("read"),
            r#"can = "read""#,
            r#"can("read")"#,
        ),
        (
            Requirement::can_on("read", on),
            r#"can("read", on = "Repository::{id}")"#,
            r#"can("read", on = "Repository::{id}")"#,
        ),
        (
            Requirement::can_by("read", "Report", "report"),
            r#"can("read", on = "Report", resource = report)"#,
            r#"can("read", on = "Report", resource = report)"#,
        ),
        (
            Requirement::acr("gold"),
            r#"acr = "gold""#,
            r#"acr("gold")"#,
        ),
        (Requirement::amr("otp"), r#"amr = "otp""#, r#"amr("otp")"#),
        (
            Requirement::sender_constrained(),
            "sender_constrained",
            "sender_constrained",
        ),
        (
            Requirement::network(network),
            r#"network = "office""#,
            r#"network("office")"#,
        ),
        (
            Requirement::setting("open"),
            r#"setting = "open""#,
            r#"setting("open")"#,
        ),
        (seconds(0), r#"max_age = "0s""#, r#"max_age("0s")"#),
        (seconds(1), r#"max_age = "1s""#, r#"max_age("1s")"#),
        (seconds(90), r#"max_age = "90s""#, r#"max_age("90s")"#),
        (seconds(120), r#"max_age = "2m""#, r#"max_age("2m")"#),
        (seconds(3_600), r#"max_age = "1h""#, r#"max_age("1h")"#),
        (seconds(5_400), r#"max_age = "90m""#, r#"max_age("90m")"#),
        (seconds(172_800), r#"max_age = "2d""#, r#"max_age("2d")"#),
    ] {
        assert_eq!(requirement.to_string(), text);
        let Requirement::Atom(atom) = &requirement else {
            panic!("{text} is an atom");
        };
        assert_eq!(Atom::as_call(atom), call);
    }
}

#[test]
fn lists_have_commas() {
    let [a, b, c] = ["a", "b", "c"].map(Requirement::scope);
    let lists = Requirement::any([
        Requirement::all([a.clone(), b.clone()]),
        c.clone(),
        Requirement::always(),
    ]);
    assert_eq!(
        lists.to_string(),
        r#"any(all(scope = "a", scope = "b"), scope = "c", all())"#
    );
    let all = Policy::requires(Requirement::all([a.clone(), b.clone()]));
    assert_eq!(all.to_string(), r#"requires(scope = "a", scope = "b")"#);
    let any = Policy::requires(Requirement::any([a, b]));
    assert_eq!(
        any.to_string(),
        r#"requires(any(scope = "a", scope = "b"))"#
    );
    let always = Policy::requires(Requirement::always());
    assert_eq!(always.to_string(), "requires(all())");
}

#[test]
fn every_key_has_its_text() {
    let admin = || Policy::requires(Requirement::role("admin"));
    let lesser = || Requirement::any([Requirement::scope("a"), Requirement::scope("b")]);
    for (policy, text) in [
        (admin(), r#"requires(role = "admin")"#),
        (
            admin().hide_as_not_found(),
            r#"requires(role = "admin", hide_as = 404)"#,
        ),
        (
            admin().hide_unless(Requirement::scope("a")),
            r#"requires(role = "admin", hide_as = 404, hide_unless = scope("a"))"#,
        ),
        (
            admin().hide_unless(lesser()),
            r#"requires(role = "admin", hide_as = 404, hide_unless = any(scope = "a", scope = "b"))"#,
        ),
        (
            admin().schemes(["Basic", "SCRAM-SHA-256", "Own"]),
            r#"requires(role = "admin", schemes(Basic, "SCRAM-SHA-256", "Own"))"#,
        ),
        (
            admin().realm("an \"own\" realm"),
            r#"requires(role = "admin", realm = "an \"own\" realm")"#,
        ),
        (
            admin().says("Ask an administrator."),
            r#"requires(role = "admin", says = "Ask an administrator.")"#,
        ),
        (
            admin().loosened("for tests"),
            r#"requires(role = "admin", loosen = "for tests")"#,
        ),
        (
            admin()
                .hide_as_not_found()
                .schemes(["Bearer"])
                .realm("a")
                .says("b")
                .loosened("c"),
            r#"requires(role = "admin", hide_as = 404, schemes(Bearer), realm = "a", says = "b", loosen = "c")"#,
        ),
        (Policy::public("a page"), r#"public(reason = "a page")"#),
        (
            Policy::public_with_identity("a page").schemes(["Bearer"]),
            r#"public(reason = "a page", identity = optional, schemes(Bearer))"#,
        ),
    ] {
        assert_eq!(policy.to_string(), text);
        assert_eq!(policy.written(), text);
        assert_eq!(policy.written_text(), None);
        let written = policy.written_as("as it was written");
        assert_eq!(written.to_string(), text);
        assert_eq!(written.written(), "as it was written");
        assert_eq!(written.written_text(), Some("as it was written"));
    }
}
