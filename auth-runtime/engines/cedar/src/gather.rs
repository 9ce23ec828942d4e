//! The entities of a batch: from the caller, from the questions and from the loader.
//!
//! Names and values are borrowed from the request and from the loaded entities. They are copied only once,
//! to values of Cedar.

use std::collections::HashMap;
use std::time::Duration;

use auth_runtime_core::{
    DecisionPointError, Entity, EntityLoader, EntityUid, EvaluationRequest, Identity, Resource,
    Value,
};

use crate::schema::{Declared, Names};
use crate::uid::Uid;
use crate::values::references;

/// The time of all calls of the loader for a request together.
const LOADER_TIME: Duration = Duration::from_secs(5);
/// The calls of the loader for a request.
const MAX_CALLS: usize = 4;
/// The entities that the loader returns for a request, and those that it is asked for.
const MAX_ENTITIES: usize = 100_000;
/// The levels of parents above an entity. Cedar collects ancestors by recursion, and a long chain would
/// overflow the stack.
const MAX_LEVELS: usize = 100;

/// The entities of a batch that exist, by their ids.
pub(crate) struct Gathered<'g> {
    pub(crate) identity: &'g Identity,
    pub(crate) caller: Uid<'g>,
    pub(crate) entities: HashMap<Uid<'g>, Known<'g>>,
}

/// The attributes and parents of an entity. Those of the caller lack the attributes of its identity.
#[derive(Default)]
pub(crate) struct Known<'g> {
    /// Of the object of a question. They take precedence over loaded attributes.
    properties: Vec<(&'g str, &'g Value)>,
    loaded: Option<&'g Entity>,
    roles: Vec<Uid<'g>>,
}

impl<'g> Gathered<'g> {
    /// Collects the entities. `has_roles` says whether roles are parents of the caller.
    pub(crate) fn new(
        request: EvaluationRequest<'g>,
        names: &'g Names,
        has_roles: bool,
        loaded: &'g [Entity],
    ) -> Result<Self, DecisionPointError> {
        let identity = request.identity;
        let caller = caller(identity, names);
        let mut entities: HashMap<Uid<'g>, Known<'g>> = HashMap::new();
        entities.reserve(request.evaluations.len() + 1);
        for evaluation in request.evaluations {
            let resource = &evaluation.resource;
            if resource.properties().next().is_some() {
                let known = entities.entry(Uid::of_object(resource, names));
                known.or_default().add_properties(resource)?;
            }
        }
        for loaded in loaded {
            let known = entities.entry(Uid::of(loaded.uid())).or_default();
            known.loaded = Some(loaded);
        }
        let known = entities.entry(caller).or_default();
        if has_roles {
            known.roles.extend(roles(identity, names));
        }
        check_levels(&entities)?;
        Ok(Self {
            identity,
            caller,
            entities,
        })
    }
}

impl<'g> Known<'g> {
    /// The names of the attributes, in any order. Some occur twice.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'g str> {
        let loaded = self.loaded.into_iter().flat_map(Entity::properties);
        self.properties
            .iter()
            .copied()
            .chain(loaded)
            .map(|(name, _)| name)
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&'g Value> {
        let property = self.properties.iter().find(|(own, _)| *own == name);
        let loaded = || self.loaded?.property(name);
        property.map(|(_, value)| *value).or_else(loaded)
    }

    pub(crate) fn parents(&self) -> impl Iterator<Item = Uid<'g>> {
        let loaded = self.loaded.into_iter().flat_map(Entity::parents);
        loaded.map(Uid::of).chain(self.roles.iter().copied())
    }

    fn add_properties(&mut self, resource: &'g Resource) -> Result<(), DecisionPointError> {
        for (name, value) in resource.properties() {
            match self.attribute(name) {
                Some(before) if before != value => {
                    let kind = resource.resource_type();
                    return Err(DecisionPointError::new(format!(
                        "two questions about one `{kind}` have different values of `{name}`"
                    )));
                }
                Some(_) => {}
                None => self.properties.push((name, value)),
            }
        }
        Ok(())
    }
}

fn caller<'g>(identity: &'g Identity, names: &'g Names) -> Uid<'g> {
    Uid {
        kind: &names.subject,
        id: identity.subject(),
    }
}

fn roles<'g>(identity: &'g Identity, names: &'g Names) -> impl Iterator<Item = Uid<'g>> {
    let kind = &names.role;
    identity.roles().map(move |id| Uid { kind, id })
}

