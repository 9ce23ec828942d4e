//! The names of authentication schemes (RFC 9110 §11.1).

/// The schemes of the HTTP Authentication Scheme Registry (RFC 9110 §16.4.1).
pub const REGISTERED: [&str; 14] = [
    "Basic",
    "Bearer",
    "Concealed",
    "Digest",
    "DPoP",
    "GNAP",
    "HOBA",
    "Mutual",
    "Negotiate",
    "OAuth",
    "PrivateToken",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "vapid",
];

/// The registered spelling of a scheme name, found case-insensitively; `None` if it is not
/// registered.
pub fn registered_spelling(scheme: &str) -> Option<&'static str> {
    REGISTERED
        .into_iter()
        .find(|registered| registered.eq_ignore_ascii_case(scheme))
}

/// Returns whether a scheme is written as a word in an attribute: it is registered in this spelling,
/// and its name has only letters and digits.
pub fn is_word(scheme: &str) -> bool {
    REGISTERED.contains(&scheme) && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Returns whether a text is a token: `token = 1*tchar` (RFC 9110 §5.6.2).
pub fn is_token(text: &str) -> bool {
    let is_legal = |byte: u8| {
        let is_mark = matches!(
            byte,
            b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~'
        );
        byte.is_ascii_alphanumeric() || is_mark
    };
    !text.is_empty() && text.bytes().all(is_legal)
}
