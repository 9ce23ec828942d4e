//! Labels of a repository, and their issues.

use auth_runtime::routing::{delete, get, put};
use auth_runtime::{GuardedRouter, requires};
use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::Forge;
use crate::extract::{Json, LabelName, Number, Repo};
use crate::failure::{Answer, Failure};
use crate::text::Name;

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .route("/repos/{owner}/{repo}/labels", get(list).post(add))
        .route("/repos/{owner}/{repo}/labels/{label}", delete(remove))
        .route(
            "/repos/{owner}/{repo}/issues/{number}/labels/{label}",
            put(attach).delete(detach),
        )
}

#[derive(Serialize)]
struct Label {
    name: String,
    color: String,
}

impl Label {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            name: row.get(0)?,
            color: row.get(1)?,
        })
    }
}

#[requires(policy = "reader")]
async fn list(State(forge): State<Forge>, repo: Repo) -> Answer<Json<Vec<Label>>> {
    let sql = "SELECT name, color FROM labels WHERE repository = ?1 ORDER BY name";
    Ok(Json(forge.store.all(sql, [repo.id], Label::read).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLabel {
    name: Name,
    /// Six hexadecimal digits.
    color: String,
}

#[requires(policy = "writer")]
async fn add(
    State(forge): State<Forge>,
    repo: Repo,
    Json(new): Json<NewLabel>,
) -> Answer<(StatusCode, Json<Label>)> {
    let is_color = new.color.len() == 6 && new.color.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_color {
        return Err(Failure::Unprocessable("a color is six hexadecimal digits"));
    }
    let sql = "INSERT INTO labels (repository, name, color) VALUES (?1, ?2, ?3)
               RETURNING name, color";
    let parameters = (repo.id, new.name.0, new.color);
    let label = forge.store.one(sql, parameters, Label::read).await?;
    Ok((StatusCode::CREATED, Json(label)))
}

#[requires(policy = "writer")]
async fn remove(
    State(forge): State<Forge>,
    repo: Repo,
    LabelName { label }: LabelName,
) -> Answer<StatusCode> {
    let sql = "DELETE FROM labels WHERE repository = ?1 AND name = ?2";
    forge.store.change(sql, (repo.id, label)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[requires(policy = "writer")]
async fn attach(
    State(forge): State<Forge>,
    repo: Repo,
    Number { number }: Number,
    LabelName { label }: LabelName,
) -> Answer<StatusCode> {
    let sql = "INSERT INTO issue_labels (issue, label)
               SELECT issues.id, labels.id FROM issues JOIN labels USING (repository)
               WHERE repository = ?1 AND number = ?2 AND name = ?3
               ON CONFLICT DO UPDATE SET label = excluded.label";
    forge.store.change(sql, (repo.id, number, label)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[requires(policy = "writer")]
async fn detach(
    State(forge): State<Forge>,
    repo: Repo,
    Number { number }: Number,
    LabelName { label }: LabelName,
) -> Answer<StatusCode> {
    let sql = "DELETE FROM issue_labels WHERE (issue, label) IN (
                   SELECT issues.id, labels.id FROM issues JOIN labels USING (repository)
                   WHERE repository = ?1 AND number = ?2 AND name = ?3)";
    forge.store.change(sql, (repo.id, number, label)).await?;
    Ok(StatusCode::NO_CONTENT)
}
