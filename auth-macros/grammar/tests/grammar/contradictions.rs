//! Contradictions between an attribute, the modules around it and the policies that it names.

use auth_grammar::errors::Errors;
use auth_grammar::vocabulary::{self, LoadedVocabulary};

use crate::loaded;

/// Returns the messages about a handler in these modules, without the advice.
fn facts(modules: &[&str], own: &str, vocabulary: Option<&LoadedVocabulary>) -> Vec<String> {
    let mut errors = Errors::default();
    let lists = modules.iter().map(|list| list.parse().expect("tokens"));
    let own = own.parse().expect("tokens");
    auth_grammar::within(lists.collect(), own, vocabulary, &mut errors);
    let fact = |message: String| message.split('\n').next().unwrap_or_default().to_owned();
    errors.messages().into_iter().map(fact).collect()
}

const BOUND: &str = r#"[roles]
admin = "Operates the service"
[policies.bound]
requires = 'sender_constrained'
[policies.passwords]
requires = 'role = "admin", schemes(Digest)'
"#;

/// A password is not bound to a key, wherever the requirement and the schemes are written.
#[test]
fn passwords_contradict_a_bound_key() {
    let loaded = loaded(BOUND);
    let found = |modules: &[&str], own: &str| facts(modules, own, Some(&loaded));
    for schemes in ["Basic", "Digest", "Basic, Digest", "Digest, Basic"] {
        let fact = format!(
            "contradiction between `sender_constrained` and `schemes({schemes})`: a password is \
             not bound to a key [AUTH0026]"
        );
        let setting = format!("schemes({schemes})");
        for (modules, own) in [
            (&[][..], format!("sender_constrained, {setting}")),
            (
                &[],
                format!(r#"role = "admin", sender_constrained, {setting}"#),
            ),
            (&[], format!(r#"policy = "bound", {setting}"#)),
            (&["sender_constrained"], setting.clone()),
            (
                &["sender_constrained", r#"role = "admin""#],
                setting.clone(),
            ),
            (
                &[r#"role = "admin""#, &setting],
                "sender_constrained".to_owned(),
            ),
            (
                &[&format!(r#"role = "admin", {setting}"#)],
                "sender_constrained".to_owned(),
            ),
        ] {
            assert_eq!(found(modules, &own), [&*fact], "{modules:?}: {own}");
        }
    }
    let fact = "contradiction between `sender_constrained` and `schemes(Digest)`: a password is \
                not bound to a key [AUTH0026]";
    assert_eq!(
        found(&[], r#"policy = "bound", policy = "passwords""#),
        [fact]
    );
    assert_eq!(
        found(&["sender_constrained"], r#"policy = "passwords""#),
        [fact]
    );
    for (modules, own) in [
        (&[][..], "sender_constrained, schemes(Basic, DPoP)"),
        (
            &[],
            r#"any(sender_constrained, role = "admin"), schemes(Basic)"#,
        ),
        (&["sender_constrained"], "schemes(Bearer, Basic)"),
        // Neither the attribute of the module nor that of the handler has both.
        (
            &["sender_constrained"],
            r#"role = "admin", schemes(Basic), loosen = "why""#,
        ),
    ] {
        assert_eq!(
            found(modules, own),
            Vec::<String>::new(),
            "{modules:?}: {own}"
        );
    }
}

/// The requirements of all modules around a handler apply to it.
#[test]
fn an_outer_module_is_contradicted() {
    for (outer, own) in [
        (r#"network = "10.0.0.0/8""#, r#"network = "192.0.2.0/24""#),
        (r#"acr = "gold""#, r#"acr = "silver""#),
        (
            r#"any(network = "10.0.0.0/8", acr = "gold"), any(network = "192.0.2.0/24", acr = "silver")"#,
            r#"acr = "bronze""#,
        ),
    ] {
        for modules in [
            &[outer][..],
            &[outer, r#"role = "admin""#],
            &[outer, r#"role = "admin""#, r#"permission = "publish""#],
            &[r#"role = "admin""#, outer, r#"permission = "publish""#],
        ] {
            let found = facts(modules, own, None);
            let [fact] = found.as_slice() else {
                panic!("{modules:?}: {own}: {found:?}");
            };
            assert!(fact.starts_with("contradiction "), "{modules:?}: {fact}");
            assert!(fact.ends_with(" [AUTH0026]"), "{fact}");
        }
        // A policy in place of the modules' does not contradict them.
        let own = format!(r#"{own}, loosen = "why""#);
        let found = facts(&[outer, r#"role = "admin""#], &own, None);
        assert_eq!(found, Vec::<String>::new(), "{own}");
    }
}

#[test]
fn policies_of_vocabulary_contradict_each_other() {
    let loaded = loaded(
        r#"[policies.here]
requires = 'network = "10.0.0.0/8"'
[policies.there]
requires = 'network = "192.0.2.0/24"'
[policies.either]
requires = 'any(network = "192.0.2.0/24", network = "198.51.100.0/24")'
"#,
    );
    let why = "no address is in both networks [AUTH0026]";
    for (modules, own, expected) in [
        (
            &[][..],
            r#"policy = "here", policy = "there""#,
            format!("contradiction between `policy = \"here\"` and `policy = \"there\"`: {why}"),
        ),
        (
            &[],
            r#"policy = "either", policy = "here""#,
            format!("contradiction between `policy = \"either\"` and `policy = \"here\"`: {why}"),
        ),
        (
            &[r#"policy = "here""#],
            r#"policy = "either""#,
            format!(
                "contradiction between `policy = \"either\"` and `policy = \"here\"` of the \
                 enclosing module: {why}"
            ),
        ),
    ] {
        assert_eq!(facts(modules, own, Some(&loaded)), [expected], "{own}");
    }
    let within = r#"policy = "either", policy = "there""#;
    let found = facts(&[], within, Some(&loaded));
    assert!(
        found.len() == 1 && !found[0].contains("contradiction"),
        "{found:?}"
    );
}

#[test]
fn policy_of_vocabulary_contradicts_itself() {
    for (requires, expected) in [
        (
            r#"acr = "gold", acr = "silver""#,
            "contradiction between `acr = \"gold\"` and `acr = \"silver\"`: a login has one acr",
        ),
        (
            "sender_constrained, schemes(Basic)",
            "contradiction between `sender_constrained` and `schemes(Basic)`: a password is not \
             bound to a key",
        ),
        (
            r#"authenticated, amr = "otp""#,
            "redundant requirement: `amr = \"otp\"` implies `authenticated`",
        ),
        (
            "authenticated, hide_unless = authenticated",
            "`hide_unless` has no effect without `hide_as`",
        ),
    ] {
        let (_, mistakes) = vocabulary::read(&format!("[policies.p]\nrequires = '{requires}'\n"));
        let found = mistakes
            .first()
            .map(|it| it.message.as_str())
            .unwrap_or_default();
        let expected = format!("in the policy `p`: {expected}");
        assert!(found.starts_with(&expected), "{requires}: {found}");
    }
}

/// Of two policies with different settings, the first does not decide silently.
#[test]
fn policies_with_different_settings_are_contradictory() {
    const DISTINCT: [(&str, [&str; 2]); 5] = [
        (
            "hide_as",
            [
                "hide_as = 404",
                r#"hide_as = 404, hide_unless = amr("otp")"#,
            ],
        ),
        ("schemes", ["schemes(Basic)", "schemes(Bearer)"]),
        ("schemes", ["schemes(Basic)", "schemes(Basic, Bearer)"]),
        ("realm", [r#"realm = "a""#, r#"realm = "b""#]),
        ("says", [r#"says = "No.""#, r#"says = "Never.""#]),
    ];
    for (key, [one, other]) in DISTINCT {
        let loaded = loaded(&format!(
            "[policies.a]\nrequires = 'acr = \"gold\", {one}'\n\
             [policies.b]\nrequires = 'amr = \"otp\", network = \"10.0.0.0/8\", {other}'\n"
        ));
        let expected = format!(
            "the policies `a` and `b` have different disclosure settings: `{one}` and `{other}` \
             [AUTH0061]"
        );
        let both = r#"policy = "a", policy = "b""#;
        assert_eq!(facts(&[], both, Some(&loaded)), [expected], "{key}");
        let decided = format!("{both}, {one}");
        let found = facts(&[], &decided, Some(&loaded));
        assert_eq!(found, Vec::<String>::new(), "{decided}");
    }
}

/// The callers of `hide_unless` exist as well.
#[test]
fn no_caller_meets_a_contradictory_exception() {
    for exception in [
        r#"all(acr = "gold", acr = "silver")"#,
        r#"all(any(acr = "gold", acr = "silver"), acr = "bronze")"#,
        r#"all(any(network = "10.0.0.0/8", acr = "gold"), network = "192.0.2.0/24", acr = "silver")"#,
    ] {
        let own = format!(r#"role = "admin", hide_as = 404, hide_unless = {exception}"#);
        let found = facts(&[], &own, None);
        let [fact] = found.as_slice() else {
            panic!("{own}: {found:?}");
        };
        assert!(fact.starts_with("contradiction "), "{own}: {fact}");
    }
}

/// An alternative that no caller meets is reported as a contradiction, beside its redundancy.
#[test]
fn an_alternative_contradicts_itself() {
    let clash = r#"all(acr = "gold", acr = "silver")"#;
    for own in [
        format!(r#"any({clash}, role = "admin")"#),
        format!(r#"any(role = "admin", {clash})"#),
        format!(r#"permission = "publish", any(role = "admin", {clash})"#),
        format!(r#"any(role = "a", all(role = "b", any(role = "c", {clash})))"#),
    ] {
        let found = facts(&[], &own, None);
        let expected = "contradiction between `acr = \"gold\"` and `acr = \"silver\"`: a login has \
                        one acr [AUTH0026]";
        assert!(
            found.iter().any(|fact| fact == expected),
            "{own}: {found:?}"
        );
    }
}

/// A policy in place of the module's can contradict itself.
#[test]
fn a_loosened_policy_contradicts_itself() {
    for (one, other) in [
        (r#"acr = "gold""#, r#"acr = "silver""#),
        (r#"network = "10.0.0.0/8""#, r#"network = "192.0.2.0/24""#),
    ] {
        let own = format!(r#"{one}, {other}, loosen = "why""#);
        let found = facts(&[r#"role = "admin""#], &own, None);
        let expected = format!("contradiction between `{one}` and `{other}`: ");
        let is_found = found.iter().any(|fact| fact.starts_with(&expected));
        assert!(is_found, "{own}: {found:?}");
    }
}

/// Two names of networks contradict each other only if none of their blocks have an address in common.
#[test]
fn networks_without_common_blocks_are_contradictory() {
    let loaded = loaded(
        "[networks]\n\
         one = [\"10.0.0.0/8\", \"2001:db8::/32\"]\n\
         other = [\"192.0.2.0/24\", \"2001:db8:1::/48\"]\n\
         third = [\"198.51.100.0/24\", \"203.0.113.0/24\"]\n",
    );
    for (modules, own, is_impossible) in [
        (&[][..], r#"network = "one", network = "other""#, false),
        (&[r#"network = "one""#], r#"network = "other""#, false),
        (&[], r#"network = "one", network = "third""#, true),
        (&[], r#"network = "third", network = "one""#, true),
        (&[r#"network = "other""#], r#"network = "third""#, true),
    ] {
        let found = facts(modules, own, Some(&loaded));
        let is_found = found
            .iter()
            .any(|fact| fact.ends_with("in both networks [AUTH0026]"));
        assert_eq!(
            (is_found, found.len()),
            (is_impossible, usize::from(is_impossible)),
            "{own}: {found:?}"
        );
    }
}
