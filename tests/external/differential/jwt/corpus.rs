//! The tokens: the same in every run, but for their keys and random signatures.

use super::keys::{ALGORITHMS, Keys};
use super::{AUDIENCE, ISSUER, claims, headers, serialization};

/// The time of the verifiers, in seconds since 1970.
pub(super) const NOW: u64 = 1_800_000_000;

/// A token, and its kind, which the table of disagreements names.
pub(super) struct Token {
    pub(super) kind: String,
    pub(super) text: String,
}

impl Token {
    pub(super) fn new(kind: impl Into<String>, text: String) -> Self {
        let kind = kind.into();
        Self { kind, text }
    }
}

/// One algorithm for each kind of key.
pub(super) const ONE_OF_EACH: [&str; 4] = ["HS256", "RS256", "ES256", "EdDSA"];

/// The claims of a valid token, as JSON texts.
pub(super) fn usual() -> Vec<(&'static str, String)> {
    vec![
        ("iss", format!("{ISSUER:?}")),
        ("aud", format!("{AUDIENCE:?}")),
        ("sub", "\"ann\"".to_owned()),
        ("exp", (NOW + 600).to_string()),
    ]
}

/// Returns the text of an object.
pub(super) fn object(members: &[(&str, String)]) -> String {
    let members = members.iter();
    let members = members.map(|(name, value)| format!("\"{name}\":{value}"));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// Returns a valid header.
pub(super) fn header(algorithm: &str) -> String {
    format!(r#"{{"alg":"{algorithm}","typ":"JWT","kid":"k1"}}"#)
}

/// Returns a valid token.
pub(super) fn valid(keys: &Keys, algorithm: &str) -> String {
    keys.token(
        algorithm,
        header(algorithm).as_bytes(),
        object(&usual()).as_bytes(),
    )
}

pub(super) fn all(keys: &Keys) -> Vec<Token> {
    let valid = ALGORITHMS.map(|(_, name)| Token::new("valid", valid(keys, name)));
    let mut tokens = Vec::from(valid);
    tokens.extend(headers::tokens(keys));
    tokens.extend(claims::tokens(keys));
    tokens.extend(serialization::tokens(keys));
    tokens
}
