//! Webhooks: the receivers of the events of a repository.

use auth_runtime::routing::{delete, get};
use auth_runtime::{GuardedRouter, requires};
use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::Forge;
use crate::extract::{HookId, Json, Repo};
use crate::failure::{Answer, Failure};
use crate::text::Line;

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .route("/repos/{owner}/{repo}/hooks", get(list).post(add))
        .route("/repos/{owner}/{repo}/hooks/{hook}", delete(remove))
}

#[derive(Serialize)]
struct Hook {
    id: i64,
    url: String,
    event: String,
}

impl Hook {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            url: row.get(1)?,
            event: row.get(2)?,
        })
    }
}

#[requires(policy = "maintainer")]
async fn list(State(forge): State<Forge>, repo: Repo) -> Answer<Json<Vec<Hook>>> {
    let sql = "SELECT id, url, event FROM hooks WHERE repository = ?1 ORDER BY id";
    Ok(Json(forge.store.all(sql, [repo.id], Hook::read).await?))
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Event {
    Push,
    Issues,
    Release,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewHook {
    url: Line,
    event: Event,
}

#[requires(policy = "maintainer")]
async fn add(
    State(forge): State<Forge>,
    repo: Repo,
    Json(new): Json<NewHook>,
) -> Answer<(StatusCode, Json<Hook>)> {
    if !new.url.0.starts_with("https://") {
        return Err(Failure::Unprocessable("hooks are told over https"));
    }
    let event = match new.event {
        Event::Push => "push",
        Event::Issues => "issues",
        Event::Release => "release",
    };
    let sql = "INSERT INTO hooks (repository, url, event) VALUES (?1, ?2, ?3)
               RETURNING id, url, event";
    let hook = forge
        .store
        .one(sql, (repo.id, new.url.0, event), Hook::read)
        .await?;
    Ok((StatusCode::CREATED, Json(hook)))
}

#[requires(policy = "maintainer")]
async fn remove(
    State(forge): State<Forge>,
    repo: Repo,
    HookId { hook }: HookId,
) -> Answer<StatusCode> {
    let sql = "DELETE FROM hooks WHERE id = ?1 AND repository = ?2";
    forge.store.change(sql, (hook, repo.id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
