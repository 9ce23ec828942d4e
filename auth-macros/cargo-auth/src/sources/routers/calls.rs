//! Calls of functions and methods in the construction of routers.

use std::collections::BTreeSet;

use syn::spanned::Spanned;
use syn::{Expr, ExprCall, ExprMethodCall};

use super::definitions::Function;
use super::evaluate::{Evaluator, Frame};
use super::layers::layers_of;
use super::methods::{Argument, link_methods, link_router, of_method, routes_in};
use super::pages;
use super::paths::keeps_text;
use super::value::{Layer, Router, Value, add_layers, join, join_routes};
use crate::sources::expressions::{path_of, receiver_of};
use crate::sources::finding::Place;
use crate::sources::routing::{
    guarded_service, guarded_service_in, is_like_routing, routing_function,
};
use crate::sources::text::named;

/// A call of a method, with its evaluated arguments.
struct MethodCall<'s> {
    expression: &'s Expr,
    receiver: &'s Expr,
    name: String,
    /// The place of the name.
    place: Place,
    arguments: Vec<Argument<'s>>,
}

impl<'s> Evaluator<'_, 's> {
    fn arguments(
        &mut self,
        arguments: impl IntoIterator<Item = &'s Expr>,
        frame: &mut Frame<'s>,
    ) -> Vec<Argument<'s>> {
        let mut all = Vec::new();
        for expression in arguments {
            all.push(Argument {
                value: self.value(expression, frame),
                source: frame.source(expression),
                place: Place::of(frame.file, expression.span()),
            });
        }
        all
    }

    /// Evaluates a call of a function.
    pub(super) fn function(
        &mut self,
        expression: &'s Expr,
        call: &'s ExprCall,
        frame: &mut Frame<'s>,
    ) -> Value<'s> {
        let path = path_of(&call.func).unwrap_or_default();
        let arguments = self.arguments(&call.args, frame);
        let expressions: Vec<_> = call.args.iter().collect();
        if guarded_service_in(&path, &expressions).is_some() {
            self.cover(&arguments);
        }
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
        let owner = frame.owner.as_ref();
        let makers = self.definitions.router_makers(frame.scope, owner, &path);
        if !makers.is_empty() {
            let values: Vec<_> = arguments.into_iter().map(|it| it.value).collect();
            let mut made = Value::Unknown;
            for index in makers {
                self.called.insert(index);
                let one = self.call(index, values.clone());
                made = join(made, one, self.next_choice());
            }
            return made;
        }
        if let Some(index) = self.definitions.function(&whole) {
            let function = self.definitions.functions.get(index);
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
        if let Some(router) = self.definitions.new_router(&whole) {
            return Value::Router(router);
        }
        if let Some(routes) = pages::made(&whole, &arguments) {
            return Value::Router(Router::plain(routes));
        }
        // A variable hides the functions of its name.
        let is_variable = matches!(path.as_slice(), [name] if frame.names.contains(name));
        let is_routing =
            !is_variable && (routing_function(&whole).is_some() || is_like_routing(&whole, &path));
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

    /// Records the routes in a service with a policy, which is the last argument.
    fn cover(&mut self, arguments: &[Argument<'s>]) {
        let service = arguments.last().map(|service| service.value.clone());
        let routes = match service {
            Some(Value::Methods(routes)) => routes,
            service => service.and_then(routes_in).unwrap_or_default(),
        };
        self.covered
            .extend(routes.into_iter().map(|route| route.place));
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
    pub(super) fn method(
        &mut self,
        expression: &'s Expr,
        call: &'s ExprMethodCall,
        frame: &mut Frame<'s>,
    ) -> Value<'s> {
        let name = named(&call.method);
        let before = only_reads(&name).then(|| self.uses(&call.receiver, frame));
        let receiver = self.value(&call.receiver, frame);
        let arguments = self.arguments(&call.args, frame);
        let expressions: Vec<_> = call.args.iter().collect();
        if guarded_service(&name, &expressions).is_some() {
            self.cover(&arguments);
        }
        let mut call = MethodCall {
            expression,
            receiver: &call.receiver,
            place: Place::of(frame.file, call.method.span()),
            name,
            arguments,
        };
        match receiver {
            Value::Router(router) => self.method_of_router(router, call, before, frame),
            Value::Methods(mut routes) => {
                link_methods(
                    self.definitions,
                    &mut routes,
                    &call.name,
                    &mut call.arguments,
                );
                for argument in call.arguments {
                    self.emit(argument.value);
                }
                Value::Methods(routes)
            }
            Value::Text(text) if keeps_text(&call.name) => Value::Text(text),
            Value::Text(_) => Value::Source(frame.source(expression)),
            Value::Tuple(parts) => {
                for argument in call.arguments {
                    self.emit(argument.value);
                }
                Value::Tuple(parts)
            }
            receiver => self.method_of_unknown(receiver, call, frame),
        }
    }

    /// Evaluates a call of a method of a router. `before` are the uses of the receiver before a call that only reads it.
    fn method_of_router(
        &mut self,
        mut router: Router<'s>,
        mut call: MethodCall<'s>,
        before: Option<(bool, BTreeSet<usize>)>,
        frame: &mut Frame<'s>,
    ) -> Value<'s> {
        let name = &call.name;
        if name == "split_for_parts" {
            return Value::Tuple(vec![Value::Router(router), Value::Unknown]);
        }
        if link_router(
            self.definitions,
            &mut router,
            name,
            &call.place,
            &mut call.arguments,
        ) {
            return Value::Router(router);
        }
        if let Some(index) = self.definitions.method(name) {
            return self.call_method(index, Value::Router(router), call.arguments);
        }
        if let Some(before) = before {
            if is_named(call.receiver) {
                self.restore(before, call.receiver, frame);
            } else {
                // Nothing else has the routes that this expression adds.
                self.emit(Value::Router(router));
            }
            return match name.as_str() {
                // Its documents are no routes of the service.
                "metadata_router" => Value::Router(Router::plain(Vec::new())),
                _ => self.opaque(call.expression, call.arguments, frame),
            };
        }
        // A method of another crate, which may do anything.
        let layer = Layer {
            text: format!(".{name}()"),
            check: None,
            is_conditional: false,
        };
        add_layers(&mut router.routes, &[layer.into()], true);
        router.has_more = true;
        for argument in call.arguments {
            match argument.value {
                Value::Methods(routes) => self.unmounted.extend(routes),
                value => {
                    let more = routes_in(value).unwrap_or_default();
                    router.routes = join_routes(router.routes, more, self.next_choice());
                }
            }
        }
        Value::Router(router)
    }

    /// Evaluates a call of a method of a value that is not known.
    fn method_of_unknown(
        &mut self,
        receiver: Value<'s>,
        mut call: MethodCall<'s>,
        frame: &Frame<'s>,
    ) -> Value<'s> {
        let name = call.name.as_str();
        if let Value::Source(source) = receiver
            && let Some(text) = self.text_of_variant(source, name, frame)
        {
            return text;
        }
        // A router of another crate, or one in a field: its other routes are unknown.
        let is_made = matches!(receiver_of(call.receiver), Expr::Call(_));
        let takes_routes = match (name, call.arguments.as_slice()) {
            ("route", [_, methods]) => matches!(methods.value, Value::Methods(_)),
            ("merge", [router]) | ("nest", [_, router]) => is_made && router.is_router(),
            _ => false,
        };
        if takes_routes {
            let mut router = Router {
                routes: Vec::new(),
                is_plain: !is_made,
                is_guarded: false,
                has_more: true,
            };
            link_router(
                self.definitions,
                &mut router,
                name,
                &call.place,
                &mut call.arguments,
            );
            for route in router.routes.iter_mut().filter(|_| !is_made) {
                route.path.insert(0, '…');
            }
            return Value::Router(router);
        }
        if let Some(index) = self.definitions.method(name) {
            return self.call_method(index, receiver, call.arguments);
        }
        // `ServiceBuilder::new().layer(…).service(router)`
        if let ("service" | "layer", [only]) = (name, call.arguments.as_mut_slice())
            && let Value::Router(router) = &mut only.value
        {
            let layers = layers_of(self.definitions, frame.source(call.receiver));
            add_layers(&mut router.routes, &layers, true);
            return std::mem::replace(&mut only.value, Value::Unknown);
        }
        self.opaque(call.expression, call.arguments, frame)
    }

    /// Evaluates a call of a method of the sources.
    fn call_method(
        &mut self,
        index: usize,
        receiver: Value<'s>,
        arguments: Vec<Argument<'s>>,
    ) -> Value<'s> {
        let values = arguments.into_iter().map(|it| it.value);
        let values = [receiver].into_iter().chain(values).collect();
        self.called.insert(index);
        self.call(index, values)
    }

    /// Returns the uses so far of the routers that an expression refers to: whether its variable was read, and
    /// the called functions.
    fn uses(&self, expression: &Expr, frame: &Frame<'s>) -> (bool, BTreeSet<usize>) {
        let variable = variable_of(expression).and_then(|name| frame.variables.get(&name));
        (variable.is_some_and(|it| it.is_read), self.called.clone())
    }

    /// Restores these uses: a router that was only read is served elsewhere.
    fn restore(
        &mut self,
        (was_read, called): (bool, BTreeSet<usize>),
        expression: &Expr,
        frame: &mut Frame<'s>,
    ) {
        let variable = variable_of(expression).and_then(|name| frame.variables.get_mut(&name));
        if let Some(variable) = variable {
            variable.is_read = was_read;
        }
        self.called = called;
    }
}

/// Returns whether a method of a router leaves it as it is, and does not return its routes.
fn only_reads(name: &str) -> bool {
    matches!(
        name,
        "access_table"
            | "extensions"
            | "get_openapi"
            | "has_routes"
            | "internal_openapi"
            | "metadata_router"
            | "openapi"
            | "public_openapi"
    )
}

/// Returns whether an expression is a variable or the result of a function, perhaps cloned.
fn is_named(expression: &Expr) -> bool {
    match expression {
        Expr::MethodCall(it) if it.method == "clone" => is_named(&it.receiver),
        Expr::Paren(it) => is_named(&it.expr),
        Expr::Try(it) => is_named(&it.expr),
        Expr::Path(_) | Expr::Call(_) => true,
        _ => false,
    }
}

/// Returns the name of the variable at the beginning of an expression.
fn variable_of(expression: &Expr) -> Option<String> {
    let [name] = path_of(receiver_of(expression))?.try_into().ok()?;
    Some(name)
}
