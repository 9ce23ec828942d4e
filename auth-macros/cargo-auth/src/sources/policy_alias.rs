//! Attributes and imports that a text search may miss.

use super::finding::Place;

/// An attribute or an import that a text search may miss. Resolution decides whether it is a policy
/// attribute.
pub(super) struct PolicyAlias {
    pub(super) place: Place,
    pub(super) scope: usize,
    pub(super) path: Vec<String>,
    /// The name for messages.
    pub(super) shown: String,
    pub(super) hidden_by: HiddenBy,
}

/// The reason why a text search misses a policy attribute.
#[derive(Clone, Copy)]
pub(super) enum HiddenBy {
    /// It has another name.
    Name,
    /// A macro receives it as an argument.
    Argument,
    /// It has spaces or comments, within a macro.
    Spelling,
    /// It is in a `cfg_attr`, within a macro.
    Condition,
}
