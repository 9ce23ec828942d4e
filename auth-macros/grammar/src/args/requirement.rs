//! Requirements: a key, and the tokens after it.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::parse::ParseStream;
use syn::{Ident, LitStr, Token, parenthesized};

use super::keys::{A_LESSER_REQUIREMENT, A_REQUIREMENT, Place};
use super::list::{self, assigned, each, equals, last_span, needs_value, set, upcoming};
use super::synonyms::{SINGLE_CALLER, unknown};
use super::value::{self, Form, ValueKey, example, object, string, strings, valued, written};
use crate::codes;
use crate::errors::{Errors, UnknownKey};
use crate::requirement::{Can, ParsedRequirement, RequirementKind};

/// Parses the tokens after the key of a requirement.
pub(super) fn requirement(
    key: &Ident,
    input: ParseStream<'_>,
    errors: &mut Errors,
    place: Place,
) -> syn::Result<ParsedRequirement> {
    let name = key.to_string();
    let (kind, end) = match (name.as_str(), ValueKey::of(&name)) {
        ("authenticated", _) => {
            without_value(input, key)?;
            (RequirementKind::Authenticated, key.span())
        }
        ("sender_constrained", _) => {
            without_value(input, key)?;
            (RequirementKind::SenderConstrained, key.span())
        }
        ("any", _) => {
            let (parts, end) = list(input, key, errors, place)?;
            (RequirementKind::Any(parts), end)
        }
        ("all", _) => {
            let (parts, end) = list(input, key, errors, place)?;
            (RequirementKind::All(parts), end)
        }
        (_, None) => {
            let known = place.keys();
            let mistake = unknown(key, &upcoming(input), &known, place);
            let key = key.clone();
            errors.unknown_key(UnknownKey { key, known });
            return Err(mistake);
        }
        (_, Some(ValueKey::Can)) if input.peek(syn::token::Paren) => {
            let content;
            let parentheses = parenthesized!(content in input);
            let can = can(&content, key, place);
            // After a mistake, tokens remain.
            content.parse::<TokenStream>()?;
            (RequirementKind::Can(can?), parentheses.span.close())
        }
        (_, Some(value_key)) if input.peek(syn::token::Paren) => {
            if place != Place::Lesser {
                return Err(called(input, key));
            }
            let content;
            let parentheses = parenthesized!(content in input);
            let value: TokenStream = content.parse()?;
            let whole = parentheses.span.join();
            let kind = valued(value_key, key, &value, whole, Form::Called)?;
            (kind, parentheses.span.close())
        }
        (_, Some(value_key)) => {
            let value = assigned(input, key, example(&name))?;
            let kind = valued(value_key, key, &value, key.span(), Form::Assigned)?;
            (kind, last_span(&value))
        }
    };
    Ok(ParsedRequirement::new(kind, key.span(), end))
}

/// Parses the arguments of `can("action", on = "Type::{id}")`.
fn can(input: ParseStream<'_>, key: &Ident, place: Place) -> syn::Result<Can> {
    let value = upcoming(input);
    if value.is_empty() {
        return Err(codes::VALUE.at(
            key.span(),
            "`can` has no action\nhelp: write `can(\"...\")` with the name of the action",
        ));
    }
    if begins_with_object(&value) {
        let object = value.to_string().replace(" :: ", "::");
        let message =
            format!("the action of `can` comes first\nhelp: write `can(\"...\", {object})`");
        return Err(codes::FORM.over(value, message));
    }
    let action = string(&value, key, Form::Called)?;
    let mut on = None;
    let mut resource = None;
    while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
        let inner = list::key(input, "`on = \"Type::{id}\"`")?;
        match inner.to_string().as_str() {
            "on" => set(&mut on, &inner, object(input, &inner)?)?,
            "resource" => set(&mut resource, &inner, value::resource(input, &inner)?)?,
            _ => {
                return Err(codes::UNKNOWN_KEY.at(
                    inner.span(),
                    format!(
                        "`{inner}` is not a key of `can(...)`\nhelp: write `on = \"Type::{{id}}\"`"
                    ),
                ));
            }
        }
    }
    if on.is_none() && resource.is_none() && place != Place::Lesser {
        let value = format!("{:?}", action.text);
        return Err(codes::FORM.at(
            key.span(),
            format!("`can` takes an equals sign, not parentheses\nhelp: write `can = {value}`"),
        ));
    }
    Ok(Can {
        action,
        on,
        resource,
    })
}

