//! Releases and their files. A signed link to a file is valid for some minutes, so that programs
//! without an account can download it.

use std::time::Duration;

use auth_runtime::objects::Resource;
use auth_runtime::routing::{get, post};
use auth_runtime::{Guard, GuardedRouter, Identity, requires};
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::IntoResponse;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::extract::{AssetId, Content, FileName, Json, Me, Repo, Tag};
use crate::failure::{Answer, Failure};
use crate::text::{Name, Text};
use crate::{Forge, actions};

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .route("/repos/{owner}/{repo}/releases", get(list).post(create))
        .route(
            "/repos/{owner}/{repo}/releases/{tag}",
            get(show).delete(remove),
        )
        .route(
            "/repos/{owner}/{repo}/releases/{tag}/assets/{file}",
            post(upload),
        )
        .route("/repos/{owner}/{repo}/assets/{asset}/link", post(link))
        .route("/downloads/{asset}", get(download))
}

#[derive(Serialize)]
struct Release {
    tag: String,
    notes: String,
}

impl Release {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            tag: row.get(0)?,
            notes: row.get(1)?,
        })
    }
}

#[requires(policy = "reader")]
async fn list(State(forge): State<Forge>, repo: Repo) -> Answer<Json<Vec<Release>>> {
    let sql = "SELECT tag, notes FROM releases WHERE repository = ?1 ORDER BY id DESC LIMIT 100";
    Ok(Json(forge.store.all(sql, [repo.id], Release::read).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRelease {
    tag: Name,
    #[serde(default)]
    notes: Text,
}

#[requires(policy = "writer")]
async fn create(
    State(forge): State<Forge>,
    repo: Repo,
    Json(new): Json<NewRelease>,
) -> Answer<(StatusCode, Json<Release>)> {
    let sql = "INSERT INTO releases (repository, tag, notes) VALUES (?1, ?2, ?3)
               RETURNING tag, notes";
    let parameters = (repo.id, new.tag.0, new.notes.0);
    let release = forge.store.one(sql, parameters, Release::read).await?;
    Ok((StatusCode::CREATED, Json(release)))
}

#[requires(policy = "reader")]
async fn show(State(forge): State<Forge>, repo: Repo, Tag { tag }: Tag) -> Answer<Json<Release>> {
    let sql = "SELECT tag, notes FROM releases WHERE repository = ?1 AND tag = ?2";
    let release = forge.store.one(sql, (repo.id, tag), Release::read).await?;
    Ok(Json(release))
}

#[requires(policy = "maintainer")]
async fn remove(State(forge): State<Forge>, repo: Repo, Tag { tag }: Tag) -> Answer<StatusCode> {
    let sql = "DELETE FROM releases WHERE repository = ?1 AND tag = ?2";
    forge.store.change(sql, (repo.id, tag)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct Uploaded {
    asset: i64,
}

#[requires(policy = "writer")]
async fn upload(
    State(forge): State<Forge>,
    repo: Repo,
    Tag { tag }: Tag,
    FileName { file }: FileName,
    Content(content): Content,
) -> Answer<(StatusCode, Json<Uploaded>)> {
    let sql = "INSERT INTO assets (release, name, content)
               SELECT id, ?3, ?4 FROM releases WHERE repository = ?1 AND tag = ?2
               RETURNING id";
    let parameters = (repo.id, tag, file.0, content.to_vec());
    let read = |row: &Row<'_>| Ok(Uploaded { asset: row.get(0)? });
    let uploaded = forge.store.one(sql, parameters, read).await?;
    Ok((StatusCode::CREATED, Json(uploaded)))
}

#[derive(Serialize)]
struct Link {
    link: String,
}

/// The lifetime of a link.
const LINK_LIVES: Duration = Duration::from_secs(300);

#[requires(policy = "reader")]
async fn link(
    State(forge): State<Forge>,
    me: Me,
    repo: Repo,
    AssetId { asset }: AssetId,
) -> Answer<Json<Link>> {
    let sql = "SELECT assets.id FROM assets JOIN releases ON releases.id = release
               WHERE assets.id = ?1 AND repository = ?2";
    let read = |row: &Row<'_>| row.get(0);
    let asset: i64 = forge.store.one(sql, (asset, repo.id), read).await?;
    // The link acts for its creator. It stops working when the creator is suspended, or may no longer read the
    // repository.
    let identity = Identity::new(me.login).with_scopes(["asset:download"]);
    let target = format!("/downloads/{asset}");
    let link = forge
        .links
        .sign(&Method::GET, &target, LINK_LIVES, &identity);
    let link = link.map_err(|error| {
        tracing::error!(%error, "a link could not be signed");
        Failure::Broken
    })?;
    Ok(Json(Link { link }))
}

/// A file, which the readers of its repository may read.
struct Asset {
    content: Vec<u8>,
    /// The owner and the name.
    repository: String,
}

impl Asset {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            content: row.get(0)?,
            repository: row.get(1)?,
        })
    }
}

impl From<&Asset> for Resource {
    fn from(asset: &Asset) -> Self {
        Self::new("Repository", &asset.repository)
    }
}

#[requires(policy = "link")]
async fn download(
    guard: Guard,
    State(forge): State<Forge>,
    AssetId { asset }: AssetId,
) -> Answer<impl IntoResponse> {
    let sql = "SELECT content, login || '/' || repositories.name FROM assets
               JOIN releases ON releases.id = release
               JOIN repositories ON repositories.id = repository
               JOIN accounts ON accounts.id = owner WHERE assets.id = ?1";
    // A link may outlive its file. The response is then the 404 of an invalid link.
    let asset = match forge.store.one(sql, [asset], Asset::read).await {
        Err(Failure::NotFound) => None,
        asset => Some(asset?),
    };
    let asset = guard.load(actions::READ, asset).await?;
    // Browsers never display an uploaded file as a page of this site.
    let fields = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CONTENT_DISPOSITION, "attachment"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((fields, asset.content))
}
