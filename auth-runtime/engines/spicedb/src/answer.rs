//! Responses of the server.

use std::collections::BTreeSet;

use auth_runtime_core::{ObjectDecision, ProtectionSpace};

use crate::failure::Failure;
use crate::messages::{
    CONDITIONAL_PERMISSION, CheckBulkPermissionsResponse, CheckItem, CheckPair, CheckResponse,
    CheckResponseItem, HAS_PERMISSION, LOOKUP_CONDITIONAL_PERMISSION, LOOKUP_HAS_PERMISSION,
    LookupResourcesResponse, NO_PERMISSION, ZedToken,
};
use crate::object_id;

/// Returns the decisions about the items.
pub(crate) fn decisions(
    items: &[CheckItem],
    response: CheckBulkPermissionsResponse,
) -> Result<Vec<ObjectDecision>, Failure> {
    let (asked, found) = (items.len(), response.pairs.len());
    if found != asked {
        let problem = format!("the response has {found} decisions about {asked} questions");
        return Err(Failure::Answer(problem));
    }
    let pairs = items.iter().zip(response.pairs);
    pairs.map(|(item, pair)| decision(item, pair)).collect()
}

fn decision(item: &CheckItem, pair: CheckPair) -> Result<ObjectDecision, Failure> {
    let is_about = pair.request.is_some_and(|request| {
        request.resource == item.resource
            && request.permission == item.permission
            && request.subject == item.subject
    });
    if !is_about {
        let problem = "a decision of the response is about another question";
        return Err(Failure::Answer(problem.to_owned()));
    }
    match pair.response {
        Some(CheckResponse::Item(found)) => permissionship(&item.permission, found),
        Some(CheckResponse::Error(error)) => Err(Failure::Question(error)),
        None => Err(Failure::Answer(
            "a question has no decision in the response".to_owned(),
        )),
    }
}

fn permissionship(permission: &str, found: CheckResponseItem) -> Result<ObjectDecision, Failure> {
    match found.permissionship {
        HAS_PERMISSION => Ok(ObjectDecision::allow()),
        NO_PERMISSION => Ok(ObjectDecision::deny()),
        CONDITIONAL_PERMISSION => {
            let missing = found.partial_caveat_info.unwrap_or_default();
            tracing::debug!(
                permission,
                missing = ?missing.missing_required_context,
                "a caveat needs context that is missing; the action is denied",
            );
            Ok(ObjectDecision::deny())
        }
        other => Err(Failure::Answer(format!(
            "the response has the unknown permissionship {other}"
        ))),
    }
}

/// The objects of a list.
#[derive(Default)]
pub(crate) struct Listed {
    ids: BTreeSet<String>,
    /// The token of the data that were used.
    pub(crate) looked_up_at: Option<ZedToken>,
}

impl Listed {
    /// Adds an object. Those that depend on missing caveat context are left out, and so are those with an id
    /// that is not the form of one: [`decisions`] are never about them.
    pub(crate) fn add(&mut self, found: LookupResourcesResponse) -> Result<(), Failure> {
        self.looked_up_at = found.looked_up_at;
        match found.permissionship {
            LOOKUP_HAS_PERMISSION => {}
            LOOKUP_CONDITIONAL_PERMISSION => return Ok(()),
            other => {
                let problem = format!("the response has the unknown permissionship {other}");
                return Err(Failure::Answer(problem));
            }
        }
        let Some(id) = object_id::decode(&found.resource_object_id) else {
            tracing::debug!("an object of a list has an id that is not written by `object_id`");
            return Ok(());
        };
        self.ids.insert(id);
        if self.ids.len() > ProtectionSpace::MAX_EVALUATIONS {
            Err(Failure::LongList(ProtectionSpace::MAX_EVALUATIONS))
        } else {
            Ok(())
        }
    }

    /// The ids, each once.
    pub(crate) fn into_ids(self) -> Vec<String> {
        self.ids.into_iter().collect()
    }
}
