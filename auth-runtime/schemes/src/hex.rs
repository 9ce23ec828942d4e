//! SHA-256 values in hexadecimal digits.

/// Parses 64 hexadecimal digits.
pub(crate) fn parse_sha256(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let all_digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if text.len() != 2 * bytes.len() || !all_digits {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}
