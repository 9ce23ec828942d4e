//! Detection of handlers and services that are mounted on a plain axum router, which requires no
//! policy.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::finding::Place;
use super::names::Names;
use super::origins::Origin;
use super::routers::{Around, Definitions, Receiver};
use super::routing::{argument_of, is_of_service, makes_route, routing_function};

/// A candidate for a mount on a plain router. It is decided after all names are known.
pub(super) struct Mount {
    pub(super) place: Place,
    pub(super) scope: usize,
    pub(super) by: Means,
    pub(super) target: MountTarget,
    /// The source text of the router or the service.
    pub(super) made: String,
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
    /// A method that takes a service. Only a plain router's method has so few arguments.
    Service,
    /// A method that mounts its argument, if the receiver is a plain router.
    Method {
        receiver: Option<Origin>,
        is_service: bool,
        /// True if the argument decides for an unknown receiver: a guarded router would not accept
        /// an `async fn` without a policy.
        by_argument: bool,
    },
    /// A function that is passed on instead of called.
    HandedOn(Vec<String>),
    /// A macro that takes the handlers of a plain router by name.
    Macro(Vec<String>),
    /// `merge` or `nest` of a router.
    Merge(Origin),
}

impl Means {
    /// A method of an unknown receiver.
    pub(super) const UNKNOWN: Self = Self::Method {
        receiver: None,
        is_service: false,
        by_argument: true,
    };
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
    pub(super) fn takes_service(&self, definitions: &Definitions<'_>) -> Option<bool> {
        let names = definitions.names();
        if let Means::Function(path, _) | Means::HandedOn(path) = &self.by
            && !can_make_route(path, names)
        {
            return None;
        }
        let around = Around {
            scope: self.scope,
            owner: definitions.owner_at(&self.within),
        };
        match &self.by {
            Means::Service => Some(true),
            Means::Function(path, index) => {
                let paths = names.resolve(self.scope, path);
                let mut found = paths.iter().filter_map(|path| routing_function(path));
                let name = found.find(|name| makes_route(name) && argument_of(name) == *index)?;
                Some(is_of_service(name))
            }
            Means::Method {
                receiver,
                is_service,
                by_argument,
            } => {
                let is_mount = match Receiver::of(receiver.as_ref(), around, definitions) {
                    Receiver::Plain => true,
                    Receiver::Guarded => false,
                    Receiver::Unknown => *by_argument && self.is_handler(around, definitions),
                };
                is_mount.then_some(*is_service)
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
            Means::Merge(into) => {
                let MountTarget::Router(path) = &self.target else {
                    return None;
                };
                let made_by = names.resolve(self.scope, path);
                let is_elsewhere = made_by.iter().any(|path| is_elsewhere(path, names));
                let is_mount = is_elsewhere
                    && Receiver::of(Some(into), around, definitions) == Receiver::Plain;
                is_mount.then_some(false)
            }
        }
    }

    /// Returns whether it can only be a handler.
    fn is_handler(&self, around: Around<'_>, definitions: &Definitions<'_>) -> bool {
        match &self.target {
            MountTarget::Closure => true,
            MountTarget::Handler(path) => definitions.is_async(around, path),
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
