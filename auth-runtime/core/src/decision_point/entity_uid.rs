//! The type and the id of an entity.

use std::borrow::Cow;

/// The type and the id of an entity.
///
/// ```
/// use auth_runtime::objects::EntityUid;
///
/// let uid = EntityUid::new("Repository", "ann/garden");
/// assert_eq!((uid.entity_type(), uid.id()), ("Repository", "ann/garden"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityUid {
    // The id is compared first, since few entities share one.
    id: String,
    kind: Cow<'static, str>,
}

impl EntityUid {
    /// Names an entity.
    pub fn new(entity_type: impl Into<Cow<'static, str>>, id: impl Into<String>) -> Self {
        Self {
            kind: entity_type.into(),
            id: id.into(),
        }
    }

    /// The type, with its namespace: `Repository`, or `App::Repository`.
    pub fn entity_type(&self) -> &str {
        &self.kind
    }

    /// The id. Any text is possible: paths of requests contain ids.
    pub fn id(&self) -> &str {
        &self.id
    }
}
