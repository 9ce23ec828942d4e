//! The construction of routers, evaluated without running it.

use std::collections::{BTreeMap, BTreeSet};

use syn::spanned::Spanned;
use syn::{Block, Expr, ExprCall, ExprMethodCall, FnArg, Stmt};

use super::definitions::{Definitions, Function, mentions_router};
use super::layers::layers_of;
use super::mounts::{Argument, link_methods, link_router, of_method, routes_in};
use super::pages;
use super::paths::keeps_text;
use super::patterns::is_like_routing;
use super::value::{Layer, Route, Source, Value, add_layers, join};
use crate::sources::expressions::{literal, path_of, start_of};
use crate::sources::finding::Place;
use crate::sources::routing::routing_function;
use crate::sources::text::named;

/// The maximum numbers of functions within each other, and of calls for one function.
const MAX_DEPTH: usize = 40;
const MAX_CALLS: usize = 20_000;

/// An evaluation of one function, and of the functions that it calls.
pub(super) struct Evaluator<'d, 's> {
    pub(super) definitions: &'d Definitions<'s>,
    /// The routes of routers that are served or passed on.
    pub(super) emitted: Vec<Route<'s>>,
    /// The functions with results that other functions use.
    pub(super) called: BTreeSet<usize>,
    open: Vec<usize>,
    calls: usize,
}

