//! The actions on objects that a policy requires.

use std::borrow::Cow;
use std::collections::BTreeMap;

use auth_runtime_policy::{Atom, ObjectSource, Policy, Requirement, ResourcePattern};
use serde_json::{Value, json};

use super::template::Template;

/// The extension with the actions on objects.
pub(super) const EXTENSION: &str = "x-authorization";

/// Returns the policy of a route with the names that a document has for its path parameters.
pub(super) fn in_document(policy: &Policy, route: &str, path: &str) -> Policy {
    let (route, path) = (Template::of_route(route), Template::of_document(path));
    let names = |template: &Template| -> Vec<String> {
        let names = template.parameters().map(|(name, _)| name.to_owned());
        names.collect()
    };
    let names: BTreeMap<_, _> = names(&route).into_iter().zip(names(&path)).collect();
    let renamed = |on: &ResourcePattern| {
        on.rename_parameters(|own| {
            let other = names.get(own).cloned();
            Cow::Owned(other.unwrap_or_else(|| own.to_owned()))
        })
    };
    policy.map_objects(|on| on.map_pattern(renamed))
}

/// Returns the actions on objects that a policy requires, in the form of AuthZEN's evaluations; `None` if
/// there are none.
pub(super) fn evaluations(policy: &Policy, realm: &str) -> Option<Value> {
    let atoms = policy
        .requirement()
        .into_iter()
        .flat_map(Requirement::atoms);
    let mut evaluations: Vec<Value> = Vec::new();
    for atom in atoms {
        let Atom::Can { action, on } = atom else {
            continue;
        };
        let kind = on.resource_type();
        let resource = match on {
            ObjectSource::Path(on) => json!({ "type": kind, "id": on.id() }),
            ObjectSource::Service => json!({ "type": kind, "id": realm }),
            // The id is in another part of the request.
            _ => json!({ "type": kind }),
        };
        let evaluation = json!({
            "action": { "name": action },
            "resource": resource,
        });
        if !evaluations.contains(&evaluation) {
            evaluations.push(evaluation);
        }
    }
    (!evaluations.is_empty()).then(|| json!({ "evaluations": evaluations }))
}
