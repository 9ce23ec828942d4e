//! Requirements, and the values behind their keys.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Ident, Lit, LitStr, Path, Token, parenthesized};

use super::{
    A_LESSER_REQUIREMENT, A_REQUIREMENT, DISPLAYS, REQUIREMENTS, assigned, each, equals, last_span,
    needs_value, skip, upcoming,
};
use crate::codes::{self, Code};
use crate::errors::{Errors, UnknownKey};
use crate::requirement::{Age, Function, Kind, Name, Namespace, Network, Requirement};
use crate::suggest::nearest;
use crate::values;

/// How a name is written beside its key.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// `scope = "…"`
    Assigned,
    /// `scope("…")`, in `hide_unless`, where a second `=` would be hard to read.
    Called,
}

impl Form {
    fn write(self, key: &Ident, value: &str) -> String {
        match self {
            Self::Assigned => format!("`{key} = {value}`"),
            Self::Called => format!("`{key}({value})`"),
        }
    }
}

/// Reads what follows the key of a requirement.
pub(super) fn requirement(
    key: &Ident,
    input: ParseStream<'_>,
    errors: &mut Errors,
    at_top: bool,
) -> syn::Result<Requirement> {
    let name = key.to_string();
    let (kind, end) = match name.as_str() {
        "authenticated" => {
            without_value(input, key)?;
            (Kind::Authenticated, key.span())
        }
        "sender_constrained" => {
            without_value(input, key)?;
            (Kind::SenderConstrained, key.span())
        }
        "any" => {
            let (parts, end) = list(input, key, errors)?;
            (Kind::Any(parts), end)
        }
        "all" => {
            let (parts, end) = list(input, key, errors)?;
            (Kind::All(parts), end)
        }
        _ => {
            if !takes_value(&name) {
                skip(input);
                let known = known(at_top);
                let mistake = unknown(key, &known);
                let key = key.clone();
                errors.unknown_key(UnknownKey { key, known });
                return Err(mistake);
            }
            if input.peek(syn::token::Paren) {
                return Err(called(input, key));
            }
            let value = assigned(input, key, example(&name))?;
            let end = last_span(&value);
            (valued(key, &value, value.span(), Form::Assigned)?, end)
        }
    };
    Ok(Requirement::new(kind, key.span(), end))
}

/// Whether a requirement has a value behind its key.
fn takes_value(key: &str) -> bool {
    Namespace::of(key).is_some() || matches!(key, "max_age" | "network" | "check" | "policy")
}

/// A value that such a key could have.
fn example(key: &str) -> &'static str {
    match key {
        "max_age" => "\"15m\"",
        "network" => "\"10.0.0.0/8\"",
        "check" => "path::to::function",
        _ => "\"...\"",
    }
}

/// What a key says together with its value, which stands at `span`.
fn valued(key: &Ident, value: &TokenStream, span: Span, form: Form) -> syn::Result<Kind> {
    let name = key.to_string();
    if name == "check" {
        return function(value, span, form);
    }
    let string = string(value, key, span, form)?;
    let wrong = |code: Code| move |message: String| code.at(string.span, message);
    match name.as_str() {
        "max_age" => Ok(Kind::MaxAge(Age {
            seconds: values::seconds(&string.text).map_err(wrong(codes::DURATION))?,
            text: string.text,
        })),
        "network" => {
            // A name is for the vocabulary to know.
            let is_name = !string.text.is_empty() && values::is_network_name(&string.text);
            let blocks = if is_name {
                Vec::new()
            } else {
                vec![values::block(&string.text).map_err(wrong(codes::NETWORK))?]
            };
            Ok(Kind::Network(Network {
                blocks,
                text: string.text,
                span: string.span,
            }))
        }
        "policy" => Ok(Kind::Policy(string)),
        _ => match Namespace::of(&name) {
            Some(namespace) => Ok(Kind::Named(namespace, string)),
            None => Err(unknown(key, &REQUIREMENTS)),
        },
    }
}

/// The path of a function.
fn function(value: &TokenStream, span: Span, form: Form) -> syn::Result<Kind> {
    let write = |path: &str| match form {
        Form::Assigned => format!("`check = {path}`"),
        Form::Called => format!("`check({path})`"),
    };
    if let Ok(path) = Path::parse_mod_style.parse2(value.clone()) {
        return Ok(Kind::Check(Function(path)));
    }
    let message = match syn::parse2::<LitStr>(value.clone()) {
        Ok(literal) => format!(
            "`check` takes the path of a function, without quotes: {}",
            write(&literal.value())
        ),
        Err(_) => format!(
            "`check` takes the path of an async function, and nothing behind it: {}",
            write("path::to::function")
        ),
    };
    Err(codes::VALUE.at(span, message))
}