/// Checks that the parents form no cycle and no long chain: takes entities away of which no entity is a
/// child, until none with parents is left.
fn check_levels(entities: &HashMap<Uid<'_>, Known<'_>>) -> Result<(), DecisionPointError> {
    let has_parents = |known: &Known<'_>| known.parents().next().is_some();
    let with_parents = || entities.iter().filter(|(_, known)| has_parents(known));
    let mut children: HashMap<Uid<'_>, usize> = HashMap::new();
    for (_, known) in with_parents() {
        for parent in known.parents() {
            *children.entry(parent).or_default() += 1;
        }
    }
    let lowest = with_parents().filter(|(uid, _)| !children.contains_key(*uid));
    let mut ready: Vec<&Known<'_>> = lowest.map(|(_, known)| known).collect();
    let mut left = with_parents().count();
    for _ in 0..MAX_LEVELS {
        let mut next = Vec::new();
        for known in ready {
            left -= 1;
            for parent in known.parents() {
                let Some(count) = children.get_mut(&parent) else {
                    continue;
                };
                *count -= 1;
                let known = entities.get(&parent).filter(|_| *count == 0);
                next.extend(known.filter(|known| has_parents(known)));
            }
        }
        if left == 0 {
            return Ok(());
        }
        ready = next;
    }
    Err(DecisionPointError::new(format!(
        "the parents of the entities form a cycle, or more than {MAX_LEVELS} levels"
    )))
}

/// Loads the entities of a request, and those that they name. Each is returned once.
pub(crate) async fn load(
    request: EvaluationRequest<'_>,
    names: &Names,
    declared: Option<&Declared>,
    has_roles: bool,
    loader: Option<&dyn EntityLoader>,
) -> Result<Vec<Entity>, DecisionPointError> {
    let Some(loader) = loader else {
        return Ok(Vec::new());
    };
    let has_data = |uid: &Uid<'_>| declared.is_none_or(|declared| declared.has_data(uid.kind));
    let first = first(request, names, has_roles, &has_data);
    let loading = tokio::time::timeout(LOADER_TIME, load_all(loader, first, &has_data));
    loading.await.map_err(|_| {
        let seconds = LOADER_TIME.as_secs();
        DecisionPointError::new(format!("the entities were not loaded within {seconds} s"))
    })?
}

/// The entities of the first call of the loader.
fn first(
    request: EvaluationRequest<'_>,
    names: &Names,
    has_roles: bool,
    has_data: &impl Fn(&Uid<'_>) -> bool,
) -> Vec<EntityUid> {
    let identity = request.identity;
    let mut first = Vec::new();
    if has_roles {
        first.extend(roles(identity, names));
    }
    for evaluation in request.evaluations {
        for (_, value) in evaluation.resource.properties() {
            references(value, &mut first);
        }
    }
    first.retain(has_data);
    first.push(caller(identity, names));
    // The loader tells whether an object exists.
    let objects = request.evaluations.iter();
    first.extend(objects.map(|evaluation| Uid::of_object(&evaluation.resource, names)));
    each_once(&mut first);
    first.into_iter().map(Uid::to_owned_uid).collect()
}

/// Leaves each entity once, sorted.
fn each_once(uids: &mut Vec<Uid<'_>>) {
    uids.sort_unstable();
    uids.dedup();
}

async fn load_all(
    loader: &dyn EntityLoader,
    first: Vec<EntityUid>,
    has_data: &impl Fn(&Uid<'_>) -> bool,
) -> Result<Vec<Entity>, DecisionPointError> {
    // All are sorted.
    let (mut loaded, mut asked) = (Vec::new(), Vec::new());
    let mut next = first;
    for _ in 0..MAX_CALLS {
        if asked.len() + next.len() > MAX_ENTITIES {
            return Err(too_many());
        }
        let mut found = loader.load(&next).await?;
        if loaded.len() + found.len() > MAX_ENTITIES {
            return Err(too_many());
        }
        asked.extend(next);
        asked.sort();
        found.sort_by(|one, other| one.uid().cmp(other.uid()));
        let mut named = named_by(&found);
        named.retain(|uid| {
            let is_asked = asked.binary_search_by(|own| Uid::of(own).cmp(uid)).is_ok();
            !is_asked && has_data(uid) && !contains(&found, *uid) && !contains(&loaded, *uid)
        });
        next = named.into_iter().map(Uid::to_owned_uid).collect();
        loaded.extend(found);
        loaded.sort_by(|one, other| one.uid().cmp(other.uid()));
        loaded.dedup();
        let mut pairs = loaded.iter().zip(loaded.iter().skip(1));
        if let Some((one, _)) = pairs.find(|(one, other)| one.uid() == other.uid()) {
            let kind = one.uid().entity_type();
            let message = format!("the loader returned two different `{kind}` with one id");
            return Err(DecisionPointError::new(message));
        }
        if next.is_empty() {
            return Ok(loaded);
        }
    }
    Err(DecisionPointError::new(format!(
        "the entities of call {MAX_CALLS} of the loader name further ones"
    )))
}

/// The parents of entities, and those that their properties refer to, each once and sorted.
fn named_by(entities: &[Entity]) -> Vec<Uid<'_>> {
    let mut named = Vec::new();
    for entity in entities {
        let values = entity.properties();
        values.for_each(|(_, value)| references(value, &mut named));
        named.extend(entity.parents().iter().map(Uid::of));
    }
    each_once(&mut named);
    named
}

/// Returns whether one of the sorted entities has this id.
fn contains(sorted: &[Entity], uid: Uid<'_>) -> bool {
    let found = sorted.binary_search_by(|own| Uid::of(own.uid()).cmp(&uid));
    found.is_ok()
}

fn too_many() -> DecisionPointError {
    DecisionPointError::new(format!("more than {MAX_ENTITIES} entities for a request"))
}
