//! Policy attributes as they are written.

use auth_grammar::attribute::{self, policy_attribute_by_any_path};
use auth_grammar::module::Arguments;
use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned;
use syn::{Attribute, Meta};

use super::expressions::segments_of;
use super::finding::is_written;

/// Returns the policy attribute that an attribute is, if it is written by a known path, or names the
/// runtime itself.
pub(super) fn policy_attribute(attribute: &Attribute) -> Option<&'static str> {
    attribute::policy_attribute(attribute)
        .or_else(|| policy_attribute_by_any_path(attribute).filter(|_| names_runtime(attribute)))
}

/// Returns whether an attribute, or one of the enclosing modules, has the argument `crate = path`.
pub(super) fn names_runtime(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else {
        return false;
    };
    Arguments::read(list.tokens.clone()).krate().is_some()
}

/// A policy attribute.
pub(super) struct PolicyAttribute {
    pub(super) name: &'static str,
    /// The path; `None` if the attribute names the runtime itself.
    pub(super) path: Option<Vec<String>>,
    pub(super) arguments: TokenStream,
    pub(super) span: Span,
    /// The `cfg` condition of the attribute: its own `cfg_attr`, or that of the enclosing module.
    pub(super) condition: Option<String>,
    /// True if it has a `cfg_attr` of its own.
    pub(super) is_conditional: bool,
}

impl PolicyAttribute {
    /// `condition` is its own, and `outer` is that of the enclosing module.
    pub(super) fn of(
        name: &'static str,
        attribute: &Attribute,
        condition: Option<String>,
        outer: Option<&String>,
    ) -> Self {
        let path = attribute.path();
        // The path of an attribute that a module hands down begins with the path of its `crate`.
        let last = path.segments.last().map(Spanned::span);
        Self {
            name,
            path: (!names_runtime(attribute)).then(|| segments_of(path)),
            arguments: match &attribute.meta {
                Meta::List(list) => list.tokens.clone(),
                _ => TokenStream::new(),
            },
            span: last
                .filter(|it| !is_written(*it))
                .unwrap_or_else(|| path.span()),
            is_conditional: condition.is_some(),
            condition: condition.or_else(|| outer.cloned()),
        }
    }
}

/// Returns whether the attribute of that name deviates from the form that audits search for: `#[requires(`
/// or, in a macro, `#[$crate::requires(`, in one piece. The span is that of its path.
pub(super) fn is_hard_to_find(name: &str, span: Span, text: &str) -> bool {
    let range = span.byte_range();
    let parts = (
        text.get(..range.start),
        text.get(range.clone()),
        text.get(range.end..),
    );
    let (Some(before), Some(path), Some(after)) = parts else {
        return false;
    };
    // An attribute without arguments is rejected elsewhere. For some, the enclosing module rewrote
    // the path.
    let is_one_piece = path.rsplit("::").next() == Some(name)
        && !path.contains(|it: char| it.is_whitespace() || it == '/' || it == '#');
    let is_begun = before.strip_suffix('$').unwrap_or(before).ends_with("#[");
    is_written(span) && !(is_one_piece && is_begun && after.starts_with(['(', ']']))
}

/// Returns whether a crate defines the attributes.
pub(super) fn is_runtime(krate: &str) -> bool {
    matches!(krate, "auth_runtime" | "auth_macros")
}

/// Returns whether a path is that of an attribute with a policy.
pub(super) fn is_attribute(path: &[String]) -> bool {
    match path {
        [krate, name] => is_runtime(krate) && matches!(name.as_str(), "requires" | "public"),
        _ => false,
    }
}
