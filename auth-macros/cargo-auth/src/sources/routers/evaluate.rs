//! The construction of routers, evaluated without running it.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Block, Expr, FnArg, Stmt};

use super::definitions::{Constant, Definitions, Function};
use super::value::{Route, Router, Source, Value, join};
use crate::sources::conditions::is_configured;
use crate::sources::expressions::{literal, names_in, path_of, start_of};
use crate::sources::finding::Place;
use crate::sources::text::any_word;

/// The maximum numbers of functions within each other, and of calls for one function.
const MAX_DEPTH: usize = 40;
const MAX_CALLS: usize = 200_000;

/// An evaluation of one function, and of the functions that it calls.
pub(super) struct Evaluator<'d, 's> {
    pub(super) definitions: &'d Definitions<'s>,
    /// The routers that are served or passed on.
    emitted: Vec<Vec<Route<'s>>>,
    /// The routes of handlers that are passed on, or dropped, without a path.
    pub(super) unmounted: Vec<Route<'s>>,
    /// The functions with results that other functions use.
    pub(super) called: BTreeSet<usize>,
    /// The places of the routes in services with a policy.
    pub(super) covered: BTreeSet<Place>,
    /// The reason for routes that are not read.
    pub(super) unread: Option<String>,
    open: Vec<usize>,
    calls: usize,
    choices: usize,
}

/// The state of one function.
pub(super) struct Frame<'s> {
    function: usize,
    /// The type that is called `Self`.
    pub(super) owner: Option<Vec<String>>,
    pub(super) file: &'s str,
    pub(super) scope: usize,
    pub(super) variables: BTreeMap<String, Variable<'s>>,
    /// The names of the variables in scope. `variables` also has those of former patterns.
    pub(super) names: Vec<String>,
    returned: Option<Value<'s>>,
    /// True if the present values of variables are joined with later ones.
    pub(super) keeps_variables: bool,
}

#[derive(Clone)]
pub(super) struct Variable<'s> {
    pub(super) value: Value<'s>,
    /// True if the value was used.
    pub(super) is_read: bool,
}

impl<'s> Frame<'s> {
    pub(super) fn source(&self, expression: &'s Expr) -> Source<'s> {
        Source {
            expression,
            scope: self.scope,
            function: self.function,
        }
    }
}

impl<'d, 's> Evaluator<'d, 's> {
    pub(super) fn new(definitions: &'d Definitions<'s>) -> Self {
        Self {
            definitions,
            emitted: Vec::new(),
            unmounted: Vec::new(),
            called: BTreeSet::new(),
            covered: BTreeSet::new(),
            unread: None,
            open: Vec::new(),
            calls: 0,
            choices: 0,
        }
    }

    /// Returns the routes of each router that a function returns, serves or passes on.
    pub(super) fn routers(&mut self, index: usize) -> Vec<Vec<Route<'s>>> {
        let result = self.call(index, Vec::new());
        self.emit(result);
        std::mem::take(&mut self.emitted)
    }

