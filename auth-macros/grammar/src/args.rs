//! The grammar of the arguments of an attribute.
//!
//! After a mistake, the parser resumes at the next comma. All mistakes are therefore found in one
//! pass.

mod requirement;
mod schemes;
mod synonyms;
mod value;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Lit, LitStr, Path, Token};

use self::requirement::{Place, lesser, requirement};
use self::schemes::schemes;
use self::synonyms::stray;
use self::value::{Form, string, written};
use crate::codes;
use crate::errors::Errors;
use crate::requirement::{HideAs, HideUnless, Public, Requires};
use crate::suggest::nearest;

/// The keys of requirements.
pub const REQUIREMENTS: [&str; 13] = [
    "authenticated",
    "sender_constrained",
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
/// The disclosure settings, and the key for replacing a module's policy. They are at the top level only.
pub const DISPLAYS: [&str; 5] = ["hide_as", "hide_unless", "schemes", "realm", "loosen"];

/// The expected syntax at the beginning and after each comma of a list.
const A_REQUIREMENT: &str = "a key, such as `scope` in `scope = \"...\"`";
const A_LESSER_REQUIREMENT: &str = "a requirement, such as `scope(\"...\")`";

/// Reads the arguments of `#[requires(...)]` and records every mistake.
pub fn requires(arguments: TokenStream, errors: &mut Errors) -> Requires {
    let mut requires = Requires::default();
    read(arguments, errors, |input, errors| {
        each(input, errors, |input, errors| {
            let key = key(input, A_REQUIREMENT)?;
            match key.to_string().as_str() {
                "hide_as" => {
                    let value = assigned(input, &key, "404")?;
                    if requires.hide_as.replace(hide_as(&value)).is_some() {
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
                    let realm = string(&value, &key, Form::Assigned)?;
                    if requires.realm.replace(realm).is_some() {
                        return Err(twice(&key));
                    }
                }
                "loosen" => {
                    let example = "\"why the module's policy does not hold here\"";
                    let value = assigned(input, &key, example)?;
                    let reason = string(&value, &key, Form::Assigned)?;
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
                "crate" => {
                    let krate = self::krate(input, &key)?;
                    if requires.krate.replace(krate).is_some() {
                        return Err(twice(&key));
                    }
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
                    .push(requirement(&key, input, errors, Place::Top)?),
            }
            Ok(())
        });
    });
    requires
}

/// Reads the arguments of `#[public(...)]` and records every mistake.
pub fn public(arguments: TokenStream, errors: &mut Errors) -> Option<Public> {
    let mut public = None;
    let mut krate = None;
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
            if key == "crate" {
                let is_second = krate.replace(self::krate(input, &key)?).is_some();
                return if is_second { Err(twice(&key)) } else { Ok(()) };
            }
            mistaken |= key != "reason" || public.is_some();
            if key != "reason" {
                return Err(not_for_public(&key, &upcoming(input)));
            }
            if public.is_some() {
                skip(input);
                return Err(twice(&key));
            }
            mistaken = true;
            let value = assigned(input, &key, "\"why everybody may call this\"")?;
            let reason = string(&value, &key, Form::Assigned)?;
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

/// Reads `= path::to::auth_runtime`.
fn krate(input: ParseStream<'_>, key: &Ident) -> syn::Result<Path> {
    let value = assigned(input, key, "path::to::auth_runtime")?;
    let text = syn::parse2::<LitStr>(value.clone()).map(|text| text.value());
    Path::parse_mod_style.parse2(value.clone()).map_err(|_| {
        let example = text.unwrap_or_else(|_| "path::to::auth_runtime".to_owned());
        let message = format!(
            "`crate` takes the path of `auth_runtime`, without quotes: `crate = {example}`"
        );
        codes::VALUE.over(value, message)
    })
}

/// Returns the crate path in the arguments of an attribute, even if other arguments are invalid.
pub(crate) fn krate_in(arguments: TokenStream) -> Option<Path> {
    let arguments: Vec<TokenTree> = arguments.into_iter().collect();
    let is_comma =
        |token: &TokenTree| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ',');
    arguments.split(is_comma).find_map(|argument| {
        let parser = |input: ParseStream<'_>| {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            input.call(Path::parse_mod_style)
        };
        parser.parse2(argument.iter().cloned().collect()).ok()
    })
}

/// Reads the arguments of `vocabulary!(...)` and records every mistake.
pub fn vocabulary(arguments: TokenStream, errors: &mut Errors) -> Option<Path> {
    let mut krate = None;
    read(arguments, errors, |input, errors| {
        each(input, errors, |input, _| {
            let expected = "nothing, or `crate = path::to::auth_runtime`";
            let key = key(input, expected)?;
            if key != "crate" {
                skip(input);
                return Err(codes::FORM.at(
                    key.span(),
                    "`vocabulary!()` takes nothing: it is what `auth.toml` declares",
                ));
            }
            if krate.replace(self::krate(input, &key)?).is_some() {
                return Err(twice(&key));
            }
            Ok(())
        });
    });
    krate
}

fn not_for_public(key: &Ident, value: &TokenStream) -> syn::Error {
    let name = key.to_string();
    let message = if DISPLAYS.contains(&name.as_str()) {
        format!("`{name}` has nothing to do on a public handler: nobody is denied; remove it")
    } else if REQUIREMENTS.contains(&name.as_str()) {
        format!(
            "`#[public]` lets everybody in, so `{name}` would never be checked; write \
             `#[requires({name}{})]` in its place",
            as_written(value)
        )
    } else if nearest(&name, &["reason"]).is_some() {
        format!("unknown key `{name}`; did you mean `reason`?")
    } else {
        format!("unknown key `{name}`; `#[public]` takes `reason = \"...\"` and nothing else")
    };
    codes::NOT_FOR_PUBLIC.at(key.span(), message)
}

/// Formats the tokens after a key as source text.
fn as_written(behind: &TokenStream) -> String {
    let text = behind.to_string();
    let text = text.replace(" :: ", "::");
    match text.strip_prefix('=') {
        Some(value) => format!(" = {}", value.trim()),
        None => text,
    }
}

/// Runs a parser that records its mistakes itself.
fn read(
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
        "more than {MAX_DEPTH} lists in lists; write `all(...)` in `all(...)` and `any(...)` in \
         `any(...)` as one"
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
            let span = input.span();
            if let Some(next) = upcoming(input).into_iter().next() {
                errors.add(codes::STRAY, span, stray(None, &next));
            }
        }
        // A comma or the end follows: `skip` stops only there.
        let _ = input.parse::<Option<Token![,]>>();
    }
}

/// Advances to the next comma.
fn skip(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _ = input.parse::<TokenTree>();
    }
}

