//! Attributes as the policies that the runtime evaluates.

use auth_grammar::errors::Errors;
use auth_grammar::requirement::ParsedPolicy;
use auth_grammar::vocabulary::LoadedVocabulary;
use auth_grammar::{args, lower};
use auth_runtime_policy::Atom;

use crate::loaded;

const VOCABULARY: &str = r#"
[scopes]
"repo:read" = "Read repositories"
"repo:write" = { description = "Change repositories", implies = ["repo:read"] }
"repo:admin" = { description = "Delete repositories", implies = ["repo:write"] }
[roles]
staff = "Staff"
admin = { description = "Administrators", implies = ["staff"] }
[networks]
office = ["10.0.0.0/8", "2001:db8::/32"]
[settings]
open = "Open to all"
[policies.team]
requires = 'any(role = "staff", network = "office"), hide_as = 404'
"#;

#[track_caller]
fn assert_lowered(arguments: &str, vocabulary: Option<&LoadedVocabulary>, expected: &str) {
    let mut errors = Errors::default();
    let requires =
        auth_grammar::requires(arguments.parse().expect("tokens"), vocabulary, &mut errors);
    assert_eq!(errors.messages(), Vec::<String>::new(), "{arguments}");
    assert_eq!(
        lower::requires(&requires).to_string(),
        expected,
        "{arguments}"
    );
    // What is printed is what was written, up to white space.
    assert_eq!(requires.to_string(), arguments);
    let policy = ParsedPolicy::Requires(Box::new(requires));
    assert_eq!(policy.to_string(), format!("requires({arguments})"));
}

#[test]
fn each_key_has_its_meaning() {
    for arguments in [
        "authenticated",
        r#"scope = "a", role = "b""#,
        r#"permission = "a""#,
        "check = checks::is_owner",
        r#"can = "read""#,
        r#"can("read", on = "Order::{id}")"#,
        r#"can("read", on = "Order::{id}"), can("update", on = "Item::{item}")"#,
        r#"acr = "gold", amr = "otp", max_age = "15m""#,
        "sender_constrained, scope = \"a\"",
        r#"network = "10.0.0.0/8""#,
        r#"any(role = "a", all(scope = "b", scope = "c"))"#,
        r#"authenticated, hide_as = 404"#,
        r#"role = "a", hide_as = 404, hide_unless = authenticated"#,
        r#"role = "a", hide_as = 404, hide_unless = scope("b")"#,
        r#"role = "a", hide_as = 404, hide_unless = any(scope = "b", scope = "c")"#,
        r#"authenticated, schemes(Basic, "Lab-Auth")"#,
        r#"authenticated, realm = "a realm""#,
        r#"authenticated, says = "Only members.""#,
    ] {
        assert_lowered(arguments, None, &format!("requires({arguments})"));
    }
}

/// The object of an attribute is that of each `can` without one.
#[test]
fn objects_are_those_nearest() {
    for (arguments, expected) in [
        (
            r#"can = "read", can("update", on = "B::{b}"), on = "A::{a}""#,
            r#"requires(can("read", on = "A::{a}"), can("update", on = "B::{b}"))"#,
        ),
        (
            r#"can = "read", can("update", on = "B", resource = crate::b), on = "A::{a}""#,
            r#"requires(can("read", on = "A::{a}"), can("update", on = "B", resource = crate::b))"#,
        ),
        (
            r#"any(can = "read", can = "update", all(can = "list", role = "r")), on = "A::{a}""#,
            r#"requires(any(can("read", on = "A::{a}"), can("update", on = "A::{a}"), all(can("list", on = "A::{a}"), role = "r")))"#,
        ),
        (
            r#"can = "update", on = "A::{a}", hide_as = 404, hide_unless = any(can = "read", can = "list")"#,
            r#"requires(can("update", on = "A::{a}"), hide_as = 404, hide_unless = any(can("read", on = "A::{a}"), can("list", on = "A::{a}")))"#,
        ),
        (
            r#"can("read", on = "A::{a}",)"#,
            r#"requires(can("read", on = "A::{a}"))"#,
        ),
    ] {
        let mut errors = Errors::default();
        let requires =
            auth_grammar::requires(arguments.parse().expect("tokens"), None, &mut errors);
        assert_eq!(errors.messages(), Vec::<String>::new(), "{arguments}");
        assert_eq!(lower::requires(&requires).to_string(), expected);
    }
}

