//! The extractors and the checks of a handler.

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Block, Expr, ExprAsync, ExprClosure, ExprIf, ExprMatch, ExprMethodCall, ExprTry,
    Item, Local, Macro, PatType, Stmt, Type,
};

use super::check_names::{
    call_checks, is_about_password, is_credential, is_log, is_login, names_check, refuses,
};
use super::definitions::{Definitions, Function};
use super::extractors::{extractor_check, identifies_caller, makes_refusal};
use super::value::{Callable, Check, CheckKind, marked};
use crate::sources::conditions::is_configured;
use crate::sources::expressions::{leftmost, names_in, path_of, segments_of};
use crate::sources::items::{parameters_of, typed_parameters_of, types_of};
use crate::sources::text::{any_word, excerpt, named, type_text};

/// The maximum number of functions between a handler and the check.
const MAX_DEPTH: usize = 3;

/// The extractors and the checks of a handler.
#[derive(Default)]
pub(super) struct Handler {
    pub(super) extractors: Vec<String>,
    pub(super) checks: Vec<Check>,
}

pub(super) fn read(definitions: &Definitions<'_>, callable: Callable<'_>) -> Handler {
    match callable {
        Callable::Function(index) => {
            let Some(function) = definitions.functions.get(index) else {
                return Handler::default();
            };
            let types: Vec<_> = types_of(function.signature).collect();
            let owner = function.owner.as_ref();
            let mut handler = extractors(definitions, function.scope, owner, &types);
            handler.checks.extend(attributes(function.attributes));
            if !is_login(&named(&function.signature.ident)) {
                let context = Context::of(definitions, function, MAX_DEPTH);
                handler.checks.extend(statement(function.block, context));
            }
            handler
        }
        Callable::Closure(source) => {
            let Expr::Closure(closure) = source.expression else {
                return Handler::default();
            };
            let types: Vec<_> = typed_parameters_of(closure).map(|it| &*it.ty).collect();
            let mut handler = extractors(definitions, source.scope, None, &types);
            let block = match &*closure.body {
                Expr::Async(it) => Some(&it.block),
                Expr::Block(it) => Some(&it.block),
                _ => None,
            };
            let context = Context {
                definitions,
                scope: source.scope,
                owner: None,
                depth: MAX_DEPTH,
                callers: callers(typed_parameters_of(closure)),
            };
            handler
                .checks
                .extend(block.and_then(|block| statement(block, context)));
            handler
        }
    }
}

/// Returns the variables of parameters that may identify the caller: identities, extensions and headers.
fn callers<'s>(inputs: impl Iterator<Item = &'s PatType>) -> Vec<String> {
    let mut names = Vec::new();
    for input in inputs.filter(|it| identifies_caller(&it.ty)) {
        names_in(&input.pat, &mut names);
    }
    names
}

fn extractors(
    definitions: &Definitions<'_>,
    scope: usize,
    owner: Option<&Vec<String>>,
    types: &[&Type],
) -> Handler {
    let check = |ty: &&Type| extractor_check(definitions, scope, owner, ty);
    Handler {
        extractors: types.iter().map(|ty| type_text(ty)).collect(),
        checks: types.iter().filter_map(check).collect(),
    }
}

/// Returns the attributes that seem to check access, such as `#[protect("ADMIN")]`.
fn attributes(attributes: &[Attribute]) -> impl Iterator<Item = Check> + '_ {
    attributes.iter().filter_map(|attribute| {
        let path = segments_of(attribute.path());
        let name = path.last()?;
        names_check(name).then(|| Check {
            kind: CheckKind::Attribute,
            text: format!("#[{name}]"),
        })
    })
}

/// Returns the first statement of a body that seems to check access.
fn statement(block: &Block, context: Context<'_, '_>) -> Option<Check> {
    let mut search = Search {
        context,
        is_configured: false,
        found: None,
    };
    search.visit_block(block);
    // The result of a function at the end is that of the handler.
    if let Some(Stmt::Expr(last, None)) = block.stmts.last() {
        search.result_of(last);
    }
    search.found.map(|(text, is_configured)| Check {
        kind: CheckKind::Statement,
        text: marked(&text, is_configured),
    })
}

/// The surroundings of a body.
struct Context<'d, 's> {
    definitions: &'d Definitions<'s>,
    scope: usize,
    owner: Option<&'d Vec<String>>,
    /// The number of functions within each other that are still read.
    depth: usize,
    /// The variables that may identify the caller.
    callers: Vec<String>,
}

impl<'d, 's> Context<'d, 's> {
    fn of(definitions: &'d Definitions<'s>, function: &'d Function<'s>, depth: usize) -> Self {
        Self {
            definitions,
            scope: function.scope,
            owner: function.owner.as_ref(),
            depth,
            callers: callers(parameters_of(function.signature)),
        }
    }

    /// Returns whether a function of the sources refuses callers, and takes one.
    fn refuses_in(&self, path: &[String], arguments: &impl ToTokens) -> bool {
        if !self.identifies(arguments) {
            return false;
        }
        let whole = self.definitions.resolve_in(self.scope, self.owner, path);
        let function = self.definitions.function(&whole);
        let function = function.and_then(|index| self.definitions.functions.get(index));
        function.is_some_and(|it| self.refuses(it))
    }

    /// Returns whether all methods of that name in the sources refuse callers.
    fn refuses_in_method(&self, call: &ExprMethodCall) -> bool {
        let takes_caller = || self.identifies(&call.receiver) || self.identifies(&call.args);
        let methods = self.definitions.methods(&named(&call.method));
        !methods.is_empty() && takes_caller() && methods.iter().all(|it| self.refuses(it))
    }

