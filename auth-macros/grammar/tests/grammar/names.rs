//! Invisible characters are rejected in every name, and written as code points in every message.

use auth_grammar::errors::Errors;
use auth_grammar::{requires, vocabulary};

/// One of each kind: format, bidirectional, tag, separator, private use, unassigned, variation selector,
/// filler.
const INVISIBLE: [char; 10] = [
    '\u{200B}',
    '\u{200D}',
    '\u{202E}',
    '\u{E0061}',
    '\u{A0}',
    '\u{E000}',
    '\u{FFFE}',
    '\u{FE0F}',
    '\u{3164}',
    '\u{AD}',
];

fn messages(arguments: &str) -> Vec<String> {
    let mut errors = Errors::default();
    requires(arguments.parse().expect("tokens"), None, &mut errors);
    errors.messages()
}

fn code_point(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

#[test]
fn invisible_characters_are_refused() {
    for character in INVISIBLE {
        let says = messages(&format!("authenticated, says = \"Only{character}us\""));
        // Texts may have no-break spaces.
        assert_eq!(says.is_empty(), character == '\u{A0}', "{says:?}");
        assert!(
            says.iter().all(|it| it.contains(&code_point(character))),
            "{says:?}"
        );
        for key in [
            "scope",
            "role",
            "permission",
            "acr",
            "amr",
            "setting",
            "realm",
        ] {
            let arguments = format!("authenticated, {key} = \"a{character}dmin\"");
            let messages = messages(&arguments);
            let names_it = messages.iter().any(|message| {
                message.starts_with(&format!("the character {} is", code_point(character)))
            });
            assert!(names_it, "{key}: {messages:?}");
        }
        for arguments in [
            format!("any(role = \"admin\", role = \"a{character}dmin\")"),
            format!("authenticated, schemes(\"My{character}-Auth\")"),
            format!("network = \"off{character}ice\""),
            format!("policy = \"st{character}aff\""),
            format!("max_age = \"5{character}m\""),
            format!("role = \"r\", hide_as = 404, hide_unless = role(\"a{character}dmin\")"),
        ] {
            let messages = messages(&arguments);
            assert!(!messages.is_empty(), "{arguments:?}");
            for message in messages {
                assert!(!message.contains(character), "{message:?}");
                assert!(message.contains(&code_point(character)), "{message:?}");
            }
        }
    }
}

#[test]
fn invisible_characters_are_refused_in_vocabularies() {
    for character in INVISIBLE {
        for text in [
            format!("realm = \"a{character}b\"\n"),
            format!("[scopes]\n\"a{character}b\" = \"x\"\n"),
            format!("[roles]\n\"a{character}b\" = \"x\"\n"),
            format!("[permissions]\n\"a{character}b\" = {{ description = \"x\" }}\n"),
            format!("[networks]\n\"a{character}b\" = \"10.0.0.0/8\"\n"),
            format!(
                "[policies.\"a{character}b\"]\ndescription = \"x\"\nrequires = 'authenticated'\n"
            ),
        ] {
            let (_, mistakes) = vocabulary::read(&text);
            let [mistake] = mistakes.as_slice() else {
                panic!("{text:?}: {mistakes:?}");
            };
            let message = &mistake.message;
            assert!(!message.contains(character), "{message:?}");
            assert!(message.contains(&code_point(character)), "{message:?}");
        }
    }
}

#[test]
fn names_of_every_language_are_allowed() {
    for name in [
        "Zoë",
        "αβγ",
        "администратор",
        "管理者",
        "管理 者",
        "مدير",
        "अनुमति",
        "관리자",
        "e\u{301}",
    ] {
        for key in ["role", "permission"] {
            let arguments = format!("{key} = \"{name}\"");
            assert_eq!(messages(&arguments), Vec::<String>::new(), "{arguments}");
        }
        let declared = format!("[roles]\n\"{name}\" = \"x\"\n");
        assert_eq!(vocabulary::read(&declared).1, [], "{name}");
    }
}

/// An audit looks for `hide_as = 404`.
#[test]
fn hide_as_has_one_spelling() {
    for (value, is_right) in [
        ("404", true),
        ("0x194", false),
        ("4_04", false),
        ("404_", false),
        ("0404", false),
        ("0o624", false),
        ("0b110010100", false),
        ("404u16", false),
        ("404.0", false),
        ("(404)", false),
        ("\"404\"", false),
        ("StatusCode::NOT_FOUND", false),
    ] {
        let messages = messages(&format!("role = \"admin\", hide_as = {value}"));
        match messages.as_slice() {
            [] => assert!(is_right, "{value}"),
            [message] => {
                assert!(
                    !is_right && message.contains("write `hide_as = 404`"),
                    "{value}: {message}"
                );
            }
            more => panic!("{value}: {more:?}"),
        }
    }
    let [message] = messages("role = \"admin\", hide = 404")
        .try_into()
        .expect("one message");
    assert_eq!(
        message,
        "unknown key `hide` [AUTH0001]\nhelp: write `hide_as = 404`"
    );
}

#[test]
fn duplicate_key_names_both_places() {
    for (text, at, message) in [
        (
            "[scopes]\nread = \"x\"\n\nread = \"y\"\n",
            "read = \"y\"",
            "duplicate `read`, first in line 2\nhelp: remove one of them",
        ),
        (
            "[roles]\nread = \"x\"\n[scopes]\n\"read\" = \"x\"\n'read' = \"y\"\n",
            "'read'",
            "duplicate `'read'`, first in line 4\nhelp: remove one of them",
        ),
        (
            "[scopes]\nread = \"x\"\n[roles]\n[scopes]\n",
            "scopes]\n",
            "duplicate `scopes`, first in line 1\nhelp: remove one of them",
        ),
        (
            "[scopes]\nread = { description = \"x\", description = \"y\" }\n",
            "description = \"y\"",
            "duplicate `description`, first in line 2\nhelp: remove one of them",
        ),
    ] {
        let (_, mistakes) = vocabulary::read(text);
        let [mistake] = mistakes.as_slice() else {
            panic!("{text}: {mistakes:?}");
        };
        assert_eq!(mistake.message, message);
        assert_eq!(Some(mistake.at), text.rfind(at), "{text}");
    }
}

#[test]
fn names_have_problems_of_their_kind() {
    use auth_grammar::check::name_problem;
    use auth_grammar::requirement::Namespace;

    for (namespace, text, problem) in [
        (Namespace::Scope, "repo:read", None),
        (
            Namespace::Acr,
            "a\"b",
            Some("a quote (`\"`) is not allowed in an acr (RFC 9470 §3)\nhelp: remove it"),
        ),
        (
            Namespace::Acr,
            "é",
            Some(
                "`é` is not allowed in an acr (RFC 9470 §3)\nhelp: write it in ASCII, as the authorization \
                 server does",
            ),
        ),
    ] {
        assert_eq!(name_problem(namespace, text).as_deref(), problem, "{text}");
    }
    let action = messages("can = \"a\u{200B}\"");
    assert!(
        action[0].starts_with("the character U+200B is not allowed in the name of an action"),
        "{action:?}"
    );
}
