//! Gists: single files. A secret gist is visible to its owner only, which each handler decides for
//! the object. A missing gist and a secret one of another owner both pass through the guard, and
//! have the same response.

use auth_runtime::routing::get;
use auth_runtime::{Guard, GuardedRouter, requires};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::Forge;
use crate::extract::{GistId, Me};
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

    async fn find(forge: &Forge, id: i64) -> Result<Option<Self>, Failure> {
        let sql = "SELECT gists.id, login, gists.name, content, is_secret FROM gists
                   JOIN accounts ON accounts.id = owner WHERE gists.id = ?1";
        match forge.store.one(sql, [id], Self::read).await {
            Ok(gist) => Ok(Some(gist)),
            Err(Failure::NotFound) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn is_of(&self, me: &Me) -> bool {
        self.owner == me.login
    }
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
    let gist = Gist::find(&forge, gist).await?;
    let gist = gist.filter(|gist| !gist.is_secret || gist.is_of(&me));
    guard.permit(gist.is_some())?;
    gist.map(Json).ok_or(Failure::NotFound)
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
    let found = Gist::find(&forge, gist).await?;
    guard.permit(found.is_some_and(|gist| gist.is_of(&me)))?;
    let sql = "UPDATE gists SET content = ?2 WHERE id = ?1
               RETURNING id, (SELECT login FROM accounts WHERE id = owner), name, content, is_secret";
    let changed = forge.store.one(sql, (gist, change.content.0), Gist::read);
    Ok(Json(changed.await?))
}

#[requires(scope = "gist", check = crate::checks::is_active, hide_as = 404)]
async fn remove(
    guard: Guard,
    State(forge): State<Forge>,
    me: Me,
    GistId { gist }: GistId,
) -> Answer<StatusCode> {
    let found = Gist::find(&forge, gist).await?;
    guard.permit(found.is_some_and(|gist| gist.is_of(&me)))?;
    let sql = "DELETE FROM gists WHERE id = ?1";
    forge.store.change(sql, [gist]).await?;
    Ok(StatusCode::NO_CONTENT)
}
