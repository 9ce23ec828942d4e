//! The rules about single objects, which no token contains: the decision point of the forge.
//!
//! Each function runs the same query whether the object exists or not, so its duration does not disclose
//! that.

use auth_runtime::objects::{ObjectRequest, ObjectRules};

use crate::failure::Failure;
use crate::store::Store;

/// The rules about repositories and organizations.
pub(crate) fn rules(store: Store) -> ObjectRules<Store> {
    ObjectRules::new(store)
        .on("Repository", repository)
        .on("Organization", organization)
}

/// The level that a caller has in a repository, as its owner, in a team or as a collaborator.
async fn repository(request: ObjectRequest<'_, Store>) -> Result<bool, Failure> {
    let level = match request.action() {
        "read" => 1,
        "write" => 2,
        "administer" => 3,
        _ => return Ok(false),
    };
    let (repository, login) = (
        request.id().to_owned(),
        request.identity().subject().to_owned(),
    );
    let sql = "SELECT EXISTS (SELECT 1 FROM access
               JOIN repositories ON repositories.id = access.repository
               JOIN accounts AS owners ON owners.id = repositories.owner
               JOIN accounts AS callers ON callers.id = access.account
               WHERE owners.login || '/' || repositories.name = ?1 AND callers.login = ?2
               AND level >= ?3)";
    let store = request.state();
    store
        .one(sql, (repository, login, level), |row| row.get(0))
        .await
}

/// The membership of a caller in an organization.
async fn organization(request: ObjectRequest<'_, Store>) -> Result<bool, Failure> {
    let is_owner_required = match request.action() {
        "view" => false,
        "manage" => true,
        _ => return Ok(false),
    };
    let (org, login) = (
        request.id().to_owned(),
        request.identity().subject().to_owned(),
    );
    let sql = "SELECT EXISTS (SELECT 1 FROM memberships
               JOIN accounts AS orgs ON orgs.id = memberships.org
               JOIN accounts AS callers ON callers.id = memberships.account
               WHERE orgs.login = ?1 AND callers.login = ?2 AND (role = 'owner' OR NOT ?3))";
    let store = request.state();
    store
        .one(sql, (org, login, is_owner_required), |row| row.get(0))
        .await
}
