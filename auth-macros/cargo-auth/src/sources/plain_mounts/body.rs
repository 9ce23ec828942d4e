//! Handlers and services that function bodies mount on routers.

mod macros;
mod mounts;

use std::collections::BTreeSet;
use std::rc::Rc;

use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Arm, Block, Expr, ExprArray, ExprCall, ExprClosure, ExprForLoop, ExprIf, ExprLet, ExprMatch,
    ExprMethodCall, ExprPath, ExprWhile, ImplItemFn, Item, Local, Macro, Pat, Signature, Stmt,
    TraitItemFn, Type,
};

use super::added::Added;
use super::variables::Variables;
use crate::sources::expressions::{leftmost, line_of, path_in, path_of, start_of, text_of};
use crate::sources::finding::{Finding, Place};
use crate::sources::items::{borrowed_guard, typed_parameters_of, types_of};
use crate::sources::mount::{Exemption, FunctionPlace, Means, Mention, MountTarget};
use crate::sources::origins::{Origin, Origins, names_guarded};
use crate::sources::record::{Sources, Unguarded};
use crate::sources::routing::{
    SERVICE_METHODS, guarded_service, guarded_service_in, handler_method, makes_route,
};
use crate::sources::source_texts::SourceTexts;
use crate::sources::text::named;
use crate::sources::used_names::{add_texts, asks_for_grant};

/// A reader of one body.
pub(in super::super) struct Body<'b> {
    sources: &'b mut Sources,
    /// The name of the file for messages.
    file: &'b str,
    /// The text of the file.
    text: &'b str,
    /// The scope of the current block.
    scope: usize,
    /// True if the crate can use the attributes.
    uses_attributes: bool,
    /// The items in blocks, with the scopes of these.
    items: Vec<(usize, Vec<Item>)>,
    /// The texts that may be names of the vocabulary.
    texts: BTreeSet<String>,
    /// The name and the place of the function.
    function: String,
    within: Rc<FunctionPlace>,
    locals: Locals,
    /// The exemption of the current expression.
    exemption: Option<Exemption>,
    /// The lines on which the current expressions begin, up to the innermost block, link of a chain
    /// or match arm that has a line of its own.
    begins: Vec<usize>,
}

/// The variables of a function.
#[derive(Default)]
struct Locals {
    variables: Variables,
    /// The variables that may be routers.
    origins: Origins,
    texts: SourceTexts,
}

impl Locals {
    fn of(signature: &Signature, block: &Block) -> Self {
        Self {
            variables: Variables::of(signature, block),
            origins: Origins::of_parameters(signature),
            texts: SourceTexts::default(),
        }
    }

    /// Records the variables of a pattern.
    fn bind(&mut self, pattern: &Pat, value: Option<&Expr>) {
        let origin = value.and_then(|value| self.origins.of(value));
        self.origins.bind(pattern, origin);
        self.texts.bind(pattern, value);
    }
}

impl<'b> Body<'b> {
    pub(in super::super) fn new(
        sources: &'b mut Sources,
        file: &'b str,
        text: &'b str,
        scope: usize,
        uses_attributes: bool,
    ) -> Self {
        Self {
            sources,
            file,
            text,
            scope,
            uses_attributes,
            items: Vec::new(),
            texts: BTreeSet::new(),
            function: String::new(),
            within: Rc::new((file.to_owned(), usize::MAX)),
            locals: Locals::default(),
            exemption: None,
            begins: Vec::new(),
        }
    }

    /// Returns the items in the blocks of the body, which are not read yet, with their scopes, and
    /// the texts that may be names of the vocabulary.
    pub(in super::super) fn into_parts(self) -> (Vec<(usize, Vec<Item>)>, BTreeSet<String>) {
        (self.items, self.texts)
    }

    /// Sets the name of the item, if it is not a function.
    pub(in super::super) fn named(&mut self, name: &str) {
        self.function = name.to_owned();
    }

