//! The depth of a source. Reading recurses, and the compiler overflows its own stack at some thousand levels.

use proc_macro2::{TokenStream, TokenTree};

/// The maximum depth.
pub(super) const MAX_DEPTH: usize = 1024;

/// Returns whether delimiters, and operators such as `&` in a row, are nested more deeply than the maximum.
pub(super) fn is_too_deep(text: &str) -> bool {
    let nests = |byte: &u8| byte.is_ascii_punctuation();
    if text.bytes().filter(nests).count() <= MAX_DEPTH {
        return false;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // A shebang may not consist of tokens.
    let code = match text.split_once('\n') {
        Some((first, code)) if first.starts_with("#!/") => code,
        _ => text,
    };
    // The parser reports text without tokens.
    code.parse().is_ok_and(|tokens| exceeds(tokens, MAX_DEPTH))
}

/// Returns whether tokens are nested more deeply than `depth`.
fn exceeds(tokens: TokenStream, depth: usize) -> bool {
    let mut row = 0;
    tokens.into_iter().any(|token| match token {
        TokenTree::Punct(_) => {
            row += 1;
            row > depth
        }
        TokenTree::Group(group) => {
            let before = std::mem::take(&mut row);
            before >= depth || exceeds(group.stream(), depth - before - 1)
        }
        TokenTree::Ident(_) | TokenTree::Literal(_) => {
            row = 0;
            false
        }
    })
}
