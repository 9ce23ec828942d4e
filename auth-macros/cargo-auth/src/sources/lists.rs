//! Lists in macros such as `vec!`, as arrays.

use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::token::Bracket;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprArray, Item, Macro, MacroDelimiter, Token};

use super::expressions::segments_of;
use super::test_code;

/// Replaces the macros with lists by arrays, so that the handlers in them are read.
pub(super) fn as_arrays(item: &mut Item) {
    Lists.visit_item_mut(item);
}

struct Lists;

impl VisitMut for Lists {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        if let Expr::Macro(written) = expression
            && let Some(list) = list_in(&written.mac)
        {
            *expression = Expr::Array(list);
        }
        visit_mut::visit_expr_mut(self, expression);
    }
}

fn list_in(written: &Macro) -> Option<ExprArray> {
    if !segments_of(&written.path).pop()?.ends_with("vec") {
        return None;
    }
    let list = Punctuated::<Expr, Token![,]>::parse_terminated;
    let mut elems = list.parse2(written.tokens.clone()).ok()?;
    elems.iter_mut().for_each(test_code::remove_within);
    let span = match &written.delimiter {
        MacroDelimiter::Paren(it) => it.span,
        MacroDelimiter::Brace(it) => it.span,
        MacroDelimiter::Bracket(it) => it.span,
    };
    Some(ExprArray {
        attrs: Vec::new(),
        bracket_token: Bracket { span },
        elems,
    })
}
