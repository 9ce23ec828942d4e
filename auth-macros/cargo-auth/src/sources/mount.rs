//! Whether something is given to a plain router of axum's, which asks for no policy.

use std::collections::BTreeSet;

use super::Place;
use super::names::Names;

/// Something that may be given to a plain router: who knows all names decides.
pub(super) struct Mount {
    pub(super) place: Place,
    pub(super) scope: usize,
    pub(super) by: Means,
    pub(super) target: Target,
    /// The function that it happens in.
    pub(super) within: Vec<String>,
    /// Whether the routes are merged by `merge_unguarded`, which is told on its own.
    pub(super) is_excused: bool,
    /// The lines on which it begins, and what it is a part of.
    pub(super) begins: BTreeSet<usize>,
}

/// What makes a route of it.
#[derive(Clone)]
pub(super) enum Means {
    /// A function, of which this is the argument at that index.
    Function(Vec<String>, usize),
    /// A method behind such a function, with whether it takes a service.
    Method(Vec<String>, bool),
    /// A method that takes a service, and of so few arguments on a plain router only.
    Service,
    /// A method that mounts what it is given, if that is an `async fn`: a guarded router would not take one
    /// without a policy. It may begin with a function.
    Any(Option<Vec<String>>),
    /// A function that is not called where it stands.
    HandedOn(Vec<String>),
    /// A macro that is given the handlers of a plain router by their names alone.
    Macro(Vec<String>),
    /// `merge` or `nest` of a plain router; how that begins, if it is not sure.
    Merge(Option<Vec<String>>),
}

#[derive(Clone)]
pub(super) enum Target {
    Handler(Vec<String>),
    /// An `async` closure, or one with an `async` block, which could only be a handler.
    Closure,
    /// What a router is made by.
    Router(Vec<String>),
    /// A closure, a variable, or what else is no path of a function.
    Expression,
}

/// What axum makes routes of handlers with; with `_service` behind it, of services.
const METHODS: [&str; 10] = [
    "any", "connect", "delete", "get", "head", "options", "patch", "post", "put", "trace",
];

impl Mount {
    /// Whether a plain router takes it as a service; `None` if it is not given to a plain router.
    pub(super) fn takes_service(
        &self,
        names: &Names,
        functions: &BTreeSet<String>,
    ) -> Option<bool> {
        if let Means::Function(path, _) | Means::Method(path, _) | Means::HandedOn(path) = &self.by
            && !can_make_route(path, names)
        {
            return None;
        }
        match &self.by {
            Means::Service => Some(true),
            Means::Function(path, index) => {
                let paths = names.resolve(self.scope, path);
                let mut found = paths.iter().filter_map(|path| routing_function(path));
                let name = found.find(|name| makes_route(name) && argument_of(name) == *index)?;
                Some(is_of_service(name))
            }
            Means::Method(path, is_service) => {
                let paths = names.resolve(self.scope, path);
                let is_one = |path: &Vec<String>| routing_function(path).is_some();
                paths.iter().any(is_one).then_some(*is_service)
            }
            Means::Any(path) => {
                let path = path.as_ref();
                let paths = path.map_or_else(BTreeSet::new, |path| names.resolve(self.scope, path));
                self.is_handler(&paths, names, functions).then_some(false)
            }
            Means::HandedOn(path) => {
                let paths = names.resolve(self.scope, path);
                let is_one = |path: &Vec<String>| routing_function(path).is_some_and(makes_route);
                paths.iter().any(is_one).then_some(false)
            }
            Means::Macro(path) => {
                let name = path.last()?;
                if !names.can_be(name, |name| name == "routes") {
                    return None;
                }
                let paths = names.resolve(self.scope, path);
                paths.iter().any(|path| is_routes(path)).then_some(false)
            }
            Means::Merge(begins) => {
                let paths = begins.as_ref().map(|path| names.resolve(self.scope, path));
                let is_plain = paths.is_none_or(|paths| paths.iter().any(|path| is_router(path)));
                let Target::Router(path) = &self.target else {
                    return None;
                };
                let made_by = names.resolve(self.scope, path);
                let is_elsewhere = |path: &Vec<String>| is_elsewhere(path, names);
                (is_plain && made_by.iter().any(is_elsewhere)).then_some(false)
            }
        }
    }

    /// Whether it can only be a handler, in a chain that begins with one of these functions.
    fn is_handler(
        &self,
        begins: &BTreeSet<Vec<String>>,
        names: &Names,
        functions: &BTreeSet<String>,
    ) -> bool {
        let is_ours =
            |path: &Vec<String>| path.first().is_some_and(|krate| krate == "auth_runtime");
        // A guarded one takes nothing without a policy, and of a plain one it is known without this.
        let is_known = |path: &Vec<String>| is_ours(path) || routing_function(path).is_some();
        if begins.iter().any(is_known) {
            return false;
        }
        match &self.target {
            Target::Closure => true,
            Target::Handler(path) => {
                let paths = names.resolve(self.scope, path);
                paths
                    .iter()
                    .any(|path| functions.contains(&path.join("::")))
            }
            Target::Router(_) | Target::Expression => false,
        }
    }
}

impl Target {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Handler(path) | Self::Router(path) => path.join("::"),
            Self::Closure | Self::Expression => String::new(),
        }
    }
}

/// Whether that makes a plain router.
fn is_router(path: &[String]) -> bool {
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    matches!(path.as_slice(), ["axum", "Router", ..])
}

/// Whether that is the macro of `utoipa_axum` that makes routes of handlers.
fn is_routes(path: &[String]) -> bool {
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    path == ["utoipa_axum", "routes"]
}

/// Whether a path leads to a crate whose sources are not read.
fn is_elsewhere(path: &[String], names: &Names) -> bool {
    let [krate, _, ..] = path else {
        return false;
    };
    // A type parameter, say, is no crate.
    let is_crate = krate.starts_with(|first: char| first.is_lowercase());
    let is_known = matches!(
        krate.as_str(),
        "axum" | "auth_runtime" | "std" | "core" | "alloc"
    );
    is_crate && !is_known && !names.has_crate(krate)
}

/// Whether a path may be one of those, by its last names.
fn can_make_route(path: &[String], names: &Names) -> bool {
    let is_router = |name: &String| names.can_be(name, |name| name == "MethodRouter");
    match path {
        [.., router, name] if is_router(router) => matches!(name.as_str(), "new" | "default"),
        [.., name] => names.can_be(name, makes_route),
        [] => false,
    }
}

/// The name of a function of axum's that makes something to mount.
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

/// Whether that is the name of a function that makes a route.
pub(super) fn makes_route(name: &str) -> bool {
    let method = name.strip_suffix("_service").unwrap_or(name);
    method == "on" || METHODS.contains(&method)
}

/// Whether that is the name of a method or function that takes a handler, be it of a router.
pub(super) fn takes_handler(name: &str) -> bool {
    makes_route(name) || matches!(name, "fallback" | "method_not_allowed_fallback")
}

/// The index of what is mounted: `on` takes the methods first.
pub(super) fn argument_of(name: &str) -> usize {
    usize::from(matches!(name, "on" | "on_service"))
}

pub(super) fn is_of_service(name: &str) -> bool {
    name.ends_with("_service")
}
