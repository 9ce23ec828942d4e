//! Requests to the server.

use std::collections::BTreeMap;
use std::time::SystemTime;

use auth_runtime_core::{Evaluation, EvaluationRequest, Identity, Resource};
use bytes::Bytes;
use prost::Message;
use prost::encoding::encoded_len_varint;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Timestamp, Value};

use crate::messages::{
    CheckItem, Consistency, LookupResourcesRequest, ObjectReference, SubjectReference,
};
use crate::names::Names;
use crate::object_id;

/// The longest caveat context that a server accepts by default, in bytes.
const MAX_CONTEXT: usize = 4096;
/// The longest request, in bytes. Servers accept up to 4 MiB.
const MAX_REQUEST: usize = 3 * 1024 * 1024;

/// The questions that have to be put to the server.
pub(crate) struct CheckRequests {
    /// The indices of the evaluations that the server decides about. No relationship can exist for the
    /// others.
    pub(crate) asked: Vec<usize>,
    /// The items of each request about them. One request, unless it would be too long.
    pub(crate) batches: Vec<Vec<CheckItem>>,
}

/// Returns the questions about all evaluations.
///
/// # Errors
///
/// A type or an action has no name in the schema, or the service has no id.
pub(crate) fn check(
    names: &Names,
    request: &EvaluationRequest<'_>,
) -> Result<CheckRequests, String> {
    let subject = subject(names, request.identity);
    let context = context(request);
    let (mut asked, mut items) = (Vec::new(), Vec::new());
    for (
        index,
        Evaluation {
            action, resource, ..
        },
    ) in request.evaluations.iter().enumerate()
    {
        let object_type = object_type(names, resource.resource_type())?;
        let permission = permission(names, action)?;
        let object_id = object_id::encode(resource.id());
        // Otherwise every caller would be denied.
        if object_id.is_none() && resource.resource_type() == Resource::SERVICE {
            let problem = "the realm of the protection space, which is the id of the service, is empty or \
                           has no form in SpiceDB";
            return Err(problem.to_owned());
        }
        let (Some(subject), Some(object_id)) = (&subject, object_id) else {
            continue;
        };
        asked.push(index);
        items.push(CheckItem {
            resource: Some(ObjectReference {
                object_type,
                object_id,
            }),
            permission,
            subject: Some(subject.clone()),
            context: context.clone(),
        });
    }
    Ok(CheckRequests {
        asked,
        batches: split(items),
    })
}

/// Returns the request for the objects of a type on which the caller may perform an action; `None` if no
/// relationship with the caller can exist.
///
/// # Errors
///
/// The type or the action has no name in the schema.
pub(crate) fn lookup(
    names: &Names,
    consistency: Consistency,
    action: &str,
    resource_type: &str,
    request: &EvaluationRequest<'_>,
) -> Result<Option<LookupResourcesRequest>, String> {
    let resource_object_type = object_type(names, resource_type)?;
    let permission = permission(names, action)?;
    Ok(
        subject(names, request.identity).map(|subject| LookupResourcesRequest {
            consistency: Some(consistency),
            resource_object_type,
            permission,
            subject: Some(subject),
            context: context(request),
        }),
    )
}

fn object_type(names: &Names, resource_type: &str) -> Result<String, String> {
    let found = names.object_type(resource_type);
    let found = found.ok_or_else(|| {
        format!(
            "the type {resource_type:?} is not a name of SpiceDB; set one with \
             `.resource_type({resource_type:?}, \"…\")`"
        )
    })?;
    Ok(found.into_owned())
}

fn permission(names: &Names, action: &str) -> Result<String, String> {
    let found = names.permission(action);
    let found = found.ok_or_else(|| {
        format!(
            "the action {action:?} is not a name of SpiceDB; set one with `.action({action:?}, \"…\")`"
        )
    })?;
    Ok(found.into_owned())
}

