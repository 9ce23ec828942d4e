//! The parts of expressions in a body.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, ExprMethodCall, ExprPath, Lit, Pat, Path, QSelf, Type, TypePath};

use super::text::{as_written, is_punct, named, one_line};

/// Returns the value of a string literal.
pub(super) fn literal(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}

/// Returns the listed paths of `merge_unguarded` as text; source text, if they are not strings.
pub(super) fn paths_of(list: &Expr) -> String {
    let listed = match list {
        Expr::Reference(inner) => &inner.expr,
        other => other,
    };
    let paths: Option<Vec<_>> = match listed {
        Expr::Array(listed) => listed.elems.iter().map(literal).collect(),
        _ => None,
    };
    match paths {
        Some(paths) if !paths.is_empty() => one_line(&paths.join(", ")),
        _ => as_written(list),
    }
}

/// Returns the methods in `MethodFilter::GET.or(MethodFilter::PUT)`.
pub(super) fn methods_in(filter: &Expr) -> Vec<String> {
    fn collect(tokens: TokenStream, methods: &mut Vec<String>) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => collect(group.stream(), methods),
                TokenTree::Ident(word) => {
                    let word = named(&word);
                    let is_method = word.chars().all(|letter| letter.is_ascii_uppercase());
                    methods.extend(is_method.then_some(word));
                }
                _ => {}
            }
        }
    }
    let mut methods = Vec::new();
    collect(filter.to_token_stream(), &mut methods);
    methods
}

/// Returns whether an expression uses axum's `MethodFilter`.
pub(super) fn names_methods(filter: &Expr) -> bool {
    match filter {
        Expr::MethodCall(call) => names_methods(&call.receiver),
        Expr::Binary(both) => names_methods(&both.left),
        other => path_of(other).is_some_and(|path| path.iter().any(|name| name == "MethodFilter")),
    }
}

/// Returns the name in `let name = …`, also that of the value in `Ok(name)` or `Some(name)`.
pub(super) fn variable(pattern: &Pat) -> Option<String> {
    match pattern {
        Pat::Ident(name) => Some(named(&name.ident)),
        Pat::Type(typed) => variable(&typed.pat),
        Pat::TupleStruct(inner) if inner.elems.len() == 1 => variable(inner.elems.first()?),
        _ => None,
    }
}

/// Collects the variables of a pattern.
pub(super) fn names_in(pattern: &Pat, names: &mut Vec<String>) {
    match pattern {
        Pat::Ident(it) => names.push(named(&it.ident)),
        Pat::Type(it) => names_in(&it.pat, names),
        Pat::Or(it) => it.cases.iter().for_each(|it| names_in(it, names)),
        Pat::Paren(it) => names_in(&it.pat, names),
        Pat::Slice(it) => it.elems.iter().for_each(|it| names_in(it, names)),
        Pat::Reference(it) => names_in(&it.pat, names),
        Pat::Tuple(it) => it.elems.iter().for_each(|it| names_in(it, names)),
        Pat::TupleStruct(it) => it.elems.iter().for_each(|it| names_in(it, names)),
        Pat::Struct(it) => it.fields.iter().for_each(|it| names_in(&it.pat, names)),
        _ => {}
    }
}

/// Returns whether the result of a method of a handler calls this handler, and no other one.
fn keeps_handler(call: &ExprMethodCall) -> bool {
    matches!(
        named(&call.method).as_str(),
        "clone"
            | "into_handler"
            | "into_make_service"
            | "into_make_service_with_connect_info"
            | "into_service"
            | "layer"
            | "with_state"
    )
}

/// Returns the path of a handler, without the layers and state that are added to it. The result of
/// another method, such as `or`, may be another handler.
pub(super) fn handler(expression: &Expr) -> Option<Vec<String>> {
    match expression {
        Expr::MethodCall(call) if keeps_handler(call) => handler(&call.receiver),
        Expr::Paren(inner) => handler(&inner.expr),
        other => path_of(other),
    }
}

/// Returns whether the handler of a chain may be another one than that at its beginning.
pub(super) fn may_replace(chain: &Expr) -> bool {
    match chain {
        Expr::MethodCall(call) => !keeps_handler(call) || may_replace(&call.receiver),
        Expr::Paren(inner) => may_replace(&inner.expr),
        _ => false,
    }
}

