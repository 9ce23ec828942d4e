//! The kinds of routes in the access table.

/// The kind of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RouteKind {
    /// A handler or a service on a path.
    Route,
    /// A service for a path and all paths below it.
    Subtree,
    /// The fallback for the unknown paths below a prefix.
    Fallback,
    /// The fallback for methods that visible paths below a prefix have no handler for.
    MethodNotAllowed,
    /// A path of a plain router, without a policy.
    Unguarded,
}

impl RouteKind {
    /// Returns whether rows of this kind respond to requests that no route takes.
    pub fn is_fallback(self) -> bool {
        matches!(self, Self::Fallback | Self::MethodNotAllowed)
    }

    #[cfg(feature = "serde")]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Subtree => "subtree",
            Self::Fallback => "fallback",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Unguarded => "unguarded",
        }
    }
}
