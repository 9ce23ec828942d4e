//! Search. The results are limited to the repositories that the caller may read.

use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, requires};
use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;

use crate::Forge;
use crate::extract::Me;
use crate::failure::Answer;
use crate::issues::Issue;
use crate::repos::Repository;
use crate::text::Line;
use crate::users::Profile;

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
    State(forge): State<Forge>,
    me: Me,
    Query(Search { q }): Query<Search>,
) -> Answer<Json<Vec<Repository>>> {
    let sql = "SELECT login, repositories.name, description, visibility FROM repositories
               JOIN accounts ON accounts.id = owner
               WHERE repositories.id IN (SELECT repository FROM access WHERE account = ?1)
               AND (instr(repositories.name, ?2) OR instr(description, ?2))
               ORDER BY login, repositories.name LIMIT 100";
    let found = forge.store.all(sql, (me.id, q.0), Repository::read);
    Ok(Json(found.await?))
}

#[requires(scope = "repo:read", check = crate::checks::is_active)]
async fn issues(
    State(forge): State<Forge>,
    me: Me,
    Query(Search { q }): Query<Search>,
) -> Answer<Json<Vec<Issue>>> {
    let sql = "SELECT number, title, body, state, login FROM issues
               JOIN accounts ON accounts.id = author
               WHERE repository IN (SELECT repository FROM access WHERE account = ?1)
               AND head IS NULL AND (instr(title, ?2) OR instr(body, ?2))
               ORDER BY issues.id DESC LIMIT 100";
    Ok(Json(forge.store.all(sql, (me.id, q.0), Issue::read).await?))
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