pub(super) fn path_of(expression: &Expr) -> Option<Vec<String>> {
    match expression {
        Expr::Path(path) => path_in(path),
        _ => None,
    }
}

/// Returns the path of an item. In `<Type>::function`, it begins with the path of the type.
pub(super) fn path_in(expression: &ExprPath) -> Option<Vec<String>> {
    let function = segments_of(&expression.path);
    match &expression.qself {
        Some(QSelf {
            ty, position: 0, ..
        }) => match &**ty {
            Type::Path(TypePath {
                qself: None, path, ..
            }) => Some([segments_of(path), function].concat()),
            _ => None,
        },
        _ => Some(function),
    }
}

pub(super) fn segments_of(path: &Path) -> Vec<String> {
    let segments = path.segments.iter();
    segments.map(|segment| named(&segment.ident)).collect()
}

pub(super) fn is_async_closure(expression: &Expr) -> bool {
    match expression {
        Expr::Paren(inner) => is_async_closure(&inner.expr),
        Expr::Closure(closure) => {
            closure.asyncness.is_some() || matches!(&*closure.body, Expr::Async(_))
        }
        _ => false,
    }
}

/// Returns the number of leading tokens that form a call and its method chain. `Err` has the number of
/// leading tokens in which no call begins.
pub(super) fn calls(tokens: &[TokenTree]) -> Result<usize, usize> {
    let is_one = |index: usize, wanted: char| {
        let token = tokens.get(index);
        token.is_some_and(|token| is_punct(token, wanted))
    };
    let is_ident = |index: usize| matches!(tokens.get(index), Some(TokenTree::Ident(_)));
    let is_group = |index: usize| match tokens.get(index) {
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
        _ => false,
    };
    let mut end = if is_one(0, ':') && is_one(1, ':') {
        2
    } else {
        0
    };
    loop {
        if !is_ident(end) {
            return Err(end);
        }
        end += 1;
        if !(is_one(end, ':') && is_one(end + 1, ':')) {
            break;
        }
        end += 2;
    }
    if !is_group(end) {
        return Err(end);
    }
    end += 1;
    loop {
        if is_one(end, '?') {
            end += 1;
        } else if is_one(end, '.') && is_ident(end + 1) && is_group(end + 2) {
            end += 3;
        } else {
            return Ok(end);
        }
    }
}

/// Returns the byte offset in the file.
pub(super) fn start_of(tokens: &impl Spanned) -> usize {
    tokens.span().byte_range().start
}

/// Returns the innermost beginning of an expression, so that a long chain is not searched at each
/// link.
pub(super) fn leftmost(expression: &Expr) -> &Expr {
    match expression {
        Expr::Await(inner) => leftmost(&inner.base),
        Expr::Binary(inner) => leftmost(&inner.left),
        Expr::Call(inner) => leftmost(&inner.func),
        Expr::Field(inner) => leftmost(&inner.base),
        Expr::MethodCall(inner) => leftmost(&inner.receiver),
        Expr::Try(inner) => leftmost(&inner.expr),
        other => other,
    }
}

/// Returns whether an expression may be the reason of an adopted router: a string, a constant or a
/// macro. Other types have a method of that name, with other arguments.
pub(super) fn is_reason(expression: &Expr) -> bool {
    let is_constant = |name: &String| !name.contains(char::is_lowercase);
    match expression {
        Expr::Lit(_) => literal(expression).is_some(),
        Expr::Macro(_) => true,
        other => path_of(other).is_some_and(|path| path.last().is_some_and(is_constant)),
    }
}

/// Returns the text of a reason; source text, if it is not a string.
pub(super) fn text_of(reason: &Expr) -> String {
    match literal(reason) {
        Some(text) => one_line(&text),
        None => as_written(reason),
    }
}

/// Returns the expression before all method calls of a chain.
pub(super) fn receiver_of(chain: &Expr) -> &Expr {
    match chain {
        Expr::Await(inner) => receiver_of(&inner.base),
        Expr::MethodCall(call) => receiver_of(&call.receiver),
        Expr::Paren(inner) => receiver_of(&inner.expr),
        Expr::Try(inner) => receiver_of(&inner.expr),
        other => other,
    }
}

pub(super) fn line_of(tokens: &impl Spanned) -> usize {
    tokens.span().start().line
}
