//! The methods of routers and of method routers, on values.

use std::rc::Rc;

use auth_runtime_core::RouteKind;
use syn::Expr;
use syn::spanned::Spanned;

use super::definitions::Definitions;
use super::layers::{init_of, layers_of};
use super::paths::{is_short, joined, typed_path, unknown};
use super::value::{Callable, Layer, Route, Router, Source, Target, Value, add_layers};
use crate::sources::expressions::{may_replace, methods_in, path_of, receiver_of};
use crate::sources::finding::Place;
use crate::sources::routing::{is_of_service, makes_route, method_of};
use crate::sources::text::excerpt;

/// An evaluated argument.
pub(super) struct Argument<'s> {
    pub(super) value: Value<'s>,
    pub(super) source: Source<'s>,
    pub(super) place: Place,
}

impl<'s> Argument<'s> {
    /// Returns the text of a path; the expression in angle brackets, if its value is unknown.
    pub(super) fn path(&self) -> String {
        match &self.value {
            Value::Text(text) => text.clone(),
            Value::Source(origin) if is_short(origin.expression) => unknown(origin.expression),
            _ => unknown(self.source.expression),
        }
    }

    /// Returns whether a place is in the argument.
    fn contains(&self, place: &Place) -> bool {
        let span = self.source.expression.span();
        let (start, end) = (span.start(), span.end());
        let at = (place.line, place.column.saturating_sub(1));
        place.file == self.place.file
            && (start.line, start.column) <= at
            && at < (end.line, end.column)
    }

    pub(super) fn is_router(&self) -> bool {
        matches!(self.value, Value::Router(_))
    }

    /// Returns the expression of the value: for a variable, its initial value.
    fn origin(&self) -> Source<'s> {
        match self.value {
            Value::Source(source) => source,
            _ => self.source,
        }
    }

    /// Returns the handler or the service, with the layers around it alone.
    fn route(&self, definitions: &Definitions<'s>, method: &str) -> Route<'s> {
        let mut origin = self.origin();
        let mut outer: Vec<Rc<Layer>> = Vec::new();
        while let Some((layer, service)) = layered(definitions, origin) {
            outer = [layer, outer].concat();
            origin = service;
        }
        let target = target(definitions, origin);
        let mut route = Route::new(self.place.clone(), method.to_owned(), target);
        let mut rest = origin.expression;
        while let Expr::MethodCall(call) = rest {
            // The layers before it are only around the first of two handlers.
            if call.method == "or" {
                break;
            }
            if let (true, Some(layer)) = (call.method == "layer", call.args.first()) {
                let source = Source {
                    expression: layer,
                    ..origin
                };
                route.layers.extend(layers_of(definitions, source));
            }
            rest = &call.receiver;
        }
        route.layers.extend(outer);
        route
    }
}

/// Returns the layers and the service of `TraceLayer::new().layer(service)`.
fn layered<'s>(
    definitions: &Definitions<'s>,
    source: Source<'s>,
) -> Option<(Vec<Rc<Layer>>, Source<'s>)> {
    let Expr::MethodCall(call) = source.expression else {
        return None;
    };
    let service = call.args.first()?;
    if call.method != "layer" && call.method != "service" {
        return None;
    }
    let part = |expression| Source {
        expression,
        ..source
    };
    let layers = layers_of(definitions, part(&call.receiver));
    let is_layer = layers.iter().any(|it| {
        let made_by = ["from_fn(", "map_request(", "map_response("];
        it.text.contains("Layer") || made_by.iter().any(|by| it.text.starts_with(by))
    });
    let local = match path_of(service).as_deref() {
        Some([name]) => init_of(definitions, source.function, name),
        _ => None,
    };
    is_layer.then(|| (layers, part(local.unwrap_or(service))))
}

/// Returns the routes of `get(handler)`, or of a link such as `.post(handler)`.
pub(super) fn of_method<'s>(
    definitions: &Definitions<'s>,
    name: &str,
    arguments: &[Argument<'s>],
) -> Option<Vec<Route<'s>>> {
    let (methods, handler) = match (method_of(name)?, arguments) {
        ("on", [filter, handler, ..]) => {
            let methods = methods_in(filter.source.expression);
            (shown_methods(&methods), handler)
        }
        ("on", _) => return None,
        ("any", [handler, ..]) => ("*".to_owned(), handler),
        (method, [handler, ..]) => (method.to_ascii_uppercase(), handler),
        (_, []) => return None,
    };
    Some(vec![handler.route(definitions, &methods)])
}

