//! Secrets that another service shares with this one.

/// Returns whether a secret is text with whitespace around it, such as the line break of a file, which belongs to no
/// secret. Random bytes are hardly ever UTF-8.
pub(crate) fn has_outer_whitespace(secret: &[u8]) -> bool {
    std::str::from_utf8(secret).is_ok_and(|text| text.trim() != text)
}
