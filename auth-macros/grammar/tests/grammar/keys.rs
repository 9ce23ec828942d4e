//! The keys of attributes: each has one spelling, and occurs once.

use auth_grammar::args;
use auth_grammar::errors::Errors;

use crate::mistakes::messages;

fn messages_of_public(arguments: &str) -> Vec<String> {
    let mut errors = Errors::default();
    args::public(arguments.parse().expect("tokens"), &mut errors);
    errors.messages()
}

/// A text search for a key is case-sensitive, and finds no raw identifier.
#[test]
fn other_spellings_of_keys_are_unknown() {
    for (key, value) in [
        ("Scope", " = \"a\""),
        ("SCOPE", " = \"a\""),
        ("r#scope", " = \"a\""),
        ("Authenticated", ""),
        ("ANY", "(scope = \"a\", role = \"b\")"),
        ("Hide_As", " = 404"),
        ("r#hide_as", " = 404"),
        ("Schemes", "(Bearer)"),
    ] {
        for arguments in [
            format!("{key}{value}"),
            format!("authenticated, {key}{value}"),
            format!("any(role = \"r\", {key}{value})"),
            format!("role = \"r\", hide_as = 404, hide_unless = {key}{value}"),
        ] {
            let found = messages(&arguments, None);
            let [message] = found.as_slice() else {
                panic!("{arguments}: {found:?}");
            };
            let expected = format!("unknown key `{key}` [AUTH0001]\n");
            assert!(message.starts_with(&expected), "{arguments}: {message}");
        }
    }
    for key in ["Reason", "r#reason", "IDENTITY", "Schemes"] {
        let found = messages_of_public(&format!("{key} = \"a page\""));
        let expected = format!("unknown key `{key}` [AUTH0010]\n");
        assert!(
            found.iter().any(|it| it.starts_with(&expected)),
            "{found:?}"
        );
    }
}

/// A second value would replace the first, or be lost.
#[test]
fn keys_of_whole_attribute_occur_once() {
    for (key, values) in [
        ("on", [" = \"A::{a}\"", " = \"B::{b}\""]),
        ("resource", [" = crate::a", " = crate::b"]),
        ("hide_as", [" = 404", " = 404"]),
        ("hide_unless", [" = role(\"a\")", " = role(\"b\")"]),
        ("schemes", ["(Bearer)", "(Basic)"]),
        ("realm", [" = \"a\"", " = \"b\""]),
        ("says", [" = \"a\"", " = \"b\""]),
        ("loosen", [" = \"a\"", " = \"b\""]),
        ("crate", [" = a", " = b"]),
    ] {
        let [one, other] = values;
        let found = messages(&format!("role = \"r\", {key}{one}, {key}{other}"), None);
        let expected = format!("duplicate key `{key}` [AUTH0006]\nhelp: remove one of them");
        assert_eq!(
            found.iter().filter(|it| **it == expected).count(),
            1,
            "{found:?}"
        );
    }
    for (key, values) in [
        ("reason", [" = \"a\"", " = \"b\""]),
        ("identity", [" = optional", " = optional"]),
        ("schemes", ["(Bearer)", "(Basic)"]),
        ("crate", [" = a", " = b"]),
    ] {
        let [one, other] = values;
        let arguments = format!("reason = \"r\", identity = optional, {key}{one}, {key}{other}");
        let found = messages_of_public(&arguments);
        let expected = format!("duplicate key `{key}` [AUTH0006]\nhelp: remove one of them");
        let count = match key {
            "reason" | "identity" => 2,
            _ => 1,
        };
        assert_eq!(found, vec![expected; count], "{arguments}");
    }
}

/// A key of the whole attribute is not suggested where only requirements are valid.
#[test]
fn attribute_keys_are_suggested_there_only() {
    let unknown = "unknown key `reelm` [AUTH0001]\nhelp: ";
    let found = messages("role = \"r\", reelm = \"x\"", None);
    assert_eq!(found, [format!("{unknown}did you mean `realm`?")]);
    for arguments in [
        "any(role = \"r\", reelm = \"x\")",
        "role = \"r\", hide_as = 404, hide_unless = reelm(\"x\")",
        "role = \"r\", hide_as = 404, hide_unless = any(role(\"s\"), reelm(\"x\"))",
    ] {
        let found = messages(arguments, None);
        let [message] = found.as_slice() else {
            panic!("{arguments}: {found:?}");
        };
        let listed = message.strip_prefix(unknown).expect(message);
        assert!(
            listed.starts_with("the requirements are `authenticated`, "),
            "{message}"
        );
        assert!(listed.ends_with("`any`, `all`"), "{message}");
    }
}

