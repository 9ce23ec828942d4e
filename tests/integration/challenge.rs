//! The builder rejects every illegal challenge.

use auth_runtime::challenge::{Challenge, ChallengeBuilder, ChallengeError};

fn bearer() -> ChallengeBuilder {
    Challenge::builder("Bearer")
}

#[test]
fn challenge_has_one_spelling() {
    for (challenge, expected) in [
        (bearer().quoted("realm", "api"), r#"Bearer realm="api""#),
        (
            bearer().quoted("Realm", "api").quoted("SCOPE", "a b"),
            r#"Bearer realm="api", scope="a b""#,
        ),
        (
            Challenge::builder("Basic").quoted("realm", r#"a "b" \ c"#),
            r#"Basic realm="a \"b\" \\ c""#,
        ),
        (
            Challenge::builder("Basic").quoted("realm", "a,b;c=d'e(f)/"),
            r#"Basic realm="a,b;c=d'e(f)/""#,
        ),
        (
            Challenge::builder("Digest")
                .quoted("realm", "lab")
                .token("algorithm", "SHA-256")
                .token("stale", "true"),
            r#"Digest realm="lab", algorithm=SHA-256, stale=true"#,
        ),
        (bearer().quoted("realm", ""), r#"Bearer realm="""#),
        // Each scope once, and a scope is not a part of another one.
        (
            bearer().scopes(["repo:write", "repo", "write", "repo"]),
            r#"Bearer scope="repo:write repo write""#,
        ),
    ] {
        let challenge = challenge.build().expect(expected);
        assert_eq!(challenge.to_string(), expected);
        assert_eq!(challenge.to_header_value(), expected);
        assert_eq!(format!("{challenge:?}"), format!("Challenge({expected})"));
    }
}

#[test]
fn illegal_challenge_is_not_built() {
    let realm = || "realm".to_owned();
    let not_visible = |name: &str, character| ChallengeError::NotVisibleAscii {
        name: name.to_owned(),
        character,
    };
    let forbidden = |name: &str, character| ChallengeError::Forbidden {
        name: name.to_owned(),
        character,
    };
    for (challenge, error) in [
        (bearer(), ChallengeError::NoParameter),
        (
            Challenge::builder("").quoted("realm", "x"),
            ChallengeError::Scheme(String::new()),
        ),
        (
            Challenge::builder("my scheme").quoted("realm", "x"),
            ChallengeError::Scheme("my scheme".to_owned()),
        ),
        (
            bearer().quoted("a b", "x"),
            ChallengeError::Name("a b".to_owned()),
        ),
        (
            bearer().quoted("", "x"),
            ChallengeError::Name(String::new()),
        ),
        (
            bearer().quoted("realm", "x").quoted("REALM", "y"),
            ChallengeError::Twice(realm()),
        ),
        (
            bearer().token("realm", "x"),
            ChallengeError::NotQuoted { name: realm() },
        ),
        (
            bearer().token("max", "1 2"),
            ChallengeError::Token {
                name: "max".to_owned(),
            },
        ),
        (
            bearer().quoted("realm", "a\r\nb"),
            not_visible("realm", '\r'),
        ),
        (bearer().quoted("realm", "a\0b"), not_visible("realm", '\0')),
        (bearer().quoted("realm", "a\tb"), not_visible("realm", '\t')),
        (bearer().quoted("realm", "Übung"), not_visible("realm", 'Ü')),
        (bearer().quoted("scope", "a\"b"), forbidden("scope", '"')),
        (bearer().quoted("error", "a\\b"), forbidden("error", '\\')),
        (
            bearer().quoted("error_description", "say \"no\""),
            forbidden("error_description", '"'),
        ),
        (
            bearer().quoted("error_uri", "a b"),
            forbidden("error_uri", ' '),
        ),
        (
            bearer().quoted("realm", "api scope=all"),
            ChallengeError::LooksLikeParameter {
                name: realm(),
                found: "scope=",
            },
        ),
        (
            bearer().quoted("error_description", "an error=thing"),
            ChallengeError::LooksLikeParameter {
                name: "error_description".to_owned(),
                found: "error=",
            },
        ),
    ] {
        assert_eq!(challenge.build(), Err(error));
    }
    // Only texts for people may not look like parameters.
    let link = bearer().quoted("error_uri", "https://api.example/?scope=all");
    assert!(link.build().is_ok());
}

#[test]
fn texts_are_made_legal() {
    for (name, text, expected) in [
        ("error_description", "Ask Tom.", Some("Ask Tom.")),
        ("error_description", r#"a "b" \ c"#, Some("a 'b' / c")),
        // A realm may have both, escaped.
        ("realm", r#"a "b" \ c"#, Some(r#"a \"b\" \\ c"#)),
        ("Realm", "\u{dc}bung ~", Some("?bung ~")),
        // A client could take the rest for a parameter, or for a line.
        ("error_description", "an error=thing", None),
        ("error_description", "a\r\nb", None),
        ("error_description", "a\tb", None),
    ] {
        let challenge = bearer().token("x", "y").text(name, text).build();
        let challenge = challenge.expect("a legal challenge").to_string();
        let name = name.to_ascii_lowercase();
        let text = expected.map(|text| format!(r#", {name}="{text}""#));
        assert_eq!(challenge, format!("Bearer x=y{}", text.unwrap_or_default()));
    }
}