fn subject(names: &Names, identity: &Identity) -> Option<SubjectReference> {
    let object = ObjectReference {
        object_type: names.subject_type.clone(),
        object_id: object_id::encode(identity.subject())?,
    };
    Some(SubjectReference {
        object: Some(object),
        optional_relation: String::new(),
    })
}

/// Divides the items so that each request has a length that servers accept.
fn split(items: Vec<CheckItem>) -> Vec<Vec<CheckItem>> {
    let mut requests: Vec<Vec<CheckItem>> = Vec::new();
    let mut left = 0;
    for item in items {
        let item_length = item.encoded_len();
        let length = 1 + encoded_len_varint(item_length as u64) + item_length;
        match requests.last_mut() {
            Some(last) if length <= left => {
                left -= length;
                last.push(item);
            }
            _ => {
                left = MAX_REQUEST.saturating_sub(length);
                requests.push(vec![item]);
            }
        }
    }
    requests
}

/// The caveat context. A value that would exceed the longest context is left out, so that a caveat that
/// needs it does not grant.
fn context(request: &EvaluationRequest<'_>) -> Bytes {
    let identity = request.identity;
    let texts = |values: Vec<&str>| {
        let values = values.into_iter().map(text).collect();
        kind(Kind::ListValue(ListValue { values }))
    };
    let time = |time: SystemTime| {
        let seconds = Timestamp {
            nanos: 0,
            ..Timestamp::from(time)
        };
        text(seconds.to_string())
    };
    let amr: Vec<&str> = identity.amr().collect();
    let members = [
        ("method", Some(text(request.method.as_str()))),
        ("time", Some(time(request.time))),
        (
            "ip",
            request.address.map(|address| text(address.to_string())),
        ),
        ("issuer", identity.issuer().map(text)),
        ("acr", identity.acr().map(text)),
        ("amr", (!amr.is_empty()).then(|| texts(amr))),
        ("auth_time", identity.auth_time().map(time)),
        ("roles", Some(texts(identity.roles().collect()))),
        ("scopes", Some(texts(identity.scopes().collect()))),
        ("permissions", Some(texts(identity.permissions().collect()))),
        ("path", Some(text(request.path))),
    ];
    let mut context = Struct {
        fields: BTreeMap::new(),
    };
    for (name, value) in members {
        let Some(value) = value else { continue };
        context.fields.insert(name.to_owned(), value);
        if context.encoded_len() > MAX_CONTEXT {
            tracing::debug!(
                name,
                "the value is too long for a caveat context, and is left out"
            );
            context.fields.remove(name);
        }
    }
    context.encode_to_vec().into()
}

fn text(text: impl Into<String>) -> Value {
    kind(Kind::StringValue(text.into()))
}

