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
        let mut names = Names::default();
        names.read(item.rest.clone());
        if !names.has_glob {
            called.extend(names.called.difference(&names.other).cloned());
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

/// The names in an item. A name that occurs other than in a call may be bound there, and then its calls are
/// not those of a handler.
#[derive(Default)]
struct Names {
    /// The names in `name(...).await` and `self::name(...).await`.
    called: HashSet<String>,
    /// The names that are not followed by parentheses, and those of functions.
    other: HashSet<String>,
    /// True if an import of the item may bind any name.
    has_glob: bool,
}

impl Names {
    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for index in 0..tokens.len() {
            match tokens.split_at(index) {
                (_, [TokenTree::Group(group), ..]) => self.read(group.stream()),
                (
                    before,
                    [
                        TokenTree::Ident(name),
                        TokenTree::Group(arguments),
                        after @ ..,
                    ],
                ) if arguments.delimiter() == Delimiter::Parenthesis
                    && before.last().is_none_or(|word| !is(word, "fn")) =>
                {
                    let is_call = is_awaited(after) && can_be_of_module(before);
                    self.called.extend(is_call.then(|| name.to_string()));
                }
                (_, [TokenTree::Ident(name), after @ ..]) => {
                    self.has_glob |= name == "use" && imports_all(after);
                    self.other.insert(name.to_string());
                }
                _ => {}
            }
        }
    }
}

/// Returns whether the tokens after a call are `.await`.
fn is_awaited(after: &[TokenTree]) -> bool {
    matches!(after, [dot, word, ..] if is(dot, ".") && is(word, "await"))
}

/// Returns whether a name after these tokens is neither a method nor part of a path, except for a path from `self`.
fn can_be_of_module(before: &[TokenTree]) -> bool {
    match before {
        [.., start, colon, second] if is(colon, ":") && is(second, ":") => is(start, "self"),
        [.., last] => !is(last, ".") && !is(last, ":"),
        [] => true,
    }
}

/// Returns whether the tokens after `use` contain a glob.
fn imports_all(after: &[TokenTree]) -> bool {
    let mut import = after.iter().take_while(|token| !is(token, ";"));
    import.any(|token| token.to_string().contains('*'))
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
    fn names_bound_within_items_are_local() {
        for item in [
            "async fn f() { use super::ext::g; g(1).await; }",
            "async fn f() { g(1).await; use super::ext::g; }",
            "async fn f() { use super::ext::{self, h as g}; if x { g(1).await } }",
            "async fn f() { use super::ext::*; g(1).await; }",
            "async fn f() { use super::{self, ext::*}; g(1).await; }",
            "async fn f() { async fn g(x: u8) {} g(1).await }",
            "async fn f() { let g = async |x: u8| x; g(1).await; }",
            "async fn f() { if let Some((g, _)) = h() { g(1).await } }",
            "async fn f() { if let Some(g) = h() {} else { g(1).await } }",
            "async fn f() { let g: fn(u8) -> F = h; { g(1).await; } }",
            "async fn f() { let g = g(1).await; }",
            "async fn f(g: F) { g(1).await }",
            "impl C { async fn h<F: AsyncFn(u8)>(&self, g: F) { g(1).await } }",
            "async fn f() { for g in all { g(1).await } }",
            "async fn f() { match x { Some(g) => g(1).await, None => {} } }",
            "fn f() { let h = |g: F| async move { g(1).await }; }",
            "async fn f() { x.g(1).await; ext::g(1).await; ext::self_g(1).await }",
        ] {
            assert_eq!(messages(item), Vec::<String>::new(), "{item}");
        }
    }

    #[test]
    fn names_only_called_are_handler_names() {
        for item in [
            "async fn f() { g(1).await }",
            "async fn f() { let x = h(g(1).await); self::g(2).await }",
            "async fn f() { x.g(1).await; if y { g(1).await } }",
            "async fn f() { g(1).await } fn h() { use super::ext::g; }",
            "async fn f() { use super::ext::h; g(1).await * 2 }",
            "impl C { async fn h(&self) { g(1).await } }",
        ] {
            let messages = messages(item);
            let [message] = messages.as_slice() else {
                panic!("{item}: {messages:#?}");
            };
            assert!(message.contains("called as a function"), "{message}");
        }
    }
}
