//! Entities, and the loader that the service writes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::pin::Pin;

use auth_runtime_core::{DecisionPointError, Resource, Value};

/// Loads the entities that policies read and that the questions do not carry: the groups of the caller,
/// the attributes and the parents of objects.
///
/// [`CedarBuilder::entities`](crate::CedarBuilder::entities) sets it. It is called once for all questions
/// of a request together, with
///
/// - the caller, and one entity `Role` for each of its roles,
/// - the objects of the questions,
/// - the entities that properties of these objects refer to.
///
/// If the returned entities name further ones, as parents or in attributes, it is called again with
/// these, up to four calls in all. An entity is asked for once. A loader that does not return an entity
/// ends the chain there: for policies, the entity is in nothing and `has` no attribute, and a policy that
/// reads one fails.
///
/// An object that the loader does not return, and that the question has no properties of, does not exist:
/// it is denied, and the policies are not evaluated. Exceptions are the caller itself, the service, and
/// entities that an `enum` of the schema lists.
///
/// # Limits
///
/// Beyond these limits the request fails with 503, since a missing entity could change a decision.
///
/// | limit | value |
/// |---|---|
/// | time of all calls for a request together | 5 seconds |
/// | calls for a request; those of the fourth may name only known entities | 4 |
/// | entities for a request | 100 000 |
/// | levels of parents above an entity; no entity is its own ancestor | 100 |
///
/// ```
/// use auth_runtime_cedar::{EntitiesFuture, Entity, EntityLoader, Wanted};
/// # struct Db;
/// # impl Db { async fn teams_of(&self, _: &[&str]) -> Result<Vec<(String, String)>, std::io::Error> { Ok(Vec::new()) } }
///
/// struct Teams(Db);
///
/// impl EntityLoader for Teams {
///     fn load<'r>(&'r self, wanted: &'r [Wanted]) -> EntitiesFuture<'r> {
///         Box::pin(async move {
///             let users = wanted.iter().filter(|wanted| wanted.entity_type() == "User");
///             let users: Vec<&str> = users.map(Wanted::id).collect();
///             let teams = self.0.teams_of(&users).await;
///             let teams = teams.map_err(auth_runtime::objects::DecisionPointError::new)?;
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
    /// The entities cannot be loaded: nothing is granted, and the response is 503.
    fn load<'r>(&'r self, wanted: &'r [Wanted]) -> EntitiesFuture<'r>;
}

/// The result of [`EntityLoader::load`].
pub type EntitiesFuture<'r> =
    Pin<Box<dyn Future<Output = Result<Vec<Entity>, DecisionPointError>> + Send + 'r>>;

/// The type and the id of an entity to load.
///
/// ```
/// use auth_runtime_cedar::Wanted;
///
/// let wanted = Wanted::new("Repository", "ann/garden");
/// assert_eq!((wanted.entity_type(), wanted.id()), ("Repository", "ann/garden"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Wanted {
    kind: Cow<'static, str>,
    id: String,
}

impl Wanted {
    /// Names an entity. Tests of a loader use it.
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

/// An entity: its type, its id, its attributes and its parents.
///
/// ```
/// use auth_runtime::objects::{Resource, Value};
/// use auth_runtime_cedar::Entity;
///
/// let entity = Entity::new("Repository", "ann/garden")
///     .with_attribute("owner", Value::Reference("User".into(), "ann".into()))
///     .with_attribute("public", true)
///     .with_parent("Organization", "green");
///
/// // The properties of a resource become attributes.
/// let resource = Resource::new("Repository", "ann/garden")
///     .with_property("owner", Value::Reference("User".into(), "ann".into()))
///     .with_property("public", true);
/// assert_eq!(Entity::from(resource).with_parent("Organization", "green"), entity);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Entity {
    pub(crate) uid: Wanted,
    pub(crate) attributes: BTreeMap<Cow<'static, str>, Value>,
    pub(crate) parents: Vec<Wanted>,
}

impl Entity {
    /// Creates an entity without attributes and parents.
    pub fn new(entity_type: impl Into<Cow<'static, str>>, id: impl Into<String>) -> Self {
        Self {
            uid: Wanted::new(entity_type, id),
            attributes: BTreeMap::new(),
            parents: Vec::new(),
        }
    }

    /// Adds an attribute. A second value for a name replaces the first.
    #[must_use]
    pub fn with_attribute(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Value>,
    ) -> Self {
        self.attributes.insert(name.into(), value.into());
        self
    }

    /// Adds a parent: `principal in Team::"core"` is true for its members.
    #[must_use]
    pub fn with_parent(
        mut self,
        entity_type: impl Into<Cow<'static, str>>,
        id: impl Into<String>,
    ) -> Self {
        self.parents.push(Wanted::new(entity_type, id));
        self
    }
}

impl From<Resource> for Entity {
    fn from(resource: Resource) -> Self {
        let kind = resource.resource_type().to_owned();
        let entity = Self::new(kind, resource.id());
        let properties = resource.properties();
        properties.fold(entity, |entity, (name, value)| {
            entity.with_attribute(name.to_owned(), value.clone())
        })
    }
}
