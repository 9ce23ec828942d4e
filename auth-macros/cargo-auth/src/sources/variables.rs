//! The variables of functions.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, ExprMethodCall, Item, Local, PatIdent};

use super::expressions::{is_reason, path_of, start_of, variable};
use super::text::named;

/// The variables of a function.
#[derive(Default)]
pub(super) struct Variables {
    /// All names, in any scope of the function.
    pub(super) names: BTreeSet<String>,
    /// The position at which each variable was last assigned, so far.
    made: BTreeMap<String, usize>,
    /// The positions at which variables for `merge_unguarded` and `adopt` were assigned.
    pub(super) excused: BTreeSet<usize>,
}

impl Variables {
    /// Records the variable with a router that is added to a guarded one for a reason.
    fn excuse(&mut self, router: &Expr) {
        if let Some([name]) = path_of(router).as_deref() {
            self.excused.extend(self.made.get(name));
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

    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        visit::visit_expr_method_call(self, call);
        let arguments: Vec<_> = call.args.iter().collect();
        match (call.method.to_string().as_str(), arguments.as_slice()) {
            ("adopt", [router, reason]) if is_reason(reason) => self.excuse(router),
            ("merge_unguarded", [.., router]) => self.excuse(router),
            _ => {}
        }
    }

    fn visit_expr_call(&mut self, call: &ExprCall) {
        visit::visit_expr_call(self, call);
        let path = path_of(&call.func).unwrap_or_default();
        let arguments: Vec<_> = call.args.iter().collect();
        match (path.last().map(String::as_str), arguments.as_slice()) {
            (Some("adopt"), [_, router, reason]) if is_reason(reason) => self.excuse(router),
            (Some("merge_unguarded"), [_, _, _, router]) => self.excuse(router),
            _ => {}
        }
    }

    // Nested functions have their own variables.
    fn visit_item(&mut self, _: &Item) {}
}
