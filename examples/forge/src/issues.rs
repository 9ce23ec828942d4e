//! Issues. Every reader of a repository may open one.

use auth_runtime::routing::get;
use auth_runtime::{Guard, GuardedRouter, requires};
use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::extract::{Json, Me, Number, Repo};
use crate::failure::Answer;
use crate::text::{Line, Text};
use crate::{Forge, actions};

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .route("/repos/{owner}/{repo}/issues", get(list).post(open))
        .route(
            "/repos/{owner}/{repo}/issues/{number}",
            get(show).patch(change),
        )
}

#[derive(Serialize)]
pub(crate) struct Issue {
    number: i64,
    title: String,
    body: String,
    state: String,
    author: String,
}

impl Issue {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            title: row.get(1)?,
            body: row.get(2)?,
            state: row.get(3)?,
            author: row.get(4)?,
        })
    }
}

#[requires(policy = "reader")]
async fn list(State(forge): State<Forge>, repo: Repo) -> Answer<Json<Vec<Issue>>> {
    let sql = "SELECT number, title, body, state, login FROM issues
               JOIN accounts ON accounts.id = author
               WHERE repository = ?1 AND head IS NULL ORDER BY number DESC LIMIT 100";
    Ok(Json(forge.store.all(sql, [repo.id], Issue::read).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewIssue {
    title: Line,
    #[serde(default)]
    body: Text,
}

#[requires(policy = "participant")]
async fn open(
    State(forge): State<Forge>,
    me: Me,
    repo: Repo,
    Json(new): Json<NewIssue>,
) -> Answer<(StatusCode, Json<Issue>)> {
    let sql = "INSERT INTO issues (repository, number, author, title, body)
               SELECT ?1, 1 + coalesce(max(number), 0), ?2, ?3, ?4 FROM issues WHERE repository = ?1
               RETURNING number, title, body, state, (SELECT login FROM accounts WHERE id = author)";
    let parameters = (repo.id, me.id, new.title.0, new.body.0);
    let issue = forge.store.one(sql, parameters, Issue::read).await?;
    Ok((StatusCode::CREATED, Json(issue)))
}

#[requires(policy = "reader")]
async fn show(
    State(forge): State<Forge>,
    repo: Repo,
    Number { number }: Number,
) -> Answer<Json<Issue>> {
    let sql = "SELECT number, title, body, state, login FROM issues
               JOIN accounts ON accounts.id = author
               WHERE repository = ?1 AND number = ?2 AND head IS NULL";
    let issue = forge.store.one(sql, (repo.id, number), Issue::read).await?;
    Ok(Json(issue))
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Progress {
    Open,
    Closed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    title: Option<Line>,
    body: Option<Text>,
    state: Option<Progress>,
}

/// Only the author of the issue and the writers of the repository may change it.
#[requires(policy = "participant")]
async fn change(
    guard: Guard,
    State(forge): State<Forge>,
    me: Me,
    repo: Repo,
    Number { number }: Number,
    Json(change): Json<Change>,
) -> Answer<Json<Issue>> {
    let sql = "SELECT author = ?3 FROM issues
               WHERE repository = ?1 AND number = ?2 AND head IS NULL";
    let read = |row: &Row<'_>| row.get(0);
    let is_author: bool = forge.store.one(sql, (repo.id, number, me.id), read).await?;
    if !is_author {
        guard.can(actions::WRITE, &repo).await?;
    }
    let sql = "UPDATE issues SET title = coalesce(?3, title), body = coalesce(?4, body),
                   state = coalesce(?5, state) WHERE repository = ?1 AND number = ?2 AND head IS NULL
               RETURNING number, title, body, state, (SELECT login FROM accounts WHERE id = author)";
    let state = change.state.map(|state| match state {
        Progress::Open => "open",
        Progress::Closed => "closed",
    });
    let (title, body) = (
        change.title.map(|line| line.0),
        change.body.map(|text| text.0),
    );
    let parameters = (repo.id, number, title, body, state);
    let issue = forge.store.one(sql, parameters, Issue::read).await?;
    Ok(Json(issue))
}
