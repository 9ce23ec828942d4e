//! Branches, loops and closures in the construction of routers.

use std::collections::BTreeMap;

use syn::{Block, Expr, ExprClosure, ExprIf, ExprMatch, Stmt};

use super::evaluate::{Evaluator, Frame, Variable};
use super::value::{Value, join};
use crate::sources::expressions::names_in;

impl<'s> Evaluator<'_, 's> {
    pub(super) fn repeat(&mut self, body: &'s Block, frame: &mut Frame<'s>) -> Value<'s> {
        let before = frame.variables.clone();
        let value = self.block(body, frame);
        self.merge_variables(before, frame);
        value
    }

    /// Evaluates a closure where it is written, since it may make a router.
    pub(super) fn closure(&mut self, closure: &'s ExprClosure, frame: &mut Frame<'s>) {
        let outer = frame.variables.clone();
        let outer_names = frame.names.len();
        for input in &closure.inputs {
            self.bind(input, Value::Unknown, frame);
            names_in(input, &mut frame.names);
        }
        let value = self.value(&closure.body, frame);
        frame.names.truncate(outer_names);
        self.emit(value);
        let inner = std::mem::replace(&mut frame.variables, outer);
        for (name, variable) in &mut frame.variables {
            variable.is_read |= inner.get(name).is_some_and(|it| it.is_read);
        }
    }

    pub(super) fn choice(&mut self, written: &'s ExprIf, frame: &mut Frame<'s>) -> Value<'s> {
        let outer_names = frame.names.len();
        self.value(&written.cond, frame);
        let before = frame.variables.clone();
        let one = self.block(&written.then_branch, frame);
        frame.names.truncate(outer_names);
        let after = std::mem::replace(&mut frame.variables, before);
        let other = match &written.else_branch {
            Some((_, other)) => self.value(other, frame),
            None => Value::Unknown,
        };
        let is_left = |block: &Block| {
            let last = block.stmts.last();
            matches!(
                last,
                Some(Stmt::Expr(
                    Expr::Return(_) | Expr::Continue(_) | Expr::Break(_),
                    _
                ))
            )
        };
        if !is_left(&written.then_branch) {
            self.merge_variables(after, frame);
        }
        join(one, other, self.next_choice())
    }

    pub(super) fn arms(&mut self, written: &'s ExprMatch, frame: &mut Frame<'s>) -> Value<'s> {
        let matched = self.value(&written.expr, frame);
        self.emit(matched);
        let before = frame.variables.clone();
        let mut all: Option<Value<'s>> = None;
        let mut afters = Vec::new();
        for arm in &written.arms {
            frame.variables.clone_from(&before);
            self.bind(&arm.pat, Value::Unknown, frame);
            let outer_names = frame.names.len();
            names_in(&arm.pat, &mut frame.names);
            let value = self.value(&arm.body, frame);
            frame.names.truncate(outer_names);
            all = Some(match all {
                Some(others) => join(others, value, self.next_choice()),
                None => value,
            });
            afters.push(std::mem::take(&mut frame.variables));
        }
        let mut afters = afters.into_iter();
        frame.variables = afters.next().unwrap_or(before);
        for after in afters {
            self.merge_variables(after, frame);
        }
        all.unwrap_or(Value::Unknown)
    }

    /// Joins the variables of another branch.
    pub(super) fn merge_variables(
        &mut self,
        other: BTreeMap<String, Variable<'s>>,
        frame: &mut Frame<'s>,
    ) {
        let choice = self.next_choice();
        for (name, variable) in other {
            let Some(known) = frame.variables.remove(&name) else {
                frame.variables.insert(name, variable);
                continue;
            };
            let joined = Variable {
                value: join(known.value, variable.value, choice),
                is_read: known.is_read || variable.is_read,
            };
            frame.variables.insert(name, joined);
        }
    }
}
