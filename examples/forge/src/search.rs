//! Search. The results are limited to the repositories that the caller may read.

use auth_runtime::routing::get;
use auth_runtime::{Guard, GuardedRouter, requires};
use axum::extract::State;
use serde::Deserialize;

use crate::extract::{Json, Query};
use crate::failure::Answer;
use crate::issues::Issue;
use crate::objects::{self, of_repositories};
use crate::repos::Repository;
use crate::text::Line;
use crate::users::Profile;
use crate::{Forge, actions};

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .route("/search/repositories", get(repositories))
        .route("/search/issues", get(issues))
        .route("/search/users", get(users))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    q: Line,
}

#[requires(scope = "repo:read", check = crate::checks::is_active)]
async fn repositories(
    guard: Guard,
    State(forge): State<Forge>,
    Query(Search { q }): Query<Search>,
) -> Answer<Json<Vec<Repository>>> {
    let all = objects::repositories(&forge.store);
    let readable = guard.permitted(actions::READ, "Repository", all).await?;
    let sql = "SELECT login, repositories.name, description, visibility FROM repositories
               JOIN accounts ON accounts.id = owner
               WHERE {} AND instr(repositories.name || char(10) || description, ?)
               ORDER BY login, repositories.name LIMIT 100";
    let found = forge.store.permitted(
        sql,
        of_repositories(readable)?,
        [q.0.into()],
        Repository::read,
    );
    Ok(Json(found.await?))
}

#[requires(scope = "repo:read", check = crate::checks::is_active)]
async fn issues(
    guard: Guard,
    State(forge): State<Forge>,
    Query(Search { q }): Query<Search>,
) -> Answer<Json<Vec<Issue>>> {
    let all = objects::repositories(&forge.store);
    let readable = guard.permitted(actions::READ, "Repository", all).await?;
    let sql = "SELECT number, title, body, state, login FROM issues
               JOIN accounts ON accounts.id = author
               JOIN repositories ON repositories.id = repository
               WHERE {} AND head IS NULL AND instr(title || char(10) || body, ?)
               ORDER BY issues.id DESC LIMIT 100";
    let found = forge
        .store
        .permitted(sql, of_repositories(readable)?, [q.0.into()], Issue::read);
    Ok(Json(found.await?))
}

#[requires(check = crate::checks::is_active)]
async fn users(
    State(forge): State<Forge>,
    Query(Search { q }): Query<Search>,
) -> Answer<Json<Vec<Profile>>> {
    let sql = "SELECT login, name, bio FROM accounts
               WHERE kind = 'user' AND NOT is_suspended AND (instr(login, ?1) OR instr(name, ?1))
               ORDER BY login LIMIT 100";
    Ok(Json(forge.store.all(sql, [q.0], Profile::read).await?))
}
