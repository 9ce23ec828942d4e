//! Objects, and the questions about them.

use std::borrow::Cow;
use std::fmt;

use auth_runtime_policy::ResourcePattern;

use crate::decision_point::entity_uid::EntityUid;
use crate::decision_point::properties::{Properties, Value};

/// The name of an action, such as `update`.
///
/// `auth_runtime::actions!();` declares a module `actions` with a constant for each action of `auth.toml`, such as
/// `actions::UPDATE`, so that a misspelled name does not compile.
///
/// ```
/// use auth_runtime::objects::Action;
///
/// const UPDATE: Action = Action::new("update");
/// assert_eq!(UPDATE.name(), "update");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Action(&'static str);

impl Action {
    /// Creates an action.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

/// An evaluation, which is a question: may the caller perform this action on this object?
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Evaluation {
    /// The name of the action.
    pub action: Cow<'static, str>,
    /// The object.
    pub resource: Resource,
}

impl Evaluation {
    /// Creates a question.
    pub fn new(action: impl Into<Cow<'static, str>>, resource: impl Into<Resource>) -> Self {
        Self {
            action: action.into(),
            resource: resource.into(),
        }
    }
}

impl From<Action> for Cow<'static, str> {
    fn from(action: Action) -> Self {
        Self::Borrowed(action.name())
    }
}

/// An object: its type, its id and, as far as they are known, its properties.
///
/// ```
/// use auth_runtime::objects::Resource;
///
/// struct Repo { owner: String, name: String }
///
/// impl From<&Repo> for Resource {
///     fn from(repo: &Repo) -> Self {
///         Self::new("Repository", format!("{}/{}", repo.owner, repo.name))
///             .with_property("owner", repo.owner.as_str())
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    pub(super) uid: EntityUid,
    pub(super) properties: Properties,
}

impl Resource {
    /// The type of the service itself, which `can = "action"` without `on` is about. Its id is the realm, and
    /// empty without one.
    pub const SERVICE: &'static str = ResourcePattern::SERVICE;

    /// Creates an object without properties.
    pub fn new(resource_type: impl Into<Cow<'static, str>>, id: impl Into<String>) -> Self {
        Self {
            uid: EntityUid::new(resource_type, id),
            properties: Properties::default(),
        }
    }

    /// Adds a property. A second value for a name replaces the first.
    #[must_use]
    pub fn with_property(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Value>,
    ) -> Self {
        self.properties.insert(name.into(), value.into());
        self
    }

    /// The type.
    pub fn resource_type(&self) -> &str {
        self.uid.entity_type()
    }

    /// The id. It is unique among the objects of the type. Only the [service](Self::SERVICE) may have an empty one: for
    /// other objects, all actions are denied then without asking the engine.
    pub fn id(&self) -> &str {
        self.uid.id()
    }

    /// Returns whether an object can have the id.
    pub(crate) fn has_id(&self) -> bool {
        !self.id().is_empty() || self.resource_type() == Self::SERVICE
    }

    /// The properties, in the order of their names.
    pub fn properties(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.properties.iter()
    }
}

impl fmt::Display for Resource {
    /// Formats the type and the id: `Repository::"ann/garden"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{:?}", self.resource_type(), self.id())
    }
}
