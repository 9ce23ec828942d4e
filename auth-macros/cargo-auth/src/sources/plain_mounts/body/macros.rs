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
use crate::sources::text::{is_punct, named};
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
            uses_attributes: self.uses_attributes,
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
        while let Some(first) = rest.first() {
            let found = if is_signature { Err(1) } else { calls(rest) };
            is_signature = matches!(first, TokenTree::Ident(word) if word == "fn");
            let length = found.unwrap_or_else(|length| length.max(1));
            let (call, after) = rest.split_at(length);
            rest = after;
            match (found, first) {
                (Ok(_), _) => match syn::parse2::<Expr>(call.iter().cloned().collect()) {
                    Ok(expression) => self.visit_expr(&expression),
                    Err(_) => self.pattern(call),
                },
                (Err(_), TokenTree::Group(group)) => self.routes_in(&group.stream()),
                (Err(_), _) => {}
            }
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
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut made = Vec::with_capacity(tokens.len());
    let mut rest = tokens.as_slice();
    while let Some((first, others)) = rest.split_first() {
        match rest {
            [
                one,
                other,
                dollar,
                TokenTree::Ident(method),
                TokenTree::Group(arguments),
                after @ ..,
            ] if is_punct(one, ':')
                && is_punct(other, ':')
                && is_punct(dollar, '$')
                && arguments.delimiter() == Delimiter::Parenthesis =>
            {
                let method = Ident::new("get", method.span());
                made.extend([one.clone(), other.clone(), method.into()]);
                made.push(arguments.clone().into());
                rest = after;
            }
            _ => {
                made.push(first.clone());
                rest = others;
            }
        }
    }
    made
}

/// Splits off the imports among tokens.
fn split_imports(tokens: Vec<TokenTree>) -> (Vec<Item>, Vec<TokenTree>) {
    let mut imports = Vec::new();
    let mut others = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some((first, after)) = rest.split_first() {
        if let Some((import, after)) = import(rest) {
            imports.push(Item::Use(import));
            rest = after;
        } else {
            others.push(first.clone());
            rest = after;
        }
    }
    (imports, others)
}

/// Returns the import at the beginning of tokens, and the tokens behind it.
fn import(tokens: &[TokenTree]) -> Option<(ItemUse, &[TokenTree])> {
    let is_use = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == "use");
    let (_, after) = tokens.split_first().filter(|(first, _)| is_use(first))?;
    let end = after
        .iter()
        .position(|it| is_punct(it, ';') || is_use(it))?;
    let (statement, after) = after.split_at_checked(end + 1)?;
    let statement = tokens.first().into_iter().chain(statement).cloned();
    Some((syn::parse2(statement.collect()).ok()?, after))
}
