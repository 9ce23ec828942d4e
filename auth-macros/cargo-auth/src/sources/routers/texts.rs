//! Texts, which are paths: of macros such as `format!`, and of functions that return one.

use syn::{Expr, ExprMacro, Pat, Stmt};

use super::evaluate::{Evaluator, Frame};
use super::macros;
use super::paths::{is_short, unknown};
use super::value::{Router, Source, Value};
use crate::sources::expressions::{literal, path_of, segments_of};
use crate::sources::text::named;

impl<'s> Evaluator<'_, 's> {
    /// Evaluates a macro.
    pub(super) fn written(
        &mut self,
        expression: &'s Expr,
        written: &'s ExprMacro,
        frame: &mut Frame<'s>,
    ) -> Value<'s> {
        let routes = macros::routes(self.definitions, frame.file, frame.scope, &written.mac);
        if let Some(routes) = routes {
            return Value::Router(Router::plain(routes));
        }
        let known = |name: &Expr| match path_of(name)?.as_slice() {
            [name] => match &frame.variables.get(name)?.value {
                Value::Text(text) => Some(text.clone()),
                Value::Source(origin) if is_short(origin.expression) => {
                    Some(unknown(origin.expression))
                }
                _ => None,
            },
            _ => None,
        };
        let constant = |name: &Expr| {
            let whole = self.whole(&path_of(name)?, frame);
            literal(self.definitions.constant(&whole)?.value)
        };
        let value = |name: &Expr| {
            known(name)
                .or_else(|| literal(name))
                .or_else(|| constant(name))
        };
        match macros::text(&written.mac, value) {
            Some(text) => Value::Text(text),
            None => Value::Source(frame.source(expression)),
        }
    }

    /// Returns the text of `Type::function()`, if the type has the function through a trait.
    pub(super) fn text_of_type(&mut self, whole: &[String]) -> Option<Value<'s>> {
        let (name, owner) = whole.split_last()?;
        let index = self.definitions.shared(name)?;
        let function = self.definitions.functions.get(index)?;
        if !function.makes_text() || !function.signature.inputs.is_empty() {
            return None;
        }
        let value = self.call_for(index, Some(owner.to_vec()), Vec::new());
        matches!(value, Value::Text(_)).then_some(value)
    }

    /// Returns the text of a method like `as_str` of a variant: the value of its arm in the only
    /// `match` of the method.
    pub(super) fn text_of_variant(
        &mut self,
        source: Source<'s>,
        method: &str,
        frame: &Frame<'s>,
    ) -> Option<Value<'s>> {
        let whole = self.whole(&path_of(source.expression)?, frame);
        let (variant, owner) = whole.split_last()?;
        let function = [owner, &[method.to_owned()]].concat();
        let index = self.definitions.function(&function)?;
        let function = self.definitions.functions.get(index)?;
        let [Stmt::Expr(Expr::Match(written), None)] = function.block.stmts.as_slice() else {
            return None;
        };
        if !function.makes_text() {
            return None;
        }
        let arm = written.arms.iter().find(|arm| names(&arm.pat, variant))?;
        literal(&arm.body).map(Value::Text)
    }
}

/// Returns whether a pattern names a variant.
fn names(pattern: &Pat, variant: &str) -> bool {
    let ends = |path: &syn::Path| segments_of(path).last().is_some_and(|it| it == variant);
    match pattern {
        Pat::Ident(it) => named(&it.ident) == variant,
        Pat::Or(it) => it.cases.iter().any(|it| names(it, variant)),
        Pat::Path(it) => ends(&it.path),
        Pat::Struct(it) => ends(&it.path),
        Pat::TupleStruct(it) => ends(&it.path),
        Pat::Reference(it) => names(&it.pat, variant),
        _ => false,
    }
}
