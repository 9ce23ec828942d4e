//! The decision whether a plain axum router mounts a handler or a service.

use crate::sources::mount::{Means, Mount, MountTarget};
use crate::sources::names::Names;
use crate::sources::routers::{Definitions, NameScope, Receiver};
use crate::sources::routing::{argument_of, is_of_service, makes_route, routing_function};

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
        let name_scope = NameScope {
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
                let is_mount = match Receiver::of(receiver.as_ref(), name_scope, definitions) {
                    Receiver::Plain => true,
                    Receiver::Guarded => false,
                    Receiver::Unknown => *by_argument && self.is_handler(name_scope, definitions),
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
                    && Receiver::of(Some(into), name_scope, definitions) == Receiver::Plain;
                is_mount.then_some(false)
            }
        }
    }

    /// Returns whether it can only be a handler.
    fn is_handler(&self, name_scope: NameScope<'_>, definitions: &Definitions<'_>) -> bool {
        match &self.target {
            MountTarget::Closure => true,
            MountTarget::Handler(path) => definitions.is_async(name_scope, path),
            MountTarget::Router(_) | MountTarget::Made(_) | MountTarget::Expression => false,
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
