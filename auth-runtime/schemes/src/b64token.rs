//! The syntax of tokens (RFC 6750 §2.1).

/// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` (RFC 6750 §2.1).
pub(crate) fn is_b64token(text: &str) -> bool {
    let token = text.trim_end_matches('=');
    let is_legal = |byte: u8| {
        byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
    };
    // It reads to the end: without an early exit, the loop handles many bytes at a time.
    !token.is_empty() && token.bytes().fold(true, |all, byte| all & is_legal(byte))
}

#[cfg(test)]
mod tests {
    use super::is_b64token;

    #[test]
    fn each_character_is_legal() {
        for legal in ["a", "a=", "a==", "-._~+/Z9"] {
            assert!(is_b64token(legal), "{legal}");
        }
        for illegal in ["", "=", "a=b", " a", "a,b", "a\"", "\u{e9}a"] {
            assert!(!is_b64token(illegal), "{illegal}");
        }
    }
}
