//! Functions that a module calls, which are therefore not handlers.

use std::collections::HashSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::items::{ItemKind, ModuleItem};
use crate::codes;
use crate::errors::Errors;

/// Rejects functions that the module itself calls. Such a function is not a handler: as a handler
/// it would require a guard from its caller.
pub(super) fn refuse_helpers(items: &mut [ModuleItem], errors: &mut Errors) {
    let mut called = HashSet::new();
    let callers = items.iter().filter(|item| !item.is_test());
    for item in callers.filter(|item| !matches!(item.kind, ItemKind::Module)) {
        for token in item.rest.clone() {
            if let TokenTree::Group(part) = token {
                calls_in(part.stream(), HashSet::new(), &mut called);
            }
        }
    }
    for item in items {
        if let ItemKind::Handler(name) = &item.kind
            && !item.has_policy()
            && !item.is_test()
            && called.contains(&name.to_string())
        {
            errors.add(
                codes::HELPER,
                name.span(),
                format!(
                    "`{name}` is a handler of this module, but is called as a function\n\
                     help: move it out of the module"
                ),
            );
            item.kind = ItemKind::Other;
        }
    }
}

/// Collects the names in `name(...).await` and `self::name(...).await`, except for the `bound` names and those
/// that a `let`, `use` or `fn` of the tokens binds to something else.
fn calls_in(tokens: TokenStream, mut bound: HashSet<String>, called: &mut HashSet<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    items_bound_in(&tokens, &mut bound);
    // The names in the pattern of the current statement, and in those of the current condition.
    let (mut of_statement, mut of_condition) = (Vec::new(), Vec::new());
    for (index, token) in tokens.iter().enumerate() {
        let (before, rest) = tokens.split_at(index);
        match token {
            TokenTree::Ident(word) if word == "let" => {
                let names = names_in(rest.get(1..).unwrap_or_default());
                match before.last() {
                    Some(word) if is(word, "if") || is(word, "while") => of_condition = names,
                    Some(and) if is(and, "&") => of_condition.extend(names),
                    _ => of_statement = names,
                }
            }
            // A pattern binds its names behind the statement, or in the block behind the condition.
            TokenTree::Punct(end) if end.as_char() == ';' => bound.extend(of_statement.drain(..)),
            TokenTree::Group(group) => {
                let mut inner = bound.clone();
                if group.delimiter() == Delimiter::Brace {
                    inner.extend(of_condition.drain(..));
                }
                calls_in(group.stream(), inner, called);
            }
            _ => {}
        }
        if let Some(name) = called_name(rest)
            && names_an_item_here(before, &name, &bound)
        {
            called.insert(name);
        }
    }
}

/// Collects the names that `use` and `fn` bind, which are valid in the whole block. A glob is collected as `*`.
fn items_bound_in(tokens: &[TokenTree], bound: &mut HashSet<String>) {
    for (index, token) in tokens.iter().enumerate() {
        let behind = tokens.get(index + 1..).unwrap_or_default();
        if is(token, "use") {
            bound.extend(names_in(behind));
        } else if is(token, "fn") {
            bound.extend(behind.first().map(ToString::to_string));
        }
    }
}

/// Returns the names in an import or in a pattern, up to its end. Those of types are returned as well;
/// types are not called in this way.
fn names_in(tokens: &[TokenTree]) -> Vec<String> {
    let mut names = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                names.extend(names_in(&inner));
            }
            TokenTree::Punct(end) if matches!(end.as_char(), '=' | ';') => break,
            TokenTree::Punct(glob) if glob.as_char() == '*' => names.push(glob.to_string()),
            TokenTree::Ident(name) if !leads_on(tokens.get(index + 1..)) => {
                names.push(name.to_string());
            }
            _ => {}
        }
    }
    names
}