    /// Returns the routes of each router in the value of a constant or a static.
    pub(super) fn routers_in(&mut self, constant: Constant<'s>) -> Vec<Vec<Route<'s>>> {
        let value = self.constant(constant);
        self.emit(value);
        std::mem::take(&mut self.emitted)
    }

    fn constant(&mut self, constant: Constant<'s>) -> Value<'s> {
        let mut frame = Frame {
            function: usize::MAX,
            owner: None,
            file: constant.file,
            scope: constant.scope,
            variables: BTreeMap::new(),
            names: Vec::new(),
            returned: None,
            keeps_variables: false,
        };
        self.open.push(usize::MAX);
        let value = self.value(constant.value, &mut frame);
        self.open.pop();
        value
    }

    /// Returns the number of another choice between branches.
    pub(super) fn next_choice(&mut self) -> usize {
        self.choices += 1;
        self.choices
    }

    /// Returns the result of a function.
    pub(super) fn call(&mut self, index: usize, arguments: Vec<Value<'s>>) -> Value<'s> {
        let function = self.definitions.functions.get(index);
        let owner = function.and_then(|it| it.owner.clone());
        self.call_for(index, owner, arguments)
    }

    /// Returns the result of a function of a type.
    pub(super) fn call_for(
        &mut self,
        index: usize,
        owner: Option<Vec<String>>,
        arguments: Vec<Value<'s>>,
    ) -> Value<'s> {
        let Some(function) = self.definitions.functions.get(index) else {
            return Value::Unknown;
        };
        self.calls += 1;
        if self.open.contains(&index) && self.definitions.makes_router(index) {
            // A router that merges itself has no more routes.
            return Value::Router(Router::default());
        }
        let is_too_deep = self.open.len() >= MAX_DEPTH || self.calls >= MAX_CALLS;
        if self.open.contains(&index) {
            return Value::Unknown;
        }
        if is_too_deep {
            self.stop(function);
            return Value::Unknown;
        }
        let mut frame = Frame {
            function: index,
            owner,
            file: function.file,
            scope: function.scope,
            variables: BTreeMap::new(),
            names: Vec::new(),
            returned: None,
            keeps_variables: false,
        };
        let mut arguments = arguments.into_iter();
        for input in &function.signature.inputs {
            let value = arguments.next().unwrap_or(Value::Unknown);
            match input {
                FnArg::Receiver(_) => self.bind_name("self".to_owned(), value, &mut frame),
                FnArg::Typed(typed) => {
                    names_in(&typed.pat, &mut frame.names);
                    let is_router = self.definitions.mentions_router(&typed.ty);
                    let value = match value {
                        // The caller adds the routes of its router.
                        Value::Unknown | Value::Source(_) if is_router => Value::Router(Router {
                            is_guarded: any_word(&typed.ty, &|name| name == "GuardedRouter"),
                            has_more: true,
                            ..Router::plain(Vec::new())
                        }),
                        value => value,
                    };
                    self.bind(&typed.pat, value, &mut frame);
                }
            }
        }
        self.open.push(index);
        let value = self.block(function.block, &mut frame);
        self.open.pop();
        let unread = std::mem::take(&mut frame.variables).into_values();
        for variable in unread.filter(|it| !it.is_read) {
            self.emit(variable.value);
        }
        match frame.returned {
            Some(returned) => join(value, returned, self.next_choice()),
            None => value,
        }
    }

    /// Records that a function is not read.
    fn stop(&mut self, function: &Function<'_>) {
        let Place { file, line, .. } = Place::of(function.file, function.signature.ident.span());
        let path = &function.path;
        self.unread.get_or_insert_with(|| {
            format!(
                "{file}:{line}: the routes of `{path}` are not read, behind more than {MAX_DEPTH} functions within \
                 each other or {MAX_CALLS} calls"
            )
        });
    }

    pub(super) fn emit(&mut self, value: Value<'s>) {
        match value {
            Value::Router(router) => self.emitted.push(router.routes),
            Value::Methods(routes) => self.unmounted.extend(routes),
            Value::Tuple(parts) => parts.into_iter().for_each(|part| self.emit(part)),
            Value::Unknown | Value::Text(_) | Value::Source(_) => {}
        }
    }

    pub(super) fn block(&mut self, block: &'s Block, frame: &mut Frame<'s>) -> Value<'s> {
        let blocks = &self.definitions.sources.blocks;
        let own = blocks.get(&(frame.file.to_owned(), start_of(block)));
        let inner = own.copied().unwrap_or(frame.scope);
        let outer = std::mem::replace(&mut frame.scope, inner);
        let outer_names = frame.names.len();
        let mut hidden: Vec<(String, Option<Variable<'s>>)> = Vec::new();
        let mut result = Value::Unknown;
        for statement in &block.stmts {
            let before = std::mem::replace(&mut result, Value::Unknown);
            let is_configured = is_configured(statement);
            let variables = is_configured.then(|| frame.variables.clone());
            let outer = frame.keeps_variables;
            frame.keeps_variables |= is_configured;
            match statement {
                Stmt::Local(local) => self.local(local, &mut hidden, frame),
                Stmt::Expr(expression, end) => {
                    let value = self.value(expression, frame);
                    match end {
                        None => result = value,
                        Some(_) => self.emit(value),
                    }
                }
                Stmt::Macro(_) | Stmt::Item(_) => {}
            }
            frame.keeps_variables = outer;
            if let Some(variables) = variables {
                self.merge_variables(variables, frame);
                // The next block may be the result in other configurations.
                result = join(result, before, self.next_choice());
            }
        }
        frame.scope = outer;
        frame.names.truncate(outer_names);
        for (name, before) in hidden.into_iter().rev() {
            let last = match before {
                Some(before) => frame.variables.insert(name, before),
                None => frame.variables.remove(&name),
            };
            if let Some(Variable {
                value,
                is_read: false,
            }) = last
            {
                self.emit(value);
            }
        }
        result
    }

    pub(super) fn value(&mut self, expression: &'s Expr, frame: &mut Frame<'s>) -> Value<'s> {
        match expression {
            Expr::Await(it) => self.value(&it.base, frame),
            Expr::Group(it) => self.value(&it.expr, frame),
            Expr::Paren(it) => self.value(&it.expr, frame),
            Expr::Reference(it) => self.value(&it.expr, frame),
            Expr::Try(it) => self.value(&it.expr, frame),
            Expr::Block(it) => self.block(&it.block, frame),
            Expr::Unsafe(it) => self.block(&it.block, frame),
            Expr::Async(it) => self.block(&it.block, frame),
            Expr::Lit(_) => literal(expression).map_or(Value::Unknown, Value::Text),
            Expr::Path(_) => self.path(expression, frame),
            Expr::Call(it) => self.function(expression, it, frame),
            Expr::MethodCall(it) => self.method(expression, it, frame),
            Expr::Macro(it) => self.written(expression, it, frame),
            Expr::Closure(it) => {
                self.closure(it, frame);
                Value::Source(frame.source(expression))
            }
            Expr::If(it) => self.choice(it, frame),
            Expr::Match(it) => self.arms(it, frame),
            Expr::Tuple(it) => {
                let parts = it.elems.iter().map(|part| self.value(part, frame));
                Value::Tuple(parts.collect())
            }
            Expr::Array(it) => {
                let parts = it.elems.iter().map(|part| self.value(part, frame));
                Value::Tuple(parts.collect())
            }
            Expr::Assign(it) => {
                let value = self.value(&it.right, frame);
                match (&*it.left, path_of(&it.left).as_deref()) {
                    (_, Some([name])) => self.bind_name(name.clone(), value, frame),
                    // `_ = router` drops it.
                    (Expr::Infer(_), _) => {}
                    _ => self.emit(value),
                }
                Value::Unknown
            }
            Expr::Return(it) => {
                if let Some(inner) = &it.expr {
                    let value = self.value(inner, frame);
                    frame.returned = Some(match frame.returned.take() {
                        Some(before) => join(before, value, self.next_choice()),
                        None => value,
                    });
                }
                Value::Unknown
            }
            Expr::Struct(it) => {
                for field in &it.fields {
                    let value = self.value(&field.expr, frame);
                    self.emit(value);
                }
                Value::Source(frame.source(expression))
            }
            Expr::ForLoop(it) => {
                let value = self.value(&it.expr, frame);
                self.emit(value);
                self.bind(&it.pat, Value::Unknown, frame);
                let outer_names = frame.names.len();
                names_in(&it.pat, &mut frame.names);
                let value = self.repeat(&it.body, frame);
                frame.names.truncate(outer_names);
                value
            }
            Expr::While(it) => self.repeat(&it.body, frame),
            Expr::Loop(it) => self.repeat(&it.body, frame),
            Expr::Let(it) => {
                let value = self.value(&it.expr, frame);
                self.bind(&it.pat, value, frame);
                names_in(&it.pat, &mut frame.names);
                Value::Unknown
            }
            Expr::Binary(it) => {
                self.value(&it.left, frame);
                self.value(&it.right, frame);
                Value::Unknown
            }
            Expr::Break(it) => match &it.expr {
                Some(inner) => self.value(inner, frame),
                None => Value::Unknown,
            },
            _ => Value::Source(frame.source(expression)),
        }
    }

    fn path(&mut self, expression: &'s Expr, frame: &mut Frame<'s>) -> Value<'s> {
        let path = path_of(expression).unwrap_or_default();
        if let [name] = path.as_slice()
            && let Some(variable) = frame.variables.get_mut(name)
        {
            variable.is_read = true;
            return match &variable.value {
                Value::Unknown => Value::Source(frame.source(expression)),
                value => value.clone(),
            };
        }
        let whole = self.whole(&path, frame);
        if let Some(constant) = self.definitions.constant(&whole)
            && self.open.len() < MAX_DEPTH
            && self.calls < MAX_CALLS
        {
            self.calls += 1;
            let value = self.constant(constant);
            if let Value::Text(_) | Value::Tuple(_) = value {
                return value;
            }
        }
        Value::Source(frame.source(expression))
    }

    /// Returns the full path of a path in a function.
    pub(super) fn whole(&self, path: &[String], frame: &Frame<'s>) -> Vec<String> {
        let owner = frame.owner.as_ref();
        self.definitions.resolve_in(frame.scope, owner, path)
    }
}
