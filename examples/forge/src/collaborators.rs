//! The collaborators of a repository.

use auth_runtime::routing::{get, put};
use auth_runtime::{GuardedRouter, requires};
use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::Forge;
use crate::extract::{Json, Login, Repo};
use crate::failure::{Answer, Failure};

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .route("/repos/{owner}/{repo}/collaborators", get(list))
        .route(
            "/repos/{owner}/{repo}/collaborators/{login}",
            put(add).delete(remove),
        )
}

/// The role of a collaborator. Each role includes those before it.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Read,
    Write,
    Admin,
}

impl Level {
    /// The number in the database.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Read => 1,
            Self::Write => 2,
            Self::Admin => 3,
        }
    }

    fn of(number: i64) -> Self {
        match number {
            3 => Self::Admin,
            2 => Self::Write,
            _ => Self::Read,
        }
    }
}

#[derive(Serialize)]
struct Collaborator {
    login: String,
    level: Level,
}

impl Collaborator {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            login: row.get(0)?,
            level: Level::of(row.get(1)?),
        })
    }
}

/// The list of collaborators is visible to writers only.
#[requires(policy = "writer")]
async fn list(State(forge): State<Forge>, repo: Repo) -> Answer<Json<Vec<Collaborator>>> {
    let sql = "SELECT login, level FROM collaborators JOIN accounts ON accounts.id = account
               WHERE repository = ?1 ORDER BY login";
    let collaborators = forge.store.all(sql, [repo.id], Collaborator::read).await?;
    Ok(Json(collaborators))
}

/// The new role of a collaborator.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grant {
    pub(crate) level: Level,
}

#[requires(policy = "maintainer")]
async fn add(
    State(forge): State<Forge>,
    repo: Repo,
    Login { login }: Login,
    Json(Grant { level }): Json<Grant>,
) -> Result<StatusCode, Failure> {
    let sql = "INSERT INTO collaborators (repository, account, level)
               SELECT ?1, id, ?3 FROM accounts WHERE login = ?2 AND kind = 'user'
               ON CONFLICT DO UPDATE SET level = excluded.level";
    let parameters = (repo.id, login, level.number());
    forge.store.change(sql, parameters).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[requires(policy = "maintainer")]
async fn remove(
    State(forge): State<Forge>,
    repo: Repo,
    Login { login }: Login,
) -> Result<StatusCode, Failure> {
    let sql = "DELETE FROM collaborators WHERE repository = ?1
               AND account = (SELECT id FROM accounts WHERE login = ?2)";
    forge.store.change(sql, (repo.id, login)).await?;
    Ok(StatusCode::NO_CONTENT)
}
