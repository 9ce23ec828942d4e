//! The extractors and the checks of a handler.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Block, Expr, ExprAsync, ExprClosure, ExprIf, ExprMatch, ExprTry, FnArg, Item, Local,
    Macro, Pat, Stmt, Type,
};

use super::definitions::Definitions;
use super::extractors::{extractor_check, type_text};
use super::value::{Callable, Check, CheckKind};
use super::words::{call_checks, is_about_password, is_login, names_check, refuses};
use crate::sources::expressions::{leftmost, path_of, segments_of};
use crate::sources::text::{named, one_line, readable};

/// The number of statements at the start of a handler that are read.
const START: usize = 6;

/// The maximum number of characters of a shown statement.
const SHOWN: usize = 40;

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
            let types = function
                .signature
                .inputs
                .iter()
                .filter_map(|input| match input {
                    FnArg::Typed(typed) => Some(&*typed.ty),
                    FnArg::Receiver(_) => None,
                });
            let types: Vec<_> = types.collect();
            let owner = function.owner.as_ref();
            let mut handler = extractors(definitions, function.scope, owner, &types);
            handler.checks.extend(attributes(function.attributes));
            if !is_login(&named(&function.signature.ident)) {
                handler.checks.extend(statement(function.block));
            }
            handler
        }
        Callable::Closure(source) => {
            let Expr::Closure(closure) = source.expression else {
                return Handler::default();
            };
            let types = closure.inputs.iter().filter_map(|input| match input {
                Pat::Type(typed) => Some(&*typed.ty),
                _ => None,
            });
            let types: Vec<_> = types.collect();
            let mut handler = extractors(definitions, source.scope, None, &types);
            let block = match &*closure.body {
                Expr::Async(it) => Some(&it.block),
                Expr::Block(it) => Some(&it.block),
                _ => None,
            };
            handler.checks.extend(block.and_then(statement));
            handler
        }
    }
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

/// Returns the first statement at the start of a body that seems to check access.
fn statement(block: &Block) -> Option<Check> {
    let mut search = Search { found: None };
    for statement in block.stmts.iter().take(START) {
        search.visit_stmt(statement);
    }
    search.found.map(|text| Check {
        kind: CheckKind::Statement,
        text,
    })
}

struct Search {
    found: Option<String>,
}

impl Search {
    fn find(&mut self, text: String) {
        self.found.get_or_insert(text);
    }
}

impl Visit<'_> for Search {
    fn visit_item(&mut self, _: &Item) {}

    fn visit_expr_closure(&mut self, _: &ExprClosure) {}

    fn visit_expr_async(&mut self, _: &ExprAsync) {}

    fn visit_expr_try(&mut self, tried: &ExprTry) {
        let call = match &*tried.expr {
            Expr::Await(inner) => &inner.base,
            other => other,
        };
        match call {
            Expr::MethodCall(call) => {
                let name = named(&call.method);
                let replaces = matches!(name.as_str(), "map_err" | "ok_or" | "ok_or_else");
                if replaces
                    && refuses(&call.args.to_token_stream())
                    && !is_about_password(&call.receiver.to_token_stream())
                {
                    self.find(shown(&call.receiver.to_token_stream()));
                }
                if call_checks(&name, &beginning(&call.receiver)) && !asks_password(&call.args) {
                    self.find(format!("{name}()"));
                }
            }
            Expr::Call(call) => {
                let path = path_of(&call.func).unwrap_or_default();
                if let [outer @ .., name] = path.as_slice()
                    && call_checks(name, outer.last().map_or("", String::as_str))
                    && !asks_password(&call.args)
                {
                    self.find(format!("{name}()"));
                }
            }
            _ => {}
        }
        visit::visit_expr_try(self, tried);
    }

    fn visit_expr_if(&mut self, written: &ExprIf) {
        let ends = |block: &Block| match block.stmts.last() {
            Some(Stmt::Expr(Expr::Return(_), _) | Stmt::Macro(_)) => true,
            Some(Stmt::Expr(_, None)) => written.else_branch.is_some(),
            _ => false,
        };
        let block = &written.then_branch;
        if ends(block)
            && refuses(&block.to_token_stream())
            && !is_about_password(&written.cond.to_token_stream())
        {
            self.find(format!("if {}", shown(&written.cond.to_token_stream())));
        }
        visit::visit_expr_if(self, written);
    }

    fn visit_expr_match(&mut self, written: &ExprMatch) {
        let refused = written
            .arms
            .iter()
            .any(|arm| refuses(&arm.body.to_token_stream()));
        if refused && !is_about_password(&written.expr.to_token_stream()) {
            self.find(format!("match {}", shown(&written.expr.to_token_stream())));
        }
        visit::visit_expr_match(self, written);
    }

    fn visit_local(&mut self, local: &Local) {
        if let Some(init) = &local.init
            && let Some((_, diverges)) = &init.diverge
            && refuses(&diverges.to_token_stream())
            && !is_about_password(&init.expr.to_token_stream())
        {
            self.find(shown(&init.expr.to_token_stream()));
        }
        visit::visit_local(self, local);
    }

    fn visit_macro(&mut self, written: &Macro) {
        let name = segments_of(&written.path).pop().unwrap_or_default();
        let logs = matches!(
            name.as_str(),
            "debug" | "error" | "format" | "info" | "println" | "trace" | "warn"
        );
        if names_check(&name) || (!logs && refuses(&written.tokens)) {
            self.find(format!("{name}!()"));
        }
    }
}

/// Returns the type or function at the beginning of a chain.
fn beginning(receiver: &Expr) -> String {
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

fn asks_password(arguments: &impl ToTokens) -> bool {
    is_about_password(&arguments.to_token_stream())
}

fn shown(tokens: &TokenStream) -> String {
    let text = one_line(&readable(tokens))
        .replace(" . ", ".")
        .replace(" ?", "?");
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().trim_end()),
        None => text,
    }
}
