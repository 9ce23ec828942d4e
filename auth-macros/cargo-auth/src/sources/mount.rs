//! Detection of handlers and services that are mounted on a plain axum router, which requires no
//! policy.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::finding::Place;
use super::names::Names;
use super::routing::{argument_of, is_of_service, is_plain_router, makes_route, routing_function};

/// A candidate for a mount on a plain router. It is decided after all names are known.
pub(super) struct Mount {
    pub(super) place: Place,
    pub(super) scope: usize,
    pub(super) by: Means,
    pub(super) target: MountTarget,
    /// The function that contains it.
    pub(super) within: Rc<FunctionPlace>,
    pub(super) cover: Option<Cover>,
    /// The lines on which it begins, and those of the expressions around it.
    pub(super) begins: BTreeSet<usize>,
}

/// The means by which it becomes a route.
#[derive(Clone)]
pub(super) enum Means {
    /// A function with this target as its argument at that index.
    Function(Vec<String>, usize),
    /// A method after such a function, and whether the method takes a service.
    Method(Vec<String>, bool),
    /// A method that takes a service. Only a plain router's method has so few arguments.
    Service,
    /// A method that mounts its argument, if that is an `async fn`: a guarded router would not
    /// accept one without a policy. The chain may begin with a function.
    Any(Option<Vec<String>>),
    /// A function that is passed on instead of called.
    HandedOn(Vec<String>),
    /// A macro that takes the handlers of a plain router by name.
    Macro(Vec<String>),
    /// `merge` or `nest` of a plain router; the beginning of its chain, if the kind of router is
    /// uncertain.
    Merge(Option<Vec<String>>),
}

#[derive(Clone)]
pub(super) enum MountTarget {
    Handler(Vec<String>),
    /// An `async` closure, or one with an `async` block, which could only be a handler.
    Closure,
    /// The function that makes a router.
    Router(Vec<String>),
    /// The result of a function, which may be a protected router.
    Made(Vec<String>),
    /// A closure, a variable, or another expression that is not the path of a function.
    Expression,
}

impl Mount {
    /// Returns whether a plain router takes it as a service; `None` if it is not passed to a plain
    /// router.
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
                let is_plain =
                    paths.is_none_or(|paths| paths.iter().any(|path| is_plain_router(path)));
                let MountTarget::Router(path) = &self.target else {
                    return None;
                };
                let made_by = names.resolve(self.scope, path);
                let is_elsewhere = |path: &Vec<String>| is_elsewhere(path, names);
                (is_plain && made_by.iter().any(is_elsewhere)).then_some(false)
            }
        }
    }

    /// Returns whether it can only be a handler, in a chain that begins with one of these
    /// functions.
    fn is_handler(
        &self,
        begins: &BTreeSet<Vec<String>>,
        names: &Names,
        functions: &BTreeSet<String>,
    ) -> bool {
        let is_ours =
            |path: &Vec<String>| path.first().is_some_and(|krate| krate == "auth_runtime");
        // A guarded router accepts nothing without a policy; a plain router is recognized without
        // this check.
        let is_known = |path: &Vec<String>| is_ours(path) || routing_function(path).is_some();
        if begins.iter().any(is_known) {
            return false;
        }
        match &self.target {
            MountTarget::Closure => true,
            MountTarget::Handler(path) => {
                let paths = names.resolve(self.scope, path);
                paths
                    .iter()
                    .any(|path| functions.contains(&path.join("::")))
            }
            MountTarget::Router(_) | MountTarget::Made(_) | MountTarget::Expression => false,
        }
    }
}

impl MountTarget {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Handler(path) | Self::Router(path) => path.join("::"),
            Self::Made(_) | Self::Closure | Self::Expression => String::new(),
        }
    }
}

/// Returns whether a path is the macro of `utoipa_axum` that makes routes of handlers.
fn is_routes(path: &[String]) -> bool {
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    path == ["utoipa_axum", "routes"]
}

/// Returns whether a path leads to a crate with unread sources.
fn is_elsewhere(path: &[String], names: &Names) -> bool {
    let [krate, _, ..] = path else {
        return false;
    };
    // The first name may also be a type parameter, for example.
    let is_crate = krate.starts_with(|first: char| first.is_lowercase());
    let is_known = matches!(
        krate.as_str(),
        "axum" | "auth_runtime" | "std" | "core" | "alloc"
    );
    is_crate && !is_known && !names.has_crate(krate)
}

/// Returns whether a path may be a function that makes a route, by its last names.
fn can_make_route(path: &[String], names: &Names) -> bool {
    let is_router = |name: &String| names.can_be(name, |name| name == "MethodRouter");
    match path {
        [.., router, name] if is_router(router) => matches!(name.as_str(), "new" | "default"),
        [.., name] => names.can_be(name, makes_route),
        [] => false,
    }
}

/// The place of a function: its file, and the offset of its block.
pub(super) type FunctionPlace = (String, usize);

/// The reason why the mounts in an expression are not reported.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cover {
    /// It is the service of a guarded router, with a policy.
    Guarded,
    /// A guarded router adds it without policies, which is reported separately.
    Excused,
}

/// A mention of a function.
pub(super) struct Mention {
    /// The function that contains it.
    pub(super) within: Rc<FunctionPlace>,
    pub(super) scope: usize,
    /// The path of the function; the name alone of a method.
    pub(super) path: Vec<String>,
    pub(super) is_method: bool,
    pub(super) cover: Option<Cover>,
}