    pub(in super::super) fn function(&mut self, name: &str, signature: &Signature, block: &Block) {
        let locals = Locals::of(signature, block);
        let outer_locals = std::mem::replace(&mut self.locals, locals);
        let outer = std::mem::replace(&mut self.function, name.to_owned());
        let place = Rc::new((self.file.to_owned(), start_of(block)));
        let outer_place = std::mem::replace(&mut self.within, place);
        self.visit_block(block);
        self.within = outer_place;
        self.function = outer;
        self.locals = outer_locals;
    }

    fn exempt(&mut self, by: Exemption, visit: impl FnOnce(&mut Self)) {
        let outer = self.exemption.replace(by);
        visit(self);
        self.exemption = outer;
    }

    /// Records a mention of a function, or of a method by its name.
    fn mention(&mut self, path: Vec<String>, is_method: bool) {
        self.sources.mentions.push(Mention {
            within: Rc::clone(&self.within),
            scope: self.scope,
            path,
            is_method,
            exemption: self.exemption,
        });
    }

    /// Records a plain router that is added to a guarded one, with its reason.
    fn unguarded(&mut self, by: &impl Spanned, added: Added<'_>) {
        self.sources.unguarded.push(Unguarded {
            place: Place::of(self.file, by.span()),
            kind: added.kind,
            reason: text_of(added.reason),
            target: added.target,
            made: self.locals.texts.of(added.router),
        });
        self.exempt(Exemption::Excused, |body| body.visit_expr(added.router));
    }

    fn is_variable(&self, path: &[String]) -> bool {
        matches!(path, [name] if self.locals.variables.names.contains(name))
    }

    /// Reads the last link of a chain.
    fn link(&mut self, call: &ExprMethodCall) {
        let arguments: Vec<_> = call.args.iter().collect();
        let name = named(&call.method);
        if asks_for_grant(&name) {
            add_texts(call.args.to_token_stream(), &mut self.texts);
        }
        let is_guarded = || {
            let origin = self.locals.origins.of(&call.receiver);
            origin.is_some_and(|origin| origin.is_guarded())
        };
        if let Some(added) = Added::by(&name, &arguments, is_guarded) {
            return self.unguarded(&call.method, added);
        }
        match (name.as_str(), arguments.as_slice()) {
            // A guarded router takes the policy before the service.
            (name, [_, service]) if SERVICE_METHODS.contains(&name) => {
                self.mount(service, Means::Service);
            }
            ("fallback_service", [service]) => self.mount(service, Means::Service),
            ("merge", [router]) | ("nest", [_, router]) => {
                self.merge(self.locals.origins.of(&call.receiver), router);
            }
            ("into_make_service" | "into_make_service_with_connect_info", _) => {
                self.mount(&call.receiver, Means::UNKNOWN);
            }
            (name, arguments) => {
                // Finding the origin takes as long as the chain is.
                if let Some(name) = handler_method(name) {
                    self.handled(self.locals.origins.of(&call.receiver), name, arguments);
                }
            }
        }
        let service = guarded_service(&name, &arguments);
        for argument in arguments {
            self.argument(argument, service);
        }
    }

    /// Reads an argument. Routes within a service with a policy need no other one.
    fn argument(&mut self, argument: &Expr, service: Option<&Expr>) {
        if service.is_some_and(|service| std::ptr::eq(service, argument)) {
            self.exempt(Exemption::Guarded, |body| body.visit_expr(argument));
        } else {
            self.visit_expr(argument);
        }
    }

