//! The requirement of one handler, and how a denial is shown.

use std::fmt;

use crate::requirement::{Requirement, write_list};

/// Who may call one handler, and how the others are told.
///
/// `#[requires(...)]` and `#[public(...)]` build it while compiling.
///
/// ```
/// use auth_runtime::{Policy, Requirement};
///
/// const POLICY: Policy = Policy::requires(Requirement::scope("admin")).hide_as_not_found();
/// assert_eq!(POLICY.to_string(), r#"requires(scope = "admin", hide_as = 404)"#);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    access: Access,
    display: Display,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Access {
    Public { reason: &'static str },
    Requires(Requirement),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Display {
    Shown,
    Hidden { unless: Option<Requirement> },
}

impl Policy {
    /// Lets in callers who meet `requirement`; denials are shown.
    pub const fn requires(requirement: Requirement) -> Self {
        Self {
            access: Access::Requires(requirement),
            display: Display::Shown,
        }
    }

    /// Lets everybody in, and looks at no credentials. `reason` says why that is right.
    pub const fn public(reason: &'static str) -> Self {
        Self {
            access: Access::Public { reason },
            display: Display::Shown,
        }
    }

    /// Answers denials as a path that was never there (RFC 9110 §15.5.4).
    pub const fn hide_as_not_found(mut self) -> Self {
        self.display = Display::Hidden { unless: None };
        self
    }

    /// Hides, but shows the denial to a caller who meets this lesser requirement.
    pub const fn hide_unless(mut self, lesser: Requirement) -> Self {
        self.display = Display::Hidden {
            unless: Some(lesser),
        };
        self
    }

    /// The requirement; `None` for a public handler.
    pub const fn requirement(&self) -> Option<&Requirement> {
        match &self.access {
            Access::Public { .. } => None,
            Access::Requires(requirement) => Some(requirement),
        }
    }

    /// Why the handler is public; `None` for one that is not.
    pub const fn public_reason(&self) -> Option<&'static str> {
        match self.access {
            Access::Public { reason } => Some(reason),
            Access::Requires(_) => None,
        }
    }

    /// Whether denials are answered as a path that was never there.
    pub const fn is_hidden(&self) -> bool {
        matches!(self.display, Display::Hidden { .. })
    }

    /// The lesser requirement whose holders are shown the denial of a hidden handler.
    pub const fn shown_to(&self) -> Option<&Requirement> {
        match &self.display {
            Display::Hidden {
                unless: Some(lesser),
            } => Some(lesser),
            _ => None,
        }
    }
}

impl fmt::Display for Policy {
    /// As it is written in the attribute.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.access {
            Access::Public { reason } => return write!(f, "public(reason = {reason:?})"),
            Access::Requires(Requirement::All(parts)) if !parts.is_empty() => {
                f.write_str("requires(")?;
                write_list(parts, f)?;
            }
            Access::Requires(requirement) => write!(f, "requires({requirement}")?,
        }
        if self.is_hidden() {
            f.write_str(", hide_as = 404")?;
        }
        match self.shown_to() {
            Some(Requirement::Atom(atom)) => write!(f, ", hide_unless = {}", atom.as_call())?,
            Some(lesser) => write!(f, ", hide_unless = {lesser}")?,
            None => {}
        }
        f.write_str(")")
    }
}