/// `any(…)` or `all(…)`.
fn list(
    input: ParseStream<'_>,
    key: &Ident,
    errors: &mut Errors,
) -> syn::Result<(Vec<Requirement>, Span)> {
    if !input.peek(syn::token::Paren) {
        return Err(codes::EMPTY_LIST.at(
            key.span(),
            format!(
                "`{key}` takes requirements in parentheses: `{key}(scope = \"...\", role = \"...\")`"
            ),
        ));
    }
    let content;
    let parentheses = parenthesized!(content in input);
    let mut parts = Vec::new();
    let mut mistakes = Errors::default();
    each(&content, &mut mistakes, |input, errors| {
        let key = super::key(input, A_REQUIREMENT)?;
        parts.push(requirement(&key, input, errors, false)?);
        Ok(())
    });
    let complete = mistakes.is_empty();
    errors.extend(mistakes);
    if parts.is_empty() && complete {
        let who = if key == "any" { "nobody" } else { "everybody" };
        return Err(codes::EMPTY_LIST.at(
            key.span(),
            format!("`{key}()` without requirements is met by {who}; say what is required"),
        ));
    }
    Ok((parts, parentheses.span.close()))
}

/// The value of `hide_unless`, where a second `=` would be hard to read.
pub(super) fn lesser(
    input: ParseStream<'_>,
    key: &Ident,
    errors: &mut Errors,
) -> syn::Result<Requirement> {
    equals(input, key, "scope(\"...\")")?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(needs_value(key, "scope(\"...\")"));
    }
    let inner = super::key(input, A_LESSER_REQUIREMENT)?;
    let name = inner.to_string();
    if !takes_value(&name) {
        return requirement(&inner, input, errors, false);
    }
    if !input.peek(syn::token::Paren) {
        let _ = input.parse::<Option<Token![=]>>();
        let value = written(&upcoming(input), &name);
        return Err(codes::FORM.at(
            inner.span(),
            format!("in `hide_unless`, write `hide_unless = {inner}({value})`"),
        ));
    }
    let content;
    let parentheses = parenthesized!(content in input);
    let value: TokenStream = content.parse()?;
    let span = if value.is_empty() {
        parentheses.span.join()
    } else {
        value.span()
    };
    let kind = valued(&inner, &value, span, Form::Called)?;
    Ok(Requirement::new(
        kind,
        inner.span(),
        parentheses.span.close(),
    ))
}

/// The value of a key as it was written, to repeat it in a message.
pub(super) fn written(tokens: &TokenStream, key: &str) -> String {
    let is_right = match key {
        "check" => Path::parse_mod_style.parse2(tokens.clone()).is_ok(),
        _ => syn::parse2::<LitStr>(tokens.clone()).is_ok(),
    };
    if is_right {
        tokens.to_string().replace(" :: ", "::")
    } else {
        example(key).to_owned()
    }
}

fn without_value(input: ParseStream<'_>, key: &Ident) -> syn::Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(());
    }
    let span = input.span();
    skip(input);
    Err(codes::FORM.at(span, format!("`{key}` takes no value; write `{key}` alone")))
}

/// The string literal that `value`, standing at `span`, has to be.
pub(super) fn string(
    value: &TokenStream,
    key: &Ident,
    span: Span,
    form: Form,
) -> syn::Result<Name> {
    let wrong = |message| Err(codes::VALUE.at(span, message));
    let example = form.write(key, example(&key.to_string()));
    let mut tokens = value.clone().into_iter();
    if let (Some(TokenTree::Literal(_)), Some(next)) = (tokens.next(), tokens.next()) {
        return Err(codes::STRAY.at(next.span(), "expected `,` before this"));
    }
    match syn::parse2::<Lit>(value.clone()) {
        Ok(Lit::Str(literal)) if !literal.suffix().is_empty() => wrong(format!(
            "a string has no suffix; remove `{}` behind it",
            literal.suffix()
        )),
        Ok(Lit::Str(literal)) => Ok(Name {
            text: literal.value(),
            span: literal.span(),
            broader: Vec::new(),
        }),
        Ok(_) => wrong(format!("`{key}` takes a string: {example}")),
        Err(_) => match syn::parse2::<Ident>(value.clone()) {
            Ok(name) => wrong(format!(
                "`{key}` takes a string literal, since it is checked while compiling; for the name \
                 itself write {}",
                form.write(key, &format!("\"{name}\""))
            )),
            Err(_) => wrong(format!(
                "`{key}` takes one string literal, since it is checked while compiling: {example}"
            )),
        },
    }
}

fn called(input: ParseStream<'_>, key: &Ident) -> syn::Error {
    let name = key.to_string();
    let value = match upcoming(input).into_iter().next() {
        Some(TokenTree::Group(group)) => written(&group.stream(), &name),
        _ => example(&name).to_owned(),
    };
    codes::FORM.at(
        key.span(),
        format!("write `{key} = {value}`, with an equals sign"),
    )
}

/// The keys that can stand at the top of an attribute, or in a list.
fn known(at_top: bool) -> Vec<&'static str> {
    let displays = DISPLAYS.iter().filter(|_| at_top);
    REQUIREMENTS.iter().chain(displays).copied().collect()
}

fn unknown(key: &Ident, known: &[&str]) -> syn::Error {
    let name = key.to_string();
    if DISPLAYS.contains(&name.as_str()) {
        return codes::KEY_ELSEWHERE.at(
            key.span(),
            format!("`{name}` is about the whole attribute; write it behind the requirements"),
        );
    }
    let message = match nearest(&name, known) {
        Some(nearest) => format!("unknown key `{name}`; did you mean `{nearest}`?"),
        None => format!(
            "unknown key `{name}`; the known ones are `{}`",
            known.join("`, `")
        ),
    };
    codes::UNKNOWN_KEY.at(key.span(), message)
}
