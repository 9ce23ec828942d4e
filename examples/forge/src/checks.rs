//! The checks of permissions on single objects, which no token contains. `auth.toml` and the
//! attributes name them.
//!
//! A check runs the same query whether the object exists or not, so its duration does not disclose
//! that.

use auth_runtime::CheckRequest;

use crate::Forge;
use crate::failure::Failure;

/// The caller has an account that is not suspended. Tokens outlive a suspension, and this check
/// makes them ineffective with the next request.
pub(crate) async fn is_active(request: CheckRequest<'_, Forge>) -> Result<bool, Failure> {
    let login = request.identity().subject().to_owned();
    let sql = "SELECT EXISTS (SELECT 1 FROM accounts
               WHERE login = ?1 AND kind = 'user' AND NOT is_suspended)";
    let store = &request.state().store;
    store.one(sql, [login], |row| row.get(0)).await
}

/// The caller may read the repository of the path.
pub(crate) async fn can_read(request: CheckRequest<'_, Forge>) -> Result<bool, Failure> {
    has_level(request, 1).await
}

/// The caller may write to the repository.
pub(crate) async fn can_write(request: CheckRequest<'_, Forge>) -> Result<bool, Failure> {
    has_level(request, 2).await
}

/// The caller may manage the collaborators of the repository.
pub(crate) async fn can_administer(request: CheckRequest<'_, Forge>) -> Result<bool, Failure> {
    has_level(request, 3).await
}

async fn has_level(request: CheckRequest<'_, Forge>, level: i64) -> Result<bool, Failure> {
    let parameter = |name| request.parameter(name).unwrap_or_default().to_owned();
    let login = request.identity().subject().to_owned();
    let sql = "SELECT EXISTS (SELECT 1 FROM access
               JOIN repositories ON repositories.id = access.repository
               JOIN accounts AS owners ON owners.id = repositories.owner
               JOIN accounts AS callers ON callers.id = access.account
               WHERE owners.login = ?1 AND repositories.name = ?2 AND callers.login = ?3
               AND level >= ?4)";
    let parameters = (parameter("owner"), parameter("repo"), login, level);
    let store = &request.state().store;
    store.one(sql, parameters, |row| row.get(0)).await
}

/// The caller belongs to the organization of the path.
pub(crate) async fn is_org_member(request: CheckRequest<'_, Forge>) -> Result<bool, Failure> {
    is_in_org(request, false).await
}

/// The caller is an owner of the organization.
pub(crate) async fn is_org_owner(request: CheckRequest<'_, Forge>) -> Result<bool, Failure> {
    is_in_org(request, true).await
}

async fn is_in_org(request: CheckRequest<'_, Forge>, as_owner: bool) -> Result<bool, Failure> {
    let org = request.parameter("org").unwrap_or_default().to_owned();
    let login = request.identity().subject().to_owned();
    let sql = "SELECT EXISTS (SELECT 1 FROM memberships
               JOIN accounts AS orgs ON orgs.id = memberships.org
               JOIN accounts AS callers ON callers.id = memberships.account
               WHERE orgs.login = ?1 AND callers.login = ?2 AND (role = 'owner' OR NOT ?3))";
    let store = &request.state().store;
    store
        .one(sql, (org, login, as_owner), |row| row.get(0))
        .await
}
