//! Names of schemes, tokens and scopes.

use auth_runtime_policy::is_identifier;
use auth_runtime_policy::scheme::{REGISTERED, is_token, is_word, registered_spelling};
use auth_runtime_policy::scope::is_scope_token;

#[test]
fn registered_names_ignore_case() {
    for name in REGISTERED {
        assert_eq!(registered_spelling(&name.to_ascii_uppercase()), Some(name));
        assert_eq!(registered_spelling(&name.to_ascii_lowercase()), Some(name));
    }
    for other in ["", "Bear", "Bearers", "X-API-Key"] {
        assert_eq!(registered_spelling(other), None, "{other}");
    }
}

#[test]
fn words_are_registered_names_without_marks() {
    for (name, expected) in [
        ("Bearer", true),
        ("DPoP", true),
        ("vapid", true),
        ("bearer", false),
        ("SCRAM-SHA-256", false),
        ("Custom", false),
        ("", false),
    ] {
        assert_eq!(is_word(name), expected, "{name}");
    }
}

/// Every byte of ASCII, by the list of RFC 9110 §5.6.2.
#[test]
fn tokens_have_characters_of_rfc() {
    for byte in 0..128_u8 {
        let text = char::from(byte).to_string();
        let expected = byte.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(&text);
        assert_eq!(is_token(&text), expected, "{text:?}");
        assert_eq!(is_token(&format!("a{text}b")), expected, "{text:?}");
    }
    assert!(!is_token(""));
    assert!(!is_token("é"));
}

/// Every byte of ASCII, by the grammar of RFC 6749 §3.3: visible, but neither `"` nor `\`.
#[test]
fn scopes_have_characters_of_rfc() {
    for byte in 0..128_u8 {
        let text = char::from(byte).to_string();
        let expected = byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        assert_eq!(is_scope_token(&text), expected, "{text:?}");
        assert_eq!(is_scope_token(&format!("a{text}b")), expected, "{text:?}");
    }
    assert!(!is_scope_token(""));
    assert!(!is_scope_token("é"));
}

#[test]
fn identifiers_do_not_begin_with_digit() {
    for (text, expected) in [
        ("a", true),
        ("_", true),
        ("a1", true),
        ("_1", true),
        ("aB_2", true),
        ("", false),
        ("1", false),
        ("1a", false),
        ("a-b", false),
        ("-", false),
        ("é", false),
        ("aé", false),
    ] {
        assert_eq!(is_identifier(text), expected, "{text:?}");
    }
}
