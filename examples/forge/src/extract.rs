//! The extractors of the handlers, for authorized requests.

use auth_runtime::Identity;
use auth_runtime::objects::Resource;
use auth_runtime::routing::FromIdentity;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Forge;
use crate::failure::Failure;
use crate::text::Name;

/// A JSON body of a request or a response. The rejection of a request is a [`Failure`], unlike that of axum's
/// extractor, so that all errors of the service have one form.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Forge> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, forge: &Forge) -> Result<Self, Failure> {
        let axum::Json(body) = axum::Json::from_request(request, forge).await?;
        Ok(Self(body))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The query of a request.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Forge> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(head: &mut Parts, forge: &Forge) -> Result<Self, Failure> {
        let axum::extract::Query(query) =
            axum::extract::Query::from_request_parts(head, forge).await?;
        Ok(Self(query))
    }
}

/// The body of a request that uploads a file.
pub(crate) struct Content(pub(crate) Bytes);

impl FromRequest<Forge> for Content {
    type Rejection = Failure;

    async fn from_request(request: Request, forge: &Forge) -> Result<Self, Failure> {
        Ok(Self(Bytes::from_request(request, forge).await?))
    }
}

/// The caller's account.
pub(crate) struct Me {
    pub(crate) id: i64,
    pub(crate) login: String,
}

impl FromIdentity<Forge> for Me {
    type Rejection = Failure;

    async fn from_identity(
        identity: &Identity,
        _head: &mut Parts,
        forge: &Forge,
    ) -> Result<Self, Failure> {
        let login = identity.subject().to_owned();
        let sql = "SELECT id, login FROM accounts WHERE login = ?1 AND kind = 'user'";
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Self {
                id: row.get(0)?,
                login: row.get(1)?,
            })
        };
        forge.store.one(sql, [login], read).await
    }
}

/// The repository of a path below `/repos/{owner}/{repo}`.
pub(crate) struct Repo {
    pub(crate) id: i64,
    /// The owner and the name.
    path: String,
}

impl From<&Repo> for Resource {
    fn from(repo: &Repo) -> Self {
        Self::new("Repository", &repo.path)
    }
}

#[derive(Deserialize)]
struct RepoPath {
    owner: String,
    repo: String,
}

impl FromRequestParts<Forge> for Repo {
    type Rejection = Failure;

    /// The request is already authorized, but the repository may have been deleted since.
    async fn from_request_parts(head: &mut Parts, forge: &Forge) -> Result<Self, Failure> {
        let path = Path::<RepoPath>::from_request_parts(head, forge).await;
        let Path(RepoPath { owner, repo }) = path.map_err(|_| Failure::NotFound)?;
        let sql = "SELECT repositories.id, login || '/' || repositories.name FROM repositories
                   JOIN accounts ON accounts.id = owner
                   WHERE login = ?1 AND repositories.name = ?2";
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Self {
                id: row.get(0)?,
                path: row.get(1)?,
            })
        };
        forge.store.one(sql, (owner, repo), read).await
    }
}

/// The organization of a path below `/orgs/{org}`.
pub(crate) struct Org {
    pub(crate) id: i64,
}

#[derive(Deserialize)]
struct OrgPath {
    org: String,
}

impl FromRequestParts<Forge> for Org {
    type Rejection = Failure;

    async fn from_request_parts(head: &mut Parts, forge: &Forge) -> Result<Self, Failure> {
        let path = Path::<OrgPath>::from_request_parts(head, forge).await;
        let Path(OrgPath { org }) = path.map_err(|_| Failure::NotFound)?;
        let sql = "SELECT id FROM accounts WHERE login = ?1 AND kind = 'org'";
        let read = |row: &rusqlite::Row<'_>| Ok(Self { id: row.get(0)? });
        forge.store.one(sql, [org], read).await
    }
}

/// Extractors of path parameters by name. A value of the wrong type leads to the response
/// for a missing object.
macro_rules! parameters {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $value:ty),* })*) => {
        $(
            $(#[$doc])*
            #[derive(Deserialize)]
            pub(crate) struct $name {
                $(pub(crate) $field: $value,)*
            }

            impl FromRequestParts<Forge> for $name {
                type Rejection = Failure;

                async fn from_request_parts(head: &mut Parts, forge: &Forge) -> Result<Self, Failure> {
                    let path = Path::<Self>::from_request_parts(head, forge).await;
                    path.map(|Path(own)| own).map_err(|_| Failure::NotFound)
                }
            }
        )*
    };
}

parameters! {
    /// `{login}`: the account of a person.
    Login { login: String }
    /// `{number}`: an issue or a pull request, numbered within its repository.
    Number { number: i64 }
    /// `{comment}`
    CommentId { comment: i64 }
    /// `{label}`
    LabelName { label: String }
    /// `{tag}`: a release.
    Tag { tag: String }
    /// `{asset}`: a file of a release.
    AssetId { asset: i64 }
    /// `{file}`: the name of a new file of a release.
    FileName { file: Name }
    /// `{key}`: a deploy key.
    KeyId { key: i64 }
    /// `{hook}`
    HookId { hook: i64 }
    /// `{token}`: a personal token.
    TokenId { token: i64 }
    /// `{gist}`
    GistId { gist: i64 }
    /// `{team}`
    Slug { team: String }
    /// `{team}` and `{repo}`: a repository of a team.
    TeamRepo { team: String, repo: String }
}
