//! The schemes that a handler accepts.

use auth_runtime_policy::scheme::{REGISTERED, is_token, is_word, registered_spelling};
use syn::parse::ParseStream;
use syn::{Ident, Lit, LitStr, parenthesized};

use super::list::{each, key, skip};
use crate::characters::too_long;
use crate::codes;
use crate::errors::Errors;
use crate::requirement::Name;
use crate::suggest::nearest;
use crate::values::is_plain;

/// Parses `schemes(Basic, Bearer)`. Registered names are words, others are strings, so that a
/// typing mistake is distinguished from a custom scheme.
pub(super) fn schemes(
    input: ParseStream<'_>,
    key: &Ident,
    errors: &mut Errors,
) -> syn::Result<Vec<Name>> {
    if !input.peek(syn::token::Paren) {
        skip(input);
        return Err(codes::EMPTY_LIST.at(
            key.span(),
            "`schemes` takes names in parentheses\nhelp: write `schemes(Basic, Bearer)`",
        ));
    }
    let content;
    parenthesized!(content in input);
    let mut names: Vec<Name> = Vec::new();
    let mut mistakes = Errors::default();
    each(&content, &mut mistakes, |input, _| {
        let name = scheme(input)?;
        // A longer list is rejected as a whole.
        if names.len() <= MAX_SCHEMES && names.contains(&name) {
            return Err(codes::TWICE.at(
                name.span,
                format!("duplicate scheme `{}`\nhelp: remove one of them", name.text),
            ));
        }
        names.push(name);
        Ok(())
    });
    if names.is_empty() && mistakes.is_empty() {
        mistakes.add(
            codes::EMPTY_LIST,
            key.span(),
            "`schemes()` accepts no credentials\n\
             help: name a scheme, as in `schemes(Bearer)`, or remove `schemes()` to accept every \
             scheme of the protection space",
        );
    }
    if names.len() > MAX_SCHEMES {
        mistakes.add(
            codes::TOO_LARGE,
            key.span(),
            format!(
                "`schemes` has {} names; the maximum is {MAX_SCHEMES}",
                names.len()
            ),
        );
    }
    errors.extend(mistakes);
    Ok(names)
}

/// The maximum number of schemes of a policy.
const MAX_SCHEMES: usize = 64;

fn scheme(input: ParseStream<'_>) -> syn::Result<Name> {
    let registered = |text: &str| registered_spelling(text).filter(|name| is_word(name));
    if input.peek(Lit) {
        let span = input.span();
        let literal: LitStr = input.parse().map_err(|_| {
            codes::SCHEME.at(
                span,
                "expected the name of a scheme\nhelp: write a name, as in `schemes(Bearer)`",
            )
        })?;
        let text = literal.value();
        if let Some(problem) = too_long("scheme", &text) {
            return Err(codes::TOO_LARGE.at(span, problem));
        }
        if !is_plain(&literal) {
            return Err(codes::SCHEME.at(
                span,
                format!("a text search misses this spelling of the scheme\nhelp: write `{text:?}`"),
            ));
        }
        if let Some(name) = registered(&text) {
            return Err(codes::SCHEME.at(
                span,
                format!("`{name}` is a registered scheme\nhelp: write it without quotes"),
            ));
        }
        if !is_token(&text) {
            return Err(codes::SCHEME.at(
                span,
                format!(
                    "the scheme `{}` is not a token (RFC 9110 §11.1)\nhelp: write `{:?}`",
                    text.escape_debug(),
                    token_like(&text)
                ),
            ));
        }
        return Ok(Name {
            text,
            span,
            broader: Vec::new(),
        });
    }
    let name = key(input, "the name of a scheme, such as `Bearer`")?;
    let text = name.to_string();
    let words: Vec<&str> = REGISTERED
        .into_iter()
        .filter(|name| is_word(name))
        .collect();
    let message = match registered(&text) {
        Some(spelling) if spelling == text => {
            return Ok(Name {
                text,
                span: name.span(),
                broader: Vec::new(),
            });
        }
        Some(spelling) => format!(
            "`{text}` is not the registered spelling of the scheme\nhelp: write `{spelling}`"
        ),
        None => {
            let meant = match nearest(&text, &words) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("write the name of a custom scheme in quotes: `\"{text}\"`"),
            };
            format!("`{text}` is not a registered scheme\nhelp: {meant}")
        }
    };
    skip(input);
    Err(codes::SCHEME.at(name.span(), message))
}

/// Replaces each character that a token cannot contain with a hyphen.
fn token_like(text: &str) -> String {
    let characters = text.trim().chars().map(|c| {
        if is_token(c.encode_utf8(&mut [0; 4])) {
            c
        } else {
            '-'
        }
    });
    let token: String = characters.collect();
    if token.trim_matches('-').is_empty() {
        "my-scheme".to_owned()
    } else {
        token
    }
}
