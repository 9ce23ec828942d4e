//! The values of requirement keys.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Ident, Lit, LitInt, LitStr, Macro, Path, Token};

use super::list::{assigned, stray};
use crate::characters::too_long;
use crate::codes;
use crate::requirement::{Age, Can, Function, Name, Namespace, Network, RequirementKind};
use crate::values;

/// The form in which a name is written beside its key.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// `scope = "…"`
    Assigned,
    /// `scope("…")`, in `hide_unless`, where a second `=` is hard to read.
    Called,
}

impl Form {
    pub(super) fn write(self, key: impl Display, value: &str) -> String {
        match self {
            Self::Assigned => format!("{key} = {value}"),
            Self::Called => format!("{key}({value})"),
        }
    }

    /// Writes it for a message.
    fn shown(self, key: &Ident, value: &str) -> String {
        format!("`{}`", self.write(key, value))
    }
}

/// The key of a requirement with a value.
#[derive(Clone, Copy)]
pub(super) enum ValueKey {
    Named(Namespace),
    MaxAge,
    Network,
    Check,
    Can,
    Policy,
}

impl ValueKey {
    pub(super) fn of(key: &str) -> Option<Self> {
        Some(match key {
            "max_age" => Self::MaxAge,
            "network" => Self::Network,
            "check" => Self::Check,
            "can" => Self::Can,
            "policy" => Self::Policy,
            _ => Self::Named(Namespace::of(key)?),
        })
    }
}

/// Returns an example value for a key.
pub(super) fn example(key: &str) -> &'static str {
    match key {
        "max_age" => "\"15m\"",
        "network" => "\"10.0.0.0/8\"",
        "check" => "path::to::function",
        "hide_as" => "404",
        "on" => "\"Type::{id}\"",
        _ => "\"...\"",
    }
}

/// Returns the requirement of a key and its value. A missing value is reported at `place`.
pub(super) fn valued(
    value_key: ValueKey,
    key: &Ident,
    value: &TokenStream,
    place: Span,
    form: Form,
) -> syn::Result<RequirementKind> {
    if value.is_empty() {
        let example = form.write(key, example(&key.to_string()));
        return Err(codes::VALUE.at(
            place,
            format!("`{key}` has no value\nhelp: write `{example}`"),
        ));
    }
    let name = || string(value, key, form);
    Ok(match value_key {
        ValueKey::Named(namespace) => RequirementKind::Named(namespace, name()?),
        ValueKey::MaxAge => {
            let Name { text, span, .. } = name()?;
            let seconds = values::seconds(&text);
            RequirementKind::MaxAge(Age {
                seconds: seconds.map_err(|message| codes::DURATION.at(span, message))?,
                text,
            })
        }
        ValueKey::Network => {
            let Name { text, span, .. } = name()?;
            // The vocabulary resolves names.
            let blocks = if values::is_network_name(&text) {
                Vec::new()
            } else {
                let block = values::block(&text);
                vec![block.map_err(|message| codes::NETWORK.at(span, message))?]
            };
            RequirementKind::Network(Network { text, span, blocks })
        }
        ValueKey::Check => RequirementKind::Check(function(value, key, form)?),
        ValueKey::Can => RequirementKind::Can(Can {
            action: name()?,
            on: None,
            resource: None,
        }),
        ValueKey::Policy => {
            let name = name()?;
            if name.text.is_empty() {
                let message = "the policy is empty\nhelp: name the required policy";
                return Err(codes::NAME.at(name.span, message));
            }
            RequirementKind::Policy(name)
        }
    })
}

/// Parses the path of a function.
fn function(value: &TokenStream, key: &Ident, form: Form) -> syn::Result<Function> {
    let write = |path: &str| form.shown(key, path);
    let begins_with_path = |input: ParseStream<'_>| {
        let path = input.call(Path::parse_mod_style)?;
        let _: TokenStream = input.parse()?;
        Ok(path)
    };
    if let Ok(path) = Path::parse_mod_style.parse2(value.clone()) {
        let own_type = path.segments.first().filter(|first| first.ident == "Self");
        return match own_type {
            Some(own_type) => Err(codes::VALUE.at(
                own_type.ident.span(),
                "`Self` is not known in the path of a function\n\
                 help: write the name of the type in its place",
            )),
            None => Ok(Function(path)),
        };
    }
    let first = value.clone().into_iter().next();
    let first = first.map(|token| token.to_string()).unwrap_or_default();
    let message = if let Ok(literal) = syn::parse2::<LitStr>(value.clone()) {
        match literal.value() {
            object if object.contains("::{") => format!(
                "`{key}` takes the path of a function\n\
                 help: write `on = {object:?}` for an object that path parameters name"
            ),
            path => format!(
                "`{key}` takes the path of a function without quotes\nhelp: write {}",
                write(&path)
            ),
        }
    } else if matches!(first.as_str(), "|" | "move" | "async") {
        let result = if key == "resource" {
            "Option<Resource>"
        } else {
            "bool"
        };
        format!(
            "`{key}` takes the path of a function, not a closure\n\
             help: name an `async fn` that takes a `CheckRequest` and returns `{result}`"
        )
    } else if let Ok(path) = begins_with_path.parse2(value.clone()) {
        format!(
            "`{key}` takes only the path of a function\nhelp: write {}",
            write(&Function(path).to_string())
        )
    } else {
        format!(
            "`{key}` takes the path of a function\nhelp: write {}",
            write("path::to::function")
        )
    };
    Err(codes::VALUE.over(value, message))
}

