//! The location of a policy in the source of a service.

use std::fmt;

/// A handler with `#[requires]` or `#[public]`, and its location in the source.
///
/// ```
/// use auth_runtime::HandlerLocation;
///
/// let dashboard = HandlerLocation::new("shop::admin::dashboard", "src/admin.rs", 12);
/// assert_eq!(dashboard.to_string(), "shop::admin::dashboard (src/admin.rs:12)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HandlerLocation {
    handler: &'static str,
    file: &'static str,
    line: u32,
}

impl HandlerLocation {
    /// Creates a location. The attributes call it at compile time.
    pub const fn new(handler: &'static str, file: &'static str, line: u32) -> Self {
        Self {
            handler,
            file,
            line,
        }
    }

    /// The path of the function, or of the unit struct with the policy of a service: its module and
    /// its name, as in `shop::admin::dashboard`.
    pub const fn handler(&self) -> &'static str {
        self.handler
    }

    /// The path of the file, as passed to the compiler.
    pub const fn file(&self) -> &'static str {
        self.file
    }

    /// The line of the handler's name.
    pub const fn line(&self) -> u32 {
        self.line
    }
}

impl fmt::Display for HandlerLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.handler, self.file, self.line)
    }
}
