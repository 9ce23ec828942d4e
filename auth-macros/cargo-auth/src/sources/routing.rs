//! The names of the functions and types that make routes and routers.

use syn::Expr;

/// The axum functions that make routes of handlers; with the suffix `_service`, of services.
const METHODS: [&str; 10] = [
    "any", "connect", "delete", "get", "head", "options", "patch", "post", "put", "trace",
];

/// The methods of routers that mount a service at a path.
pub(super) const SERVICE_METHODS: [&str; 3] =
    ["nest_service", "route_service", "route_service_with_tsr"];

/// The pages of `utoipa`, which are converted into a router.
pub(super) const PAGES: [&str; 4] = ["RapiDoc", "Redoc", "Scalar", "SwaggerUi"];

/// Returns the name of an axum function that makes something to mount.
pub(super) fn routing_function(path: &[String]) -> Option<&str> {
    let (name, module) = path.split_last()?;
    let module: Vec<_> = module.iter().map(String::as_str).collect();
    let is_one = match module.as_slice() {
        ["axum", "routing"] => makes_route(name),
        ["axum", "routing", "MethodRouter"] => name == "new" || name == "default",
        _ => false,
    };
    is_one.then_some(name)
}

/// Returns whether a path is a function that makes a plain router.
pub(super) fn is_plain_router(path: &[String]) -> bool {
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    matches!(
        path.as_slice(),
        ["axum", "Router", ..] | ["axum", "routing", "Router", ..]
    )
}

/// Returns whether axum certainly has an item with that path, which matters for routes.
pub(super) fn is_of_axum(path: &[String]) -> bool {
    let is_module_or_type = match path {
        [krate, module, rest @ ..] if krate == "axum" && module == "routing" => match rest {
            [] => true,
            [ty] => ty == "MethodRouter",
            _ => false,
        },
        _ => false,
    };
    is_module_or_type || is_plain_router(path) || routing_function(path).is_some()
}

/// Returns the method of the route that a function of that name makes: `get` for `get_service`.
pub(super) fn method_of(name: &str) -> Option<&str> {
    // The functions of `aide` take the documentation as well.
    let suffixes = ["_service", "_with"].into_iter();
    let mut methods = suffixes.filter_map(|suffix| name.strip_suffix(suffix));
    let method = methods.next().unwrap_or(name);
    (method == "on" || METHODS.contains(&method)).then_some(method)
}

/// Returns whether a function of that name makes a route.
pub(super) fn makes_route(name: &str) -> bool {
    method_of(name).is_some()
}

/// Returns the name of a method or function that takes a handler, methods of routers included, without the prefix of typed
/// paths. `None` for all others.
pub(super) fn handler_method(name: &str) -> Option<&str> {
    let name = name.strip_prefix("typed_").unwrap_or(name);
    let is_one = makes_route(name) || matches!(name, "fallback" | "method_not_allowed_fallback");
    is_one.then_some(name)
}

/// Returns the index of the mounted argument: `on` takes the methods first.
pub(super) fn argument_of(name: &str) -> usize {
    usize::from(matches!(name, "on" | "on_service"))
}

pub(super) fn is_of_service(name: &str) -> bool {
    name.ends_with("_service")
}

/// Returns the service that a method of a guarded router takes behind its policy. A plain router's
/// method has fewer arguments.
pub(super) fn guarded_service<'e>(name: &str, arguments: &[&'e Expr]) -> Option<&'e Expr> {
    match (name, arguments) {
        ("route_service" | "nest_service" | "on_service", [_, _, service]) => Some(service),
        ("on_service", _) => None,
        ("fallback_service", [_, service]) => Some(service),
        (name, [_, service]) if makes_route(name) && is_of_service(name) => Some(service),
        _ => None,
    }
}

/// Returns the service of `GuardedRouter::nest_service(router, path, policy, service)`, or of
/// `get_service(policy, service)`.
pub(super) fn guarded_service_in<'e>(path: &[String], arguments: &[&'e Expr]) -> Option<&'e Expr> {
    let (name, before) = path.split_last()?;
    let is_type = |name: &String| name.starts_with(char::is_uppercase);
    if before.last().is_some_and(is_type) {
        return guarded_service(name, arguments.get(1..)?);
    }
    let service = guarded_service(name, arguments)?;
    makes_route(name).then_some(service)
}

/// Returns whether a type of that name is a router, or is converted into one.
pub(super) fn is_router_type(name: &str) -> bool {
    name.ends_with("Router") || PAGES.contains(&name)
}

/// Returns whether a path makes a router: of axum, of a crate on top of it, or a guarded one.
pub(super) fn is_router(path: &[String]) -> bool {
    match path {
        [.., ty, name] => {
            let is_new = matches!(
                name.as_str(),
                "default" | "new" | "with_openapi" | "with_path"
            );
            let is_type = matches!(
                ty.as_str(),
                "ApiRouter" | "GuardedRouter" | "OpenApiRouter" | "Router"
            );
            is_new && is_type
        }
        _ => false,
    }
}

/// Returns whether a path is a function like axum's in another crate, such as `aide`, or is from a glob
/// import of one.
pub(super) fn is_like_routing(whole: &[String], written: &[String]) -> bool {
    let is_in = |path: &[String]| path.iter().rev().skip(1).any(|it| it == "routing");
    is_in(whole) || is_in(written) || whole.len() == 1
}
