//! The macros in the construction of routers.

use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Macro, Meta, Path, Token};

use super::definitions::Definitions;
use super::methods::{named_target, shown_methods};
use super::paths::unknown;
use super::value::{Callable, Route, Target};
use crate::sources::expressions::{literal, segments_of};
use crate::sources::finding::Place;
use crate::sources::routing::makes_route;

/// Returns the routes of `routes!(list, add)` of `utoipa-axum`: the method and path are in the
/// attributes of the handlers.
pub(super) fn routes<'s>(
    definitions: &Definitions<'s>,
    file: &str,
    scope: usize,
    written: &Macro,
) -> Option<Vec<Route<'s>>> {
    if !segments_of(&written.path).pop()?.ends_with("routes") {
        return None;
    }
    let paths = Punctuated::<Path, Token![,]>::parse_terminated;
    let paths = paths.parse2(written.tokens.clone()).ok()?;
    let routes = paths.iter().map(|path| {
        let target = named_target(definitions, scope, None, &segments_of(path));
        let (method, at) = documented(definitions, &target);
        let place = Place::of(file, syn::spanned::Spanned::span(path));
        Route {
            path: at,
            ..Route::new(place, method, target)
        }
    });
    Some(routes.collect())
}

/// Returns the method and the path of `#[utoipa::path(get, path = "…")]`.
fn documented(definitions: &Definitions<'_>, target: &Target<'_>) -> (String, String) {
    let undocumented = || ("?".to_owned(), "<path of its attribute>".to_owned());
    let Some(Callable::Function(index)) = target.callable else {
        return undocumented();
    };
    let Some(function) = definitions.functions.get(index) else {
        return undocumented();
    };
    let attribute = function.attributes.iter().find(|it| is_utoipa(it));
    let Some(Attribute {
        meta: Meta::List(list),
        ..
    }) = attribute
    else {
        return undocumented();
    };
    // Other arguments need not be expressions.
    let (mut methods, mut path) = (Vec::new(), None);
    for argument in split(list.tokens.clone()) {
        let Ok(argument) = syn::parse2::<Expr>(argument) else {
            continue;
        };
        match &argument {
            Expr::Path(it) => {
                let name = segments_of(&it.path).pop().unwrap_or_default();
                methods.extend(makes_route(&name).then(|| name.to_ascii_uppercase()));
            }
            Expr::Call(call) if call.func.to_token_stream().to_string() == "method" => {
                let names = call.args.iter().map(|it| it.to_token_stream().to_string());
                methods.extend(names.map(|name| name.to_ascii_uppercase()));
            }
            Expr::Assign(it) if it.left.to_token_stream().to_string() == "path" => {
                path = Some(literal(&it.right).unwrap_or_else(|| unknown(&it.right)));
            }
            _ => {}
        }
    }
    (
        shown_methods(&methods),
        path.unwrap_or_else(|| undocumented().1),
    )
}

fn is_utoipa(attribute: &Attribute) -> bool {
    let path = segments_of(attribute.path());
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    matches!(path.as_slice(), ["utoipa", "path"] | ["path"])
}

/// Splits tokens at their commas.
fn split(tokens: proc_macro2::TokenStream) -> Vec<proc_macro2::TokenStream> {
    let mut parts = vec![proc_macro2::TokenStream::new()];
    for token in tokens {
        match &token {
            proc_macro2::TokenTree::Punct(punct) if punct.as_char() == ',' => {
                parts.push(proc_macro2::TokenStream::new());
            }
            _ => {
                if let Some(part) = parts.last_mut() {
                    part.extend([token]);
                }
            }
        }
    }
    parts
}

/// Returns the text of `format!` and `concat!`. `value` returns the text of a name.
pub(super) fn text(written: &Macro, value: impl Fn(&Expr) -> Option<String>) -> Option<String> {
    let name = segments_of(&written.path).pop()?;
    let list = Punctuated::<Expr, Token![,]>::parse_terminated;
    let list = list.parse2(written.tokens.clone()).ok()?;
    let shown = |expression: &Expr| value(expression).unwrap_or_else(|| unknown(expression));
    match name.as_str() {
        "concat" => Some(list.iter().map(shown).collect()),
        "format" => {
            let mut arguments = list.iter();
            let template = literal(arguments.next()?)?;
            let arguments: Vec<_> = arguments.map(shown).collect();
            Some(filled(&template, &arguments, |name| {
                syn::parse_str::<Expr>(name)
                    .map_or_else(|_| format!("<{name}>"), |name| shown(&name))
            }))
        }
        _ => None,
    }
}

/// Fills the placeholders of a format string.
fn filled(template: &str, arguments: &[String], named: impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    let mut next = arguments.iter();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, behind) = rest.split_at(at);
        text.push_str(before);
        if behind.starts_with("{{") || behind.starts_with("}}") {
            text.push_str(behind.get(..1).unwrap_or_default());
            rest = behind.get(2..).unwrap_or_default();
            continue;
        }
        let Some((placeholder, after)) = behind.get(1..).and_then(|it| it.split_once('}')) else {
            return text;
        };
        let name = placeholder.split(':').next().unwrap_or_default();
        match name {
            "" => text.push_str(next.next().map_or("<…>", String::as_str)),
            name => text.push_str(&named(name)),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}
