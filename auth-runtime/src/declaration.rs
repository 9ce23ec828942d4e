//! Where in a service's source a policy stands.

use std::fmt;

/// The handler that `#[requires]` or `#[public]` stands on, and its place in the source.
///
/// ```
/// use auth_runtime::Declaration;
///
/// let dashboard = Declaration::new("shop::admin::dashboard", "src/admin.rs", 12);
/// assert_eq!(dashboard.to_string(), "shop::admin::dashboard (src/admin.rs:12)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Declaration {
    handler: &'static str,
    file: &'static str,
    line: u32,
}

impl Declaration {
    /// The attributes make it while compiling.
    pub const fn new(handler: &'static str, file: &'static str, line: u32) -> Self {
        Self {
            handler,
            file,
            line,
        }
    }

    /// The path of the function, or of the unit struct that stands for a service: its module and
    /// its name, as in `shop::admin::dashboard`.
    pub const fn handler(&self) -> &'static str {
        self.handler
    }

    /// The file, as the compiler was given it.
    pub const fn file(&self) -> &'static str {
        self.file
    }

    /// The line that the handler's name stands on.
    pub const fn line(&self) -> u32 {
        self.line
    }
}

impl fmt::Display for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.handler, self.file, self.line)
    }
}
