//! Advice that depends on the written word, on the declared names or on the text of a vocabulary.

use auth_grammar::args;
use auth_grammar::errors::Errors;
use auth_grammar::vocabulary;

use crate::loaded;
use crate::mistakes::messages;

#[test]
fn an_optional_identity_is_one_word() {
    for (value, advice) in [
        ("\"optional\"", "remove the quotes: `identity = optional`"),
        (
            "required",
            "write `#[requires(authenticated)]` to require an identity",
        ),
        (
            "true",
            "write `#[requires(authenticated)]` to require an identity",
        ),
        (
            "none",
            "remove `identity`: a public handler ignores credentials without it",
        ),
        (
            "false",
            "remove `identity`: a public handler ignores credentials without it",
        ),
        (
            "maybe",
            "write `identity = optional` to identify callers that send valid credentials",
        ),
    ] {
        let mut errors = Errors::default();
        let arguments = format!("reason = \"a page\", identity = {value}");
        args::public(arguments.parse().expect("tokens"), &mut errors);
        let expected = format!("`identity` takes only `optional` [AUTH0003]\nhelp: {advice}");
        assert_eq!(errors.messages(), [expected], "{value}");
    }
}

#[test]
fn values_keep_their_text() {
    for (arguments, message) in [
        (
            "role = Admin",
            "`role` takes a string literal, since it is checked at compile time [AUTH0003]\n\
             help: write the text itself: `role = \"Admin\"`",
        ),
        (
            "role = ADMIN_2",
            "`role` takes a string literal, not a constant [AUTH0003]\n\
             help: write the text of `ADMIN_2`: `role = \"...\"`",
        ),
        (
            "can(crate::READ, on = \"A::{a}\")",
            "`can` takes a string literal, not a constant [AUTH0003]\n\
             help: write the text of `crate::READ`: `can(\"...\")`",
        ),
        (
            "role = c\"admin\"",
            "`role` takes a string, not a C string [AUTH0003]\n\
             help: remove the `c`: `role = \"admin\"`",
        ),
        (
            "role = \"a\", says = Only for the TEAM",
            "the text has no quotes [AUTH0003]\nhelp: write `says = \"Only for the TEAM\"`",
        ),
        (
            "role = \"a\", says = concat!(\"a\", \"b\")",
            "`says` takes a string literal [AUTH0003]\n\
             help: write the text itself: `says = \"ab\"`",
        ),
        (
            "role = \"a\", hide_as = 4041",
            "`hide_as` takes only 404 [AUTH0027]\nhelp: write `hide_as = 404`",
        ),
        (
            "role = \"a\", hide_as = \"404 Not Found\"",
            "a text search misses this spelling of `hide_as` [AUTH0027]\n\
             help: write `hide_as = 404`",
        ),
        (
            "can(on = \"A::{a}\", \"read\")",
            "the action of `can` comes first [AUTH0002]\n\
             help: write `can(\"...\", on = \"A::{a}\")`",
        ),
        (
            "can(resource = a::b, \"read\")",
            "the action of `can` comes first [AUTH0002]\n\
             help: write `can(\"...\", resource = a::b)`",
        ),
    ] {
        assert_eq!(messages(arguments, None), [message], "{arguments}");
    }
}

/// The argument behind a doc comment is read as well.
#[test]
fn doc_comments_are_no_arguments() {
    let comment = "a doc comment is not an argument [AUTH0004]\nhelp: write `//` in place of `///`";
    let key = "unknown key `scop` [AUTH0001]\nhelp: did you mean `scope`?";
    for (arguments, expected) in [
        ("/// why\nrole = \"a\"", &[comment][..]),
        (
            "role = \"a\",\n/// why\n/// again\nscop = \"b\"",
            &[comment, key],
        ),
        (
            "any(\n/// why\nscop = \"b\",\n/// end\n)",
            &[comment, key, comment],
        ),
    ] {
        assert_eq!(messages(arguments, None), expected, "{arguments}");
    }
}

#[test]
fn macros_of_vocabulary_take_path() {
    for (arguments, path, mistake) in [
        ("", None, None),
        ("crate = a::b", Some("a :: b"), None),
        (
            "path = \"auth.toml\"",
            None,
            Some("`actions!()` takes no argument besides `crate`"),
        ),
        (
            "crate = a, crate = b",
            Some("b"),
            Some("duplicate key `crate`"),
        ),
    ] {
        let mut errors = Errors::default();
        let found = args::macro_call("actions", arguments.parse().expect("tokens"), &mut errors);
        let found = found.map(|path| quote::quote!(#path).to_string());
        assert_eq!(found.as_deref(), path, "{arguments}");
        let messages = errors.messages();
        assert_eq!(
            messages.len(),
            usize::from(mistake.is_some()),
            "{messages:?}"
        );
        assert!(
            messages
                .iter()
                .all(|it| it.starts_with(mistake.unwrap_or_default())),
            "{messages:?}"
        );
    }
}

/// An editor completes the word.
#[test]
fn unknown_keys_stay_beside_known_ones() {
    let mut errors = Errors::default();
    args::requires("scop".parse().expect("tokens"), &mut errors);
    let [unknown] = errors.unknown_keys() else {
        panic!("{:?}", errors.messages());
    };
    assert_eq!(unknown.key, "scop");
    assert!(unknown.known.contains(&"scope") && unknown.known.contains(&"hide_as"));
}

#[test]
fn few_declared_names_are_listed() {
    for (count, advice) in [
        (0, "add `x = \"...\"` with a description below `[scopes]`"),
        (1, "use `s0`, or add `x"),
        (
            8,
            "use `s0`, `s1`, `s2`, `s3`, `s4`, `s5`, `s6`, `s7`, or add `x",
        ),
        (9, "use a declared scope, or add `x"),
    ] {
        let names = (0..count).map(|index| format!("s{index} = \"x\"\n"));
        let vocabulary = format!("[scopes]\n{}", names.collect::<String>());
        let found = messages("scope = \"x\"", Some(&loaded(&vocabulary)));
        assert!(found[0].contains(advice), "{count}: {found:?}");
    }
    let found = messages("policy = \"team\"", Some(&loaded("[scopes]\n")));
    assert!(
        found[0].contains("help: add `[policies.team]`"),
        "{found:?}"
    );
}

/// A policy of the vocabulary is a text, so its parentheses and quotes may not match, and it may name others.
#[test]
fn texts_of_policies_are_refused() {
    for (text, expected) in [
        (r#"any(role = "a""#, "`any(` is not closed"),
        (r#"any(a_b(role = "a")"#, "`any(` is not closed"),
        (r#"a_b(role = "a""#, "`a_b(` is not closed"),
        (r#"role = "a\"b", any(role = "c\\""#, "`any(` is not closed"),
        (r#"role = "a"#, "the quote before `a` is not closed"),
        (r#"role = "a")"#, "unmatched `)`\nhelp: remove it"),
        (
            r#"any(role = "a", all(policy = "q", role = "b"))"#,
            "a policy cannot contain another\nhelp: write out the requirements of `q`",
        ),
    ] {
        let roles = "[roles]\na = \"x\"\nb = \"x\"\n";
        let vocabulary =
            format!("{roles}[policies.p]\ndescription = \"x\"\nrequires = '''{text}'''\n");
        let (_, mistakes) = vocabulary::read(&vocabulary);
        let messages: Vec<_> = mistakes
            .into_iter()
            .map(|mistake| mistake.message)
            .collect();
        assert_eq!(
            messages,
            [format!("in the policy `p`: {expected}")],
            "{text}"
        );
    }
}
