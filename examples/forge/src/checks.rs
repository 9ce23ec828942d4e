//! The check of accounts. `auth.toml` and the attributes name it.

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
