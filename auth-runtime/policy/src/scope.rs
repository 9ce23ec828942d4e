//! The characters of a scope (RFC 6749 §3.3).

/// Returns whether a scope can contain a character.
pub fn is_scope_character(character: char) -> bool {
    matches!(character, '\x21' | '\x23'..='\x5B' | '\x5D'..='\x7E')
}

/// Returns whether a text is a scope token: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`. The elements of other
/// lists in a challenge have the same characters: spaces separate them, in quotes.
pub fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_scope_character)
}
