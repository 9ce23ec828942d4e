//! The variables of functions that make routers.

use syn::{Local, Pat};

use super::evaluate::{Evaluator, Frame, Variable};
use super::value::Value;
use crate::sources::expressions::{names_in, variable};

impl<'s> Evaluator<'_, 's> {
    pub(super) fn local(
        &mut self,
        local: &'s Local,
        hidden: &mut Vec<(String, Option<Variable<'s>>)>,
        frame: &mut Frame<'s>,
    ) {
        let value = match &local.init {
            Some(init) => {
                if let Some((_, diverges)) = &init.diverge {
                    let value = self.value(diverges, frame);
                    self.emit(value);
                }
                self.value(&init.expr, frame)
            }
            None => Value::Unknown,
        };
        let mut names = Vec::new();
        names_in(&local.pat, &mut names);
        for name in names {
            let before = frame.variables.get(&name).cloned();
            frame.names.push(name.clone());
            // A variable of an outer block is restored, and one of this block is replaced.
            if !hidden.iter().any(|(known, _)| *known == name) {
                hidden.push((name, before));
            }
        }
        self.bind(&local.pat, value, frame);
    }

    pub(super) fn bind(&mut self, pattern: &Pat, value: Value<'s>, frame: &mut Frame<'s>) {
        match (pattern, value) {
            (Pat::Tuple(patterns), Value::Tuple(values)) => {
                for (pattern, value) in patterns.elems.iter().zip(values) {
                    self.bind(pattern, value, frame);
                }
            }
            (Pat::Type(typed), value) => self.bind(&typed.pat, value, frame),
            // `let _ = router` drops it.
            (Pat::Wild(_), _) => {}
            // `if let Some(router) = …`
            (Pat::TupleStruct(patterns), value) if patterns.elems.len() == 1 => {
                if let Some(inner) = patterns.elems.first() {
                    self.bind(inner, value, frame);
                }
            }
            (pattern, value) => match variable(pattern) {
                Some(name) => self.bind_name(name, value, frame),
                None => {
                    let mut names = Vec::new();
                    names_in(pattern, &mut names);
                    for name in names {
                        self.bind_name(name, Value::Unknown, frame);
                    }
                    self.emit(value);
                }
            },
        }
    }

    pub(super) fn bind_name(&mut self, name: String, value: Value<'s>, frame: &mut Frame<'s>) {
        let variable = Variable {
            value,
            is_read: false,
        };
        if let Some(before) = frame.variables.insert(name, variable)
            && !before.is_read
            && !frame.keeps_variables
        {
            self.emit(before.value);
        }
    }
}
