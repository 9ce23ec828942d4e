//! Lists of keys and values, separated by commas.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, LitStr, Token};

use super::keys::{A_LESSER_REQUIREMENT, A_REQUIREMENT};
use crate::codes;
use crate::errors::Errors;
use crate::tokens::too_deep;

/// Runs a parser that records its mistakes itself.
pub(super) fn read(
    tokens: TokenStream,
    errors: &mut Errors,
    reader: impl FnOnce(ParseStream<'_>, &mut Errors),
) {
    if let Some(span) = too_deep(&tokens, MAX_DEPTH) {
        errors.add(codes::TOO_DEEP, span, too_deep_message());
        return;
    }
    let result = (|input: ParseStream<'_>| {
        reader(input, errors);
        Ok(())
    })
    .parse2(tokens);
    if let Err(error) = result {
        errors.push(error);
    }
}

/// The maximum nesting of parentheses. Readers recurse once for each level, and the stack is
/// limited.
const MAX_DEPTH: usize = 32;

/// Returns the message for lists that are nested too deeply.
pub(crate) fn too_deep_message() -> String {
    format!(
        "more than {MAX_DEPTH} nested lists\n\
         help: write `all(...)` in `all(...)`, and `any(...)` in `any(...)`, as one list"
    )
}

/// Returns whether a text is nested too deeply. Parsing it into tokens would use stack for each
/// level.
pub(crate) fn is_too_deep(text: &str) -> bool {
    let mut depth = 0_usize;
    text.chars().any(|character| {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        // Some of the parentheses may be in strings.
        depth > 4 * MAX_DEPTH
    })
}

/// Reads a list with `one` for each member.
pub(super) fn each(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut one: impl FnMut(ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    while !input.is_empty() {
        if let Some(error) = doc_comment(input) {
            errors.push(error);
            continue;
        }
        if let Err(error) = one(input, errors) {
            errors.push(error);
            skip(input);
        } else if !input.is_empty() && !input.peek(Token![,]) {
            let span = input.span();
            if let Some(next) = upcoming(input).into_iter().next() {
                errors.add(codes::STRAY, span, stray(None, &next));
            }
        }
        // A comma or the end follows: `skip` stops only there.
        let _ = input.parse::<Option<Token![,]>>();
    }
}

/// Removes doc comments before an argument. The compiler passes them on as attributes.
fn doc_comment(input: ParseStream<'_>) -> Option<syn::Error> {
    let ahead = input.fork();
    let attributes = ahead.call(Attribute::parse_outer).ok()?;
    let first = attributes.first()?;
    if !attributes.iter().all(|it| it.path().is_ident("doc")) {
        return None;
    }
    input.advance_to(&ahead);
    let message = "a doc comment is not an argument\nhelp: write `//` in place of `///`";
    Some(codes::STRAY.over(first, message))
}

/// Advances to the next comma.
pub(super) fn skip(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _ = input.parse::<TokenTree>();
    }
}

pub(super) fn key(input: ParseStream<'_>, expected: &str) -> syn::Result<Ident> {
    // A keyword is not a key either, but the message should name it.
    input.call(Ident::parse_any).map_err(|_| {
        let message = if input.peek(Token![,]) {
            "unexpected comma\nhelp: remove it".to_owned()
        } else if input.peek(Token![!]) {
            "requirements have no `not`\n\
             help: name a scope, role or permission of the allowed callers"
                .to_owned()
        } else {
            match input.fork().parse::<LitStr>() {
                Ok(literal) if expected == A_REQUIREMENT => format!(
                    "expected a key, found a string\n\
                     help: write a key before it, such as `scope = {}`",
                    literal.to_token_stream()
                ),
                Ok(literal) if expected == A_LESSER_REQUIREMENT => format!(
                    "expected a requirement, found a string\n\
                     help: write a key around it, such as `scope({})`",
                    literal.to_token_stream()
                ),
                _ => format!("expected {expected}"),
            }
        };
        codes::STRAY.at(input.span(), message)
    })
}

pub(super) fn last_span(tokens: &TokenStream) -> Span {
    let last = tokens.clone().into_iter().last();
    last.map_or_else(Span::call_site, |token| token.span())
}

/// Reads `= value`, up to the next comma.
pub(super) fn assigned(
    input: ParseStream<'_>,
    key: &Ident,
    example: &str,
) -> syn::Result<TokenStream> {
    equals(input, key, example)?;
    let value = upcoming(input);
    if value.is_empty() {
        return Err(needs_value(key, example));
    }
    Ok(value)
}

/// Returns the tokens before the next comma.
pub(super) fn upcoming(input: ParseStream<'_>) -> TokenStream {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        tokens.extend(input.parse::<TokenTree>());
    }
    tokens
}

pub(super) fn equals(input: ParseStream<'_>, key: &Ident, example: &str) -> syn::Result<()> {
    // `==` and `=>` begin with `=` too.
    let is_other = input.peek(Token![==]) || input.peek(Token![=>]);
    if input.peek(Token![=]) && !is_other {
        return input.parse::<Token![=]>().map(drop);
    }
    if input.is_empty() || input.peek(Token![,]) {
        return Err(needs_value(key, example));
    }
    let span = input.span();
    // The value itself, if it follows a token other than an equals sign.
    let after = upcoming(input).into_iter().flat_map(|token| match token {
        TokenTree::Group(group) => group.stream(),
        token => token.into(),
    });
    let value = after
        .into_iter()
        .find(|token| matches!(token, TokenTree::Literal(_)))
        .map_or_else(|| example.to_owned(), |value| value.to_string());
    Err(codes::FORM.at(
        span,
        format!("expected `=` after `{key}`\nhelp: write `{key} = {value}`"),
    ))
}

pub(super) fn needs_value(key: &Ident, example: &str) -> syn::Error {
    codes::FORM.at(
        key.span(),
        format!("`{key}` has no value\nhelp: write `{key} = {example}`"),
    )
}

/// Stores the value of a key. A second value is a mistake.
pub(super) fn set<T>(slot: &mut Option<T>, key: &Ident, value: T) -> syn::Result<()> {
    match slot.replace(value) {
        Some(_) => Err(codes::TWICE.at(
            key.span(),
            format!("duplicate key `{key}`\nhelp: remove one of them"),
        )),
        None => Ok(()),
    }
}

/// Returns the message for a token other than a comma after a requirement.
pub(super) fn stray(before: Option<&str>, next: &TokenTree) -> String {
    match (next.to_string().as_str(), before) {
        ("|" | "or", Some(before)) => {
            format!("requirements have no `or`\nhelp: write `any({before}, ...)` around both")
        }
        ("|" | "or", None) => {
            "requirements have no `or`\nhelp: write `any(...)` around both".to_owned()
        }
        ("&" | "and", _) => {
            "requirements have no `and`\nhelp: write a comma, which requires both".to_owned()
        }
        (next, Some(before)) => format!("expected `,` between `{before}` and `{next}`"),
        (next, None) => format!("expected `,` before `{next}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_of_text_is_bounded() {
        let nested = |open: &str, close: &str, depth| open.repeat(depth) + &close.repeat(depth);
        for (open, close) in [("(", ")"), ("[", "]"), ("{", "}")] {
            assert!(!is_too_deep(&nested(open, close, 128)), "{open}");
            assert!(is_too_deep(&nested(open, close, 129)), "{open}");
            assert!(is_too_deep(&open.repeat(200)), "{open}");
        }
        assert!(!is_too_deep(&"()[]{}".repeat(1000)));
        assert!(!is_too_deep(&(")".repeat(1000) + &"(".repeat(128))));
    }
}
