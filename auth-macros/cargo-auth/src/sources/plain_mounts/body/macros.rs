//! The macros in function bodies.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit::Visit;
use syn::{Block, Expr, Item, ItemMacro, ItemUse, Macro, Stmt, Token};

use super::Body;
use crate::sources::expressions::{calls, leftmost, line_of, path_of, segments_of};
use crate::sources::macro_policies::MacroReader;
use crate::sources::mount::{Means, MountTarget};
use crate::sources::test_code;
use crate::sources::text::named;
use crate::sources::used_names::add_texts;

impl Body<'_> {
    /// Reads a macro. Most are called like functions, or with a block.
    pub(super) fn written(&mut self, written: &Macro) {
        let tokens = &written.tokens;
        let list = Punctuated::<Expr, Token![,]>::parse_terminated;
        if let Ok(mut list) = list.parse2(tokens.clone()) {
            for expression in &mut list {
                test_code::remove_within(expression);
                self.apart(line_of(leftmost(expression)), |body| {
                    if path_of(expression).is_some() {
                        body.mount(expression, Means::Macro(segments_of(&written.path)));
                    }
                    body.visit_expr(expression);
                });
            }
        } else if let Ok(mut statements) = Block::parse_within.parse2(tokens.clone()) {
            test_code::remove_in(&mut statements);
            let (imports, statements): (Vec<_>, Vec<_>) = statements
                .into_iter()
                .partition(|it| matches!(it, Stmt::Item(Item::Use(_))));
            let imports = imports.into_iter().filter_map(|import| match import {
                Stmt::Item(import) => Some(import),
                _ => None,
            });
            self.with_items(imports.collect(), |body| {
                for statement in &statements {
                    body.visit_stmt(statement);
                }
            });
        } else {
            self.routes_in(tokens);
        }
        self.policies_in(&segments_of(&written.path).join("::"), tokens);
    }

    /// Reads the macro of an item, such as a `macro_rules!`.
    pub(in super::super::super) fn macro_item(&mut self, written: &ItemMacro) {
        // The name of a `macro_rules!`, or that of the macro which takes the tokens.
        let called = || segments_of(&written.mac.path).join("::");
        let name = written.ident.as_ref().map_or_else(called, named);
        self.policies_in(&name, &written.mac.tokens);
        self.routes_in(&written.mac.tokens);
    }

    /// Records the policies in a macro, and the texts that may be names in them.
    fn policies_in(&mut self, name: &str, tokens: &TokenStream) {
        let mut reader = MacroReader {
            name,
            file: self.file,
            text: self.text,
            scope: self.scope,
            policies: Vec::new(),
            aliases: Vec::new(),
        };
        reader.read(tokens);
        self.sources.macros.append(&mut reader.policies);
        self.sources.aliases.append(&mut reader.aliases);
        add_texts(tokens.clone(), &mut self.texts);
    }

    /// Reads a macro that is not written like a function, but may make routes: tokens that look
    /// like a call.
    fn routes_in(&mut self, tokens: &TokenStream) {
        let (imports, tokens) = split_imports(with_methods(tokens));
        self.with_items(imports, |body| body.calls_in(&tokens));
    }

    fn calls_in(&mut self, tokens: &[TokenTree]) {
        let mut rest = tokens;
        let mut is_signature = false;
        while let Some((first, others)) = rest.split_first() {
            let length = if is_signature { 0 } else { calls(rest) };
            is_signature = matches!(first, TokenTree::Ident(word) if word == "fn");
            let Some((call, behind)) = rest.split_at_checked(length).filter(|_| length > 0) else {
                if let TokenTree::Group(group) = first {
                    self.routes_in(&group.stream());
                }
                rest = others;
                continue;
            };
            let whole: TokenStream = call.iter().cloned().collect();
            match syn::parse2::<Expr>(whole) {
                Ok(expression) => self.visit_expr(&expression),
                Err(_) => self.pattern(call),
            }
            rest = behind;
        }
    }

    /// Reads a call with placeholders, such as `get($handler)`.
    fn pattern(&mut self, call: &[TokenTree]) {
        let is_group = |token: &&TokenTree| matches!(token, TokenTree::Group(_));
        let path = call
            .split(|token| is_group(&token))
            .next()
            .unwrap_or_default();
        let tokens: TokenStream = path.iter().cloned().collect();
        if let Ok(function) = syn::parse2::<Expr>(tokens)
            && let Some(path) = path_of(&function)
        {
            let means = Means::HandedOn(path);
            self.mount_at(&function, means, MountTarget::Expression, String::new());
        }
        for group in call.iter().filter(is_group) {
            if let TokenTree::Group(group) = group {
                self.routes_in(&group.stream());
            }
        }
    }
}

/// Returns tokens with a method in place of its placeholder: `routing::$method(…)` becomes
/// `routing::get(…)`.
fn with_methods(tokens: &TokenStream) -> Vec<TokenTree> {
    let mut tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let is_called = |window: &[TokenTree]| match window {
        [
            one,
            other,
            dollar,
            TokenTree::Ident(_),
            TokenTree::Group(arguments),
        ] => {
            is_punct(one, ':')
                && is_punct(other, ':')
                && is_punct(dollar, '$')
                && arguments.delimiter() == Delimiter::Parenthesis
        }
        _ => false,
    };
    let windows = tokens.windows(5).enumerate();
    let places: Vec<usize> = windows
        .filter(|(_, window)| is_called(window))
        .map(|(index, _)| index + 2)
        .collect();
    for place in places.into_iter().rev() {
        tokens.remove(place);
        if let Some(TokenTree::Ident(method)) = tokens.get_mut(place) {
            *method = Ident::new("get", method.span());
        }
    }
    tokens
}

/// Splits off the imports among tokens.
fn split_imports(tokens: Vec<TokenTree>) -> (Vec<Item>, Vec<TokenTree>) {
    let mut imports = Vec::new();
    let mut others = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some((first, behind)) = rest.split_first() {
        let end = match first {
            TokenTree::Ident(word) if word == "use" => rest.iter().position(|it| is_punct(it, ';')),
            _ => None,
        };
        let statement = end.and_then(|end| rest.get(..=end)).unwrap_or_default();
        match syn::parse2::<ItemUse>(statement.iter().cloned().collect()) {
            Ok(import) => {
                imports.push(Item::Use(import));
                rest = rest.get(statement.len()..).unwrap_or_default();
            }
            Err(_) => {
                others.push(first.clone());
                rest = behind;
            }
        }
    }
    (imports, others)
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}
