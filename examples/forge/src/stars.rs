//! Starred repositories.

use auth_runtime::routing::{get, put};
use auth_runtime::{Guard, GuardedRouter, requires};
use axum::extract::State;
use axum::http::StatusCode;

use crate::extract::{Json, Me, Repo};
use crate::failure::Answer;
use crate::objects::{of_repositories, repositories};
use crate::repos::Repository;
use crate::{Forge, actions};

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .route("/user/starred", get(list))
        .route("/user/starred/{owner}/{repo}", put(star).delete(unstar))
}

/// Repositories that the person may no longer read are left out.
#[requires(scope = "user:read", scope = "repo:read", check = crate::checks::is_active)]
async fn list(guard: Guard, State(forge): State<Forge>, me: Me) -> Answer<Json<Vec<Repository>>> {
    let all = repositories(&forge.store);
    let readable = guard.permitted(actions::READ, "Repository", all).await?;
    let sql = "SELECT login, repositories.name, description, visibility FROM stars
               JOIN repositories ON repositories.id = stars.repository
               JOIN accounts ON accounts.id = owner
               WHERE {} AND stars.account = ?
               ORDER BY login, repositories.name LIMIT 100";
    let repositories = forge.store.permitted(
        sql,
        of_repositories(readable)?,
        [me.id.into()],
        Repository::read,
    );
    Ok(Json(repositories.await?))
}

#[requires(policy = "stargazer")]
async fn star(State(forge): State<Forge>, me: Me, repo: Repo) -> Answer<StatusCode> {
    let sql = "INSERT INTO stars (account, repository) VALUES (?1, ?2)
               ON CONFLICT DO UPDATE SET account = excluded.account";
    forge.store.change(sql, (me.id, repo.id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[requires(policy = "stargazer")]
async fn unstar(State(forge): State<Forge>, me: Me, repo: Repo) -> Answer<StatusCode> {
    let sql = "DELETE FROM stars WHERE account = ?1 AND repository = ?2";
    forge.store.change(sql, (me.id, repo.id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
