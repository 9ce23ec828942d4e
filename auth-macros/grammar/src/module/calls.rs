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
        calls_in(item.rest.clone(), &mut called);
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

/// Collects the names in `name(...).await` and `self::name(...).await`.
fn calls_in(tokens: TokenStream, called: &mut HashSet<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for token in &tokens {
        if let TokenTree::Group(group) = token {
            calls_in(group.stream(), called);
        }
    }
    for (index, window) in tokens.windows(4).enumerate() {
        let [
            TokenTree::Ident(name),
            TokenTree::Group(arguments),
            TokenTree::Punct(dot),
            TokenTree::Ident(word),
        ] = window
        else {
            continue;
        };
        let is_call = arguments.delimiter() == Delimiter::Parenthesis;
        let is_awaited = dot.as_char() == '.' && word == "await";
        let before = tokens.get(..index).unwrap_or_default();
        if is_call && is_awaited && names_an_item_here(before) {
            called.insert(name.to_string());
        }
    }
}

/// Returns whether a name after these tokens is resolved in the module: it is neither a method nor
/// part of a path, except for a path from `self`.
fn names_an_item_here(before: &[TokenTree]) -> bool {
    let is = |token: &TokenTree, text: &str| token.to_string() == text;
    match before {
        [.., start, colon, second] if is(colon, ":") && is(second, ":") => is(start, "self"),
        [.., last] => !is(last, ".") && !is(last, ":"),
        [] => true,
    }
}