fn key(input: ParseStream<'_>, expected: &str) -> syn::Result<Ident> {
    // A keyword is not a key either, but the message should name it.
    input.call(Ident::parse_any).map_err(|_| {
        let message = if input.peek(Token![,]) {
            "nothing stands before this comma; remove it".to_owned()
        } else if input.peek(Token![!]) {
            "requirements have no `not`: they say who may call, and nobody else may; name what those who \
             may have"
                .to_owned()
        } else {
            match input.fork().parse::<LitStr>() {
                Ok(literal) if expected == A_REQUIREMENT => format!(
                    "write a key before it, such as `scope = {}`",
                    literal.to_token_stream()
                ),
                Ok(literal) if expected == A_LESSER_REQUIREMENT => format!(
                    "write a key around it, such as `scope({})`",
                    literal.to_token_stream()
                ),
                _ => format!("expected {expected}"),
            }
        };
        codes::STRAY.at(input.span(), message)
    })
}

fn last_span(tokens: &TokenStream) -> Span {
    let last = tokens.clone().into_iter().last();
    last.map_or_else(Span::call_site, |token| token.span())
}

/// Reads `= value`, up to the next comma.
fn assigned(input: ParseStream<'_>, key: &Ident, example: &str) -> syn::Result<TokenStream> {
    equals(input, key, example)?;
    let value = upcoming(input);
    if value.is_empty() {
        return Err(needs_value(key, example));
    }
    Ok(value)
}

/// Returns the tokens before the next comma.
fn upcoming(input: ParseStream<'_>) -> TokenStream {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        tokens.extend(input.parse::<TokenTree>());
    }
    tokens
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
    let span = input.span();
    // The value itself, if it follows a token other than an equals sign.
    let behind = upcoming(input).into_iter().flat_map(|token| match token {
        TokenTree::Group(group) => group.stream(),
        token => token.into(),
    });
    let value = behind
        .into_iter()
        .find(|token| matches!(token, TokenTree::Literal(_)))
        .map_or_else(|| example.to_owned(), |value| value.to_string());
    Err(codes::FORM.at(
        span,
        format!("expected `=` behind `{key}`: write `{key} = {value}`"),
    ))
}

