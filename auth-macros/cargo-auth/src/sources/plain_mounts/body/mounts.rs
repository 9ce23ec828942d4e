//! The mounts in a body: handlers, services and routers that plain routers may take.

use std::rc::Rc;

use syn::Expr;
use syn::spanned::Spanned;

use super::Body;
use crate::sources::expressions::{handler, is_async_closure, line_of, names_methods};
use crate::sources::finding::Place;
use crate::sources::mount::{Means, Mount, MountTarget};
use crate::sources::origins::Origin;
use crate::sources::routing::{argument_of, is_of_service};

impl Body<'_> {
    pub(super) fn mount(&mut self, expression: &Expr, by: Means) {
        let target = match (handler(expression), self.locals.origins.of(expression)) {
            (_, Some(Origin::Protected)) => return,
            // A variable shadows a function of the same name.
            (Some(path), _) if !self.is_variable(&path) => MountTarget::Handler(path),
            (_, Some(Origin::Made { by: Some(path), .. })) => MountTarget::Made(path),
            (None, None) if is_async_closure(expression) => MountTarget::Closure,
            _ => MountTarget::Expression,
        };
        // Only a router or a service is compared by its text.
        let made = match target {
            MountTarget::Handler(_) | MountTarget::Closure => String::new(),
            _ => self.locals.texts.of(expression),
        };
        self.mount_at(expression, by, target, made);
    }

    pub(super) fn mount_at(
        &mut self,
        at: &impl Spanned,
        by: Means,
        target: MountTarget,
        made: String,
    ) {
        let mount = Mount {
            place: Place::of(self.file, at.span()),
            scope: self.scope,
            by,
            target,
            made,
            within: Rc::clone(&self.within),
            exemption: self.exemption,
            begins: self.begins.iter().copied().chain([line_of(at)]).collect(),
        };
        self.sources.mounts.push(mount);
    }

    /// Reads a method that takes a handler, or a function like it.
    pub(super) fn handled(&mut self, receiver: Option<Origin>, name: &str, arguments: &[&Expr]) {
        let Some(argument) = arguments.get(argument_of(name)) else {
            return;
        };
        let is_service = is_of_service(name);
        // Streams have a method `any`, and sockets a method `on`, that take functions too.
        let by_argument = match name {
            "any" => false,
            "on" => arguments.first().copied().is_some_and(names_methods),
            _ => !is_service,
        };
        let by = Means::Method {
            receiver,
            is_service,
            by_argument,
        };
        self.mount(argument, by);
    }

    /// Records a router that is added to another one. Its routes are read at its construction, if
    /// that is in these sources.
    pub(super) fn merge(&mut self, into: Option<Origin>, router: &Expr) {
        if let Some(into) = into
            && let Some(Origin::Made { by: Some(path), .. }) = self.locals.origins.of(router)
        {
            let made = self.locals.texts.of(router);
            self.mount_at(router, Means::Merge(into), MountTarget::Router(path), made);
        }
    }
}