/// Reads `= "..."`. Messages show the `example`.
pub(super) fn text(input: ParseStream<'_>, key: &Ident, example: &str) -> syn::Result<Name> {
    let value = assigned(input, key, &format!("\"{example}\""))?;
    string(&value, key, Form::Assigned)
}

/// Reads `= "Type::{id}"`.
pub(super) fn object(input: ParseStream<'_>, key: &Ident) -> syn::Result<Name> {
    text(input, key, "Type::{id}")
}

/// Reads `= path::to::function`.
pub(super) fn resource(input: ParseStream<'_>, key: &Ident) -> syn::Result<Function> {
    let value = assigned(input, key, "path::to::function")?;
    function(&value, key, Form::Assigned)
}

/// Formats the value of a key for a message, as it was written.
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

/// The keys with a text for people. The others have a name.
const TEXTS: [&str; 3] = ["reason", "loosen", "says"];

fn is_text(key: &Ident) -> bool {
    TEXTS.iter().any(|text| key == text)
}

/// Parses `value` as a string literal.
pub(super) fn string(value: &TokenStream, key: &Ident, form: Form) -> syn::Result<Name> {
    let wrong = |message| Err(codes::VALUE.over(value, message));
    let mut tokens = value.clone().into_iter();
    // Another literal may be the beginning of a text without quotes, such as `10.0.0.0/8`.
    if let (Some(first), Some(next)) = (tokens.next(), tokens.next())
        && syn::parse2::<LitStr>(first.clone().into()).is_ok()
        && !next.to_string().starts_with(',')
    {
        let before = form.write(key, &first.to_string());
        return Err(codes::STRAY.at(next.span(), stray(Some(&before), &next)));
    }
    if let Some(message) = several_strings(value, key, form) {
        return wrong(message);
    }
    let literal = match syn::parse2::<Lit>(value.clone()) {
        Ok(Lit::Str(literal)) if literal.suffix().is_empty() => literal,
        Ok(Lit::Int(literal)) if key == "max_age" => {
            return Err(unquoted_age(value, &literal, key, form));
        }
        Ok(literal) => return wrong(not_a_string(&literal, key, form)),
        Err(_) => return wrong(not_a_literal(value, key, form)),
    };
    let text = literal.value();
    if !is_text(key) {
        if let Some(problem) = too_long(&key.to_string(), &text) {
            return Err(codes::TOO_LARGE.at(literal.span(), problem));
        }
        if !values::is_plain(&literal) {
            return wrong(format!(
                "a text search misses this spelling of `{key}`\nhelp: write {}",
                form.shown(key, &format!("{text:?}"))
            ));
        }
    }
    Ok(Name {
        text,
        span: literal.span(),
        broader: Vec::new(),
    })
}

/// Returns the message for several strings in place of one, possibly in brackets.
fn several_strings(value: &TokenStream, key: &Ident, form: Form) -> Option<String> {
    let mut tokens = value.clone().into_iter();
    let values = match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Group(group)), None) => strings(group.stream()),
        _ => strings(value.clone()),
    }?;
    let values: Vec<String> = values.iter().map(|value| form.write(key, value)).collect();
    let values = values.join(", ");
    let advice = match form {
        Form::Assigned => {
            format!("`{values}` to require all of them, or `any({values})` to require one")
        }
        Form::Called => {
            format!("`any({values})` to require one of them, or `all({values})` to require all")
        }
    };
    Some(format!("`{key}` takes one string\nhelp: write {advice}"))
}

