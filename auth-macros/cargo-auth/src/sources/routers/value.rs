//! The values of expressions, as far as routes need them.

use std::fmt;
use std::rc::Rc;

use serde::Serialize;
use syn::Expr;

use crate::sources::finding::Place;

/// A value.
#[derive(Clone)]
pub(super) enum Value<'s> {
    Unknown,
    Text(String),
    Router(Vec<Route<'s>>),
    /// The handlers of one path.
    Methods(Vec<Route<'s>>),
    Tuple(Vec<Value<'s>>),
    /// Another expression, such as a handler or a layer.
    Source(Source<'s>),
}

/// An expression, and the place of its names.
#[derive(Clone, Copy)]
pub(super) struct Source<'s> {
    pub(super) expression: &'s Expr,
    pub(super) scope: usize,
    /// The index of the function.
    pub(super) function: usize,
}

/// A handler or a service at a path.
#[derive(Clone)]
pub(super) struct Route<'s> {
    pub(super) place: Place,
    /// `GET`, or `*` for all methods.
    pub(super) method: String,
    pub(super) path: String,
    pub(super) target: Target<'s>,
    /// The layers around it, the innermost first.
    pub(super) layers: Vec<Rc<Layer>>,
    pub(super) is_fallback: bool,
    /// True if its router is adopted.
    pub(super) is_adopted: bool,
}

/// A handler or a service.
#[derive(Clone)]
pub(super) struct Target<'s> {
    pub(super) name: String,
    /// The full path of the item, if it has a name.
    pub(super) path: Vec<String>,
    pub(super) callable: Option<Callable<'s>>,
}

#[derive(Clone, Copy)]
pub(super) enum Callable<'s> {
    /// The index of a function.
    Function(usize),
    Closure(Source<'s>),
}

/// A layer around routes.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Layer {
    pub(super) text: String,
    pub(super) check: Option<Check>,
    /// True if only some configurations add it.
    pub(super) is_conditional: bool,
}

/// A part of a service that seems to check access.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Check {
    pub(crate) kind: CheckKind,
    /// Its name in the sources.
    pub(crate) text: String,
}

impl fmt::Display for Check {
    /// Formats the kind and the name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            CheckKind::Policy => "policy",
            CheckKind::Extractor => "extractor",
            CheckKind::Middleware => "middleware",
            CheckKind::Layer => "layer",
            CheckKind::Attribute => "attribute",
            CheckKind::Statement => "statement",
        };
        write!(f, "{kind} {}", self.text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CheckKind {
    /// The attribute `requires` or `public`.
    Policy,
    /// An extractor that is an authenticated caller.
    Extractor,
    /// A function or an extractor as middleware.
    Middleware,
    /// Another layer.
    Layer,
    /// An attribute of another crate.
    Attribute,
    /// A statement at the start of the handler.
    Statement,
}

/// Joins the values of two branches, one of which is taken.
pub(super) fn join<'s>(one: Value<'s>, other: Value<'s>) -> Value<'s> {
    match (one, other) {
        (Value::Router(one), Value::Router(other)) => Value::Router(join_routes(one, other)),
        (Value::Methods(one), Value::Methods(other)) => Value::Methods(join_routes(one, other)),
        (Value::Unknown | Value::Source(_), other @ (Value::Router(_) | Value::Methods(_))) => {
            other
        }
        (Value::Unknown, other) => other,
        (Value::Text(one), Value::Text(other)) if one != other => {
            Value::Text(format!("<{one}|{other}>"))
        }
        (one, _) => one,
    }
}

fn join_routes<'s>(mut one: Vec<Route<'s>>, other: Vec<Route<'s>>) -> Vec<Route<'s>> {
    for route in other {
        let same = one
            .iter_mut()
            .find(|it| it.place == route.place && it.method == route.method);
        match same {
            Some(known) => known.join(route),
            None => one.push(route),
        }
    }
    one
}

impl Route<'_> {
    /// Returns a route of a page of `utoipa`, such as `SwaggerUi`.
    pub(super) fn of_page(ty: &str, method: &str, path: String, place: &Place) -> Self {
        Self {
            place: place.clone(),
            method: method.to_owned(),
            path,
            target: Target {
                name: ty.to_owned(),
                path: Vec::new(),
                callable: None,
            },
            layers: Vec::new(),
            is_fallback: false,
            is_adopted: false,
        }
    }

    fn join(&mut self, other: Self) {
        let both = [&self.path, &other.path].map(Clone::clone);
        let [shorter, longer] = if both[0].len() <= both[1].len() {
            [&both[0], &both[1]]
        } else {
            [&both[1], &both[0]]
        };
        if shorter != longer {
            self.path = match longer.strip_suffix(shorter.as_str()) {
                None if shorter == "/" => format!("[{longer}]/"),
                Some(prefix) => format!("[{prefix}]{shorter}"),
                None => format!("<{shorter}|{longer}>"),
            };
        }
        let conditional = |layer: &Rc<Layer>| {
            Rc::new(Layer {
                is_conditional: true,
                ..Layer::clone(layer)
            })
        };
        for layer in &mut self.layers {
            if !other.layers.contains(layer) {
                *layer = conditional(layer);
            }
        }
        for layer in &other.layers {
            let is_known = self.layers.iter().any(|it| it.text == layer.text);
            if !is_known {
                self.layers.push(conditional(layer));
            }
        }
    }
}

/// Adds a layer around routes.
pub(super) fn add_layers(routes: &mut [Route<'_>], layers: &[Rc<Layer>], with_fallback: bool) {
    for route in routes
        .iter_mut()
        .filter(|it| with_fallback || !it.is_fallback)
    {
        route.layers.extend(layers.iter().cloned());
    }
}
