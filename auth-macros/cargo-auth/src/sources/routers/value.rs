//! The values of expressions, as far as routes need them.

use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;

use auth_runtime_core::RouteKind;
use serde::Serialize;
use syn::Expr;

use crate::sources::finding::Place;

/// A value.
#[derive(Clone)]
pub(super) enum Value<'s> {
    Unknown,
    Text(String),
    Router(Router<'s>),
    /// The handlers of one path.
    Methods(Vec<Route<'s>>),
    Tuple(Vec<Value<'s>>),
    /// Another expression, such as a handler or a layer.
    Source(Source<'s>),
}

/// A router.
#[derive(Clone, Default)]
pub(super) struct Router<'s> {
    pub(super) routes: Vec<Route<'s>>,
    /// True if it takes no policies, as a router of axum and a protected one, or is not known.
    pub(super) is_plain: bool,
    /// True if it is certainly a guarded one.
    pub(super) is_guarded: bool,
    /// True if it may have routes that are not known.
    pub(super) has_more: bool,
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
    /// The place of the handler in a call such as `get(handler)`, which another function may have.
    pub(super) made_at: Place,
    /// `GET`, or `*` for all methods.
    pub(super) method: String,
    pub(super) path: String,
    pub(super) target: Target<'s>,
    /// The layers around it, the innermost first.
    pub(super) layers: Vec<Rc<Layer>>,
    pub(super) kind: RouteKind,
    pub(super) is_service: bool,
    /// True if its router is adopted.
    pub(super) is_adopted: bool,
    /// The place of the method of a router that mounts it; its own place, if there is none.
    pub(super) mounted_at: Place,
    /// The same on guarded routers. `None` on plain routers.
    pub(super) link: Option<Place>,
    /// True if a guarded router mounts it, so that it has a policy, which may be unknown.
    pub(super) is_guarded: bool,
    /// The path when its router was protected.
    pub(super) protected_path: Option<String>,
    /// The branches that alone have it: the numbers of their choices, and the sides.
    pub(super) branches: Vec<(usize, bool)>,
}

/// A handler or a service.
#[derive(Clone, Default)]
pub(super) struct Target<'s> {
    pub(super) name: String,
    /// The full path of the item, if it has a name. Several if a `cfg` chooses.
    pub(super) paths: BTreeSet<Vec<String>>,
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

impl Value<'_> {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Joins the values of two branches, one of which is taken. `choice` is the number of the choice.
pub(super) fn join<'s>(one: Value<'s>, other: Value<'s>, choice: usize) -> Value<'s> {
    match (one, other) {
        (Value::Router(one), Value::Router(other)) => Value::Router(Router {
            routes: join_routes(one.routes, other.routes, choice),
            is_plain: one.is_plain && other.is_plain,
            is_guarded: one.is_guarded && other.is_guarded,
            has_more: one.has_more || other.has_more,
        }),
        (Value::Router(one), Value::Source(_)) | (Value::Source(_), Value::Router(one)) => {
            Value::Router(Router {
                has_more: true,
                ..one
            })
        }
        (Value::Methods(one), Value::Methods(other)) => {
            Value::Methods(join_routes(one, other, choice))
        }
        (Value::Unknown | Value::Source(_), other @ (Value::Router(_) | Value::Methods(_))) => {
            other
        }
        (Value::Unknown, other) => other,
        (Value::Tuple(one), Value::Tuple(other)) => Value::Tuple(join_lists(one, other, choice)),
        (Value::Text(one), Value::Text(other)) if one != other => {
            Value::Text(format!("<{one}|{other}>"))
        }
        (one, _) => one,
    }
}

/// Joins lists by their places. The rest of the longer one is kept.
fn join_lists<'s>(one: Vec<Value<'s>>, other: Vec<Value<'s>>, choice: usize) -> Vec<Value<'s>> {
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let mut joined = Vec::new();
    loop {
        joined.push(match (one.next(), other.next()) {
            (Some(one), Some(other)) => join(one, other, choice),
            (Some(rest), None) | (None, Some(rest)) => rest,
            (None, None) => return joined,
        });
    }
}

/// Joins the routes of two branches, no more than one of which is taken.
pub(super) fn join_routes<'s>(
    mut one: Vec<Route<'s>>,
    other: Vec<Route<'s>>,
    choice: usize,
) -> Vec<Route<'s>> {
    let is_same = |one: &Route<'s>, other: &Route<'s>| {
        one.place == other.place && one.method == other.method && one.kind == other.kind
    };
    for route in &mut one {
        if !other.iter().any(|it| is_same(it, route)) {
            route.branches.push((choice, false));
        }
    }
    for mut route in other {
        // A function that makes a router may be called for several paths.
        let exact = one
            .iter()
            .position(|it| is_same(it, &route) && it.path == route.path);
        let same = exact.or_else(|| one.iter().position(|it| is_same(it, &route)));
        match same.and_then(|index| one.get_mut(index)) {
            Some(known) => known.join(route),
            None => {
                route.branches.push((choice, true));
                one.push(route);
            }
        }
    }
    one
}

impl Router<'_> {
    /// Creates a router to which the caller adds no policies.
    pub(super) fn plain(routes: Vec<Route<'_>>) -> Router<'_> {
        Router {
            routes,
            is_plain: true,
            is_guarded: false,
            has_more: false,
        }
    }
}

impl<'s> Route<'s> {
    /// Creates a route that is not mounted yet.
    pub(super) fn new(place: Place, method: String, target: Target<'s>) -> Self {
        Self {
            mounted_at: place.clone(),
            made_at: place.clone(),
            place,
            method,
            path: String::new(),
            target,
            layers: Vec::new(),
            kind: RouteKind::Route,
            is_service: false,
            is_adopted: false,
            link: None,
            is_guarded: false,
            protected_path: None,
            branches: Vec::new(),
        }
    }

    /// Returns a route of a page of `utoipa`, such as `SwaggerUi`.
    pub(super) fn of_page(ty: &str, method: &str, path: String, place: &Place) -> Self {
        let target = Target {
            name: ty.to_owned(),
            ..Target::default()
        };
        Self {
            path,
            ..Self::new(place.clone(), method.to_owned(), target)
        }
    }

    /// Returns the route of a plain router as a guarded router knows it: without a policy.
    pub(super) fn as_unguarded(&self) -> Self {
        let method = match self.method.as_str() {
            "?" => "*".to_owned(),
            method => method.to_owned(),
        };
        Self {
            method,
            kind: RouteKind::Unguarded,
            link: Some(self.mounted_at.clone()),
            ..self.clone()
        }
    }

    /// Returns whether no part of the path depends on the configuration, or is not known.
    pub(super) fn has_known_path(&self) -> bool {
        self.path.starts_with('/') && !self.path.contains(['<', '[', '…'])
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
        .filter(|it| with_fallback || it.kind != RouteKind::Fallback)
    {
        route.layers.extend(layers.iter().cloned());
    }
}

/// Returns a text with the mark of a part that only some configurations have.
pub(super) fn marked(text: &str, is_conditional: bool) -> String {
    let mark = if is_conditional { "?" } else { "" };
    format!("{text}{mark}")
}