/// Returns the message for a literal in place of a string.
fn not_a_string(literal: &Lit, key: &Ident, form: Form) -> String {
    let unprefixed = |kind: &str, prefix: char, text: &str| {
        let text = form.shown(key, &format!("{text:?}"));
        format!("`{key}` takes a string, not {kind}\nhelp: remove the `{prefix}`: {text}")
    };
    let text = match literal {
        Lit::Str(literal) => {
            return format!(
                "the string has a suffix\nhelp: remove `{}`",
                literal.suffix()
            );
        }
        Lit::ByteStr(literal) => {
            return unprefixed("bytes", 'b', &String::from_utf8_lossy(&literal.value()));
        }
        Lit::CStr(literal) => {
            return unprefixed("a C string", 'c', &literal.value().to_string_lossy());
        }
        Lit::Bool(_) if key == "setting" => {
            return "`setting` takes a name, not a value\n\
                    help: write `setting = \"...\"`; the protection space has the value"
                .to_owned();
        }
        _ if key == "max_age" || key == "network" => example(&key.to_string()).to_owned(),
        other => {
            let text = other.to_token_stream().to_string();
            format!("{:?}", text.trim_matches('\''))
        }
    };
    format!(
        "`{key}` takes a string in quotes\nhelp: write {}",
        form.shown(key, &text)
    )
}

/// Returns the message for an expression in place of a string.
fn not_a_literal(value: &TokenStream, key: &Ident, form: Form) -> String {
    if let Some(constant) = constant(value) {
        return format!(
            "`{key}` takes a string literal, not a constant\n\
             help: write the text of `{constant}`: {}",
            form.shown(key, "\"...\"")
        );
    }
    if is_text(key)
        && let Some(words) = words(value)
    {
        return format!(
            "the text has no quotes\nhelp: write {}",
            form.shown(key, &format!("{words:?}"))
        );
    }
    let name = syn::parse2::<Ident>(value.clone()).ok();
    let name = name.filter(|_| key != "max_age");
    let name = name.map(|name| format!("\"{name}\""));
    let block = value.to_string().replace(' ', "");
    let block = (key == "network" && values::block(&block).is_ok()).then(|| format!("{block:?}"));
    let text = name.or(block).or_else(|| joined(value));
    let text = text.unwrap_or_else(|| example(&key.to_string()).to_owned());
    let why = if is_text(key) {
        ""
    } else {
        ", since it is checked at compile time"
    };
    format!(
        "`{key}` takes a string literal{why}\n\
         help: write the text itself: {}",
        form.shown(key, &text)
    )
}

/// Returns the path of a constant. A single name is one if it is in capitals.
fn constant(value: &TokenStream) -> Option<Function> {
    let path = Path::parse_mod_style.parse2(value.clone()).ok()?;
    let is_constant = path.get_ident().is_none_or(|name| {
        let name = name.to_string();
        name.contains(char::is_uppercase) && !name.contains(char::is_lowercase)
    });
    is_constant.then_some(Function(path))
}

/// Returns the words of a text without quotes.
fn words(value: &TokenStream) -> Option<String> {
    let words = value.clone().into_iter().map(|token| match token {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    });
    Some(words.collect::<Option<Vec<_>>>()?.join(" "))
}

/// Returns the mistake of a maximum age without quotes.
fn unquoted_age(value: &TokenStream, literal: &LitInt, key: &Ident, form: Form) -> syn::Error {
    let digits = literal.base10_digits();
    let (mistake, number) = match digits.strip_prefix('-') {
        Some(positive) => ("the duration is negative", positive),
        None => ("`max_age` takes a number and a unit in quotes", digits),
    };
    let (text, larger) = match literal.suffix() {
        "" => (format!("{number}s"), values::in_larger_units(number)),
        unit => (format!("{number}{unit}"), None),
    };
    let advice = match values::seconds(&text) {
        Ok(_) => {
            let texts = std::iter::once(text).chain(larger);
            let options = texts.map(|text| form.shown(key, &format!("{text:?}")));
            options.collect::<Vec<_>>().join(" or ")
        }
        Err(_) if literal.suffix().is_empty() => form.shown(key, example("max_age")),
        Err(message) => return codes::DURATION.over(value, message),
    };
    codes::VALUE.over(value, format!("{mistake}\nhelp: write {advice}"))
}

/// Parses several string literals, separated by commas.
pub(super) fn strings(tokens: TokenStream) -> Option<Vec<String>> {
    let parser = Punctuated::<LitStr, Token![,]>::parse_terminated;
    let literals = parser.parse2(tokens).ok()?;
    let texts = literals
        .iter()
        .map(|literal| literal.to_token_stream().to_string());
    (literals.len() > 1).then(|| texts.collect())
}

/// Returns the value of `concat!("a", "b")`.
fn joined(value: &TokenStream) -> Option<String> {
    let call: Macro = syn::parse2(value.clone()).ok()?;
    let parser = Punctuated::<LitStr, Token![,]>::parse_terminated;
    let parts = call.parse_body_with(parser).ok()?;
    let text: String = parts.iter().map(LitStr::value).collect();
    call.path.is_ident("concat").then(|| format!("{text:?}"))
}