#[test]
fn names_of_the_vocabulary_are_expanded() {
    let loaded = loaded(VOCABULARY);
    for (arguments, expected) in [
        (
            r#"scope = "repo:admin""#,
            r#"requires(scope = "repo:admin")"#,
        ),
        (
            r#"scope = "repo:read""#,
            r#"requires(any(scope = "repo:read", scope = "repo:write", scope = "repo:admin"))"#,
        ),
        (
            r#"role = "staff", scope = "repo:write""#,
            r#"requires(any(role = "staff", role = "admin"), any(scope = "repo:write", scope = "repo:admin"))"#,
        ),
        // The path is disclosed to a caller with a broader name as well.
        (
            r#"role = "admin", hide_as = 404, hide_unless = scope("repo:read")"#,
            r#"requires(role = "admin", hide_as = 404, hide_unless = any(scope = "repo:read", scope = "repo:write", scope = "repo:admin"))"#,
        ),
        (
            r#"any(network = "office", setting = "open")"#,
            r#"requires(any(network = "office", setting = "open"))"#,
        ),
    ] {
        assert_lowered(arguments, Some(&loaded), expected);
    }
    // A policy of the vocabulary brings its settings.
    let mut errors = Errors::default();
    let team = r#"policy = "team""#.parse().expect("tokens");
    let team = auth_grammar::requires(team, Some(&loaded), &mut errors);
    assert_eq!(errors.messages(), Vec::<String>::new());
    assert_eq!(team.to_string(), r#"policy = "team", hide_as = 404"#);
    assert_eq!(
        lower::requires(&team).to_string(),
        r#"requires(any(any(role = "staff", role = "admin"), network = "office"), hide_as = 404)"#
    );
}

/// Names in each section, `read` with two names that imply it.
#[test]
fn every_implying_name_is_expanded() {
    for kind in ["scope", "role", "permission"] {
        let loaded = loaded(&format!(
            "[{kind}s]\n\
             read = \"Read it\"\n\
             write = {{ description = \"Change it\", implies = [\"read\"] }}\n\
             audit = {{ description = \"Audit it\", implies = [\"read\", \"log\"] }}\n\
             log = \"Read the log\"\n\
             root = {{ description = \"All of it\", implies = [\"audit\", \"write\"] }}\n"
        ));
        for (name, met_by) in [
            ("read", &["read", "audit", "write", "root"][..]),
            ("log", &["log", "audit", "root"]),
            ("write", &["write", "root"]),
        ] {
            let met_by: Vec<_> = met_by
                .iter()
                .map(|name| format!("{kind} = {name:?}"))
                .collect();
            assert_lowered(
                &format!("{kind} = {name:?}"),
                Some(&loaded),
                &format!("requires(any({}))", met_by.join(", ")),
            );
        }
    }
}

/// A name stands for all of its blocks, wherever it is required.
#[test]
fn networks_have_all_their_blocks() {
    let loaded = loaded(VOCABULARY);
    for arguments in [
        r#"network = "office""#,
        r#"role = "admin", any(network = "office", setting = "open")"#,
        r#"policy = "team""#,
        r#"role = "admin", hide_as = 404, hide_unless = network("office")"#,
        r#"role = "admin", hide_as = 404, hide_unless = any(role = "staff", network = "office")"#,
    ] {
        let mut errors = Errors::default();
        let parsed = arguments.parse().expect("tokens");
        let requires = auth_grammar::requires(parsed, Some(&loaded), &mut errors);
        assert_eq!(errors.messages(), Vec::<String>::new(), "{arguments}");
        let policy = lower::requires(&requires);
        let required = policy.requirement().into_iter().chain(policy.shown_to());
        let networks = required
            .flat_map(|it| it.atoms())
            .filter_map(|atom| match atom {
                Atom::Network(network) => Some(network),
                _ => None,
            });
        let networks: Vec<_> = networks.collect();
        let [network] = networks.as_slice() else {
            panic!("{arguments}: {networks:?}");
        };
        let blocks: Vec<_> = network.blocks().iter().map(ToString::to_string).collect();
        assert_eq!(blocks, ["10.0.0.0/8", "2001:db8::/32"], "{arguments}");
    }
}

#[test]
fn public_handlers_have_their_reason() {
    for (arguments, expected) in [
        (r#"reason = "a page""#, r#"public(reason = "a page")"#),
        (
            r#"reason = "a page", identity = optional, schemes(Bearer)"#,
            r#"public(reason = "a page", identity = optional, schemes(Bearer))"#,
        ),
    ] {
        let mut errors = Errors::default();
        let public = args::public(arguments.parse().expect("tokens"), &mut errors);
        assert_eq!(errors.messages(), Vec::<String>::new());
        let policy = ParsedPolicy::Public(public);
        assert_eq!(lower::policy(&policy).to_string(), expected);
        assert_eq!(policy.to_string(), expected);
    }
}