fn hide_as(value: &TokenStream) -> HideAs {
    let spans = || value.clone().into_iter().map(|token| token.span());
    let span = spans().next().unwrap_or_else(Span::call_site);
    HideAs {
        text: value.to_string(),
        span,
        end: spans().last().unwrap_or(span),
    }
}

fn needs_value(key: &Ident, example: &str) -> syn::Error {
    codes::FORM.at(
        key.span(),
        format!("`{key}` needs a value: `{key} = {example}`"),
    )
}

fn twice(key: &Ident) -> syn::Error {
    codes::TWICE.at(key.span(), format!("`{key}` is given twice; remove one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the parsed arguments as text, and the mistakes.
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
                .map(|hide_as| format!("hide_as = {}", hide_as.text)),
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
        // Escapes that Rust needs.
        for text in [
            r#"role = "a\"b""#,
            r#"role = "a\\b""#,
            "role = \"é e\u{301}\"",
        ] {
            assert_eq!(read_back(text).1, Vec::<String>::new(), "{text}");
        }
        // In `hide_unless`, a value may be written in parentheses.
        for lesser in [r#"scope("b")"#, r#"scope = "b""#] {
            let text = format!(r#"scope = "a", hide_as = 404, hide_unless = {lesser}"#);
            let read = r#"scope = "a", hide_as = 404, unless scope = "b""#;
            assert_eq!(read_back(&text), (read.to_owned(), vec![]), "{lesser}");
        }
        let text = r#"scope = "a", hide_as = 404, hide_unless = any(scope("b"), role = "c")"#;
        let read = r#"scope = "a", hide_as = 404, unless any(scope = "b", role = "c")"#;
        assert_eq!(read_back(text), (read.to_owned(), vec![]));
    }

    #[test]
    fn lists_in_lists_come_to_an_end() {
        for (depth, is_read) in [(32, true), (33, false), (100_000, false)] {
            let arguments = format!("{}authenticated{}", "all(".repeat(depth), ")".repeat(depth));
            let tokens = arguments.parse().expect("tokens");
            let mut errors = Errors::default();
            let _ = requires(tokens, &mut errors);
            assert_eq!(errors.is_empty(), is_read, "{depth}");
        }
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
            (r#"loosen("why")"#, r#"write `loosen = "why"`"#),
            (
                r#"scope = "x" || role = "y""#,
                r#"write `any(scope = "x", ...)`"#,
            ),
            (r#"authenticated && role = "y""#, "write a comma"),
            (r#"!authenticated"#, "requirements have no `not`"),
            (r#"not(scope = "x")"#, "requirements have no `not`"),
            ("public", "`#[public(reason = "),
            ("group = \"x\"", "did you mean `role`?"),
            (r#"scope = ["x", "y"]"#, r#"`scope = "x", scope = "y"`"#),
            (r#"scope("x", "y")"#, r#"`any(scope = "x", scope = "y")`"#),
            (
                r#"scope = "x" "y""#,
                r#"expected `,` between `scope = "x"` and `"y"`"#,
            ),
            (r#""x""#, r#"write a key before it, such as `scope = "x"`"#),
            ("schemes(Basic Bearer)", "expected `,` before `Bearer`"),
            ("hide_unless = not(x)", "requirements have no `not`"),
            ("hide_unless =", r#"`hide_unless = scope("...")`"#),
            (r#"hide_unless = "x""#, r#"`scope("x")`"#),
            ("hide_unless = scope(5)", r#"`scope("5")`"#),
            ("hide_unless = scope()", r#"`scope("...")`"#),
            ("hide_unless = scope(X)", r#"`scope("X")`"#),
            (r#"role = "\x61dmin""#, r#"write `role = "admin"`"#),
            (r#"role = "\u{61}dmin""#, r#"write `role = "admin"`"#),
            ("role = \"ad\\\n   min\"", r#"write `role = "admin"`"#),
            (r#"role = r"admin""#, r#"write `role = "admin"`"#),
            (r##"hide_unless = role(r#"a"#)"##, r#"write `role("a")`"#),
            (r#"max_age = "15\x6d""#, r#"write `max_age = "15m"`"#),
            (r#"schemes("Lab\x2dAuth")"#, r#"write `"Lab-Auth"`"#),
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
