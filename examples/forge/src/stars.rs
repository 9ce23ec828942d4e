//! Starred repositories.

use auth_runtime::routing::{get, put};
use auth_runtime::{GuardedRouter, requires};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::Forge;
use crate::extract::{Me, Repo};
use crate::failure::Answer;
use crate::repos::Repository;

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .route("/user/starred", get(list))
        .route("/user/starred/{owner}/{repo}", put(star).delete(unstar))
}

/// Repositories that the person may no longer read are left out.
#[requires(scope = "user:read", scope = "repo:read", check = crate::checks::is_active)]
async fn list(State(forge): State<Forge>, me: Me) -> Answer<Json<Vec<Repository>>> {
    let sql = "SELECT login, repositories.name, description, visibility FROM stars
               JOIN repositories ON repositories.id = stars.repository
               JOIN accounts ON accounts.id = owner
               WHERE stars.account = ?1
               AND stars.repository IN (SELECT repository FROM access WHERE account = ?1)
               ORDER BY login, repositories.name LIMIT 100";
    let repositories = forge.store.all(sql, [me.id], Repository::read).await?;
    Ok(Json(repositories))
}

#[requires(policy = "reader", scope = "user:write")]
async fn star(State(forge): State<Forge>, me: Me, repo: Repo) -> Answer<StatusCode> {
    let sql = "INSERT INTO stars (account, repository) VALUES (?1, ?2)
               ON CONFLICT DO UPDATE SET account = excluded.account";
    forge.store.change(sql, (me.id, repo.id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[requires(policy = "reader", scope = "user:write")]
async fn unstar(State(forge): State<Forge>, me: Me, repo: Repo) -> Answer<StatusCode> {
    let sql = "DELETE FROM stars WHERE account = ?1 AND repository = ?2";
    forge.store.change(sql, (me.id, repo.id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
