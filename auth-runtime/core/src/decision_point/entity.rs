//! Entities, and the loader that the service writes.

use std::borrow::Cow;
use std::pin::Pin;

use crate::decision_point::DecisionPointError;
use crate::decision_point::entity_uid::EntityUid;
use crate::decision_point::object::Resource;
use crate::decision_point::properties::{Properties, Value};

/// Loads the entities that policies read and that the questions do not contain: the groups of the caller,
/// the properties of objects.
///
/// A [`DecisionPoint`](crate::DecisionPoint) that keeps no data of its own has a setting for a loader, such
/// as `Cedar::builder().entities(…)` and `AuthZen::builder().entities(…)`. One loader serves each of them. It
/// is called for all questions of a request together, with the caller and the objects of the questions. An
/// engine that follows parents and references calls it again with these; its documentation names the bound.
///
/// An object that the loader does not return, and that the question has no properties of, does not exist:
/// it is denied without a decision of the policies. Exceptions are the caller itself and the service.
/// Properties of a question take precedence over loaded ones, and properties of the caller that belong to its
/// identity, such as scopes, come from the identity only.
///
/// The caller is named by its subject only. If a space has several issuers, or several schemes that name callers,
/// make subjects unique by `Jwt::builder().identity(…)`. Otherwise a caller receives the parents and properties of
/// another one with the same subject.
///
/// ```
/// use auth_runtime::objects::{
///     DecisionPointError, EntitiesFuture, Entity, EntityLoader, EntityUid,
/// };
/// # struct Db;
/// # type Found = Result<Vec<(String, String)>, std::io::Error>;
/// # impl Db { async fn teams_of(&self, _: &[&str]) -> Found { Ok(Vec::new()) } }
///
/// struct Teams(Db);
///
/// impl EntityLoader for Teams {
///     fn load<'r>(&'r self, wanted: &'r [EntityUid]) -> EntitiesFuture<'r> {
///         Box::pin(async move {
///             let users = wanted.iter().filter(|wanted| wanted.entity_type() == "User");
///             let users: Vec<&str> = users.map(EntityUid::id).collect();
///             let teams = self.0.teams_of(&users).await;
///             let teams = teams.map_err(DecisionPointError::new)?;
///             let entity = |(user, team): (String, String)| {
///                 Entity::new("User", user).with_parent("Team", team)
///             };
///             Ok(teams.into_iter().map(entity).collect())
///         })
///     }
/// }
/// ```
pub trait EntityLoader: Send + Sync + 'static {
    /// Loads these entities. Their order has no meaning, and none is named twice.
    ///
    /// The result may lack entities, and may have further ones. It has each only once: two different
    /// entities with one id are an error.
    ///
    /// # Errors
    ///
    /// The entities cannot be loaded: nothing is granted, and the response is 503, or, where denials are concealed,
    /// that of an unknown path.
    fn load<'r>(&'r self, wanted: &'r [EntityUid]) -> EntitiesFuture<'r>;
}

/// The result of [`EntityLoader::load`].
pub type EntitiesFuture<'r> =
    Pin<Box<dyn Future<Output = Result<Vec<Entity>, DecisionPointError>> + Send + 'r>>;

/// An entity: its type, its id, its properties and its parents.
///
/// ```
/// use auth_runtime::objects::{Entity, Resource, Value};
///
/// let entity = Entity::new("Repository", "ann/garden")
///     .with_property("owner", Value::Reference("User".into(), "ann".into()))
///     .with_property("public", true)
///     .with_parent("Organization", "green");
///
/// let resource = Resource::new("Repository", "ann/garden")
///     .with_property("owner", Value::Reference("User".into(), "ann".into()))
///     .with_property("public", true);
/// assert_eq!(Entity::from(resource).with_parent("Organization", "green"), entity);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Entity {
    uid: EntityUid,
    properties: Properties,
    parents: Vec<EntityUid>,
}

impl Entity {
    /// Creates an entity without properties and parents.
    pub fn new(entity_type: impl Into<Cow<'static, str>>, id: impl Into<String>) -> Self {
        Self {
            uid: EntityUid::new(entity_type, id),
            properties: Properties::default(),
            parents: Vec::new(),
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

    /// Adds a parent: a group that the entity belongs to.
    #[must_use]
    pub fn with_parent(
        mut self,
        entity_type: impl Into<Cow<'static, str>>,
        id: impl Into<String>,
    ) -> Self {
        self.parents.push(EntityUid::new(entity_type, id));
        self
    }

    /// The type and the id.
    pub fn uid(&self) -> &EntityUid {
        &self.uid
    }

    /// The properties, in the order of their names.
    ///
    /// ```
    /// use auth_runtime::objects::{Entity, Value};
    ///
    /// let entity = Entity::new("User", "ann").with_property("blocked", false);
    /// assert_eq!(entity.properties().count(), 1);
    /// assert_eq!(entity.property("blocked"), Some(&Value::Flag(false)));
    /// ```
    pub fn properties(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.properties.iter()
    }

    /// The property of this name.
    pub fn property(&self, name: &str) -> Option<&Value> {
        self.properties.get(name)
    }

    /// The parents.
    pub fn parents(&self) -> &[EntityUid] {
        &self.parents
    }
}

impl From<Resource> for Entity {
    fn from(resource: Resource) -> Self {
        Self {
            uid: resource.uid,
            properties: resource.properties,
            parents: Vec::new(),
        }
    }
}
