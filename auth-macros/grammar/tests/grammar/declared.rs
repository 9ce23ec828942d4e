//! Each name has to be declared, in every place of an attribute and of the modules around it.

use auth_grammar::errors::Errors;
use auth_grammar::vocabulary::LoadedVocabulary;

use crate::loaded;

const DECLARED: &str = r#"
[scopes]
right = "A scope"
[roles]
right = "A role"
[permissions]
right = "A permission"
[settings]
right = "A setting"
[networks]
right = "10.0.0.0/8"
[resources]
Right = "A type"
[actions]
right = "An action"
[policies.right]
requires = 'permission = "right"'
"#;

/// Returns the facts in the messages about a handler in these modules.
fn facts(modules: &[String], own: &str, vocabulary: &LoadedVocabulary) -> Vec<String> {
    let mut errors = Errors::default();
    let lists = modules.iter().map(|list| list.parse().expect("tokens"));
    let own = own.parse().expect("tokens");
    auth_grammar::within(lists.collect(), own, Some(vocabulary), &mut errors);
    let fact = |message: String| message.split('\n').next().unwrap_or_default().to_owned();
    errors.messages().into_iter().map(fact).collect()
}

/// A requirement with a name of that kind, in a list and as the single value of `hide_unless`.
fn written(kind: &str, name: &str) -> (String, String) {
    match kind {
        "action" => (
            format!(r#"can("{name}", on = "Right::{{id}}")"#),
            format!(r#"can("{name}", on = "Right::{{id}}")"#),
        ),
        "resource" => (
            format!(r#"can("right", on = "{name}::{{id}}")"#),
            format!(r#"can("right", on = "{name}::{{id}}")"#),
        ),
        kind => (format!("{kind} = {name:?}"), format!("{kind}({name:?})")),
    }
}

const KINDS: [&str; 8] = [
    "scope",
    "role",
    "permission",
    "setting",
    "network",
    "policy",
    "action",
    "resource",
];

/// Every place of a requirement: the modules, and the attribute of the handler.
fn places(listed: &str, alone: &str) -> Vec<(Vec<String>, String)> {
    let other = r#"acr = "gold""#;
    let hidden = format!("{other}, hide_as = 404, hide_unless");
    let both = format!("{listed}, {other}");
    let of = |modules: &[&str], own: &str| {
        let modules = modules.iter().map(|it| (*it).to_owned());
        (modules.collect::<Vec<_>>(), own.to_owned())
    };
    vec![
        of(&[], listed),
        of(&[], &both),
        of(&[], &format!(r#"any({listed}, {other})"#)),
        of(&[], &format!(r#"any({other}, all({listed}, amr = "otp"))"#)),
        of(&[], &format!("{hidden} = {alone}")),
        of(&[], &format!(r#"{hidden} = any({listed}, amr = "otp")"#)),
        of(&[], &format!(r#"{hidden} = all({listed}, amr = "otp")"#)),
        of(&[listed], other),
        of(&[&format!("{hidden} = {alone}")], ""),
        of(
            &[&format!(r#"any({listed}, {other})"#), r#"amr = "otp""#],
            "",
        ),
        of(&[r#"amr = "otp""#], &both),
        of(&[r#"amr = "otp""#], &format!(r#"{both}, loosen = "why""#)),
    ]
}

#[test]
fn names_are_declared_in_every_place() {
    let loaded = loaded(DECLARED);
    for kind in KINDS {
        // Names differ in case as well.
        let (right, wrong) = match kind {
            "resource" => ("Right", ["Wrong", "right", "RIGHT"]),
            _ => ("right", ["wrong", "Right", "RIGHT"]),
        };
        for name in wrong {
            let (listed, alone) = written(kind, name);
            let expected = format!("the {kind} `{name}` is not declared in auth.toml [AUTH0030]");
            for (modules, own) in places(&listed, &alone) {
                let found = facts(&modules, &own, &loaded);
                assert_eq!(found, [&*expected], "{modules:?}: {own}");
            }
        }
        let (listed, alone) = written(kind, right);
        for (modules, own) in places(&listed, &alone) {
            let found = facts(&modules, &own, &loaded);
            assert_eq!(found, Vec::<String>::new(), "{modules:?}: {own}");
        }
    }
}

/// A kind without a section has no names: its requirements are not left to the token.
#[test]
fn missing_sections_declare_no_names() {
    for kind in KINDS {
        let (listed, _) = written(kind, "Right");
        let without = match kind {
            "action" => loaded("[resources]\nRight = \"A type\"\n"),
            "resource" => loaded("[actions]\nright = \"An action\"\n"),
            _ => loaded("realm = \"example\"\n"),
        };
        let expected = format!("the {kind} `Right` is not declared in auth.toml [AUTH0030]");
        assert_eq!(facts(&[], &listed, &without), [expected], "{listed}");
    }
}

/// A key that belongs to the text of a policy would otherwise be lost beside it.
#[test]
fn tables_of_vocabulary_have_known_keys() {
    for (text, key) in [
        (
            "[scopes]\na = { description = \"x\", implied = [] }\n",
            "implied",
        ),
        (
            "[actions]\na = { description = \"x\", ons = [\"A\"] }\n",
            "ons",
        ),
        (
            "[policies.a]\nrequires = 'authenticated'\nhide_as = 404\n",
            "hide_as",
        ),
        (
            "[policies.a]\nrequires = 'authenticated'\nschemes = \"Bearer\"\n",
            "schemes",
        ),
        ("[cedar]\nschemas = \"a.cedarschema\"\n", "schemas"),
        ("[scope]\na = \"x\"\n", "scope"),
    ] {
        let (_, mistakes) = auth_grammar::vocabulary::read(text);
        let expected = format!("`{key}` is not a ");
        let is_named = mistakes.iter().any(|it| it.message.starts_with(&expected));
        assert!(is_named, "{text}: {mistakes:?}");
    }
    // The text of a policy has the keys of an attribute.
    for (requires, key) in [
        ("scop = \"a\"", "scop"),
        ("authenticated, hide_us = 404", "hide_us"),
        (
            "authenticated, hide_as = 404, hide_unless = rol(\"a\")",
            "rol",
        ),
    ] {
        let text = format!("[policies.a]\nrequires = '{requires}'\n");
        let (_, mistakes) = auth_grammar::vocabulary::read(&text);
        let expected = format!("in the policy `a`: unknown key `{key}`\n");
        let is_named = mistakes.iter().any(|it| it.message.starts_with(&expected));
        assert!(is_named, "{text}: {mistakes:?}");
    }
}
