//! Repositories. A private one is visible to its readers only.

use auth_runtime::routing::{get, post};
use auth_runtime::{Guard, GuardedRouter, requires};
use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::extract::{Json, Me, Org, Repo};
use crate::failure::{Answer, Failure};
use crate::objects::{of_repositories, repositories};
use crate::text::{Name, Text};
use crate::{Forge, actions};

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .route("/user/repos", get(list).post(create))
        .route("/orgs/{org}/repos", post(create_in_org))
        .route(
            "/repos/{owner}/{repo}",
            get(show).patch(change).delete(remove),
        )
}

#[derive(Serialize)]
pub(crate) struct Repository {
    owner: String,
    name: String,
    description: String,
    visibility: String,
}

impl Repository {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            owner: row.get(0)?,
            name: row.get(1)?,
            description: row.get(2)?,
            visibility: row.get(3)?,
        })
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Visibility {
    Public,
    Private,
}

impl Visibility {
    fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }
}

#[requires(scope = "repo:read", check = crate::checks::is_active)]
async fn list(guard: Guard, State(forge): State<Forge>) -> Answer<Json<Vec<Repository>>> {
    let all = repositories(&forge.store);
    let readable = guard.permitted(actions::READ, "Repository", all).await?;
    let sql = "SELECT login, repositories.name, description, visibility FROM repositories
               JOIN accounts ON accounts.id = owner WHERE {}
               ORDER BY login, repositories.name LIMIT 100";
    let repositories = forge
        .store
        .permitted(sql, of_repositories(readable)?, [], Repository::read);
    Ok(Json(repositories.await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRepository {
    name: Name,
    #[serde(default)]
    description: Text,
    visibility: Visibility,
}

#[requires(scope = "repo:write", check = crate::checks::is_active)]
async fn create(
    State(forge): State<Forge>,
    me: Me,
    Json(new): Json<NewRepository>,
) -> Answer<(StatusCode, Json<Repository>)> {
    insert(&forge, me.id, new).await
}

#[requires(policy = "org-owner", scope = "repo:write")]
async fn create_in_org(
    State(forge): State<Forge>,
    org: Org,
    Json(new): Json<NewRepository>,
) -> Answer<(StatusCode, Json<Repository>)> {
    insert(&forge, org.id, new).await
}

/// The shared part of the two handlers. A handler cannot call another one, since that would bypass
/// its guard.
async fn insert(
    forge: &Forge,
    owner: i64,
    new: NewRepository,
) -> Answer<(StatusCode, Json<Repository>)> {
    let sql = "INSERT INTO repositories (owner, name, description, visibility)
               VALUES (?1, ?2, ?3, ?4)
               RETURNING (SELECT login FROM accounts WHERE id = owner), name, description, visibility";
    let visibility = new.visibility.name();
    let parameters = (owner, new.name.0, new.description.0, visibility);
    let repository = forge.store.one(sql, parameters, Repository::read).await?;
    Ok((StatusCode::CREATED, Json(repository)))
}

#[requires(policy = "reader")]
async fn show(State(forge): State<Forge>, repo: Repo) -> Answer<Json<Repository>> {
    let sql = "SELECT login, repositories.name, description, visibility FROM repositories
               JOIN accounts ON accounts.id = owner WHERE repositories.id = ?1";
    let repository = forge.store.one(sql, [repo.id], Repository::read).await?;
    Ok(Json(repository))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    description: Option<Text>,
    visibility: Option<Visibility>,
}

#[requires(policy = "maintainer")]
async fn change(
    State(forge): State<Forge>,
    repo: Repo,
    Json(change): Json<Change>,
) -> Answer<Json<Repository>> {
    let sql = "UPDATE repositories SET description = coalesce(?2, description),
                   visibility = coalesce(?3, visibility) WHERE id = ?1
               RETURNING (SELECT login FROM accounts WHERE id = owner), name, description, visibility";
    let description = change.description.map(|text| text.0);
    let visibility = change.visibility.map(Visibility::name);
    let parameters = (repo.id, description, visibility);
    let repository = forge.store.one(sql, parameters, Repository::read).await?;
    Ok(Json(repository))
}

/// An irreversible action also requires a login within the last 15 minutes.
#[requires(policy = "maintainer", max_age = "15m")]
async fn remove(State(forge): State<Forge>, repo: Repo) -> Result<StatusCode, Failure> {
    let sql = "DELETE FROM repositories WHERE id = ?1";
    forge.store.change(sql, [repo.id]).await?;
    Ok(StatusCode::NO_CONTENT)
}
