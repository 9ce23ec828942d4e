//! The `cfg` conditions of attributes and of their items.

use auth_grammar::attribute::is_test;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Meta, Stmt, Token};

use super::expressions::literal;
use super::text::readable;

/// An attribute, and the predicate of its `cfg_attr`, if it was in one.
pub(super) type Conditional = (Attribute, Option<String>);

pub(super) fn is_conditional(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
}

/// Returns the attributes as if every `cfg_attr` held, except those for tests.
pub(super) fn unconditional(attributes: Vec<Attribute>) -> Vec<Conditional> {
    let mut all = Vec::new();
    for attribute in attributes {
        let inner = match &attribute.meta {
            Meta::List(list) if list.path.is_ident("cfg_attr") => {
                let metas = Punctuated::<Meta, Token![,]>::parse_terminated;
                metas.parse2(list.tokens.clone()).ok()
            }
            _ => None,
        };
        let Some(inner) = inner else {
            all.push((attribute, None));
            continue;
        };
        let mut metas = inner.into_iter();
        let Some(predicate) = metas.next().filter(|it| !it.path().is_ident("test")) else {
            continue;
        };
        let predicate = readable(&predicate);
        let metas = metas.map(|meta| Attribute {
            meta,
            ..attribute.clone()
        });
        for (attribute, further) in unconditional(metas.collect()) {
            let predicate = match further {
                Some(further) => format!("all({predicate}, {further})"),
                None => predicate.clone(),
            };
            all.push((attribute, Some(predicate)));
        }
    }
    all
}

/// Returns the attributes of a statement that is not an item.
pub(super) fn attributes_at(statement: &Stmt) -> &[Attribute] {
    match statement {
        Stmt::Local(local) => &local.attrs,
        Stmt::Macro(written) => &written.attrs,
        Stmt::Expr(expression, _) => attributes_of(expression),
        Stmt::Item(_) => &[],
    }
}

/// Returns the attributes before an expression, which belong to its first part.
fn attributes_of(expression: &Expr) -> &[Attribute] {
    macro_rules! attributes {
        ($($kind:ident)*) => {
            match expression {
                Expr::Assign(it) => attributes_of(&it.left),
                Expr::Binary(it) => attributes_of(&it.left),
                Expr::Cast(it) => attributes_of(&it.expr),
                $(Expr::$kind(it) => &it.attrs,)*
                _ => &[],
            }
        };
    }
    attributes!(
            Array Async Await Block Break Call Closure Const Continue Field ForLoop Group If
            Index Infer Let Lit Loop Macro Match MethodCall Paren Path Range RawAddr Reference
            Repeat Return Struct Try TryBlock Tuple Unary Unsafe While Yield
    )
}

/// Returns whether only some configurations have a statement. Tests are none.
pub(super) fn is_configured(statement: &Stmt) -> bool {
    let mut cfgs = attributes_at(statement)
        .iter()
        .filter(|it| is_conditional(it));
    cfgs.any(|cfg| !is_against_tests(cfg))
}

/// Returns whether an attribute is a `cfg` that holds everywhere but in tests.
fn is_against_tests(cfg: &Attribute) -> bool {
    match cfg.parse_args() {
        Ok(Meta::List(list)) if list.path.is_ident("not") => {
            let mut opposite = cfg.clone();
            if let Meta::List(cfg) = &mut opposite.meta {
                cfg.tokens = list.tokens;
            }
            is_test(&opposite)
        }
        _ => false,
    }
}

/// Combines two predicates of `cfg`.
pub(super) fn both(one: Option<String>, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) => Some(format!("all({one}, {other})")),
        (one, other) => one.or(other),
    }
}

/// Returns the paths in `#[path = "…"]`, and whether one applies under every `cfg`.
pub(super) fn paths(attributes: Vec<Attribute>) -> (Vec<String>, bool) {
    let path = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(named) if named.path.is_ident("path") => literal(&named.value),
        _ => None,
    };
    let mut paths = Vec::new();
    let mut is_surely_there = false;
    for (attribute, condition) in unconditional(attributes) {
        if let Some(path) = path(&attribute) {
            paths.push(path);
            is_surely_there |= condition.is_none();
        }
    }
    (paths, is_surely_there)
}
