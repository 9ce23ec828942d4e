//! The variables of functions.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{
    Block, Expr, ExprCall, ExprClosure, ExprMethodCall, ExprPath, Item, Local, Macro, PatIdent,
    Signature,
};

use super::added::Added;
use crate::sources::expressions::{path_of, start_of, variable};
use crate::sources::mount::Exemption;
use crate::sources::origins::{Origins, names_guarded};
use crate::sources::routing::{guarded_service, guarded_service_in};
use crate::sources::text::{any_word, named};

/// The variables of a function.
#[derive(Default)]
pub(super) struct Variables {
    /// All names, in any scope of the function.
    pub(super) names: BTreeSet<String>,
    /// The position at which each variable was last assigned, so far.
    made: BTreeMap<String, usize>,
    /// The uses of each variable, by the position of its assignment.
    uses: BTreeMap<usize, Vec<Use>>,
    /// The positions of all assignments, in the order of their ends.
    assigned: Vec<usize>,
    /// The use of the current expression.
    current: Use,
    /// The exemptions of variables, by the position of their assignments.
    exemptions: BTreeMap<usize, Exemption>,
    /// The variables that may be routers, so far.
    origins: Origins,
}

/// The purpose for which a variable is read.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Use {
    /// A guarded router takes it with a reason. Another router can only take a clone.
    Moved,
    /// It is cloned, perhaps for a part of the variable that is assigned at that position.
    Cloned(Option<usize>),
    /// A guarded router takes it, perhaps changed.
    Exempt(Exemption),
    /// It is a part of the variable that is assigned at that position.
    Assigned(usize),
    #[default]
    Other,
}

impl Variables {
    pub(super) fn of(signature: &Signature, block: &Block) -> Self {
        let mut variables = Self {
            origins: Origins::of_parameters(signature),
            ..Self::default()
        };
        variables.visit_signature(signature);
        variables.visit_block(block);
        // A variable is a part of those that are assigned later.
        for position in variables.assigned.iter().rev() {
            let Some(uses) = variables.uses.get(position) else {
                continue;
            };
            let exemption_by = |by: &Use| match by {
                Use::Moved => Some(Exemption::Excused),
                Use::Exempt(exemption) => Some(*exemption),
                Use::Assigned(later) | Use::Cloned(Some(later)) => {
                    variables.exemptions.get(later).copied()
                }
                Use::Cloned(None) | Use::Other => None,
            };
            let all: Option<Vec<_>> = uses.iter().map(exemption_by).collect();
            let is_free = |by: &Use| matches!(by, Use::Cloned(_)) && exemption_by(by).is_none();
            let is_moved = uses.contains(&Use::Moved) && !uses.iter().any(is_free);
            let exemption = match all {
                None => is_moved.then_some(Exemption::Excused),
                Some(exemptions) => exemptions.into_iter().max(),
            };
            if let Some(exemption) = exemption {
                variables.exemptions.insert(*position, exemption);
            }
        }
        variables
    }

    /// Returns the exemption of the variable that is assigned at this position, if all of its uses have
    /// one: another use may mount it without a policy.
    pub(super) fn exemption_at(&self, position: usize) -> Option<Exemption> {
        self.exemptions.get(&position).copied()
    }

    fn read(&mut self, name: &str) {
        if let Some(made) = self.made.get(name) {
            self.uses.entry(*made).or_default().push(self.current);
        }
    }

    /// Reads an expression for a purpose.
    fn used(&mut self, by: Use, expression: &Expr) {
        let outer = std::mem::replace(&mut self.current, by);
        self.visit_expr(expression);
        self.current = outer;
    }

    /// Reads arguments. One of them may be a router that is added to a guarded one.
    fn arguments(&mut self, arguments: &[&Expr], exempt: Option<(Exemption, &Expr)>) {
        for argument in arguments {
            match exempt {
                Some((exemption, router)) if std::ptr::eq(router, *argument) => {
                    let is_moved = exemption == Exemption::Excused && path_of(router).is_some();
                    let by = if is_moved {
                        Use::Moved
                    } else {
                        Use::Exempt(exemption)
                    };
                    self.used(by, router);
                }
                _ => self.visit_expr(argument),
            }
        }
    }
}

/// Returns the router that a method adds to a guarded one without policies.
fn excused<'e>(
    name: &str,
    arguments: &[&'e Expr],
    is_guarded: impl FnOnce() -> bool,
) -> Option<(Exemption, &'e Expr)> {
    let added = Added::by(name, arguments, is_guarded)?;
    Some((Exemption::Excused, added.router))
}

impl Visit<'_> for Variables {
    fn visit_pat_ident(&mut self, pattern: &PatIdent) {
        self.names.insert(named(&pattern.ident));
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_local(&mut self, local: &Local) {
        // The initializer may use an earlier variable of the same name.
        let outer = self.current;
        if variable(&local.pat).is_some() {
            self.current = Use::Assigned(start_of(local));
        }
        visit::visit_local(self, local);
        self.current = outer;
        let init = local.init.as_ref();
        let origin = init.and_then(|init| self.origins.of(&init.expr));
        self.origins.bind(&local.pat, origin);
        if let Some(name) = variable(&local.pat) {
            self.made.insert(name, start_of(local));
            self.assigned.push(start_of(local));
        }
    }

    fn visit_block(&mut self, block: &Block) {
        let outer = self.origins.clone();
        visit::visit_block(self, block);
        self.origins = outer;
    }

    fn visit_expr_closure(&mut self, closure: &ExprClosure) {
        let outer = self.origins.clone();
        for input in &closure.inputs {
            self.origins.bind(input, None);
        }
        visit::visit_expr_closure(self, closure);
        self.origins = outer;
    }

    fn visit_expr_path(&mut self, path: &ExprPath) {
        if let Some(name) = path.path.get_ident() {
            self.read(&named(name));
        }
        visit::visit_expr_path(self, path);
    }

    fn visit_macro(&mut self, written: &Macro) {
        let is_used = |name: &&String| any_word(&written.tokens, &|word| word == name.as_str());
        let used: Vec<String> = self.made.keys().filter(is_used).cloned().collect();
        used.iter().for_each(|name| self.read(name));
    }

    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        let name = named(&call.method);
        if name == "clone" {
            let by = match self.current {
                Use::Assigned(later) => Use::Cloned(Some(later)),
                Use::Other => Use::Cloned(None),
                other => other,
            };
            return self.used(by, &call.receiver);
        }
        self.visit_expr(&call.receiver);
        let arguments: Vec<_> = call.args.iter().collect();
        let router = excused(&name, &arguments, || {
            let origin = self.origins.of(&call.receiver);
            origin.is_some_and(|origin| origin.is_guarded())
        });
        let service = || Some((Exemption::Guarded, guarded_service(&name, &arguments)?));
        self.arguments(&arguments, router.or_else(service));
    }

    fn visit_expr_call(&mut self, call: &ExprCall) {
        self.visit_expr(&call.func);
        let path = path_of(&call.func).unwrap_or_default();
        let arguments: Vec<_> = call.args.iter().collect();
        let router = match (path.last(), arguments.as_slice()) {
            (Some(name), [_, others @ ..]) => excused(name, others, || names_guarded(&path)),
            _ => None,
        };
        let service = || Some((Exemption::Guarded, guarded_service_in(&path, &arguments)?));
        self.arguments(&arguments, router.or_else(service));
    }

    // Nested functions have their own variables.
    fn visit_item(&mut self, _: &Item) {}
}
