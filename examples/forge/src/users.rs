//! People: their public profiles, and their own settings.

use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, public, requires};
use axum::extract::State;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::Forge;
use crate::extract::{Json, Login, Me};
use crate::failure::Answer;
use crate::text::{Line, Text};

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .route("/users/{login}", get(show))
        .route("/user", get(own).patch(change))
}

/// A public profile.
#[derive(Serialize)]
pub(crate) struct Profile {
    login: String,
    name: String,
    bio: String,
}

impl Profile {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            login: row.get(0)?,
            name: row.get(1)?,
            bio: row.get(2)?,
        })
    }

    /// Returns the profile of a person or an organization.
    pub(crate) async fn of(forge: &Forge, account: i64) -> Answer<Json<Self>> {
        let sql = "SELECT login, name, bio FROM accounts WHERE id = ?1";
        Ok(Json(forge.store.one(sql, [account], Self::read).await?))
    }
}

/// The changes to a profile.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileChange {
    name: Option<Line>,
    bio: Option<Text>,
}

impl ProfileChange {
    pub(crate) async fn make(self, forge: &Forge, account: i64) -> Answer<Json<Profile>> {
        let sql =
            "UPDATE accounts SET name = coalesce(?2, name), bio = coalesce(?3, bio) WHERE id = ?1
                   RETURNING login, name, bio";
        let (name, bio) = (self.name.map(|name| name.0), self.bio.map(|bio| bio.0));
        let profile = forge.store.one(sql, (account, name, bio), Profile::read);
        Ok(Json(profile.await?))
    }
}

#[public(reason = "profiles are for everybody")]
async fn show(State(forge): State<Forge>, Login { login }: Login) -> Answer<Json<Profile>> {
    let sql = "SELECT login, name, bio FROM accounts WHERE login = ?1 AND NOT is_suspended";
    Ok(Json(forge.store.one(sql, [login], Profile::read).await?))
}

#[requires(scope = "user:read", check = crate::checks::is_active)]
async fn own(State(forge): State<Forge>, me: Me) -> Answer<Json<Profile>> {
    Profile::of(&forge, me.id).await
}

#[requires(scope = "user:write", check = crate::checks::is_active)]
async fn change(
    State(forge): State<Forge>,
    me: Me,
    Json(change): Json<ProfileChange>,
) -> Answer<Json<Profile>> {
    change.make(&forge, me.id).await
}
