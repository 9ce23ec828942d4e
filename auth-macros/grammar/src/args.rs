//! The grammar: what stands in the parentheses of an attribute.
//!
//! Reading goes on after a mistake, at the next comma, so that all of them are found at once.

mod requirement;
mod schemes;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Ident, Lit, Token};

use self::requirement::{Form, lesser, requirement, string, written};
use self::schemes::schemes;
use crate::codes;
use crate::errors::Errors;
use crate::requirement::{HideUnless, Public, Requires};
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
/// The keys that say how denials are shown, and to what the policy applies: at the top only.
pub const DISPLAYS: [&str; 5] = ["hide_as", "hide_unless", "schemes", "realm", "loosen"];

/// What can be expected where a list begins or goes on.
const A_REQUIREMENT: &str = "a key, such as `scope` in `scope = \"...\"`";
const A_LESSER_REQUIREMENT: &str = "a requirement, such as `scope(\"...\")`";

/// Reads the arguments of `#[requires(...)]`, and notes every mistake.
pub fn requires(arguments: TokenStream, errors: &mut Errors) -> Requires {
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
pub fn public(arguments: TokenStream, errors: &mut Errors) -> Option<Public> {
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

fn last_span(tokens: &TokenStream) -> Span {
    let last = tokens.clone().into_iter().last();
    last.map_or_else(Span::call_site, |token| token.span())
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

fn twice(key: &Ident) -> syn::Error {
    codes::TWICE.at(key.span(), format!("`{key}` is given twice; remove one"))
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
