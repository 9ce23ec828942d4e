//! The source of the object of a `can` requirement.

use std::borrow::Cow;
use std::fmt;

use crate::resource_pattern::ResourcePattern;

/// The source of the object of a `can` requirement.
///
/// ```
/// # mod auth_runtime { pub use auth_runtime_policy::*; pub mod objects { pub use auth_runtime_policy::*; } }
/// use auth_runtime::Requirement;
/// use auth_runtime::objects::{ObjectSource, ResourcePattern};
///
/// let on = ResourcePattern::parse("Repository::{owner}/{repo}")?;
/// assert_eq!(ObjectSource::Path(on).resource_type(), "Repository");
///
/// let read = Requirement::can_by("read", "Report", "reports::of_query");
/// assert_eq!(read.to_string(), r#"can("read", on = "Report", resource = reports::of_query)"#);
/// # Ok::<(), auth_runtime::objects::ResourcePatternError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ObjectSource {
    /// The object is the service itself.
    Service,
    /// The path parameters of the route name the object.
    Path(ResourcePattern),
    /// A function of the service returns the object.
    Function {
        /// The type of the object.
        resource_type: Cow<'static, str>,
        /// The path of the function, as in the attribute.
        function: Cow<'static, str>,
    },
}

impl ObjectSource {
    /// The type of the object.
    pub fn resource_type(&self) -> &str {
        match self {
            Self::Service => ResourcePattern::SERVICE,
            Self::Path(pattern) => pattern.resource_type(),
            Self::Function { resource_type, .. } => resource_type,
        }
    }

    /// The same source, with the pattern changed by `change`, if there is one.
    #[must_use]
    pub fn map_pattern(&self, change: impl FnOnce(&ResourcePattern) -> ResourcePattern) -> Self {
        match self {
            Self::Path(pattern) => Self::Path(change(pattern)),
            other => other.clone(),
        }
    }

    /// The pattern, if path parameters name the object.
    pub const fn pattern(&self) -> Option<&ResourcePattern> {
        match self {
            Self::Path(pattern) => Some(pattern),
            Self::Service | Self::Function { .. } => None,
        }
    }
}

impl fmt::Display for ObjectSource {
    /// Formats the keys of the attribute: `on = "Repository::{id}"`, or `on = "Report", resource = path`. The
    /// service itself has none: "the service itself".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service => f.write_str("the service itself"),
            Self::Path(pattern) => write!(f, "on = {:?}", pattern.as_str()),
            Self::Function {
                resource_type,
                function,
            } => write!(f, "on = {resource_type:?}, resource = {function}"),
        }
    }
}