/// Adds a link to a method router.
pub(super) fn link_methods<'s>(
    definitions: &Definitions<'s>,
    routes: &mut Vec<Route<'s>>,
    name: &str,
    arguments: &mut Vec<Argument<'s>>,
) {
    match (name, arguments.as_mut_slice()) {
        ("layer", [layer]) => {
            add_layers(routes, &layers_of(definitions, layer.origin()), true);
        }
        // The fallback is outside it.
        ("route_layer", [layer]) => {
            let layers = layers_of(definitions, layer.origin());
            for route in routes.iter_mut().filter(|route| route.method != "*") {
                route.layers.extend(layers.iter().cloned());
            }
        }
        ("merge", [other]) => {
            if let Value::Methods(more) = &mut other.value {
                routes.append(more);
            }
        }
        ("fallback", [handler]) => routes.push(handler.route(definitions, "*")),
        (name, arguments) => {
            routes.extend(
                of_method(definitions, name, arguments)
                    .into_iter()
                    .flatten(),
            );
        }
    }
}

/// The methods of routers that add no routes.
const NEUTRAL: [&str; 22] = [
    "as_service",
    "boxed",
    "clone",
    "config",
    "custom_html",
    "expect",
    "finish_api",
    "finish_api_with",
    "into",
    "into_inner",
    "into_make_service",
    "into_make_service_with_connect_info",
    "into_router",
    "into_service",
    "method_not_allowed_fallback",
    "oauth",
    "reset_fallback",
    "unwrap",
    "unwrap_or_default",
    "with_graceful_shutdown",
    "with_state",
    "without_v07_checks",
];

/// Adds a link to a router. Returns false for an unknown method. `place` is that of its name.
pub(super) fn link_router<'s>(
    definitions: &Definitions<'s>,
    router: &mut Router<'s>,
    name: &str,
    place: &Place,
    arguments: &mut Vec<Argument<'s>>,
) -> bool {
    let is_known = NEUTRAL.contains(&name);
    let link = (!router.is_plain).then_some(place);
    let is_guarded = router.is_guarded;
    let mounted = |mut routes: Vec<Route<'s>>, path: &str, kind| {
        for route in &mut routes {
            path.clone_into(&mut route.path);
            route.kind = kind;
            route.is_service = is_of_service(name);
            route.mounted_at = place.clone();
            route.link = link.cloned();
            route.is_guarded = is_guarded;
        }
        routes
    };
    // The routes of a plain router, which a guarded one knows by their paths.
    let unguarded = |path: &str| {
        let route = Route::new(place.clone(), "*".to_owned(), Target::default());
        mounted(vec![route], path, RouteKind::Unguarded)
    };
    let has_more = |argument: &Argument<'_>| match &argument.value {
        Value::Router(router) => router.has_more,
        _ => false,
    };
    router.has_more |= arguments.iter().any(has_more);
    let mut routes = match (name, arguments.as_mut_slice()) {
        ("layer", [layer]) => {
            let layers = layers_of(definitions, layer.origin());
            add_layers(&mut router.routes, &layers, true);
            return true;
        }
        ("route_layer", [layer]) => {
            let layers = layers_of(definitions, layer.origin());
            add_layers(&mut router.routes, &layers, false);
            return true;
        }
        ("protect", _) => {
            router.is_plain = true;
            router.is_guarded = false;
            for route in &mut router.routes {
                let path = &route.path;
                route.protected_path.get_or_insert_with(|| path.clone());
            }
            return true;
        }
        ("fallback_service", [router]) if router.is_router() => below(definitions, "", router),
        // A guarded router takes the policy before the service.
        ("fallback" | "fallback_service", [handler]) | ("fallback_service", [handler, _]) => {
            mounted(handlers(definitions, handler), "/*", RouteKind::Fallback)
        }
        ("nest_service" | "nest_api_service", [prefix, router]) if router.is_router() => {
            below(definitions, &prefix.path(), router)
        }
        ("nest_service" | "nest_api_service", [prefix, service, ..]) => {
            let path = format!("{}/*", prefix.path().trim_end_matches('/'));
            mounted(handlers(definitions, service), &path, RouteKind::Route)
        }
        // The document of a page such as `SwaggerUi`.
        ("url", [url, _]) => {
            vec![Route::of_page("SwaggerUi", "GET", url.path(), &url.place)]
        }
        ("merge_unguarded", [_, paths, router]) => {
            let mut routes = below(definitions, "", router);
            if let Value::Tuple(paths) = &paths.value {
                let paths = paths.iter().filter_map(Value::text);
                routes.extend(paths.flat_map(unguarded));
            }
            routes
        }
        ("merge" | "routes", [router]) => below(definitions, "", router),
        ("adopt", [router, _]) => {
            let has_more = has_more(router);
            let mut adopted = below(definitions, "", router);
            adopted.iter_mut().for_each(|it| it.is_adopted = true);
            // Its fallback is dropped.
            adopted.retain(|it| it.kind != RouteKind::Fallback);
            let is_whole = !has_more && adopted.iter().all(Route::has_known_path);
            if link.is_some() {
                adopted.extend(if is_whole {
                    adopted.iter().map(Route::as_unguarded).collect()
                } else {
                    unguarded("/*")
                });
            }
            adopted
        }
        ("nest" | "nest_api", [prefix, router, ..]) => below(definitions, &prefix.path(), router),
        (name, [handler]) if typed_method(name).is_some() => {
            let method = typed_method(name).unwrap_or_default();
            let route = handler.route(definitions, &method);
            let path = typed_path(definitions, &route.target);
            mounted(vec![route], &path, RouteKind::Route)
        }
        // `route`, and the methods like it of other crates.
        (name, [path, handler, ..]) if name.contains("route") && !is_known => mounted(
            handlers(definitions, handler),
            &path.path(),
            RouteKind::Route,
        ),
        _ => return is_known,
    };
    router.routes.append(&mut routes);
    true
}