    /// Records the guard of a handler among the parameters of a function that cannot have a policy.
    fn note_borrowed_guard<'t>(&mut self, types: impl Iterator<Item = &'t Type>) {
        if let Some(policy) = borrowed_guard(types) {
            let place = Place::of(self.file, policy.span());
            let advice =
                "write a free `async fn` with `#[requires(...)]` or `#[public(reason = \"...\")]`";
            let finding = Finding::borrowed(place, &policy.to_string(), advice);
            self.sources.findings.push(finding);
        }
    }

    /// Reads code in a scope with these items, if there are any.
    fn with_items(&mut self, items: Vec<Item>, read: impl FnOnce(&mut Self)) {
        let outer = self.scope;
        if !items.is_empty() {
            self.scope = self.sources.names.block(outer, &self.function);
            self.items.push((self.scope, items));
        }
        read(self);
        self.scope = outer;
    }

    /// Reads an expression with variables of its own.
    fn scoped(&mut self, visit: impl FnOnce(&mut Self)) {
        let outer = (self.locals.origins.clone(), self.locals.texts.clone());
        visit(self);
        (self.locals.origins, self.locals.texts) = outer;
    }

    /// Reads an expression that begins on a line.
    fn at_line(&mut self, line: usize, visit: impl FnOnce(&mut Self)) {
        // The first link begins on the line of its chain.
        if self.begins.last() == Some(&line) {
            return visit(self);
        }
        self.begins.push(line);
        visit(self);
        self.begins.pop();
    }

    /// Reads a part on a line of its own, which does not belong to the lines above it.
    fn apart(&mut self, line: usize, visit: impl FnOnce(&mut Self)) {
        if self.begins.last() == Some(&line) {
            return visit(self);
        }
        let around = std::mem::replace(&mut self.begins, vec![line]);
        visit(self);
        self.begins = around;
    }
}

impl Visit<'_> for Body<'_> {
    fn visit_block(&mut self, block: &Block) {
        let item = |statement: &Stmt| match statement {
            Stmt::Item(item) => Some(item.clone()),
            _ => None,
        };
        let items: Vec<Item> = block.stmts.iter().filter_map(item).collect();
        let place = (!items.is_empty()).then(|| (self.file.to_owned(), start_of(block)));
        let around = std::mem::take(&mut self.begins);
        self.with_items(items, |body| {
            let blocks = &mut body.sources.blocks;
            blocks.extend(place.map(|place| (place, body.scope)));
            body.scoped(|body| {
                for statement in &block.stmts {
                    if !matches!(statement, Stmt::Item(_)) {
                        body.visit_stmt(statement);
                    }
                }
            });
        });
        self.begins = around;
    }

    fn visit_stmt(&mut self, statement: &Stmt) {
        self.at_line(line_of(statement), |body| {
            visit::visit_stmt(body, statement);
        });
    }

    fn visit_arm(&mut self, arm: &Arm) {
        self.apart(line_of(arm), |body| visit::visit_arm(body, arm));
    }

    fn visit_expr_array(&mut self, list: &ExprArray) {
        for element in &list.elems {
            self.apart(line_of(leftmost(element)), |body| body.visit_expr(element));
        }
    }

    fn visit_expr(&mut self, expression: &Expr) {
        self.at_line(line_of(leftmost(expression)), |body| {
            visit::visit_expr(body, expression);
        });
    }

    fn visit_impl_item_fn(&mut self, function: &ImplItemFn) {
        let signature = &function.sig;
        if signature.receiver().is_none() {
            self.note_borrowed_guard(types_of(signature));
        }
        self.function(&named(&signature.ident), signature, &function.block);
    }

    fn visit_expr_closure(&mut self, closure: &ExprClosure) {
        self.note_borrowed_guard(typed_parameters_of(closure).map(|it| &*it.ty));
        self.scoped(|body| {
            for input in &closure.inputs {
                body.locals.bind(input, None);
            }
            visit::visit_expr_closure(body, closure);
        });
    }

    fn visit_trait_item_fn(&mut self, function: &TraitItemFn) {
        if let Some(block) = &function.default {
            let signature = &function.sig;
            self.function(&named(&signature.ident), signature, block);
        }
    }

    fn visit_local(&mut self, local: &Local) {
        match self.locals.variables.exemption_at(start_of(local)) {
            Some(exemption) => self.exempt(exemption, |body| visit::visit_local(body, local)),
            None => visit::visit_local(self, local),
        }
        let init = local.init.as_ref();
        self.locals.bind(&local.pat, init.map(|init| &*init.expr));
    }

