//! Notifications about issues that a person takes part in.

use auth_runtime::routing::get;
use auth_runtime::{Guard, GuardedRouter, requires};
use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::Row;
use serde::Serialize;

use crate::extract::{Json, Me};
use crate::failure::{Answer, Failure};
use crate::objects::{of_repositories, repositories};
use crate::{Forge, actions};

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new().route("/notifications", get(list).put(mark_read))
}

#[derive(Serialize)]
struct Notification {
    title: String,
    is_read: bool,
}

impl Notification {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            title: row.get(0)?,
            is_read: row.get(1)?,
        })
    }
}

/// The titles of issues that the person may no longer read are left out. Titles are contents of repositories, so
/// the token needs the scope to read these.
#[requires(scope = "user:read", scope = "repo:read", check = crate::checks::is_active)]
async fn list(guard: Guard, State(forge): State<Forge>, me: Me) -> Answer<Json<Vec<Notification>>> {
    let all = repositories(&forge.store);
    let readable = guard.permitted(actions::READ, "Repository", all).await?;
    let sql = "SELECT title, is_read FROM notifications JOIN issues ON issues.id = issue
               JOIN repositories ON repositories.id = repository
               WHERE {} AND notifications.account = ?
               ORDER BY notifications.id DESC LIMIT 100";
    let notifications = forge.store.permitted(
        sql,
        of_repositories(readable)?,
        [me.id.into()],
        Notification::read,
    );
    Ok(Json(notifications.await?))
}

#[requires(scope = "user:write", check = crate::checks::is_active)]
async fn mark_read(State(forge): State<Forge>, me: Me) -> Answer<StatusCode> {
    let sql = "UPDATE notifications SET is_read = TRUE WHERE account = ?1";
    match forge.store.change(sql, [me.id]).await {
        // A missing notification counts as read.
        Ok(()) | Err(Failure::NotFound) => Ok(StatusCode::NO_CONTENT),
        Err(failure) => Err(failure),
    }
}