/// Returns the routes of handlers, without their path.
fn handlers<'s>(definitions: &Definitions<'s>, handler: &mut Argument<'s>) -> Vec<Route<'s>> {
    let mut routes = match &mut handler.value {
        Value::Methods(routes) => std::mem::take(routes),
        _ => vec![handler.route(definitions, "*")],
    };
    for route in &mut routes {
        // A function that calls `get` is called for many routes.
        if !handler.contains(&route.place) {
            route.place = handler.place.clone();
        }
    }
    routes
}

/// Returns the routes of a router below a prefix. The routes of an unknown one are shown as one.
fn below<'s>(
    definitions: &Definitions<'s>,
    prefix: &str,
    router: &mut Argument<'s>,
) -> Vec<Route<'s>> {
    let mut routes = routes_in(std::mem::replace(&mut router.value, Value::Unknown));
    if routes.is_none() {
        let mut route = router.route(definitions, "*");
        route.path = "/…".to_owned();
        routes = Some(vec![route]);
    }
    let mut routes = routes.unwrap_or_default();
    for route in &mut routes {
        route.path = joined(prefix, &route.path);
    }
    routes
}

/// Returns the routes of the routers in a value.
pub(super) fn routes_in(value: Value<'_>) -> Option<Vec<Route<'_>>> {
    match value {
        Value::Router(router) => Some(router.routes),
        Value::Tuple(parts) => {
            let parts: Vec<_> = parts.into_iter().filter_map(routes_in).collect();
            (!parts.is_empty()).then(|| parts.concat())
        }
        _ => None,
    }
}

/// Returns the method of `typed_get`, of axum-extra.
fn typed_method(name: &str) -> Option<String> {
    let method = name.strip_prefix("typed_")?;
    match method {
        "any" => Some("*".to_owned()),
        method => makes_route(method).then(|| method.to_ascii_uppercase()),
    }
}

/// Returns the handler that an expression refers to.
fn target<'s>(definitions: &Definitions<'s>, source: Source<'s>) -> Target<'s> {
    let base = match source.expression {
        chain @ Expr::MethodCall(_) => match receiver_of(chain) {
            Expr::Closure(_) | Expr::Path(_) if may_replace(chain) => chain,
            base => base,
        },
        other => other,
    };
    match base {
        Expr::Closure(_) => Target {
            name: "closure".to_owned(),
            callable: Some(Callable::Closure(Source {
                expression: base,
                ..source
            })),
            ..Target::default()
        },
        _ => match path_of(base) {
            Some(path) => {
                let owner = definitions.owner_of(source.function);
                named_target(definitions, source.scope, owner, &path)
            }
            None => Target {
                name: excerpt(base),
                ..Target::default()
            },
        },
    }
}

/// Returns the target for a path.
pub(super) fn named_target<'s>(
    definitions: &Definitions<'s>,
    scope: usize,
    owner: Option<&Vec<String>>,
    path: &[String],
) -> Target<'s> {
    let paths = definitions.paths_in(scope, owner, path);
    let function = paths.first().and_then(|path| definitions.function(path));
    Target {
        name: path.join("::"),
        callable: function.map(Callable::Function),
        paths,
    }
}

/// Returns methods as text.
pub(super) fn shown_methods(methods: &[String]) -> String {
    match methods {
        [] => "?".to_owned(),
        methods => methods.join("|"),
    }
}
