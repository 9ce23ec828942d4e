//! The plain routers that guarded ones add with a reason.

use syn::Expr;

use crate::sources::expressions::{is_reason, paths_of};
use crate::sources::record::UnguardedKind;

/// A plain router that is added to a guarded one with a reason.
pub(super) struct Added<'e> {
    pub(super) kind: UnguardedKind,
    pub(super) reason: &'e Expr,
    pub(super) target: String,
    pub(super) router: &'e Expr,
}

impl<'e> Added<'e> {
    /// Reads the arguments of the method of that name, without the guarded router. Other types may have
    /// a method `adopt`, too: `is_guarded` returns whether the type is certain.
    pub(super) fn by(
        name: &str,
        arguments: &[&'e Expr],
        is_guarded: impl FnOnce() -> bool,
    ) -> Option<Self> {
        match (name, arguments) {
            ("merge_unguarded", [reason, paths, router]) => Some(Self {
                kind: UnguardedKind::Merged,
                reason,
                target: paths_of(paths),
                router,
            }),
            ("adopt", [router, reason]) if is_reason(reason) || is_guarded() => Some(Self {
                kind: UnguardedKind::Adopted,
                reason,
                target: String::new(),
                router,
            }),
            _ => None,
        }
    }
}