    fn refuses(&self, function: &Function<'s>) -> bool {
        let Some(depth) = self.depth.checked_sub(1) else {
            return false;
        };
        // A function may call itself.
        let refusing = &self.definitions.refusing;
        let key = (function.path.clone(), depth);
        if let Some(known) = refusing.borrow().get(&key) {
            return *known;
        }
        refusing.borrow_mut().insert(key.clone(), false);
        let within = || {
            statement(
                function.block,
                Context::of(self.definitions, function, depth),
            )
        };
        let result = !is_login(&named(&function.signature.ident))
            && (makes_refusal(function.block) || within().is_some());
        refusing.borrow_mut().insert(key, result);
        result
    }

    /// Returns whether tokens may identify the caller.
    fn identifies(&self, tokens: &impl ToTokens) -> bool {
        any_word(tokens, &|name| {
            self.callers.iter().any(|caller| caller == name) || is_credential(name)
        })
    }
}

struct Search<'d, 's> {
    context: Context<'d, 's>,
    /// True if only some configurations have the current statement.
    is_configured: bool,
    /// The check, and whether only some configurations have it.
    found: Option<(String, bool)>,
}

impl Search<'_, '_> {
    fn find(&mut self, text: String) {
        let is_better = |(_, is_configured): &(String, bool)| *is_configured && !self.is_configured;
        if self.found.as_ref().is_none_or(is_better) {
            self.found = Some((text, self.is_configured));
        }
    }

    /// Reads an expression with an error that is the response.
    fn result_of(&mut self, expression: &Expr) {
        match expression {
            Expr::Await(inner) => self.result_of(&inner.base),
            Expr::Paren(inner) => self.result_of(&inner.expr),
            Expr::MethodCall(call) => {
                let name = named(&call.method);
                // The innermost call is the first one.
                if keeps_error(&name) {
                    self.result_of(&call.receiver);
                }
                let replaces = matches!(name.as_str(), "map_err" | "ok_or" | "ok_or_else");
                if replaces && refuses(&call.args) && !is_about_password(&call.receiver) {
                    self.find(excerpt(&call.receiver));
                }
                let is_check = call_checks(&name, &owner_of_chain(&call.receiver))
                    || self.context.refuses_in_method(call);
                if is_check && !is_about_password(&call.args) {
                    self.find(format!("{name}()"));
                }
            }
            Expr::Call(call) => {
                let path = path_of(&call.func).unwrap_or_default();
                if let [outer @ .., name] = path.as_slice()
                    && (call_checks(name, outer.last().map_or("", String::as_str))
                        || self.context.refuses_in(&path, &call.args))
                    && !is_about_password(&call.args)
                {
                    self.find(format!("{name}()"));
                }
            }
            _ => {}
        }
    }
}

impl Visit<'_> for Search<'_, '_> {
    fn visit_item(&mut self, _: &Item) {}

    fn visit_stmt(&mut self, statement: &Stmt) {
        let outer = self.is_configured;
        self.is_configured |= is_configured(statement);
        visit::visit_stmt(self, statement);
        self.is_configured = outer;
    }

    fn visit_expr_closure(&mut self, _: &ExprClosure) {}

    fn visit_expr_async(&mut self, _: &ExprAsync) {}

    fn visit_expr_try(&mut self, tried: &ExprTry) {
        self.result_of(&tried.expr);
        visit::visit_expr_try(self, tried);
    }

    fn visit_expr_if(&mut self, written: &ExprIf) {
        let ends = |block: &Block| match block.stmts.last() {
            Some(Stmt::Expr(Expr::Return(_), _) | Stmt::Macro(_)) => true,
            Some(Stmt::Expr(_, None)) => written.else_branch.is_some(),
            _ => false,
        };
        let block = &written.then_branch;
        if ends(block) && refuses(block) && !is_about_password(&written.cond) {
            self.find(format!("if {}", excerpt(&written.cond)));
        }
        visit::visit_expr_if(self, written);
    }

    fn visit_expr_match(&mut self, written: &ExprMatch) {
        let refused = written.arms.iter().any(|arm| refuses(&arm.body));
        if refused && !is_about_password(&written.expr) {
            self.find(format!("match {}", excerpt(&written.expr)));
        }
        visit::visit_expr_match(self, written);
    }

    fn visit_local(&mut self, local: &Local) {
        if let Some(init) = &local.init
            && let Some((_, diverges)) = &init.diverge
            && refuses(diverges)
            && !is_about_password(&init.expr)
        {
            self.find(excerpt(&init.expr));
        }
        visit::visit_local(self, local);
    }

    fn visit_macro(&mut self, written: &Macro) {
        let name = segments_of(&written.path).pop().unwrap_or_default();
        if names_check(&name) || (!is_log(&name) && refuses(&written.tokens)) {
            self.find(format!("{name}!()"));
        }
    }
}

/// Returns whether a method returns the error of its receiver, or another one for it.
fn keeps_error(method: &str) -> bool {
    matches!(
        method,
        "and_then" | "context" | "inspect" | "inspect_err" | "map" | "map_err" | "with_context"
    )
}

/// Returns the type or the module of the function at the beginning of a chain.
fn owner_of_chain(receiver: &Expr) -> String {
    let path = match leftmost(receiver) {
        Expr::Path(it) => segments_of(&it.path),
        _ => Vec::new(),
    };
    // The receiver may be a variable: then its name says nothing of its type.
    match path.as_slice() {
        [.., ty, _] => ty.clone(),
        _ => String::new(),
    }
}
