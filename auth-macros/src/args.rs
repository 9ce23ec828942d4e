//! The grammar: what stands in the parentheses of an attribute.
//!
//! Reading goes on after a mistake, at the next comma, so that all of them are found at once.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Ident, Lit, LitStr, Path, Token, parenthesized};

use crate::codes::{self, Code};
use crate::errors::Errors;
use crate::requirement::{
    Age, Function, HideUnless, Kind, Name, Namespace, Network, Public, Requirement, Requires,
};
use crate::suggest::nearest;
use crate::values;

const REQUIREMENTS: [&str; 12] = [
    "authenticated",
    "scope",
    "role",
    "permission",
    "acr",
    "amr",
    "max_age",
    "network",
    "check",
    "policy",
    "any",
    "all",
];
const DISPLAYS: [&str; 5] = ["hide_as", "hide_unless", "schemes", "realm", "loosen"];
/// Written by the attribute on a module, and by nobody else.
const MODULE: &str = "module";

/// What can be expected where a list begins or goes on.
const A_REQUIREMENT: &str = "a key, such as `scope` in `scope = \"...\"`";
const A_LESSER_REQUIREMENT: &str = "a requirement, such as `scope(\"...\")`";

/// How a name is written beside its key.
#[derive(Clone, Copy)]
enum Form {
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

/// Reads the arguments of `#[requires(...)]`, and notes every mistake.
pub(crate) fn requires(arguments: TokenStream, errors: &mut Errors) -> Requires {
    let mut requires = Requires::default();
    read(arguments, errors, |input, errors| {
        each(input, errors, |input, errors| {
            let key = key(input, A_REQUIREMENT)?;
            match key.to_string().as_str() {
                "hide_as" => {
                    let status = assigned(input, &key, "404")?;
                    if requires.hide_as.replace(status).is_some() {
                        return Err(twice(&key));
                    }
                }
                "hide_unless" => {
                    let lesser = lesser(input, &key, errors)?;
                    let hide_unless = HideUnless {
                        key: key.span(),
                        lesser,
                    };
                    if requires.hide_unless.replace(hide_unless).is_some() {
                        return Err(twice(&key));
                    }
                }
                "schemes" => {
                    let schemes = schemes(input, &key, errors)?;
                    if requires.schemes.replace(schemes).is_some() {
                        return Err(twice(&key));
                    }
                }
                "realm" => {
                    let value = assigned(input, &key, "\"...\"")?;
                    let realm = string(&value, &key, value.span(), Form::Assigned)?;
                    if requires.realm.replace(realm).is_some() {
                        return Err(twice(&key));
                    }
                }
                "loosen" => {
                    let example = "\"why the module's policy does not hold here\"";
                    let value = assigned(input, &key, example)?;
                    let reason = string(&value, &key, value.span(), Form::Assigned)?;
                    if reason.text.trim().is_empty() {
                        return Err(codes::REASON.at(
                            reason.span,
                            "the reason is empty; say why the module's policy does not hold here, for \
                             whoever audits it",
                        ));
                    }
                    if requires.loosen.replace(reason).is_some() {
                        return Err(twice(&key));
                    }
                }
                MODULE if input.peek(syn::token::Paren) => {
                    let content;
                    parenthesized!(content in input);
                    let tokens: TokenStream = content.parse()?;
                    requires.module = Some(Box::new(self::requires(tokens, errors)));
                }
                "reason" => {
                    skip(input);
                    return Err(codes::KEY_ELSEWHERE.at(
                        key.span(),
                        "`reason` belongs to `#[public(reason = \"...\")]`; `#[requires]` says who \
                         may call, which is reason enough",
                    ));
                }
                _ => requires
                    .requirements
                    .push(requirement(&key, input, errors, true)?),
            }
            Ok(())
        });
    });
    requires
}

/// Reads the arguments of `#[public(...)]`, and notes every mistake.
pub(crate) fn public(arguments: TokenStream, errors: &mut Errors) -> Option<Public> {
    let mut public = None;
    let mut mistaken = false;
    read(arguments, errors, |input, errors| {
        each(input, errors, |input, _| {
            if input.peek(Lit) {
                mistaken = true;
                let span = input.span();
                let value = written(&upcoming(input), "reason");
                return Err(
                    codes::REASON.at(span, format!("expected `reason`: write `reason = {value}`"))
                );
            }
            let key = key(input, "`reason = \"...\"`").inspect_err(|_| mistaken = true)?;
            mistaken |= key != "reason" || public.is_some();
            if key != "reason" {
                skip(input);
                return Err(not_for_public(&key));
            }
            if public.is_some() {
                skip(input);
                return Err(twice(&key));
            }
            mistaken = true;
            let value = assigned(input, &key, "\"why everybody may call this\"")?;
            let reason = string(&value, &key, value.span(), Form::Assigned)?;
            if reason.text.trim().is_empty() {
                return Err(codes::REASON.at(
                    reason.span,
                    "the reason is empty; say why everybody may call this, for whoever audits it",
                ));
            }
            mistaken = false;
            public = Some(Public {
                reason: reason.text,
            });
            Ok(())
        });
    });
    if public.is_none() && !mistaken {
        errors.add(
            codes::REASON,
            Span::call_site(),
            "`#[public]` needs a reason: write `#[public(reason = \"...\")]` with why everybody \
             may call this",
        );
    }
    public
}

fn not_for_public(key: &Ident) -> syn::Error {
    let name = key.to_string();
    let message = if DISPLAYS.contains(&name.as_str()) {
        format!("`{name}` has nothing to do on a public handler: nobody is denied; remove it")
    } else if REQUIREMENTS.contains(&name.as_str()) {
        format!(
            "`#[public]` lets everybody in, so `{name}` would never be checked; write \
             `#[requires({name} ...)]` in its place"
        )
    } else if nearest(&name, &["reason"]).is_some() {
        format!("unknown key `{name}`; did you mean `reason`?")
    } else {
        format!("unknown key `{name}`; `#[public]` takes `reason = \"...\"` and nothing else")
    };
    codes::NOT_FOR_PUBLIC.at(key.span(), message)
}

/// Runs a reader that notes its mistakes itself.
fn read(
    tokens: TokenStream,
    errors: &mut Errors,
    reader: impl FnOnce(ParseStream<'_>, &mut Errors),
) {
    let result = (|input: ParseStream<'_>| {
        reader(input, errors);
        Ok(())
    })
    .parse2(tokens);
    if let Err(error) = result {
        errors.push(error);
    }
}

/// Reads a list with `one` for each member.
fn each(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut one: impl FnMut(ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    while !input.is_empty() {
        if let Err(error) = one(input, errors) {
            errors.push(error);
            skip(input);
        } else if !input.is_empty() && !input.peek(Token![,]) {
            errors.add(
                codes::STRAY,
                input.span(),
                "expected `,` between two requirements",
            );
            skip(input);
        }
        // Either a comma or the end: `skip` stops nowhere else.
        let _ = input.parse::<Option<Token![,]>>();
    }
}

/// Goes on to the next comma.
fn skip(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _ = input.parse::<TokenTree>();
    }
}

fn key(input: ParseStream<'_>, expected: &str) -> syn::Result<Ident> {
    // A keyword is no key either, but it should be told so by name.
    input.call(Ident::parse_any).map_err(|_| {
        let message = if input.peek(Token![,]) {
            "nothing stands before this comma; remove it".to_owned()
        } else {
            format!("expected {expected}")
        };
        codes::STRAY.at(input.span(), message)
    })
}

/// Reads what follows the key of a requirement.
fn requirement(
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
                return Err(unknown(key, at_top));
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

fn last_span(tokens: &TokenStream) -> Span {
    let last = tokens.clone().into_iter().last();
    last.map_or_else(Span::call_site, |token| token.span())
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
            None => Err(unknown(key, false)),
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

/// `schemes(Basic, Bearer)`: registered names as words, others as strings, so that a slip is told
/// from a scheme of one's own.
fn schemes(input: ParseStream<'_>, key: &Ident, errors: &mut Errors) -> syn::Result<Vec<Name>> {
    if !input.peek(syn::token::Paren) {
        skip(input);
        return Err(codes::EMPTY_LIST.at(
            key.span(),
            "`schemes` takes the names of schemes in parentheses: `schemes(Basic, Bearer)`",
        ));
    }
    let content;
    parenthesized!(content in input);
    let mut names: Vec<Name> = Vec::new();
    let mut mistakes = Errors::default();
    each(&content, &mut mistakes, |input, _| {
        let name = scheme(input)?;
        if names.contains(&name) {
            return Err(codes::TWICE.at(
                name.span,
                format!("the scheme `{}` is named twice; remove one", name.text),
            ));
        }
        names.push(name);
        Ok(())
    });
    if names.is_empty() && mistakes.is_empty() {
        mistakes.add(
            codes::EMPTY_LIST,
            key.span(),
            "`schemes()` accepts nobody's credentials; name one, as in `schemes(Bearer)`, or \
             remove it to accept all of the protection space's",
        );
    }
    errors.extend(mistakes);
    Ok(names)
}

fn scheme(input: ParseStream<'_>) -> syn::Result<Name> {
    let registered = |text: &str| {
        let mut names = values::SCHEMES.into_iter();
        names.find(|name| name.eq_ignore_ascii_case(text))
    };
    if input.peek(Lit) {
        let span = input.span();
        let literal: LitStr = input
            .parse()
            .map_err(|_| codes::SCHEME.at(span, "a scheme is a name, as in `schemes(Bearer)`"))?;
        let text = literal.value();
        if let Some(name) = registered(&text) {
            return Err(codes::SCHEME.at(
                span,
                format!("`{name}` is a registered scheme; write it without quotes"),
            ));
        }
        if !values::is_token(&text) {
            return Err(codes::SCHEME.at(
                span,
                format!(
                    "{text:?} cannot be the name of a scheme: that is a token of letters, digits \
                     and hyphens (RFC 9110 §11.1)"
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
    let message = match registered(&text) {
        Some(spelling) if spelling == text => {
            return Ok(Name {
                text,
                span: name.span(),
                broader: Vec::new(),
            });
        }
        Some(spelling) => format!("the scheme is spelled `{spelling}`"),
        None => {
            let meant = match nearest(&text, &values::SCHEMES) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("a scheme of your own is written in quotes: `\"{text}\"`"),
            };
            format!("`{text}` is not a registered scheme; {meant}")
        }
    };
    skip(input);
    Err(codes::SCHEME.at(name.span(), message))
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
        let key = self::key(input, A_REQUIREMENT)?;
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
fn lesser(input: ParseStream<'_>, key: &Ident, errors: &mut Errors) -> syn::Result<Requirement> {
    equals(input, key, "scope(\"...\")")?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(needs_value(key, "scope(\"...\")"));
    }
    let inner = self::key(input, A_LESSER_REQUIREMENT)?;
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

/// `= value`, up to the next comma.
fn assigned(input: ParseStream<'_>, key: &Ident, example: &str) -> syn::Result<TokenStream> {
    equals(input, key, example)?;
    let value = upcoming(input);
    if value.is_empty() {
        return Err(needs_value(key, example));
    }
    Ok(value)
}

/// What stands before the next comma.
fn upcoming(input: ParseStream<'_>) -> TokenStream {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        tokens.extend(input.parse::<TokenTree>());
    }
    tokens
}

/// The value of a key as it was written, to repeat it in a message.
fn written(tokens: &TokenStream, key: &str) -> String {
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

fn equals(input: ParseStream<'_>, key: &Ident, example: &str) -> syn::Result<()> {
    // `==` and `=>` begin with `=` too.
    let is_other = input.peek(Token![==]) || input.peek(Token![=>]);
    if input.peek(Token![=]) && !is_other {
        return input.parse::<Token![=]>().map(drop);
    }
    if input.is_empty() || input.peek(Token![,]) {
        return Err(needs_value(key, example));
    }
    Err(codes::FORM.at(
        input.span(),
        format!("expected `=` behind `{key}`: write `{key} = {example}`"),
    ))
}

fn needs_value(key: &Ident, example: &str) -> syn::Error {
    codes::FORM.at(
        key.span(),
        format!("`{key}` needs a value: `{key} = {example}`"),
    )
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
fn string(value: &TokenStream, key: &Ident, span: Span, form: Form) -> syn::Result<Name> {
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

fn twice(key: &Ident) -> syn::Error {
    codes::TWICE.at(key.span(), format!("`{key}` is given twice; remove one"))
}

fn unknown(key: &Ident, at_top: bool) -> syn::Error {
    let name = key.to_string();
    if !at_top && DISPLAYS.contains(&name.as_str()) {
        return codes::KEY_ELSEWHERE.at(
            key.span(),
            format!("`{name}` is about the whole attribute; write it behind the requirements"),
        );
    }
    let mut known = REQUIREMENTS.to_vec();
    if at_top {
        known.extend(DISPLAYS);
    }
    let message = match nearest(&name, &known) {
        Some(nearest) => format!("unknown key `{name}`; did you mean `{nearest}`?"),
        None => format!(
            "unknown key `{name}`; the known ones are `{}`",
            known.join("`, `")
        ),
    };
    codes::UNKNOWN_KEY.at(key.span(), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was understood, as text, and what was not.
    fn read_back(arguments: &str) -> (String, Vec<String>) {
        let mut errors = Errors::default();
        let tokens = arguments.parse().expect("tokens");
        let requires = requires(tokens, &mut errors);
        let mut texts: Vec<_> = requires
            .requirements
            .iter()
            .map(ToString::to_string)
            .collect();
        texts.extend(
            requires
                .hide_as
                .map(|hide_as| format!("hide_as = {hide_as}")),
        );
        texts.extend(
            requires
                .hide_unless
                .map(|hide| format!("unless {}", hide.lesser)),
        );
        (texts.join(", "), errors.messages())
    }

    #[test]
    fn what_is_right_is_read_as_it_is_written() {
        for text in [
            "authenticated",
            r#"scope = "a""#,
            r#"scope = "a", role = "b", permission = "c""#,
            r#"any(scope = "a", all(role = "b", permission = "c"), authenticated)"#,
            r#"scope = "a", hide_as = 404"#,
        ] {
            assert_eq!(read_back(text), (text.to_owned(), vec![]));
            let (read, errors) = read_back(&format!("{text},"));
            assert_eq!(
                (read.as_str(), errors),
                (text, vec![]),
                "with a comma at the end"
            );
        }
        let (read, errors) = read_back(r#"scope = "a", hide_as = 404, hide_unless = scope("b")"#);
        assert_eq!(read, r#"scope = "a", hide_as = 404, unless scope = "b""#);
        assert_eq!(errors, Vec::<String>::new());
    }

    #[test]
    fn each_mistake_says_what_to_write_in_its_place() {
        for (arguments, advice) in [
            (r#"scope("x")"#, r#"write `scope = "x"`"#),
            (r#"scope "x""#, r#"write `scope = "#),
            (r#"scope: "x""#, "expected `=` behind `scope`"),
            (r#"scope == "x""#, "expected `=` behind `scope`"),
            (r#"scope => "x""#, "expected `=` behind `scope`"),
            (r#"scope = "x"y"#, "remove `y`"),
            ("hide_as(404)", "write `hide_as = 404`"),
            (
                r#"hide_unless = role = "x""#,
                r#"write `hide_unless = role("x")`"#,
            ),
            ("hide_unless =", r#"`hide_unless = scope("...")`"#),
            (r#"hide_unless = "x""#, r#"`scope("...")`"#),
            ("hide_unless = scope(5)", r#"`scope("...")`"#),
            ("hide_unless = scope()", r#"`scope("...")`"#),
            ("hide_unless = scope(X)", r#"`scope("X")`"#),
        ] {
            let (_, errors) = read_back(arguments);
            let [message] = errors.as_slice() else {
                panic!("{arguments}: {errors:#?}");
            };
            assert!(message.contains(advice), "{arguments}: {message}");
        }
    }

    #[test]
    fn a_reason_is_one_string_and_nothing_else_is_asked_for() {
        for (arguments, advice) in [
            ("", r#"write `#[public(reason = "...")]`"#),
            (r#""x""#, r#"write `reason = "x"`"#),
            (r#"reson = "x""#, "did you mean `reason`?"),
            (r#"why = "x""#, "and nothing else"),
            (r#"reason = "x", hide_as = 404"#, "remove it"),
            (r#"reason = "x", scope = "x""#, "#[requires("),
            (r#"reason = " ""#, "say why"),
            ("reason", "needs a value"),
            (r#"reason = "x", reason = "y""#, "remove one"),
        ] {
            let mut errors = Errors::default();
            public(arguments.parse().expect("tokens"), &mut errors);
            let errors = errors.messages();
            let [message] = errors.as_slice() else {
                panic!("{arguments}: {errors:#?}");
            };
            assert!(message.contains(advice), "{arguments}: {message}");
        }
    }

    #[test]
    fn reading_goes_on_behind_each_mistake() {
        let (read, errors) =
            read_back(r#"scop = "a", role = b, any(, x), scope = "x" 5, role = "r""#);
        assert_eq!(read, r#"any(), role = "r""#);
        assert_eq!(errors.len(), 5, "{errors:#?}");
    }
}