/// Returns whether an argument of `can(…)` is its object: `on = …` or `resource = …`.
fn begins_with_object(argument: &TokenStream) -> bool {
    let mut tokens = argument.clone().into_iter();
    let key = tokens.next().map(|token| token.to_string());
    matches!(key.as_deref(), Some("on" | "resource"))
        && matches!(tokens.next(), Some(TokenTree::Punct(equals)) if equals.as_char() == '=')
}

/// Parses `any(…)` or `all(…)`.
fn list(
    input: ParseStream<'_>,
    key: &Ident,
    errors: &mut Errors,
    place: Place,
) -> syn::Result<(Vec<ParsedRequirement>, Span)> {
    if !input.peek(syn::token::Paren) {
        return Err(codes::EMPTY_LIST.at(
            key.span(),
            format!(
                "`{key}` takes a list in parentheses\n\
                 help: write `{key}(scope = \"...\", role = \"...\")`"
            ),
        ));
    }
    let inner = match place {
        Place::Lesser => Place::Lesser,
        Place::Top | Place::Listed => Place::Listed,
    };
    let content;
    let parentheses = parenthesized!(content in input);
    let mut parts = Vec::new();
    let mut mistakes = Errors::default();
    each(&content, &mut mistakes, |input, errors| {
        let key = list::key(input, A_REQUIREMENT)?;
        parts.push(requirement(&key, input, errors, inner)?);
        Ok(())
    });
    let complete = mistakes.is_empty();
    errors.extend(mistakes);
    if parts.is_empty() && complete {
        return Err(codes::EMPTY_LIST.at(
            key.span(),
            format!(
                "`{key}()` has no requirement\n\
                 help: write `{key}(scope = \"...\", role = \"...\")`"
            ),
        ));
    }
    Ok((parts, parentheses.span.close()))
}

/// Parses the value of `hide_unless`.
pub(super) fn lesser(
    input: ParseStream<'_>,
    key: &Ident,
    errors: &mut Errors,
) -> syn::Result<ParsedRequirement> {
    equals(input, key, "scope(\"...\")")?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(needs_value(key, "scope(\"...\")"));
    }
    let inner = list::key(input, A_LESSER_REQUIREMENT)?;
    requirement(&inner, input, errors, Place::Lesser)
}

fn without_value(input: ParseStream<'_>, key: &Ident) -> syn::Result<()> {
    let is_value = input.peek(Token![=]) || input.peek(syn::token::Paren);
    if !is_value {
        return Ok(());
    }
    let after = upcoming(input);
    let names_caller = key == "authenticated" && are_strings(after.clone());
    let message = if names_caller {
        SINGLE_CALLER.to_owned()
    } else {
        format!("`{key}` takes no value\nhelp: write `{key}` alone")
    };
    Err(codes::FORM.over(after, message))
}

/// Returns whether the values in tokens are strings, possibly in parentheses.
fn are_strings(tokens: TokenStream) -> bool {
    let is_value = |token: &TokenTree| !matches!(token, TokenTree::Punct(_));
    let mut values = tokens.into_iter().filter(is_value).peekable();
    values.peek().is_some()
        && values.all(|value| match value {
            TokenTree::Group(group) => are_strings(group.stream()),
            value => syn::parse2::<LitStr>(value.into()).is_ok(),
        })
}

fn called(input: ParseStream<'_>, key: &Ident) -> syn::Error {
    let name = key.to_string();
    let after = upcoming(input);
    let arguments = match after.clone().into_iter().next() {
        Some(TokenTree::Group(group)) => group.stream(),
        _ => TokenStream::new(),
    };
    let message = match strings(arguments.clone()) {
        Some(values) => {
            let values: Vec<String> = values.iter().map(|it| format!("{key} = {it}")).collect();
            let values = values.join(", ");
            format!(
                "`{key}` takes one string after an equals sign\n\
                 help: write `{values}` to require all of them, or `any({values})` to require \
                 one"
            )
        }
        None => {
            let value = written(&arguments, &name);
            format!("`{key}` takes an equals sign, not parentheses\nhelp: write `{key} = {value}`")
        }
    };
    codes::FORM.at(key.span(), message)
}
