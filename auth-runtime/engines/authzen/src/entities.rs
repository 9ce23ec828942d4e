//! The properties of the caller and of objects, from the loader of the service.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use auth_runtime_core::{
    DecisionPointError, Entity, EntityLoader, EntityUid, Evaluation, EvaluationRequest, Resource,
    Value as Property,
};

/// The property with the parents of an entity.
const PARENTS: &str = "parents";

/// The questions about objects that exist, with all properties.
pub(crate) struct Loaded {
    /// The caller, with the properties of the loader.
    pub(crate) subject: Resource,
    pub(crate) evaluations: Vec<Evaluation>,
    /// For each question, whether its object exists.
    pub(crate) exists: Vec<bool>,
}

/// Loads the caller and the objects of a request, in one call that takes at most `limit`.
pub(crate) async fn load(
    loader: &dyn EntityLoader,
    limit: Duration,
    subject_type: &str,
    request: &EvaluationRequest<'_>,
) -> Result<Loaded, DecisionPointError> {
    let subject = Resource::new(subject_type.to_owned(), request.identity.subject());
    let resources = request
        .evaluations
        .iter()
        .map(|evaluation| &evaluation.resource);
    let wanted: BTreeSet<EntityUid> = resources.chain([&subject]).map(key).collect();
    let wanted: Vec<EntityUid> = wanted.into_iter().collect();
    let loading = tokio::time::timeout(limit, loader.load(&wanted));
    let loaded = loading.await.map_err(|_| {
        let message = format!("the entities were not loaded within {limit:?}");
        DecisionPointError::new(message)
    })??;
    let loaded = by_key(loaded)?;
    let mut known = Loaded {
        subject: complete(&subject, &loaded),
        evaluations: Vec::new(),
        exists: Vec::new(),
    };
    for Evaluation {
        action, resource, ..
    } in request.evaluations
    {
        let exists = loaded.contains_key(&key(resource))
            || resource.properties().next().is_some()
            || resource.resource_type() == Resource::SERVICE
            || key(resource) == key(&subject);
        known.exists.push(exists);
        if exists {
            let resource = complete(resource, &loaded);
            let evaluation = Evaluation::new(action.clone(), resource);
            known.evaluations.push(evaluation);
        }
    }
    Ok(known)
}

fn key(resource: &Resource) -> EntityUid {
    EntityUid::new(resource.resource_type().to_owned(), resource.id())
}

fn by_key(loaded: Vec<Entity>) -> Result<HashMap<EntityUid, Resource>, DecisionPointError> {
    let mut entities = HashMap::with_capacity(loaded.len());
    for entity in loaded {
        let key = entity.uid().clone();
        if entity.property(PARENTS).is_some() {
            let kind = key.entity_type();
            let message = format!(
                "the loader gave a `{kind}` the property `{PARENTS}`, which is for parents"
            );
            return Err(DecisionPointError::new(message));
        }
        let parents = entity.parents().iter().map(|parent| {
            Property::Reference(
                parent.entity_type().to_owned().into(),
                parent.id().to_owned(),
            )
        });
        let resource = Resource::new(key.entity_type().to_owned(), key.id())
            .with_property(PARENTS, parents.collect::<Vec<_>>());
        let resource = entity
            .properties()
            .fold(resource, |resource, (name, value)| {
                resource.with_property(name.to_owned(), value.clone())
            });
        if let Some(same) = entities.get(&key) {
            if *same != resource {
                let kind = key.entity_type();
                let message = format!("the loader returned two different `{kind}` with one id");
                return Err(DecisionPointError::new(message));
            }
            continue;
        }
        entities.insert(key, resource);
    }
    Ok(entities)
}

/// Adds the loaded properties. Those of the question are kept.
fn complete(resource: &Resource, loaded: &HashMap<EntityUid, Resource>) -> Resource {
    let Some(entity) = loaded.get(&key(resource)) else {
        return resource.clone();
    };
    let properties = resource.properties();
    properties
        .filter(|(name, _)| *name != PARENTS)
        .fold(entity.clone(), |entity, (name, value)| {
            entity.with_property(name.to_owned(), value.clone())
        })
}
