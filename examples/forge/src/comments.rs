//! Comments on issues and pull requests.

use auth_runtime::routing::{get, patch};
use auth_runtime::{Guard, GuardedRouter, requires};
use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::extract::{CommentId, Json, Me, Number, Repo};
use crate::failure::{Answer, Failure};
use crate::text::Text;
use crate::{Forge, actions};

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .route(
            "/repos/{owner}/{repo}/issues/{number}/comments",
            get(list).post(add),
        )
        .route(
            "/repos/{owner}/{repo}/comments/{comment}",
            patch(change).delete(remove),
        )
}

#[derive(Serialize)]
struct Comment {
    id: i64,
    author: String,
    body: String,
}

impl Comment {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            author: row.get(1)?,
            body: row.get(2)?,
        })
    }
}

#[requires(policy = "reader")]
async fn list(
    State(forge): State<Forge>,
    repo: Repo,
    Number { number }: Number,
) -> Answer<Json<Vec<Comment>>> {
    let sql = "SELECT id FROM issues WHERE repository = ?1 AND number = ?2";
    let read = |row: &Row<'_>| row.get(0);
    let issue: i64 = forge.store.one(sql, (repo.id, number), read).await?;
    let sql = "SELECT comments.id, login, body FROM comments
               JOIN accounts ON accounts.id = author WHERE issue = ?1 ORDER BY comments.id LIMIT 100";
    Ok(Json(forge.store.all(sql, [issue], Comment::read).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewComment {
    body: Text,
}

/// Also notifies the author of the issue.
#[requires(policy = "participant")]
async fn add(
    State(forge): State<Forge>,
    me: Me,
    repo: Repo,
    Number { number }: Number,
    Json(new): Json<NewComment>,
) -> Answer<(StatusCode, Json<Comment>)> {
    let added = forge.store.transaction(move |database| {
        let sql = "INSERT INTO comments (issue, author, body)
                   SELECT id, ?3, ?4 FROM issues WHERE repository = ?1 AND number = ?2
                   RETURNING id, (SELECT login FROM accounts WHERE id = author), body";
        let parameters = (repo.id, number, me.id, new.body.0);
        let comment = database.query_row(sql, parameters, Comment::read)?;
        let sql = "INSERT INTO notifications (account, issue) SELECT author, id FROM issues
                   WHERE repository = ?1 AND number = ?2 AND author <> ?3";
        database.execute(sql, (repo.id, number, me.id))?;
        Ok(comment)
    });
    Ok((StatusCode::CREATED, Json(added.await?)))
}

/// Only the author may change the text of a comment, not even an administrator of the repository.
#[requires(policy = "participant")]
async fn change(
    guard: Guard,
    State(forge): State<Forge>,
    me: Me,
    repo: Repo,
    CommentId { comment }: CommentId,
    Json(new): Json<NewComment>,
) -> Answer<Json<Comment>> {
    guard.permit(is_author(&forge, &me, &repo, comment).await?)?;
    let sql = "UPDATE comments SET body = ?3 WHERE id = ?1 AND author = ?2
               RETURNING id, (SELECT login FROM accounts WHERE id = author), body";
    let parameters = (comment, me.id, new.body.0);
    let changed = forge.store.one(sql, parameters, Comment::read);
    Ok(Json(changed.await?))
}

#[requires(policy = "participant")]
async fn remove(
    guard: Guard,
    State(forge): State<Forge>,
    me: Me,
    repo: Repo,
    CommentId { comment }: CommentId,
) -> Answer<StatusCode> {
    if !is_author(&forge, &me, &repo, comment).await? {
        guard.can(actions::WRITE, &repo).await?;
    }
    let sql = "DELETE FROM comments WHERE id = ?1
               AND issue IN (SELECT id FROM issues WHERE repository = ?2)";
    forge.store.change(sql, (comment, repo.id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Returns whether the caller wrote a comment. A comment of another repository counts as missing, so its
/// number discloses nothing.
async fn is_author(forge: &Forge, me: &Me, repo: &Repo, comment: i64) -> Result<bool, Failure> {
    let sql = "SELECT comments.author = ?3 FROM comments JOIN issues ON issues.id = issue
               WHERE comments.id = ?1 AND issues.repository = ?2";
    let read = |row: &Row<'_>| row.get(0);
    forge.store.one(sql, (comment, repo.id, me.id), read).await
}
