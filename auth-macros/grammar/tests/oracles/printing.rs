//! A parsed, printed and parsed policy is the same. The parser never panics.

use auth_grammar::args;
use auth_grammar::errors::Errors;
use auth_grammar::requirement::Requires;
use auth_grammar::vocabulary;
use proc_macro2::TokenStream;
use proptest::prelude::*;

use crate::expression::{Expression, expressions};

fn read(arguments: &str) -> (Requires, Vec<String>) {
    let mut errors = Errors::default();
    let tokens = arguments.parse().expect("tokens");
    (args::requires(tokens, &mut errors), errors.messages())
}

/// Disclosure settings, as written.
fn disclosures() -> impl Strategy<Value = String> {
    let hide = prop_oneof![
        Just(String::new()),
        Just(", hide_as = 404".to_owned()),
        lesser().prop_map(|lesser| format!(", hide_as = 404, hide_unless = {lesser}")),
    ];
    let schemes = prop_oneof![
        Just(""),
        Just(", schemes(Basic)"),
        Just(", schemes(Bearer, \"Lab-Auth\")"),
    ];
    let realm = prop_oneof![
        Just(String::new()),
        "[ -~]{1,12}".prop_map(|realm| format!(", realm = {realm:?}")),
    ];
    let loosen = prop_oneof![
        Just(String::new()),
        "\\PC{1,12}[a-z]".prop_map(|reason| format!(", loosen = {reason:?}")),
    ];
    (hide, schemes, realm, loosen)
        .prop_map(|(hide, schemes, realm, loosen)| format!("{hide}{schemes}{realm}{loosen}"))
}

fn lesser() -> impl Strategy<Value = String> {
    expressions().prop_map(|lesser| match &lesser {
        Expression::Atom(_) => match lesser.to_string().split_once(" = ") {
            Some((key, value)) => format!("{key}({value})"),
            None => lesser.to_string(),
        },
        _ => lesser.to_string(),
    })
}

/// Words and punctuation of the grammar in any order, and others.
fn anything() -> impl Strategy<Value = String> {
    let words = proptest::sample::select(
        [
            "authenticated",
            "scope",
            "role",
            "acr",
            "max_age",
            "network",
            "setting",
            "says",
            "check",
            "policy",
            "any",
            "all",
            "hide_as",
            "hide_unless",
            "schemes",
            "realm",
            "loosen",
            "module",
            "reason",
            "=",
            ",",
            "(",
            ")",
            "404",
            "\"x\"",
            "\"15m\"",
            "\"10.0.0.0/8\"",
            "a::b",
            "fn",
            "r#scope",
            "-",
            "'x'",
            "{",
            "}",
            "[",
            "]",
            "b\"x\"",
            "1.5",
            "==",
        ]
        .as_slice(),
    );
    proptest::collection::vec(words, 0..24).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn policies_are_printed_as_written(
        requirements in proptest::collection::vec(expressions(), 1..4),
        disclosure in disclosures(),
    ) {
        let requirements: Vec<_> = requirements.iter().map(ToString::to_string).collect();
        let written = format!("{}{disclosure}", requirements.join(", "));
        let (requires, errors) = read(&written);
        prop_assert_eq!(errors, Vec::<String>::new(), "{}", &written);
        prop_assert_eq!(requires.to_string(), written);
    }

    #[test]
    fn names_survive_being_printed(name in "\\PC*") {
        let written = format!("role = {name:?}");
        prop_assert_eq!(read(&written).0.to_string(), written);
    }

    #[test]
    fn any_attribute_is_read_or_refused(text in anything()) {
        if let Ok(tokens) = text.parse::<TokenStream>() {
            let mut errors = Errors::default();
            let requires = auth_grammar::requires(tokens.clone(), None, &mut errors);
            // The printed form of a valid policy is valid.
            if errors.is_empty() {
                let printed = requires.to_string();
                let mut errors = Errors::default();
                let again = auth_grammar::requires(printed.parse().expect("tokens"), None, &mut errors);
                prop_assert_eq!(errors.messages(), Vec::<String>::new(), "{} from {}", &printed, &text);
                prop_assert_eq!(again.to_string(), printed);
            }
            args::public(tokens, &mut Errors::default());
        }
    }

    #[test]
    fn any_vocabulary_is_read_or_refused(
        lines in proptest::collection::vec(vocabulary_lines(), 0..12),
    ) {
        let text = lines.join("\n");
        let (_, mistakes) = vocabulary::read(&text);
        for mistake in mistakes {
            prop_assert!(text.is_char_boundary(mistake.at), "{}: {:?}", &text, &mistake);
        }
    }
}

fn vocabulary_lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("[scopes]".to_owned()),
        Just("[roles]".to_owned()),
        Just("[networks]".to_owned()),
        Just("[settings]".to_owned()),
        Just("[policies.staff]".to_owned()),
        Just("requires = 'role = \"admin\"'".to_owned()),
        Just("a = { description = \"A\", implies = [\"b\"] }".to_owned()),
        Just("b = { description = \"B\", implies = [\"a\"] }".to_owned()),
        Just("office = [\"10.0.0.0/8\", 5]".to_owned()),
        "\\PC{0,16}",
        ("[a-z]{1,6}", "\\PC{0,12}").prop_map(|(key, value)| format!("{key} = {value:?}")),
    ];
    line
}
