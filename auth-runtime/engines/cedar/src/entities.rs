//! The entities of a request, as Cedar reads them.

use auth_runtime_core::{DecisionPointError, Identity};
use cedar_policy::{Entities, EntityUid, RestrictedExpression};

use crate::engine::Engine;
use crate::gather::{Gathered, Known};
use crate::schema::{IDENTITY, Members};
use crate::uid::Uid;
use crate::values::{Types, of_identity};

impl Engine {
    /// Converts the entities that are known.
    pub(crate) fn entities(
        &self,
        gathered: &Gathered<'_>,
        types: &mut Types<'_>,
    ) -> Result<Entities, DecisionPointError> {
        let known = gathered.entities.iter();
        let entities: Vec<cedar_policy::Entity> = known
            .map(|(uid, known)| self.entity(*uid, known, gathered, types))
            .collect::<Result<_, _>>()?;
        // The text of Cedar has ids and values, which are not for the log.
        Entities::from_entities(entities, self.schema()).map_err(|_| {
            let kind = self.first_mismatch(gathered, types).unwrap_or_default();
            DecisionPointError::new(format!("an entity `{kind}` does not match the schema"))
        })
    }

    /// Returns the type of an entity that does not match the schema.
    fn first_mismatch(&self, gathered: &Gathered<'_>, types: &mut Types<'_>) -> Option<String> {
        let mut known = gathered.entities.iter();
        let (uid, _) = known.find(|(uid, known)| {
            let entity = self.entity(**uid, known, gathered, types);
            entity.is_ok_and(|entity| Entities::from_entities([entity], self.schema()).is_err())
        })?;
        Some(uid.kind.to_owned())
    }

    fn entity(
        &self,
        uid: Uid<'_>,
        known: &Known<'_>,
        gathered: &Gathered<'_>,
        types: &mut Types<'_>,
    ) -> Result<cedar_policy::Entity, DecisionPointError> {
        let kind = uid.kind;
        let declared = self.declared.as_ref().and_then(|own| own.entity_type(kind));
        let identity = (uid == gathered.caller).then_some(gathered.identity);
        let attributes = match declared {
            Some(declared) => declared_attributes(known, identity, &declared.attributes, types),
            None => all_attributes(known, identity, types),
        };
        let attributes = attributes
            .map_err(|error| DecisionPointError::new(format!("an entity `{kind}`: {error}")))?;
        let parents = known.parents().map(|parent| types.uid(parent));
        let parents: Vec<EntityUid> = parents.collect::<Result<_, _>>()?;
        let uid = types.uid(uid)?;
        cedar_policy::Entity::new_with_tags(uid, attributes, parents, []).map_err(|error| {
            let attribute = error.attr();
            DecisionPointError::new(format!("an entity `{kind}`: `{attribute}` is invalid"))
        })
    }
}

/// The names and values of an entity's attributes.
type Attributes = Vec<(String, RestrictedExpression)>;

/// Converts the attributes that the schema declares. Those of an identity are not taken from elsewhere.
fn declared_attributes(
    known: &Known<'_>,
    identity: Option<&Identity>,
    declared: &Members,
    types: &mut Types<'_>,
) -> Result<Attributes, DecisionPointError> {
    let mut attributes = Vec::with_capacity(declared.len());
    for (name, member) in declared {
        let value = match identity {
            Some(identity) if is_of_identity(name) => of_identity(identity, name),
            _ => known
                .attribute(name)
                .map(|value| types.expression(value, Some(&member.kind)))
                .transpose()
                .map_err(|error| DecisionPointError::new(format!("`{name}`: {error}")))?,
        };
        match value {
            Some(value) => attributes.push((name.clone(), value)),
            None if member.is_required => {
                let message = format!("`{name}` is required, and its value is unknown");
                return Err(DecisionPointError::new(message));
            }
            None => {}
        }
    }
    Ok(attributes)
}

/// Converts all attributes, without a schema. Those of an identity are not taken from elsewhere.
fn all_attributes(
    known: &Known<'_>,
    identity: Option<&Identity>,
    types: &mut Types<'_>,
) -> Result<Attributes, DecisionPointError> {
    let mut names: Vec<&str> = known.names().collect();
    names.sort_unstable();
    names.dedup();
    let mut attributes = Vec::with_capacity(names.len());
    for name in names {
        let value = known.attribute(name);
        let value = value.filter(|_| identity.is_none() || !is_of_identity(name));
        if let Some(value) = value {
            let expression = types
                .expression(value, None)
                .map_err(|error| DecisionPointError::new(format!("`{name}`: {error}")))?;
            attributes.push((name.to_owned(), expression));
        }
    }
    if let Some(identity) = identity {
        let own = IDENTITY.iter();
        let own = own.filter_map(|name| Some(((*name).to_owned(), of_identity(identity, name)?)));
        attributes.extend(own);
    }
    Ok(attributes)
}

fn is_of_identity(attribute: &str) -> bool {
    IDENTITY.contains(&attribute)
}