/// Some words of everyday speech are similar to a key of another meaning: `and` to `any`, `or` to `on`.
#[test]
fn everyday_words_suggest_their_meaning() {
    for (word, meant) in [
        ("and", "all"),
        ("all_of", "all"),
        ("or", "any"),
        ("any_of", "any"),
        ("either", "any"),
    ] {
        let list = format!("{word}(scope = \"a\", role = \"b\")");
        let expected = format!("unknown key `{word}` [AUTH0001]\nhelp: write `{meant}(...)`");
        for arguments in [
            list.clone(),
            format!("any(role = \"r\", {list})"),
            format!("role = \"r\", hide_as = 404, hide_unless = {list}"),
        ] {
            assert_eq!(
                messages(&arguments, None),
                [expected.as_str()],
                "{arguments}"
            );
        }
    }
}

/// The suggested key is written as it is valid in its place.
#[test]
fn everyday_words_suggest_whole_requirements() {
    for (arguments, word, written) in [
        ("admin", "admin", r#"role = "admin""#),
        ("admin = true", "admin", r#"role = "admin""#),
        (r#"any(role = "r", admin)"#, "admin", r#"role = "admin""#),
        (
            r#"role = "r", hide_as = 404, hide_unless = admin"#,
            "admin",
            r#"role("admin")"#,
        ),
        (r#"group = "staff""#, "group", r#"role = "staff""#),
        ("mfa", "mfa", r#"acr = "...""#),
        ("dpop = true", "dpop", "sender_constrained"),
        ("age", "age", r#"max_age = "15m""#),
        (r#"age = "5m""#, "age", r#"max_age = "5m""#),
        (
            r#"ip = "192.0.2.0/24""#,
            "ip",
            r#"network = "192.0.2.0/24""#,
        ),
        ("predicate = f", "predicate", "check = path::to::function"),
        (
            r#"can = "read", object = "A::{a}""#,
            "object",
            r#"on = "A::{a}""#,
        ),
        (r#"role = "r", status = 404"#, "status", "hide_as = 404"),
        (r#"role = "r", text = "a""#, "text", r#"says = "a""#),
    ] {
        let expected = format!("unknown key `{word}` [AUTH0001]\nhelp: write `{written}`");
        assert_eq!(messages(arguments, None), [expected], "{arguments}");
    }
}

/// A text search finds a name by its text. A text for people may have escapes.
#[test]
fn values_of_keys_have_one_spelling() {
    for (key, value, letter) in [
        ("scope", "read", 'r'),
        ("role", "admin", 'a'),
        ("permission", "publish", 'p'),
        ("acr", "gold", 'g'),
        ("amr", "otp", 'o'),
        ("max_age", "15m", '1'),
        ("network", "10.0.0.0/8", '1'),
        ("setting", "open", 'o'),
        ("can", "read", 'r'),
        ("policy", "staff", 's'),
        ("on", "A::{a}", 'A'),
        ("realm", "api", 'a'),
    ] {
        let rest = &value[1..];
        let code = u32::from(letter);
        for literal in [
            format!("r\"{value}\""),
            format!("r#\"{value}\"#"),
            format!("\"\\x{code:x}{rest}\""),
            format!("\"\\u{{{code:x}}}{rest}\""),
            format!("\"\\\n {value}\""),
        ] {
            let mut all = vec![format!("role = \"r\", {key} = {literal}")];
            if !matches!(key, "on" | "realm") {
                all.push(format!("any(role = \"r\", {key} = {literal})"));
                all.push(format!(
                    "role = \"r\", hide_as = 404, hide_unless = {key}({literal})"
                ));
            }
            if key == "on" {
                all.push(format!("can(\"read\", on = {literal})"));
            }
            for arguments in all {
                let found = messages(&arguments, None);
                let expected =
                    format!("a text search misses this spelling of `{key}` [AUTH0003]\n");
                let is_told = found.iter().any(|it| it.starts_with(&expected));
                assert!(is_told, "{arguments}: {found:?}");
            }
        }
    }
    for arguments in [
        "authenticated, says = r\"No.\"",
        "authenticated, says = \"\\x4eo.\"",
    ] {
        assert_eq!(
            messages(arguments, None),
            Vec::<String>::new(),
            "{arguments}"
        );
    }
}

/// Another spelling would be another scheme, which no space has.
#[test]
fn registered_schemes_have_one_spelling() {
    for scheme in ["Basic", "Bearer", "Digest", "DPoP"] {
        let [lower, upper] = [scheme.to_lowercase(), scheme.to_uppercase()];
        for written in [
            lower.clone(),
            upper.clone(),
            format!("\"{scheme}\""),
            format!("\"{lower}\""),
            format!("\"{upper}\""),
        ] {
            let arguments = format!("authenticated, schemes({written})");
            let found = messages(&arguments, None);
            let [message] = found.as_slice() else {
                panic!("{arguments}: {found:?}");
            };
            assert!(message.contains("registered"), "{arguments}: {message}");
            let arguments = format!("reason = \"r\", identity = optional, schemes({written})");
            assert_eq!(messages_of_public(&arguments), found, "{arguments}");
        }
    }
}
