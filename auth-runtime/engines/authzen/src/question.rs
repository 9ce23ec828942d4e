//! The bodies of requests.

use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime_core::{Evaluation, EvaluationRequest, Identity, Resource, Value as Property};
use serde_json::{Map, Value, json};

/// The largest number that each implementation of JSON represents exactly (RFC 7493 §2.2).
const MAX_EXACT: u64 = (1 << 53) - 1;

/// A property has a type that this version does not know.
#[derive(Debug, PartialEq)]
pub(crate) struct UnknownProperty;

/// The names that the server knows the caller by.
pub(crate) struct SubjectNames {
    pub(crate) subject_type: String,
    pub(crate) roles_property: String,
}

/// Returns the body of one evaluation (§6.1). The loaded caller has properties beside those of its identity.
pub(crate) fn evaluation(
    names: &SubjectNames,
    loaded: Option<&Resource>,
    request: &EvaluationRequest<'_>,
    evaluation: &Evaluation,
) -> Result<Vec<u8>, UnknownProperty> {
    let mut body = action_and_resource(evaluation)?;
    let subject = subject(names, loaded, request.identity)?;
    body.insert("subject".to_owned(), subject);
    body.insert("context".to_owned(), context(request));
    Ok(Value::Object(body).to_string().into_bytes())
}

/// Returns the body of several evaluations with the subject and the context in common (§7.1).
pub(crate) fn evaluations(
    names: &SubjectNames,
    loaded: Option<&Resource>,
    request: &EvaluationRequest<'_>,
    evaluations: &[Evaluation],
) -> Result<Vec<u8>, UnknownProperty> {
    let evaluations: Result<Vec<_>, _> = evaluations.iter().map(action_and_resource).collect();
    let body = json!({
        "subject": subject(names, loaded, request.identity)?,
        "context": context(request),
        "options": { "evaluations_semantic": "execute_all" },
        "evaluations": evaluations?,
    });
    Ok(body.to_string().into_bytes())
}

/// Returns the members of a search for objects (§8.5.1), without the page.
pub(crate) fn search(
    names: &SubjectNames,
    loaded: Option<&Resource>,
    request: &EvaluationRequest<'_>,
    action: &str,
    resource_type: &str,
) -> Result<Map<String, Value>, UnknownProperty> {
    let mut body = Map::new();
    let subject = subject(names, loaded, request.identity)?;
    body.insert("subject".to_owned(), subject);
    body.insert("action".to_owned(), json!({ "name": action }));
    body.insert("resource".to_owned(), json!({ "type": resource_type }));
    body.insert("context".to_owned(), context(request));
    Ok(body)
}

fn subject(
    names: &SubjectNames,
    loaded: Option<&Resource>,
    identity: &Identity,
) -> Result<Value, UnknownProperty> {
    let mut properties = match loaded {
        Some(loaded) => properties_of(loaded)?,
        None => Map::new(),
    };
    // A loaded scope, role or login must not stand in for a missing one.
    properties.remove("roles");
    let mut insert = |name: &str, value: Option<Value>| {
        match value {
            Some(value) => properties.insert(name.to_owned(), value),
            None => properties.remove(name),
        };
    };
    insert("issuer", identity.issuer().map(Value::from));
    insert("scopes", list(identity.scopes()));
    insert("permissions", list(identity.permissions()));
    insert("acr", identity.acr().map(Value::from));
    insert("amr", list(identity.amr()));
    let auth_time = identity.auth_time().and_then(seconds);
    insert("auth_time", auth_time.map(Value::from));
    insert(&names.roles_property, list(identity.roles()));
    Ok(with_properties(&names.subject_type, identity.subject(), properties).into())
}

/// The list, unless it is empty.
fn list<'n>(names: impl Iterator<Item = &'n str>) -> Option<Value> {
    let names: Vec<Value> = names.map(Value::from).collect();
    (!names.is_empty()).then_some(Value::Array(names))
}

fn context(request: &EvaluationRequest<'_>) -> Value {
    let mut context = Map::new();
    context.insert("method".to_owned(), request.method.as_str().into());
    context.insert("path".to_owned(), request.path.into());
    if let Some(address) = request.address {
        context.insert("ip".to_owned(), address.to_string().into());
    }
    if let Some(time) = rfc3339(request.time) {
        context.insert("time".to_owned(), time.into());
    }
    Value::Object(context)
}

fn action_and_resource(evaluation: &Evaluation) -> Result<Map<String, Value>, UnknownProperty> {
    let Evaluation {
        action, resource, ..
    } = evaluation;
    let properties = properties_of(resource)?;
    let resource = with_properties(resource.resource_type(), resource.id(), properties);
    let mut members = Map::new();
    members.insert("action".to_owned(), json!({ "name": action }));
    members.insert("resource".to_owned(), resource.into());
    Ok(members)
}

fn properties_of(resource: &Resource) -> Result<Map<String, Value>, UnknownProperty> {
    let properties = resource.properties();
    properties
        .map(|(name, value)| Ok((name.to_owned(), property(value)?)))
        .collect()
}

/// Returns a subject or a resource.
fn with_properties(kind: &str, id: &str, properties: Map<String, Value>) -> Map<String, Value> {
    let mut entity = Map::new();
    entity.insert("type".to_owned(), kind.into());
    entity.insert("id".to_owned(), id.into());
    if !properties.is_empty() {
        entity.insert("properties".to_owned(), Value::Object(properties));
    }
    entity
}

fn property(value: &Property) -> Result<Value, UnknownProperty> {
    Ok(match value {
        Property::Text(text) => text.as_str().into(),
        // Rounded, it would be the number of another object.
        Property::Number(number) if number.unsigned_abs() > MAX_EXACT => number.to_string().into(),
        Property::Number(number) => (*number).into(),
        Property::Flag(flag) => (*flag).into(),
        Property::List(values) => {
            Value::Array(values.iter().map(property).collect::<Result<_, _>>()?)
        }
        Property::Reference(kind, id) => json!({ "type": kind, "id": id }),
        _ => return Err(UnknownProperty),
    })
}

/// The seconds since 1970; `None` before it.
fn seconds(time: SystemTime) -> Option<u64> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}

/// The time in UTC (RFC 3339); `None` outside the years 1970 to 9999.
fn rfc3339(time: SystemTime) -> Option<String> {
    let seconds = seconds(time)?;
    // The calendar repeats after 400 years. A year begins in March here, so that its last day is the
    // one that leap years add.
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    (year <= 9999)
        .then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_704_067_199, "2023-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(rfc3339(time).as_deref(), Some(expected));
        }
        assert_eq!(
            rfc3339(UNIX_EPOCH + Duration::from_secs(253_402_300_800)),
            None
        );
        assert_eq!(rfc3339(UNIX_EPOCH - Duration::from_secs(1)), None);
    }

    #[test]
    fn numbers_are_not_rounded() {
        let largest = MAX_EXACT as i64;
        assert_eq!(
            property(&largest.into()),
            Ok(json!(9_007_199_254_740_991_i64))
        );
        assert_eq!(
            property(&(-largest).into()),
            Ok(json!(-9_007_199_254_740_991_i64))
        );
        assert_eq!(
            property(&(largest + 1).into()),
            Ok(json!("9007199254740992"))
        );
        assert_eq!(
            property(&i64::MIN.into()),
            Ok(json!("-9223372036854775808"))
        );
    }
}
