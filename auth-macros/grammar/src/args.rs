//! The grammar of the arguments of an attribute.
//!
//! After a mistake, the parser resumes at the next comma. All mistakes are therefore found in one
//! pass.

mod keys;
mod list;
mod requirement;
mod schemes;
mod synonyms;
mod value;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Lit, LitStr, Path, Token};

use self::keys::A_REQUIREMENT;
pub use self::keys::{DISPLAYS, REQUIREMENTS};
use self::list::{assigned, each, key, read, skip, twice, upcoming};
pub(crate) use self::list::{is_too_deep, too_deep, too_deep_message};
use self::requirement::{Place, lesser, requirement};
use self::schemes::schemes;
use self::value::{Form, function, string, written};
use crate::codes;
use crate::errors::Errors;
use crate::requirement::{HideAs, HideUnless, Name, Public, Requires};
use crate::suggest::nearest;

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
                "on" => {
                    let value = assigned(input, &key, "\"Type::{id}\"")?;
                    let on = string(&value, &key, Form::Assigned)?;
                    if requires.on.replace(on).is_some() {
                        return Err(twice(&key));
                    }
                }
                "resource" => {
                    let value = assigned(input, &key, "path::to::function")?;
                    let function = function(&value, &key, Form::Assigned)?;
                    if requires.resource.replace(function).is_some() {
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
                "says" => {
                    let value = assigned(input, &key, "\"...\"")?;
                    let text = string(&value, &key, Form::Assigned)?;
                    if requires.says.replace(text).is_some() {
                        return Err(twice(&key));
                    }
                }
                "loosen" => {
                    let example = "\"why the module's policy does not apply here\"";
                    let value = assigned(input, &key, example)?;
                    let reason = string(&value, &key, Form::Assigned)?;
                    if reason.text.trim().is_empty() {
                        return Err(codes::REASON.at(
                            reason.span,
                            "the reason is empty\n\
                             help: state why the module's policy does not apply here",
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
                        "`reason` is a key of `#[public]`\n\
                         help: remove it, or write `#[public(reason = \"...\")]` for a public \
                         handler",
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
    let mut reason = None;
    let mut optional_identity = false;
    let mut schemes: Option<(Span, Vec<Name>)> = None;
    let mut krate = None;
    let mut mistaken = false;
    read(arguments, errors, |input, errors| {
        each(input, errors, |input, errors| {
            if input.peek(Lit) {
                mistaken = true;
                let span = input.span();
                let value = written(&upcoming(input), "reason");
                return Err(codes::REASON.at(
                    span,
                    format!("expected `reason`\nhelp: write `reason = {value}`"),
                ));
            }
            let key = key(input, "`reason = \"...\"`").inspect_err(|_| mistaken = true)?;
            if key == "crate" {
                let is_second = krate.replace(self::krate(input, &key)?).is_some();
                return if is_second { Err(twice(&key)) } else { Ok(()) };
            }
            if key == "identity" {
                let is_second = std::mem::replace(&mut optional_identity, true);
                let value = assigned(input, &key, "optional")?;
                return if is_second {
                    Err(twice(&key))
                } else {
                    optional(value, &key)
                };
            }
            if key == "schemes" {
                let names = self::schemes(input, &key, errors)?;
                return match schemes.replace((key.span(), names)) {
                    Some(_) => Err(twice(&key)),
                    None => Ok(()),
                };
            }
            mistaken |= key != "reason" || reason.is_some();
            if key != "reason" {
                return Err(not_for_public(&key, &upcoming(input)));
            }
            if reason.is_some() {
                skip(input);
                return Err(twice(&key));
            }
            mistaken = true;
            let value = assigned(input, &key, "\"why this is public\"")?;
            let text = string(&value, &key, Form::Assigned)?;
            if text.text.trim().is_empty() {
                return Err(codes::REASON.at(
                    text.span,
                    "the reason is empty\nhelp: state why this is public",
                ));
            }
            mistaken = false;
            reason = Some(text.text);
            Ok(())
        });
    });
    if reason.is_none() && !mistaken {
        errors.add(
            codes::REASON,
            Span::call_site(),
            "`#[public]` has no reason\n\
             help: write `#[public(reason = \"...\")]`, and state why this is public",
        );
    }
    if let Some((span, _)) = schemes.as_ref().filter(|_| !optional_identity) {
        errors.add(
            codes::NOT_FOR_PUBLIC,
            *span,
            "`schemes` has no effect on a public handler without an identity\n\
             help: add `identity = optional`, or remove `schemes`",
        );
    }
    reason.map(|reason| Public {
        reason,
        optional_identity,
        schemes: schemes.map(|(_, names)| names),
    })
}

/// Accepts only the word `optional`.
fn optional(value: TokenStream, key: &Ident) -> syn::Result<()> {
    let text = value.to_string();
    if text == "optional" {
        return Ok(());
    }
    let advice = match text.trim_matches('"') {
        "optional" => "remove the quotes: `identity = optional`",
        "required" | "true" => "write `#[requires(authenticated)]` to require an identity",
        "none" | "false" => "remove `identity`: a public handler ignores credentials without it",
        _ => "write `identity = optional` to identify callers that send valid credentials",
    };
    let message = format!("`{key}` takes only `optional`\nhelp: {advice}");
    Err(codes::VALUE.over(value, message))
}

/// Reads `= path::to::auth_runtime`.
fn krate(input: ParseStream<'_>, key: &Ident) -> syn::Result<Path> {
    let value = assigned(input, key, "path::to::auth_runtime")?;
    let text = syn::parse2::<LitStr>(value.clone()).map(|text| text.value());
    Path::parse_mod_style.parse2(value.clone()).map_err(|_| {
        let example = text.unwrap_or_else(|_| "path::to::auth_runtime".to_owned());
        let message = format!(
            "`crate` takes the path of `auth_runtime` without quotes\n\
             help: write `crate = {example}`"
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
                    "`vocabulary!()` takes no argument besides `crate`\n\
                     help: declare names in `auth.toml`",
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
        format!("`{name}` has no effect on a public handler\nhelp: remove it")
    } else if REQUIREMENTS.contains(&name.as_str()) {
        format!(
            "`{name}` is never checked on a public handler\n\
             help: write `#[requires({name}{})]` in place of `#[public]`",
            as_written(value)
        )
    } else if let Some(meant) = nearest(&name, &["reason", "identity"]) {
        format!("unknown key `{name}`\nhelp: did you mean `{meant}`?")
    } else {
        format!(
            "unknown key `{name}`\n\
             help: `#[public]` takes `reason = \"...\"` and `identity = optional`"
        )
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

fn hide_as(value: &TokenStream) -> HideAs {
    let spans = || value.clone().into_iter().map(|token| token.span());
    let span = spans().next().unwrap_or_else(Span::call_site);
    HideAs {
        text: value.to_string(),
        span,
        end: spans().last().unwrap_or(span),
    }
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
            (r#"scope: "x""#, "expected `=` after `scope`"),
            (r#"scope == "x""#, "expected `=` after `scope`"),
            (r#"scope => "x""#, "expected `=` after `scope`"),
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
    fn public_takes_one_reason() {
        for (arguments, advice) in [
            ("", r#"write `#[public(reason = "...")]`"#),
            (r#""x""#, r#"write `reason = "x"`"#),
            (r#"reson = "x""#, "did you mean `reason`?"),
            (r#"why = "x""#, "and `identity = optional`"),
            (r#"reason = "x", hide_as = 404"#, "remove it"),
            (r#"reason = "x", scope = "x""#, "#[requires("),
            (r#"reason = " ""#, "state why"),
            ("reason", "has no value"),
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