/// Returns whether the tokens behind a name make it the beginning of a path, or the name in `name as other`.
fn leads_on(behind: Option<&[TokenTree]>) -> bool {
    match behind {
        Some([colon, second, ..]) if is(colon, ":") => is(second, ":"),
        Some([word, ..]) => is(word, "as"),
        _ => false,
    }
}

/// Returns the name in `name(...).await`.
fn called_name(tokens: &[TokenTree]) -> Option<String> {
    let [
        TokenTree::Ident(name),
        TokenTree::Group(arguments),
        TokenTree::Punct(dot),
        TokenTree::Ident(word),
        ..,
    ] = tokens
    else {
        return None;
    };
    let is_call = arguments.delimiter() == Delimiter::Parenthesis;
    (is_call && dot.as_char() == '.' && word == "await").then(|| name.to_string())
}

/// Returns whether a name after these tokens is resolved in the module: it is neither bound elsewhere nor a
/// method nor part of a path, except for a path from `self`.
fn names_an_item_here(before: &[TokenTree], name: &str, bound: &HashSet<String>) -> bool {
    let is_bound = || bound.contains(name) || bound.contains("*");
    match before {
        [.., start, colon, second] if is(colon, ":") && is(second, ":") => is(start, "self"),
        [.., last] => !is(last, ".") && !is(last, ":") && !is_bound(),
        [] => !is_bound(),
    }
}

/// Returns whether a token is that word or character. A group is neither, and long to print.
fn is(token: &TokenTree, text: &str) -> bool {
    !matches!(token, TokenTree::Group(_)) && token.to_string() == text
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::super::Module;
    use super::*;

    /// Returns the messages about a module with this handler and these items.
    fn messages(items: &str) -> Vec<String> {
        let module = format!("mod m {{ async fn g(x: u8) {{}} {items} }}");
        let module = module.parse().expect("tokens");
        let mut errors = Errors::default();
        let mut module = Module::read(&module).expect("a module");
        module.give(
            &quote!({ authenticated }),
            &quote!(::auth_runtime),
            &mut errors,
        );
        errors.messages()
    }

    #[test]
    fn names_bound_within_an_item_are_not_those_of_handlers() {
        for item in [
            "async fn f() { use super::ext::g; g(1).await; }",
            "async fn f() { g(1).await; use super::ext::g; }",
            "async fn f() { use super::ext::{self, h as g}; if x { g(1).await } }",
            "async fn f() { use super::ext::*; g(1).await; }",
            "async fn f() { async fn g(x: u8) {} g(1).await }",
            "async fn f() { let g = async |x: u8| x; g(1).await; }",
            "async fn f() { if let Some((g, _)) = h() { g(1).await } }",
            "async fn f() { if x && let Some(g) = h() { g(1).await } }",
            "async fn f() { if let Some(g) = h() && let Some(y) = k() { g(1).await } }",
            "async fn f() { let g = if let Some(y) = h() { y } else { z }; g(1).await }",
            "async fn f() { let g: fn(u8) -> F = h; { g(1).await; } }",
        ] {
            assert_eq!(messages(item), Vec::<String>::new(), "{item}");
        }
    }

    #[test]
    fn names_bound_elsewhere_are_those_of_handlers() {
        for item in [
            "async fn f() { use super::{g as h, g::i}; g(1).await }",
            "async fn f() { use super::ext::g; self::g(1).await }",
            "async fn f() { { use super::ext::g; } g(1).await }",
            "async fn f() { g(1).await } fn h() { use super::ext::g; }",
            "async fn f() { let g = g(1).await; }",
            "async fn f() { if let Some(g) = h() {} g(1).await }",
            "async fn f() { if let Some(g) = h() {} else { g(1).await } }",
            "async fn f() { let g = { g(1).await }; }",
            "async fn f() { let g::H(x) = h; g(1).await; }",
        ] {
            let messages = messages(item);
            let [message] = messages.as_slice() else {
                panic!("{item}: {messages:#?}");
            };
            assert!(message.contains("called as a function"), "{message}");
        }
    }
}
