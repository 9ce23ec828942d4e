//! The entities of a batch: from the caller, from the questions and from the loader.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use auth_runtime_core::{
    DecisionPointError, EntityLoader, EvaluationRequest, Identity, Resource, Value, Wanted,
};

use crate::schema::{IDENTITY, Names};
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
pub(crate) struct Gathered {
    pub(crate) caller: Wanted,
    pub(crate) entities: HashMap<Wanted, Known>,
}

/// The attributes and parents of an entity.
#[derive(Default, PartialEq)]
pub(crate) struct Known {
    pub(crate) attributes: BTreeMap<Cow<'static, str>, Value>,
    pub(crate) parents: Vec<Wanted>,
}

/// Collects the entities. `has_roles` says whether roles are parents of the caller.
pub(crate) async fn gather(
    request: EvaluationRequest<'_>,
    names: &Names,
    has_roles: bool,
    loader: Option<&dyn EntityLoader>,
) -> Result<Gathered, DecisionPointError> {
    let identity = request.identity;
    let caller = Wanted::new(names.subject.clone(), identity.subject());
    let roles: Vec<Wanted> = match has_roles {
        true => {
            let roles = identity.roles();
            roles
                .map(|role| Wanted::new(names.role.clone(), role))
                .collect()
        }
        false => Vec::new(),
    };
    let mut entities = of_questions(request, names)?;
    if let Some(loader) = loader {
        let mut first: HashSet<Wanted> = HashSet::from([caller.clone()]);
        first.extend(roles.iter().cloned());
        let evaluations = request.evaluations.iter();
        first.extend(evaluations.map(|evaluation| object(&evaluation.resource, names)));
        for known in entities.values() {
            let values = known.attributes.values();
            values.for_each(|value| references(value, &mut first));
        }
        let loading = tokio::time::timeout(LOADER_TIME, load(loader, first));
        let loaded = loading.await.map_err(|_| {
            let seconds = LOADER_TIME.as_secs();
            DecisionPointError::new(format!("the entities were not loaded within {seconds} s"))
        })??;
        for (uid, loaded) in loaded {
            add_loaded(entities.entry(uid).or_default(), loaded);
        }
    }
    let known = entities.entry(caller.clone()).or_default();
    add_identity(known, identity);
    known.parents.extend(roles);
    check_levels(&entities)?;
    Ok(Gathered { caller, entities })
}

/// Checks that the parents form no cycle and no long chain: takes entities away of which no entity is a
/// child, until none is left.
fn check_levels(entities: &HashMap<Wanted, Known>) -> Result<(), DecisionPointError> {
    let mut children: HashMap<&Wanted, usize> = HashMap::new();
    for known in entities.values() {
        for parent in &known.parents {
            *children.entry(parent).or_default() += 1;
        }
    }
    let lowest = entities.keys().filter(|uid| !children.contains_key(uid));
    let mut ready: Vec<&Wanted> = lowest.collect();
    let mut left = entities.len();
    for _ in 0..=MAX_LEVELS {
        let mut next = Vec::new();
        for uid in ready {
            let Some(known) = entities.get(uid) else {
                continue;
            };
            left -= 1;
            for parent in &known.parents {
                if let Some(count) = children.get_mut(parent) {
                    *count -= 1;
                    if *count == 0 {
                        next.push(parent);
                    }
                }
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

/// The id of the object of a question.
pub(crate) fn object(resource: &Resource, names: &Names) -> Wanted {
    let kind = match resource.resource_type() {
        Resource::SERVICE => &names.service,
        other => other,
    };
    Wanted::new(kind.to_owned(), resource.id())
}

/// Returns the objects that the questions have properties of.
fn of_questions(
    request: EvaluationRequest<'_>,
    names: &Names,
) -> Result<HashMap<Wanted, Known>, DecisionPointError> {
    let mut entities: HashMap<Wanted, Known> = HashMap::new();
    for evaluation in request.evaluations {
        let resource = &evaluation.resource;
        if resource.properties().next().is_none() {
            continue;
        }
        let known = entities.entry(object(resource, names)).or_default();
        for (name, value) in resource.properties() {
            let attributes = &mut known.attributes;
            let before = attributes.insert(Cow::Owned(name.to_owned()), value.clone());
            if before.is_some_and(|before| before != *value) {
                let kind = resource.resource_type();
                let message =
                    format!("two questions about one `{kind}` have different values of `{name}`");
                return Err(DecisionPointError::new(message));
            }
        }
    }
    Ok(entities)
}

/// Loads entities, and those that they name.
async fn load(
    loader: &dyn EntityLoader,
    first: HashSet<Wanted>,
) -> Result<HashMap<Wanted, Known>, DecisionPointError> {
    let mut loaded: HashMap<Wanted, Known> = HashMap::new();
    let mut asked: HashSet<Wanted> = HashSet::new();
    let mut next = first;
    for _ in 0..MAX_CALLS {
        if asked.len() + next.len() > MAX_ENTITIES {
            return Err(too_many());
        }
        let mut wanted: Vec<Wanted> = next.iter().cloned().collect();
        wanted.sort();
        asked.extend(next);
        let found = loader.load(&wanted).await?;
        if loaded.len() + found.len() > MAX_ENTITIES {
            return Err(too_many());
        }
        let mut named = HashSet::new();
        for entity in found {
            let (uid, attributes, parents) = entity.into_parts();
            let values = attributes.values();
            values.for_each(|value| references(value, &mut named));
            named.extend(parents.iter().cloned());
            let known = Known {
                attributes,
                parents,
            };
            if let Some(same) = loaded.get(&uid) {
                if *same != known {
                    let kind = uid.entity_type();
                    let message = format!("the loader returned two different `{kind}` with one id");
                    return Err(DecisionPointError::new(message));
                }
                continue;
            }
            loaded.insert(uid, known);
        }
        named.retain(|wanted| !asked.contains(wanted) && !loaded.contains_key(wanted));
        if named.is_empty() {
            return Ok(loaded);
        }
        next = named;
    }
    Err(DecisionPointError::new(format!(
        "the entities of call {MAX_CALLS} of the loader name further ones"
    )))
}

fn too_many() -> DecisionPointError {
    DecisionPointError::new(format!("more than {MAX_ENTITIES} entities for a request"))
}

/// Adds an entity of the loader. The properties of a question are kept.
fn add_loaded(known: &mut Known, loaded: Known) {
    for (name, value) in loaded.attributes {
        known.attributes.entry(name).or_insert(value);
    }
    known.parents.extend(loaded.parents);
}

/// Sets the attributes of the caller that belong to its identity, in place of any others.
fn add_identity(known: &mut Known, identity: &Identity) {
    let attributes = &mut known.attributes;
    attributes.retain(|name, _| !IDENTITY.contains(&name.as_ref()));
    let texts = [("issuer", identity.issuer()), ("acr", identity.acr())];
    for (name, text) in texts {
        if let Some(text) = text {
            attributes.insert(Cow::Borrowed(name), Value::from(text));
        }
    }
    let lists: [(&'static str, Vec<&str>); 4] = [
        ("scopes", identity.scopes().collect()),
        ("roles", identity.roles().collect()),
        ("permissions", identity.permissions().collect()),
        ("amr", identity.amr().collect()),
    ];
    for (name, list) in lists {
        attributes.insert(Cow::Borrowed(name), Value::from(list));
    }
}
