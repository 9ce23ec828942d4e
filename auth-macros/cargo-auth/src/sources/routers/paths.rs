//! The paths of routes.

use syn::{Expr, Type};

use super::definitions::Definitions;
use super::value::{Callable, Target};
use crate::sources::expressions::segments_of;
use crate::sources::items::types_of;
use crate::sources::text::{excerpt, named};

/// Returns an expression with an unknown value in angle brackets: the beginning of a chain.
pub(super) fn unknown(expression: &Expr) -> String {
    let mut rest = expression;
    let mut is_changed = false;
    loop {
        rest = match rest {
            Expr::Group(it) => &it.expr,
            Expr::Paren(it) => &it.expr,
            Expr::Reference(it) => &it.expr,
            Expr::Try(it) => &it.expr,
            Expr::MethodCall(call) => {
                is_changed |= !keeps_text(&named(&call.method));
                &call.receiver
            }
            _ => break,
        };
    }
    let changed = if is_changed { "…" } else { "" };
    format!("<{}{changed}>", excerpt(rest))
}

/// Joins a prefix and a path as axum does.
pub(super) fn joined(prefix: &str, path: &str) -> String {
    match prefix.strip_suffix('/') {
        None if path == "/" && !prefix.is_empty() => prefix.to_owned(),
        None => format!("{prefix}{path}"),
        Some(prefix) => format!("{prefix}{path}"),
    }
}

/// Returns whether an expression is a chain that begins with a name.
pub(super) fn is_short(expression: &Expr) -> bool {
    match expression {
        Expr::Field(it) => is_short(&it.base),
        Expr::Group(it) => is_short(&it.expr),
        Expr::MethodCall(it) => is_short(&it.receiver),
        Expr::Paren(it) => is_short(&it.expr),
        Expr::Path(_) => true,
        Expr::Reference(it) => is_short(&it.expr),
        Expr::Try(it) => is_short(&it.expr),
        _ => false,
    }
}

/// Returns whether a method returns the text that it is called on.
pub(super) fn keeps_text(method: &str) -> bool {
    matches!(
        method,
        "as_deref"
            | "as_ref"
            | "as_str"
            | "borrow"
            | "clone"
            | "deref"
            | "into"
            | "to_owned"
            | "to_string"
    )
}

/// Returns the path of a handler of `typed_get`, by the type of its parameter.
pub(super) fn typed_path(definitions: &Definitions<'_>, target: &Target<'_>) -> String {
    let unknown = || "<typed path>".to_owned();
    let Some(Callable::Function(index)) = target.callable else {
        return unknown();
    };
    let Some(function) = definitions.functions.get(index) else {
        return unknown();
    };
    let paths = types_of(function.signature).filter_map(|ty| {
        let Type::Path(path) = ty else {
            return None;
        };
        let whole = definitions.resolve_type(function.scope, None, &segments_of(&path.path));
        definitions.typed_path(&whole).cloned()
    });
    paths.last().unwrap_or_else(unknown)
}
