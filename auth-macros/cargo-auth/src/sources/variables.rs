//! The variables of functions.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, ExprMethodCall, ExprPath, Item, Local, Macro, PatIdent};

use super::expressions::{is_reason, path_of, start_of, variable};
use super::mount::Cover;
use super::routing::{guarded_service, guarded_service_in};
use super::text::{any_word, named};

/// The variables of a function.
#[derive(Default)]
pub(super) struct Variables {
    /// All names, in any scope of the function.
    pub(super) names: BTreeSet<String>,
    /// The position at which each variable was last assigned, so far.
    made: BTreeMap<String, usize>,
    /// The number of expressions with each variable, by the position of its assignment.
    reads: BTreeMap<usize, usize>,
    /// The positions at which variables for guarded routers were assigned.
    covered: BTreeMap<usize, Cover>,
}

impl Variables {
    /// Returns the cover of the variable that is assigned at this position. A variable with several uses may be
    /// mounted without a policy too.
    pub(super) fn cover_at(&self, position: usize) -> Option<Cover> {
        let cover = self.covered.get(&position).copied()?;
        (cover == Cover::Excused || self.reads.get(&position) == Some(&1)).then_some(cover)
    }

    fn read(&mut self, name: &str) {
        if let Some(made) = self.made.get(name) {
            *self.reads.entry(*made).or_default() += 1;
        }
    }

    /// Records the variable with a router that is added to a guarded one.
    fn cover(&mut self, router: &Expr, cover: Cover) {
        if let Some([name]) = path_of(router).as_deref()
            && let Some(made) = self.made.get(name)
        {
            self.covered.insert(*made, cover);
        }
    }
}

impl Visit<'_> for Variables {
    fn visit_pat_ident(&mut self, pattern: &PatIdent) {
        self.names.insert(named(&pattern.ident));
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_local(&mut self, local: &Local) {
        // The initializer may use an earlier variable of the same name.
        visit::visit_local(self, local);
        if let Some(name) = variable(&local.pat) {
            self.made.insert(name, start_of(local));
        }
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
        visit::visit_expr_method_call(self, call);
        let arguments: Vec<_> = call.args.iter().collect();
        let name = named(&call.method);
        match (name.as_str(), arguments.as_slice()) {
            ("adopt", [router, reason]) if is_reason(reason) => self.cover(router, Cover::Excused),
            ("merge_unguarded", [.., router]) => self.cover(router, Cover::Excused),
            (name, arguments) => {
                if let Some(service) = guarded_service(name, arguments) {
                    self.cover(service, Cover::Guarded);
                }
            }
        }
    }

    fn visit_expr_call(&mut self, call: &ExprCall) {
        visit::visit_expr_call(self, call);
        let path = path_of(&call.func).unwrap_or_default();
        let arguments: Vec<_> = call.args.iter().collect();
        match (path.last().map(String::as_str), arguments.as_slice()) {
            (Some("adopt"), [_, router, reason]) if is_reason(reason) => {
                self.cover(router, Cover::Excused);
            }
            (Some("merge_unguarded"), [_, _, _, router]) => self.cover(router, Cover::Excused),
            (_, arguments) => {
                if let Some(service) = guarded_service_in(&path, arguments) {
                    self.cover(service, Cover::Guarded);
                }
            }
        }
    }

    // Nested functions have their own variables.
    fn visit_item(&mut self, _: &Item) {}
}
