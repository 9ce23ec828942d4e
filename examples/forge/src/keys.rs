//! Deploy keys, with which servers fetch a repository.

use auth_runtime::routing::{delete, get};
use auth_runtime::{GuardedRouter, requires};
use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::Forge;
use crate::extract::{Json, KeyId, Repo};
use crate::failure::{Answer, Failure};
use crate::text::Line;

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .route("/repos/{owner}/{repo}/keys", get(list).post(add))
        .route("/repos/{owner}/{repo}/keys/{key}", delete(remove))
}

#[derive(Serialize)]
struct DeployKey {
    id: i64,
    title: String,
    key: String,
    can_write: bool,
}

impl DeployKey {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            title: row.get(1)?,
            key: row.get(2)?,
            can_write: row.get(3)?,
        })
    }
}

#[requires(policy = "maintainer")]
async fn list(State(forge): State<Forge>, repo: Repo) -> Answer<Json<Vec<DeployKey>>> {
    let sql = "SELECT id, title, key, can_write FROM deploy_keys WHERE repository = ?1 ORDER BY id";
    Ok(Json(
        forge.store.all(sql, [repo.id], DeployKey::read).await?,
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    title: Line,
    key: Line,
    #[serde(default)]
    can_write: bool,
}

#[requires(policy = "maintainer")]
async fn add(
    State(forge): State<Forge>,
    repo: Repo,
    Json(new): Json<NewKey>,
) -> Answer<(StatusCode, Json<DeployKey>)> {
    let is_key = ["ssh-ed25519 ", "ecdsa-sha2-nistp256 "];
    if !is_key.iter().any(|kind| new.key.0.starts_with(kind)) {
        return Err(Failure::Unprocessable("that is no Ed25519 or P-256 key"));
    }
    let sql = "INSERT INTO deploy_keys (repository, title, key, can_write) VALUES (?1, ?2, ?3, ?4)
               RETURNING id, title, key, can_write";
    let parameters = (repo.id, new.title.0, new.key.0, new.can_write);
    let key = forge.store.one(sql, parameters, DeployKey::read).await?;
    Ok((StatusCode::CREATED, Json(key)))
}

#[requires(policy = "maintainer")]
async fn remove(
    State(forge): State<Forge>,
    repo: Repo,
    KeyId { key }: KeyId,
) -> Answer<StatusCode> {
    let sql = "DELETE FROM deploy_keys WHERE id = ?1 AND repository = ?2";
    forge.store.change(sql, (key, repo.id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
