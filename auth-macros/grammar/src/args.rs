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
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Lit, LitStr, Path, Token};

use self::keys::{A_REQUIREMENT, Place};
pub use self::keys::{REQUIREMENTS, TOP_LEVEL};
use self::list::{assigned, each, equals, key, needs_value, read, set, skip, upcoming};
pub(crate) use self::list::{is_too_deep, too_deep_message};
use self::requirement::{lesser, requirement};
use self::schemes::schemes;
use self::value::{object, resource, text, written};
use crate::characters::visible;
use crate::codes;
use crate::errors::Errors;
use crate::requirement::{HideAs, HideUnless, Name, Public, Requires};
use crate::suggest::nearest;
use crate::tokens::between_commas;

/// Reads the arguments of `#[requires(...)]` and records every mistake.
pub fn requires(arguments: TokenStream, errors: &mut Errors) -> Requires {
    let mut requires = Requires::default();
    read(arguments, errors, |input, errors| {
        each(input, errors, |input, errors| {
            let key = key(input, A_REQUIREMENT)?;
            match key.to_string().as_str() {
                "hide_as" => {
                    let value = hide_as(input, &key)?;
                    set(&mut requires.hide_as, &key, value)?;
                }
                "hide_unless" => {
                    let value = HideUnless {
                        key: key.span(),
                        lesser: lesser(input, &key, errors)?,
                    };
                    set(&mut requires.hide_unless, &key, value)?;
                }
                "on" => set(&mut requires.on, &key, object(input, &key)?)?,
                "resource" => set(&mut requires.resource, &key, resource(input, &key)?)?,
                "schemes" => {
                    let value = schemes(input, &key, errors)?;
                    set(&mut requires.schemes, &key, value)?;
                }
                "realm" => set(&mut requires.realm, &key, text(input, &key, "...")?)?,
                "says" => set(&mut requires.says, &key, text(input, &key, "...")?)?,
                "loosen" => {
                    let why = "why the module's policy does not apply here";
                    set(&mut requires.loosen, &key, reason(input, &key, why)?)?;
                }
                "crate" => set(&mut requires.krate, &key, krate(input, &key)?)?,
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
pub fn public(arguments: TokenStream, errors: &mut Errors) -> Public {
    let (mut reason, mut identity, mut schemes, mut krate) = (None, None, None, None);
    // True after a mistake in the place of the reason, too.
    let mut has_reason = false;
    read(arguments, errors, |input, errors| {
        each(input, errors, |input, errors| {
            if input.peek(Lit) {
                has_reason = true;
                let span = input.span();
                let value = written(&upcoming(input), "reason");
                return Err(codes::REASON.at(
                    span,
                    format!("expected `reason`\nhelp: write `reason = {value}`"),
                ));
            }
            let key = key(input, "`reason = \"...\"`").inspect_err(|_| has_reason = true)?;
            match key.to_string().as_str() {
                "crate" => set(&mut krate, &key, self::krate(input, &key)?),
                "identity" => {
                    set(&mut identity, &key, ())?;
                    optional(assigned(input, &key, "optional")?)
                }
                "schemes" => {
                    let names = self::schemes(input, &key, errors)?;
                    set(&mut schemes, &key, (key.span(), names))
                }
                "reason" => {
                    has_reason = true;
                    let text = self::reason(input, &key, "why this is public")?;
                    set(&mut reason, &key, text)
                }
                _ => {
                    has_reason = true;
                    Err(not_for_public(&key, &upcoming(input)))
                }
            }
        });
    });
    if !has_reason {
        errors.add(
            codes::REASON,
            Span::call_site(),
            "`#[public]` has no reason\n\
             help: write `#[public(reason = \"...\")]`, and state why this is public",
        );
    }
    if let (Some((span, _)), None) = (&schemes, identity) {
        errors.add(
            codes::NOT_FOR_PUBLIC,
            *span,
            "`schemes` has no effect on a public handler without an identity\n\
             help: add `identity = optional`, or remove `schemes`",
        );
    }
    Public {
        reason: reason.map(|reason| reason.text).unwrap_or_default(),
        optional_identity: identity.is_some(),
        schemes: schemes.map(|(_, names)| names),
    }
}

/// Accepts only the word `optional`.
fn optional(value: TokenStream) -> syn::Result<()> {
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
    let message = format!("`identity` takes only `optional`\nhelp: {advice}");
    Err(codes::VALUE.over(value, message))
}

/// Reads the reason in `= "..."`. `why` completes the advice to state it.
fn reason(input: ParseStream<'_>, key: &Ident, why: &str) -> syn::Result<Name> {
    let reason = text(input, key, why)?;
    if reason.text.trim().is_empty() {
        let message = format!("the reason is empty\nhelp: state {why}");
        return Err(codes::REASON.at(reason.span, message));
    }
    Ok(reason)
}

/// Reads `= path::to::auth_runtime`. The caller reports tokens after it.
fn krate(input: ParseStream<'_>, key: &Ident) -> syn::Result<Path> {
    let example = "path::to::auth_runtime";
    equals(input, key, example)?;
    let ahead = input.fork();
    if let Ok(path) = ahead.call(Path::parse_mod_style) {
        input.advance_to(&ahead);
        return Ok(path);
    }
    let value = upcoming(input);
    if value.is_empty() {
        return Err(needs_value(key, example));
    }
    let text = syn::parse2::<LitStr>(value.clone()).map(|text| text.value());
    let path = text.unwrap_or_else(|_| example.to_owned());
    let message = format!(
        "`crate` takes the path of `auth_runtime` without quotes\nhelp: write `crate = {path}`"
    );
    Err(codes::VALUE.over(value, message))
}

/// Returns the crate path in the arguments of an attribute, even if other arguments are invalid.
pub(crate) fn krate_in(arguments: TokenStream) -> Option<Path> {
    between_commas(arguments).into_iter().find_map(|argument| {
        let parser = |input: ParseStream<'_>| {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            input.call(Path::parse_mod_style)
        };
        parser.parse2(argument).ok()
    })
}

/// Reads the arguments of `vocabulary!(...)` or `actions!(...)` and records every mistake. `name` is that of the macro.
pub fn macro_call(name: &str, arguments: TokenStream, errors: &mut Errors) -> Option<Path> {
    let mut krate = None;
    read(arguments, errors, |input, errors| {
        each(input, errors, |input, _| {
            let expected = "nothing, or `crate = path::to::auth_runtime`";
            let key = key(input, expected)?;
            if key != "crate" {
                skip(input);
                return Err(codes::FORM.at(
                    key.span(),
                    format!(
                        "`{name}!()` takes no argument besides `crate`\n\
                         help: declare names in `auth.toml`"
                    ),
                ));
            }
            set(&mut krate, &key, self::krate(input, &key)?)
        });
    });
    krate
}

fn not_for_public(key: &Ident, value: &TokenStream) -> syn::Error {
    let name = key.to_string();
    let message = if TOP_LEVEL.contains(&name.as_str()) {
        format!("`{name}` has no effect on a public handler\nhelp: remove it")
    } else if REQUIREMENTS.contains(&name.as_str()) {
        format!(
            "`{name}` is never checked on a public handler\n\
             help: write `#[requires({name}{})]` in place of `#[public]`",
            as_written(value)
        )
    } else if let Some(meant) = nearest(&name, &["reason", "identity", "schemes"]) {
        format!("unknown key `{name}`\nhelp: did you mean `{meant}`?")
    } else {
        format!(
            "unknown key `{name}`\n\
             help: `#[public]` takes `reason = \"...\"`, `identity = optional` and `schemes(...)`"
        )
    };
    codes::NOT_FOR_PUBLIC.at(key.span(), message)
}

/// Formats the tokens after a key as source text.
fn as_written(after: &TokenStream) -> String {
    let text = after.to_string();
    let text = text.replace(" :: ", "::");
    match text.strip_prefix('=') {
        Some(value) => format!(" = {}", value.trim()),
        None => text,
    }
}

/// Reads `= 404`, or another value. The caller reports tokens after a literal.
fn hide_as(input: ParseStream<'_>, key: &Ident) -> syn::Result<HideAs> {
    equals(input, key, "404")?;
    let value = match input.cursor().literal() {
        Some(_) => input.parse::<TokenTree>()?.into(),
        None => upcoming(input),
    };
    let mut spans = value.clone().into_iter().map(|token| token.span());
    let Some(span) = spans.next() else {
        return Err(needs_value(key, "404"));
    };
    Ok(HideAs {
        text: visible(&value.to_string()),
        span,
        end: spans.last().unwrap_or(span),
    })
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
    fn valid_arguments_are_read_as_written() {
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
    fn lists_in_lists_come_to_end() {
        for (depth, is_read) in [(32, true), (33, false), (100_000, false)] {
            let arguments = format!("{}authenticated{}", "all(".repeat(depth), ")".repeat(depth));
            let tokens = arguments.parse().expect("tokens");
            let mut errors = Errors::default();
            let _ = requires(tokens, &mut errors);
            assert_eq!(errors.is_empty(), is_read, "{depth}");
        }
    }

    #[test]
    fn mistakes_come_with_advice() {
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
            ("group = \"x\"", r#"write `role = "x"`"#),
            ("user", "write `authenticated`"),
            ("logged_in = true", "write `authenticated`"),
            ("user = \"ann\"", "name no single caller"),
            ("any(user = ANN, role = \"x\")", "name no single caller"),
            ("authenticated_as = \"ann\"", "name no single caller"),
            ("authenticated = \"ann\"", "name no single caller"),
            ("authenticated(\"ann\")", "name no single caller"),
            ("authenticated(\"ann\", \"ben\")", "name no single caller"),
            (
                "authenticated(role = \"admin\")",
                "`authenticated` takes no value",
            ),
            (
                "authenticated = role(\"x\")",
                "`authenticated` takes no value",
            ),
            ("logged_in role = \"admin\"", "write `authenticated`"),
            ("authenticated = true", "takes no value"),
            ("sender_constrained = \"dpop\"", "takes no value"),
            (r#"scope = ["x", "y"]"#, r#"`scope = "x", scope = "y"`"#),
            (r#"scope("x", "y")"#, r#"`any(scope = "x", scope = "y")`"#),
            (
                r#"scope = "x" "y""#,
                r#"expected `,` between `scope = "x"` and `"y"`"#,
            ),
            (r#""x""#, r#"write a key before it, such as `scope = "x"`"#),
            ("schemes(Basic Bearer)", "expected `,` before `Bearer`"),
            (r#"hide_as = 404 role = "x""#, "expected `,` before `role`"),
            (r#"crate = a::b role = "x""#, "expected `,` before `role`"),
            ("hide_as =", "write `hide_as = 404`"),
            ("crate =", "write `crate = path::to::auth_runtime`"),
            ("crate = a::", "write `crate = path::to::auth_runtime`"),
            ("hide_unless = not(x)", "requirements have no `not`"),
            ("hide_unless =", r#"`hide_unless = scope("...")`"#),
            (r#"hide_unless = "x""#, r#"`scope("x")`"#),
            ("hide_unless = scope(5)", r#"`scope("5")`"#),
            ("hide_unless = scope()", r#"`scope("...")`"#),
            ("hide_unless = scope(x)", r#"`scope("x")`"#),
            (
                "hide_unless = scope(X)",
                r#"write the text of `X`: `scope("...")`"#,
            ),
            (r#"role = "\x61dmin""#, r#"write `role = "admin"`"#),
            (r#"role = "\u{61}dmin""#, r#"write `role = "admin"`"#),
            ("role = \"ad\\\n   min\"", r#"write `role = "admin"`"#),
            (r#"role = r"admin""#, r#"write `role = "admin"`"#),
            (r##"hide_unless = role(r#"a"#)"##, r#"write `role("a")`"#),
            (r#"max_age = "15\x6d""#, r#"write `max_age = "15m"`"#),
            (r#"schemes("Lab\x2dAuth")"#, r#"write `"Lab-Auth"`"#),
            ("max_age = 60m", r#"help: write `max_age = "60m"`"#),
            ("max_age = -8h", r#"help: write `max_age = "8h"`"#),
            ("max_age = 2w", r#"help: write `"14d"`"#),
            ("max_age = 0m", "no login meets a maximum age of `0m`"),
            ("max_age = 0", r#"help: write `max_age = "15m"`"#),
            ("max_age = 99999999999", r#"write `max_age = "15m"`"#),
            (
                "max_age = LIMIT",
                r#"write the text of `LIMIT`: `max_age = "..."`"#,
            ),
            (
                "max_age = limit",
                r#"write the text itself: `max_age = "15m"`"#,
            ),
            ("max_age = 1.5", r#"help: write `max_age = "15m"`"#),
            ("hide_unless = max_age(60)", r#"or `max_age("1m")`"#),
            (
                "network = 192.168.0.0/16",
                r#"write the text itself: `network = "192.168.0.0/16"`"#,
            ),
            (
                "hide_unless = network(2001:db8::/32)",
                r#"write the text itself: `network("2001:db8::/32")`"#,
            ),
            (
                "network = 10.0.0.1/8",
                r#"write the text itself: `network = "10.0.0.0/8"`"#,
            ),
            ("network = 10", r#"help: write `network = "10.0.0.0/8"`"#),
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
            (r#"why = "x""#, "`identity = optional` and `schemes(...)`"),
            (r#"reason = "x", scheme(Bearer)"#, "did you mean `schemes`?"),
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
