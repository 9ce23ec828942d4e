//! Gists: single files. A secret gist is visible to its owner only, which the statement of each handler
//! decides. A missing gist and a secret one of another owner both pass through the guard, and have the same
//! response.

use auth_runtime::routing::{KnowsCaller, get};
use auth_runtime::{Guard, GuardedRouter, requires};
use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::Forge;
use crate::extract::{GistId, Json, Me};
use crate::failure::{Answer, Failure};
use crate::text::{Name, Text};

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .route("/gists", get(list).post(create))
        .route("/gists/{gist}", get(show).patch(change).delete(remove))
}

#[derive(Serialize)]
struct Gist {
    id: i64,
    owner: String,
    name: String,
    content: String,
    is_secret: bool,
}

impl Gist {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            owner: row.get(1)?,
            name: row.get(2)?,
            content: row.get(3)?,
            is_secret: row.get(4)?,
        })
    }
}

/// Denies the request if its statement found no gist that the caller may use. Whether another caller has one
/// makes no difference.
fn permit<P: KnowsCaller, T>(guard: &Guard<P>, found: Answer<T>) -> Answer<T> {
    guard.permit(!matches!(found, Err(Failure::NotFound)))?;
    found
}

#[requires(scope = "gist", check = crate::checks::is_active)]
async fn list(State(forge): State<Forge>, me: Me) -> Answer<Json<Vec<Gist>>> {
    let sql = "SELECT gists.id, login, gists.name, content, is_secret FROM gists
               JOIN accounts ON accounts.id = owner WHERE owner = ?1 ORDER BY gists.id LIMIT 100";
    Ok(Json(forge.store.all(sql, [me.id], Gist::read).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewGist {
    name: Name,
    content: Text,
    is_secret: bool,
}

#[requires(scope = "gist", check = crate::checks::is_active)]
async fn create(
    State(forge): State<Forge>,
    me: Me,
    Json(new): Json<NewGist>,
) -> Answer<(StatusCode, Json<Gist>)> {
    let sql = "INSERT INTO gists (owner, name, content, is_secret) VALUES (?1, ?2, ?3, ?4)
               RETURNING id, (SELECT login FROM accounts WHERE id = owner), name, content, is_secret";
    let parameters = (me.id, new.name.0, new.content.0, new.is_secret);
    let gist = forge.store.one(sql, parameters, Gist::read).await?;
    Ok((StatusCode::CREATED, Json(gist)))
}

#[requires(scope = "gist", check = crate::checks::is_active, hide_as = 404)]
async fn show(
    guard: Guard,
    State(forge): State<Forge>,
    me: Me,
    GistId { gist }: GistId,
) -> Answer<Json<Gist>> {
    let sql = "SELECT gists.id, login, gists.name, content, is_secret FROM gists
               JOIN accounts ON accounts.id = owner
               WHERE gists.id = ?1 AND (NOT is_secret OR owner = ?2)";
    let found = forge.store.one(sql, (gist, me.id), Gist::read).await;
    permit(&guard, found).map(Json)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    content: Text,
}

#[requires(scope = "gist", check = crate::checks::is_active, hide_as = 404)]
async fn change(
    guard: Guard,
    State(forge): State<Forge>,
    me: Me,
    GistId { gist }: GistId,
    Json(change): Json<Change>,
) -> Answer<Json<Gist>> {
    let sql = "UPDATE gists SET content = ?3 WHERE id = ?1 AND owner = ?2
               RETURNING id, (SELECT login FROM accounts WHERE id = owner), name, content, is_secret";
    let parameters = (gist, me.id, change.content.0);
    let changed = forge.store.one(sql, parameters, Gist::read).await;
    permit(&guard, changed).map(Json)
}

#[requires(scope = "gist", check = crate::checks::is_active, hide_as = 404)]
async fn remove(
    guard: Guard,
    State(forge): State<Forge>,
    me: Me,
    GistId { gist }: GistId,
) -> Answer<StatusCode> {
    let sql = "DELETE FROM gists WHERE id = ?1 AND owner = ?2";
    let removed = forge.store.change(sql, (gist, me.id)).await;
    permit(&guard, removed)?;
    Ok(StatusCode::NO_CONTENT)
}