    fn visit_expr_if(&mut self, written: &ExprIf) {
        self.scoped(|body| visit::visit_expr_if(body, written));
    }

    fn visit_expr_while(&mut self, written: &ExprWhile) {
        self.scoped(|body| visit::visit_expr_while(body, written));
    }

    fn visit_expr_for_loop(&mut self, written: &ExprForLoop) {
        self.visit_expr(&written.expr);
        self.scoped(|body| {
            body.locals.bind(&written.pat, None);
            body.visit_block(&written.body);
        });
    }

    fn visit_expr_let(&mut self, written: &ExprLet) {
        visit::visit_expr_let(self, written);
        self.locals.bind(&written.pat, Some(&written.expr));
    }

    fn visit_expr_match(&mut self, written: &ExprMatch) {
        self.visit_expr(&written.expr);
        for arm in &written.arms {
            self.scoped(|body| {
                body.locals.bind(&arm.pat, Some(&written.expr));
                body.visit_arm(arm);
            });
        }
    }

    fn visit_expr_path(&mut self, expression: &ExprPath) {
        if let Some(path) = path_in(expression)
            && !self.is_variable(&path)
        {
            if path.last().is_some_and(|name| makes_route(name)) {
                let by = Means::HandedOn(path.clone());
                self.mount_at(expression, by, MountTarget::Expression, String::new());
            }
            self.mention(path, false);
        }
        visit::visit_expr_path(self, expression);
    }

    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        // The earlier part of the chain begins on a line above.
        self.visit_expr(&call.receiver);
        self.mention(vec![named(&call.method)], true);
        self.apart(line_of(&call.method), |body| body.link(call));
    }

    fn visit_expr_call(&mut self, call: &ExprCall) {
        let arguments: Vec<_> = call.args.iter().collect();
        let path = path_of(&call.func);
        let function = path
            .as_ref()
            .and_then(|path| path.last())
            .map(String::as_str);
        if function.is_some_and(asks_for_grant) {
            add_texts(call.args.to_token_stream(), &mut self.texts);
        }
        // Matches `GuardedRouter::adopt(guarded, router, reason)`.
        if let (Some(name), [guarded, others @ ..]) = (function, arguments.as_slice())
            && let Some(added) = Added::by(name, others, || {
                path.as_ref().is_some_and(|path| names_guarded(path))
            })
        {
            self.unguarded(&call.func, added);
            return self.visit_expr(guarded);
        }
        match (function, arguments.as_slice()) {
            (Some(name), [_, _, service]) if SERVICE_METHODS.contains(&name) => {
                self.mount(service, Means::Service);
            }
            (Some("fallback_service"), [_, service]) => self.mount(service, Means::Service),
            _ => {}
        }
        let Some(path) = path else {
            return visit::visit_expr_call(self, call);
        };
        if !self.is_variable(&path) {
            self.mention(path.clone(), false);
        }
        // Matches `Router::fallback(router, handler)`.
        if let ([.., owner, name], [_, others @ ..]) = (path.as_slice(), arguments.as_slice())
            && owner.starts_with(char::is_uppercase)
        {
            let ty = Origin::Made {
                by: Some(path.clone()),
                ty: None,
            };
            match (name.as_str(), others) {
                ("merge", [router]) | ("nest", [_, router]) => self.merge(Some(ty), router),
                (name, others) => {
                    if let Some(name) = handler_method(name) {
                        self.handled(Some(ty), name, others);
                    }
                }
            }
        }
        let service = guarded_service_in(&path, &arguments);
        for (index, argument) in arguments.into_iter().enumerate() {
            if index < 2 {
                self.mount(argument, Means::Function(path.clone(), index));
            }
            self.argument(argument, service);
        }
    }

    fn visit_macro(&mut self, written: &Macro) {
        self.written(written);
    }
}
