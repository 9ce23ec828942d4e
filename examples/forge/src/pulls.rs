//! Pull requests. Readers open them, and writers merge them.

use auth_runtime::routing::{get, put};
use auth_runtime::{GuardedRouter, requires};
use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::Forge;
use crate::extract::{Json, Me, Number, Repo};
use crate::failure::{Answer, Failure};
use crate::text::{Line, Name, Text};

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .route("/repos/{owner}/{repo}/pulls", get(list).post(open))
        .route("/repos/{owner}/{repo}/pulls/{number}", get(show))
        .route("/repos/{owner}/{repo}/pulls/{number}/merge", put(merge))
}

#[derive(Serialize)]
struct Pull {
    number: i64,
    title: String,
    state: String,
    author: String,
    head: String,
    base: String,
}

impl Pull {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            title: row.get(1)?,
            state: row.get(2)?,
            author: row.get(3)?,
            head: row.get(4)?,
            base: row.get(5)?,
        })
    }
}

#[requires(policy = "reader")]
async fn list(State(forge): State<Forge>, repo: Repo) -> Answer<Json<Vec<Pull>>> {
    let sql = "SELECT number, title, state, login, head, base FROM issues
               JOIN accounts ON accounts.id = author
               WHERE repository = ?1 AND head IS NOT NULL ORDER BY number DESC LIMIT 100";
    Ok(Json(forge.store.all(sql, [repo.id], Pull::read).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPull {
    title: Line,
    #[serde(default)]
    body: Text,
    head: Name,
    base: Name,
}

#[requires(policy = "participant")]
async fn open(
    State(forge): State<Forge>,
    me: Me,
    repo: Repo,
    Json(new): Json<NewPull>,
) -> Answer<(StatusCode, Json<Pull>)> {
    if new.head.0 == new.base.0 {
        return Err(Failure::Unprocessable(
            "a branch cannot be merged into itself",
        ));
    }
    let sql = "INSERT INTO issues (repository, number, author, title, body, head, base)
               SELECT ?1, 1 + coalesce(max(number), 0), ?2, ?3, ?4, ?5, ?6 FROM issues
               WHERE repository = ?1
               RETURNING number, title, state, (SELECT login FROM accounts WHERE id = author), head, base";
    let NewPull {
        title,
        body,
        head,
        base,
    } = new;
    let parameters = (repo.id, me.id, title.0, body.0, head.0, base.0);
    let pull = forge.store.one(sql, parameters, Pull::read).await?;
    Ok((StatusCode::CREATED, Json(pull)))
}

#[requires(policy = "reader")]
async fn show(
    State(forge): State<Forge>,
    repo: Repo,
    Number { number }: Number,
) -> Answer<Json<Pull>> {
    let sql = "SELECT number, title, state, login, head, base FROM issues
               JOIN accounts ON accounts.id = author
               WHERE repository = ?1 AND number = ?2 AND head IS NOT NULL";
    let pull = forge.store.one(sql, (repo.id, number), Pull::read).await?;
    Ok(Json(pull))
}

#[requires(policy = "writer")]
async fn merge(
    State(forge): State<Forge>,
    repo: Repo,
    Number { number }: Number,
) -> Answer<StatusCode> {
    let merged = forge.store.transaction(move |database| {
        let sql = "SELECT state FROM issues
                   WHERE repository = ?1 AND number = ?2 AND head IS NOT NULL";
        let state: String = database.query_row(sql, (repo.id, number), |row| row.get(0))?;
        if state != "open" {
            return Err(Failure::Conflict);
        }
        let sql = "UPDATE issues SET state = 'merged' WHERE repository = ?1 AND number = ?2";
        database.execute(sql, (repo.id, number))?;
        Ok(())
    });
    merged.await?;
    Ok(StatusCode::NO_CONTENT)
}
