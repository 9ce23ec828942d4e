//! Trees of tokens.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

/// Removes the invisible groups around the arguments of a `macro_rules` macro.
pub(crate) fn flattened(tokens: TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                flattened(group.stream())
            }
            other => other.into(),
        })
        .collect()
}

/// Splits tokens at their commas.
pub(crate) fn between_commas(tokens: TokenStream) -> Vec<TokenStream> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_comma =
        |token: &TokenTree| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ',');
    let parts = tokens.split(is_comma);
    parts.map(|part| part.iter().cloned().collect()).collect()
}

/// Returns the first parentheses that are nested in more than `depth` others.
pub(crate) fn too_deep(tokens: &TokenStream, depth: usize) -> Option<Span> {
    let mut open = vec![tokens.clone().into_iter()];
    while let Some(innermost) = open.last_mut() {
        match innermost.next() {
            Some(TokenTree::Group(group)) if open.len() > depth => {
                return Some(group.span_open());
            }
            Some(TokenTree::Group(group)) => open.push(group.stream().into_iter()),
            Some(_) => {}
            None => {
                open.pop();
            }
        }
    }
    None
}
