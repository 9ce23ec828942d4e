//! The conversion of values, types and ids to those of Cedar.

use std::collections::HashMap;
use std::net::IpAddr;

use auth_runtime_core::{DecisionPointError, Identity, Value};
use cedar_policy::{EntityId, EntityTypeName, EntityUid, RestrictedExpression};

use crate::schema::{Declared, Kind, cedar_name};
use crate::uid::Uid;

/// The types of the entities of a batch.
pub(crate) struct Types<'e> {
    declared: Option<&'e Declared>,
    /// Parsed names, without a schema.
    parsed: HashMap<String, EntityTypeName>,
}

impl<'e> Types<'e> {
    pub(crate) fn new(declared: Option<&'e Declared>) -> Self {
        Self {
            declared,
            parsed: HashMap::new(),
        }
    }

    /// Returns the id of Cedar. The parts are never joined to a text that is parsed.
    pub(crate) fn uid(&mut self, entity: Uid<'_>) -> Result<EntityUid, DecisionPointError> {
        let name = self.name(entity.kind)?;
        let id = EntityId::new(entity.id);
        Ok(EntityUid::from_type_name_and_id(name, id))
    }

    fn name(&mut self, text: &str) -> Result<EntityTypeName, DecisionPointError> {
        if let Some(declared) = self.declared {
            let found = declared.entity_type(text);
            return found.map(|found| found.name.clone()).ok_or_else(|| {
                DecisionPointError::new(format!("the schema declares no entity type `{text}`"))
            });
        }
        if let Some(name) = self.parsed.get(text) {
            return Ok(name.clone());
        }
        let name: EntityTypeName = text.parse().map_err(|_| {
            DecisionPointError::new(format!("{text:?} is not the name of an entity type"))
        })?;
        self.parsed.insert(text.to_owned(), name.clone());
        Ok(name)
    }

    /// Converts a value to the declared type. A text can be the text of an extension type.
    pub(crate) fn expression(
        &mut self,
        value: &Value,
        kind: Option<&Kind>,
    ) -> Result<RestrictedExpression, DecisionPointError> {
        Ok(match (value, kind) {
            (Value::Text(text), None | Some(Kind::Text)) => {
                RestrictedExpression::new_string(text.clone())
            }
            (Value::Text(text), Some(Kind::Address)) => RestrictedExpression::new_ip(text),
            (Value::Text(text), Some(Kind::Decimal)) => RestrictedExpression::new_decimal(text),
            (Value::Text(text), Some(Kind::DateTime)) => RestrictedExpression::new_datetime(text),
            (Value::Text(text), Some(Kind::Duration)) => RestrictedExpression::new_duration(text),
            (Value::Number(number), None | Some(Kind::Number)) => {
                RestrictedExpression::new_long(*number)
            }
            (Value::Flag(flag), None | Some(Kind::Flag)) => RestrictedExpression::new_bool(*flag),
            (Value::List(values), None | Some(Kind::Set(_))) => {
                let element = match kind {
                    Some(Kind::Set(element)) => Some(&**element),
                    _ => None,
                };
                let values = values.iter().map(|value| self.expression(value, element));
                RestrictedExpression::new_set(values.collect::<Result<Vec<_>, _>>()?)
            }
            (Value::Reference(kind, id), None | Some(Kind::Entity(_))) => {
                let uid = self.uid(Uid { kind, id })?;
                RestrictedExpression::new_entity_uid(uid)
            }
            (_, Some(kind)) => {
                let message = format!("the value is not a {}", cedar_name(kind));
                return Err(DecisionPointError::new(message));
            }
            (_, None) => {
                return Err(DecisionPointError::new("Cedar has no such value"));
            }
        })
    }
}

/// The expression of an address, as the declared type.
pub(crate) fn address(address: IpAddr, kind: Option<&Kind>) -> RestrictedExpression {
    match kind {
        Some(Kind::Text) => RestrictedExpression::new_string(address.to_string()),
        _ => RestrictedExpression::new_ip(address.to_string()),
    }
}

/// The attribute of a caller that its identity has, if it is known.
pub(crate) fn of_identity(identity: &Identity, attribute: &str) -> Option<RestrictedExpression> {
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    Some(match attribute {
        "issuer" => text(identity.issuer()?),
        "acr" => text(identity.acr()?),
        "scopes" => RestrictedExpression::new_set(identity.scopes().map(text)),
        "roles" => RestrictedExpression::new_set(identity.roles().map(text)),
        "permissions" => RestrictedExpression::new_set(identity.permissions().map(text)),
        "amr" => RestrictedExpression::new_set(identity.amr().map(text)),
        _ => return None,
    })
}

/// Adds the entities that a value refers to.
pub(crate) fn references<'v>(value: &'v Value, found: &mut Vec<Uid<'v>>) {
    match value {
        Value::Reference(kind, id) => {
            found.push(Uid { kind, id });
        }
        Value::List(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}
