//! The variables of functions.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{ExprMethodCall, Item, Local, PatIdent};

use super::expressions::{path_of, start_of, variable};
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
        let router = match call.method.to_string().as_str() {
            "adopt" => call.args.first(),
            "merge_unguarded" => call.args.last(),
            _ => None,
        };
        if let Some([name]) = router.and_then(path_of).as_deref() {
            self.excused.extend(self.made.get(name));
        }
    }

    // Nested functions have their own variables.
    fn visit_item(&mut self, _: &Item) {}
}