fn kind(kind: Kind) -> Value {
    Value { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::messages::CheckBulkPermissionsRequest;

    fn names() -> Names {
        Names {
            subject_type: "user".to_owned(),
            types: HashMap::new(),
            permissions: HashMap::new(),
        }
    }

    fn repo(id: &str) -> Evaluation {
        Evaluation::new("read", Resource::new("Repo", id))
    }

    #[test]
    fn usual_batches_are_one_request() {
        let ann = Identity::new("auth0|5f7c8ec7c33c6c004bbafe82").with_roles(["editor", "reader"]);
        let evaluations: Vec<_> = (0..10_000)
            .map(|number| repo(&format!("organization-{number}/repository")))
            .collect();
        let request = EvaluationRequest::new(&ann, &evaluations);
        let questions = check(&names(), &request).unwrap();
        assert_eq!(questions.batches.len(), 1);
        assert_eq!(questions.asked.len(), 10_000);
    }

    #[test]
    fn long_batches_are_several_requests() {
        let ann = Identity::new("ann");
        let long_id = "r".repeat(1000);
        let evaluations = vec![repo(&long_id); 10_000];
        let request = EvaluationRequest::new(&ann, &evaluations);
        let questions = check(&names(), &request).unwrap();
        assert_eq!(questions.batches.len(), 4);
        assert_eq!(
            questions.batches.iter().map(Vec::len).sum::<usize>(),
            10_000
        );
        for items in questions.batches {
            let consistency = Some(Consistency::default());
            let request = CheckBulkPermissionsRequest { consistency, items };
            assert!(request.encoded_len() < MAX_REQUEST + 1024);
        }
    }

    #[test]
    fn no_relationship_with_a_wildcard() {
        let everybody = Identity::new("*");
        let evaluations = [repo("r"), repo("*"), repo("")];
        let request = EvaluationRequest::new(&everybody, &evaluations);
        assert!(check(&names(), &request).unwrap().batches.is_empty());
        assert_eq!(
            lookup(&names(), Consistency::default(), "read", "Repo", &request),
            Ok(None)
        );
        let ann = Identity::new("ann");
        let request = EvaluationRequest::new(&ann, &evaluations);
        assert_eq!(check(&names(), &request).unwrap().asked, [0]);
    }

    #[test]
    fn names_outside_of_schema_are_errors() {
        let ann = Identity::new("ann");
        for evaluation in [
            Evaluation::new("ls", Resource::new("Repo", "r")),
            Evaluation::new("read", Resource::new("Ab", "r")),
        ] {
            let evaluations = [repo("r"), evaluation];
            let request = EvaluationRequest::new(&ann, &evaluations);
            assert!(check(&names(), &request).is_err());
        }
    }

    /// A service without a realm has the empty id.
    #[test]
    fn services_without_an_id_are_errors() {
        for (realm, is_asked) in [("forge", true), ("", false), ("*", false)] {
            for caller in ["ann", "*"] {
                let caller = Identity::new(caller);
                let service = Resource::new(Resource::SERVICE, realm);
                let evaluations = [repo("r"), Evaluation::new("manage", service)];
                let request = EvaluationRequest::new(&caller, &evaluations);
                assert_eq!(check(&names(), &request).is_ok(), is_asked, "{realm:?}");
            }
        }
    }

    fn context_of(request: &EvaluationRequest<'_>) -> BTreeMap<String, Value> {
        Struct::decode(context(request)).unwrap().fields
    }

    #[test]
    fn contexts_name_request_and_caller() {
        let auth_time = SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(951_782_400_900);
        let ann = Identity::new("ann")
            .with_issuer("https://login.example")
            .with_roles(["editor"])
            .with_auth_time(auth_time);
        let mut request = EvaluationRequest::new(&ann, &[]);
        request.address = Some([127, 0, 0, 1].into());
        request.time = auth_time;
        let context = context_of(&request);
        let names: Vec<_> = context.keys().map(String::as_str).collect();
        let expected = [
            "auth_time",
            "ip",
            "issuer",
            "method",
            "path",
            "permissions",
            "roles",
            "scopes",
            "time",
        ];
        assert_eq!(names, expected);
        for (name, value) in [
            ("method", "GET"),
            ("path", "/"),
            ("ip", "127.0.0.1"),
            ("time", "2000-02-29T00:00:00Z"),
            ("auth_time", "2000-02-29T00:00:00Z"),
        ] {
            assert_eq!(context[name], text(value), "{name}");
        }
    }

    #[test]
    fn long_values_are_left_out() {
        let roles = (0..1000).map(|number| format!("role-{number}"));
        let ann = Identity::new("ann").with_roles(roles).with_scopes(["read"]);
        let path = "/".repeat(5000);
        let mut request = EvaluationRequest::new(&ann, &[]);
        request.path = &path;
        assert!(context(&request).len() <= MAX_CONTEXT);
        let context = context_of(&request);
        let names: Vec<_> = context.keys().map(String::as_str).collect();
        assert_eq!(names, ["method", "permissions", "scopes", "time"]);
    }
}