/// The state of one function.
pub(super) struct Frame<'s> {
    function: usize,
    /// The type that is called `Self`.
    owner: Option<Vec<String>>,
    pub(super) file: &'s str,
    pub(super) scope: usize,
    pub(super) variables: BTreeMap<String, Variable<'s>>,
    returned: Option<Value<'s>>,
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
            called: BTreeSet::new(),
            open: Vec::new(),
            calls: 0,
        }
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
        let is_too_deep = self.open.len() >= MAX_DEPTH || self.calls >= MAX_CALLS;
        if self.open.contains(&index) || is_too_deep {
            return Value::Unknown;
        }
        let mut frame = Frame {
            function: index,
            owner,
            file: function.file,
            scope: function.scope,
            variables: BTreeMap::new(),
            returned: None,
        };
        let mut arguments = arguments.into_iter();
        for input in &function.signature.inputs {
            let value = arguments.next().unwrap_or(Value::Unknown);
            match input {
                FnArg::Receiver(_) => self.bind_name("self".to_owned(), value, &mut frame),
                FnArg::Typed(typed) => {
                    let is_router = mentions_router(&typed.ty);
                    let value = match value {
                        // The caller adds the routes of its router.
                        Value::Unknown | Value::Source(_) if is_router => Value::Router(Vec::new()),
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
            Some(returned) => join(value, returned),
            None => value,
        }
    }

    pub(super) fn emit(&mut self, value: Value<'s>) {
        self.emitted.extend(routes_in(value).into_iter().flatten());
    }

    pub(super) fn block(&mut self, block: &'s Block, frame: &mut Frame<'s>) -> Value<'s> {
        let blocks = &self.definitions.sources.blocks;
        let own = blocks.get(&(frame.file.to_owned(), start_of(block)));
        let inner = own.copied().unwrap_or(frame.scope);
        let outer = std::mem::replace(&mut frame.scope, inner);
        let mut hidden: Vec<(String, Option<Variable<'s>>)> = Vec::new();
        let mut result = Value::Unknown;
        for statement in &block.stmts {
            result = Value::Unknown;
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
        }
        frame.scope = outer;
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
                        Some(before) => join(before, value),
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
                self.repeat(&it.body, frame)
            }
            Expr::While(it) => self.repeat(&it.body, frame),
            Expr::Loop(it) => self.repeat(&it.body, frame),
            Expr::Let(it) => {
                let value = self.value(&it.expr, frame);
                self.bind(&it.pat, value, frame);
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
        if let Some((scope, constant)) = self.definitions.constant(&whole)
            && self.open.len() < MAX_DEPTH
        {
            let mut inner = Frame {
                function: frame.function,
                owner: frame.owner.clone(),
                file: frame.file,
                scope,
                variables: BTreeMap::new(),
                returned: None,
            };
            self.open.push(usize::MAX);
            let value = self.value(constant, &mut inner);
            self.open.pop();
            if let Value::Text(_) = value {
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

    fn arguments(
        &mut self,
        arguments: impl IntoIterator<Item = &'s Expr>,
        frame: &mut Frame<'s>,
    ) -> Vec<Argument<'s>> {
        let mut all = Vec::new();
        for expression in arguments {
            let value = match expression {
                Expr::Closure(closure) => {
                    self.closure(closure, frame);
                    Value::Source(frame.source(expression))
                }
                _ => self.value(expression, frame),
            };
            all.push(Argument {
                value,
                source: frame.source(expression),
                place: Place::of(frame.file, expression.span()),
            });
        }
        all
    }

    /// Evaluates a call of a function.
    fn function(
        &mut self,
        expression: &'s Expr,
        call: &'s ExprCall,
        frame: &mut Frame<'s>,
    ) -> Value<'s> {
        let path = path_of(&call.func).unwrap_or_default();
        let arguments = self.arguments(&call.args, frame);
        let Some(name) = path.last() else {
            return self.opaque(expression, arguments, frame);
        };
        let is_in = |types: &[&str]| path.iter().any(|it| types.contains(&it.as_str()));
        let is_wrapper = match name.as_str() {
            "Ok" | "Some" => true,
            "new" => is_in(&["Arc", "Box"]),
            "Borrowed" | "Owned" => is_in(&["Cow"]),
            "from" => is_in(&["String"]),
            _ => false,
        };
        if is_wrapper && arguments.len() == 1 {
            let inner = arguments.into_iter().next().map(|it| it.value);
            return inner.unwrap_or(Value::Unknown);
        }
        let whole = self.whole(&path, frame);
        if let Some(index) = self.definitions.function(&whole) {
            let function = self.definitions.functions.get(index);
            if function.is_some_and(Function::makes_router) {
                self.called.insert(index);
                let values = arguments.into_iter().map(|it| it.value).collect();
                return self.call(index, values);
            }
            if function.is_some_and(Function::makes_text) {
                let values = arguments.iter().map(|it| it.value.clone()).collect();
                if let text @ Value::Text(_) = self.call(index, values) {
                    return text;
                }
            }
            return self.opaque(expression, arguments, frame);
        }
        if let Some(text) = self.text_of_type(&whole) {
            return text;
        }
        if self.definitions.makes_router(&whole) {
            return Value::Router(Vec::new());
        }
        if let Some(routes) = pages::made(&whole, &arguments) {
            return Value::Router(routes);
        }
        let is_routing = routing_function(&whole).is_some() || is_like_routing(&whole, &path);
        if is_routing && let Some(routes) = of_method(self.definitions, name, &arguments) {
            return Value::Methods(routes);
        }
        if let [.., ty, "new"] = whole
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .as_slice()
            && *ty == "MethodRouter"
        {
            return Value::Methods(Vec::new());
        }
        self.opaque(expression, arguments, frame)
    }

    /// Returns a value that is not known; the routers among the arguments are passed on.
    fn opaque(
        &mut self,
        expression: &'s Expr,
        arguments: Vec<Argument<'s>>,
        frame: &Frame<'s>,
    ) -> Value<'s> {
        for argument in arguments {
            self.emit(argument.value);
        }
        Value::Source(frame.source(expression))
    }

    /// Evaluates a call of a method.
    fn method(
        &mut self,
        expression: &'s Expr,
        call: &'s ExprMethodCall,
        frame: &mut Frame<'s>,
    ) -> Value<'s> {
        let receiver = self.value(&call.receiver, frame);
        let name = named(&call.method);
        let mut arguments = self.arguments(&call.args, frame);
        match receiver {
            Value::Router(mut routes) => {
                if name == "split_for_parts" {
                    return Value::Tuple(vec![Value::Router(routes), Value::Unknown]);
                }
                if link_router(self.definitions, &mut routes, &name, &mut arguments) {
                    return Value::Router(routes);
                }
                if let Some(index) = self.definitions.method(&name) {
                    let values = arguments.into_iter().map(|it| it.value);
                    let values = [Value::Router(routes)].into_iter().chain(values).collect();
                    self.called.insert(index);
                    return self.call(index, values);
                }
                // A method of another crate, which may do anything.
                let layer = Layer {
                    text: format!(".{name}()"),
                    check: None,
                    is_conditional: false,
                };
                add_layers(&mut routes, &[layer.into()], true);
                for argument in arguments {
                    routes.extend(routes_in(argument.value).into_iter().flatten());
                }
                Value::Router(routes)
            }
            Value::Methods(mut routes) => {
                link_methods(self.definitions, &mut routes, &name, &mut arguments);
                Value::Methods(routes)
            }
            Value::Text(text) if keeps_text(&name) => Value::Text(text),
            Value::Text(_) => Value::Source(frame.source(expression)),
            Value::Tuple(parts) => {
                for argument in arguments {
                    self.emit(argument.value);
                }
                Value::Tuple(parts)
            }
            receiver => {
                if let Value::Source(source) = receiver
                    && let Some(text) = self.text_of_variant(source, &name, frame)
                {
                    return text;
                }
                // A router in a field, for example.
                if name == "route"
                    && matches!(
                        arguments.as_slice(),
                        [
                            _,
                            Argument {
                                value: Value::Methods(_),
                                ..
                            }
                        ]
                    )
                {
                    let mut routes = Vec::new();
                    link_router(self.definitions, &mut routes, &name, &mut arguments);
                    routes
                        .iter_mut()
                        .for_each(|route| route.path.insert(0, '…'));
                    return Value::Router(routes);
                }
                if let Some(index) = self.definitions.method(&name) {
                    let values = arguments.into_iter().map(|it| it.value);
                    let values = [receiver].into_iter().chain(values).collect();
                    self.called.insert(index);
                    return self.call(index, values);
                }
                // `ServiceBuilder::new().layer(…).service(router)`
                if let ("service" | "layer", [only]) = (name.as_str(), arguments.as_mut_slice())
                    && let Value::Router(routes) = &mut only.value
                {
                    let layers = layers_of(self.definitions, frame.source(&call.receiver));
                    add_layers(routes, &layers, true);
                    return std::mem::replace(&mut only.value, Value::Unknown);
                }
                self.opaque(expression, arguments, frame)
            }
        }
    }
}
