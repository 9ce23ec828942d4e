//! Organizations and their members.

use auth_runtime::routing::{get, post, put};
use auth_runtime::{GuardedRouter, public, requires};
use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};

use crate::Forge;
use crate::extract::{Json, Login, Me, Org};
use crate::failure::{Answer, Failure};
use crate::text::Name;
use crate::users::{Profile, ProfileChange};

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .route("/orgs", post(found))
        .route("/orgs/{org}", get(show).patch(change))
        .route("/orgs/{org}/members", get(members))
        .route("/orgs/{org}/members/{login}", put(add).delete(remove))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewOrg {
    login: Name,
}

/// The founder becomes the owner.
#[requires(scope = "org:write", check = crate::checks::is_active)]
async fn found(
    State(forge): State<Forge>,
    me: Me,
    Json(new): Json<NewOrg>,
) -> Answer<(StatusCode, Json<Profile>)> {
    let founded = forge.store.transaction(move |database| {
        let sql =
            "INSERT INTO accounts (login, kind) VALUES (?1, 'org') RETURNING login, name, bio";
        let profile = database.query_row(sql, [new.login.0], Profile::read)?;
        let sql = "INSERT INTO memberships (org, account, role) VALUES (?1, ?2, 'owner')";
        database.execute(sql, (database.last_insert_rowid(), me.id))?;
        Ok(profile)
    });
    Ok((StatusCode::CREATED, Json(founded.await?)))
}

#[public(reason = "profiles are for everybody")]
async fn show(State(forge): State<Forge>, org: Org) -> Answer<Json<Profile>> {
    Profile::of(&forge, org.id).await
}

#[requires(policy = "org-owner")]
async fn change(
    State(forge): State<Forge>,
    org: Org,
    Json(change): Json<ProfileChange>,
) -> Answer<Json<Profile>> {
    change.make(&forge, org.id).await
}

#[derive(Serialize)]
struct Member {
    login: String,
    role: String,
}

impl Member {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            login: row.get(0)?,
            role: row.get(1)?,
        })
    }
}

#[requires(policy = "org-member")]
async fn members(State(forge): State<Forge>, org: Org) -> Answer<Json<Vec<Member>>> {
    let sql = "SELECT login, role FROM memberships JOIN accounts ON accounts.id = account
               WHERE org = ?1 ORDER BY login";
    Ok(Json(forge.store.all(sql, [org.id], Member::read).await?))
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    Member,
    Owner,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Appointment {
    role: Role,
}

#[requires(policy = "org-owner")]
async fn add(
    State(forge): State<Forge>,
    org: Org,
    Login { login }: Login,
    Json(Appointment { role }): Json<Appointment>,
) -> Answer<StatusCode> {
    let role = match role {
        Role::Member => "member",
        Role::Owner => "owner",
    };
    let sql = "INSERT INTO memberships (org, account, role)
               SELECT ?1, id, ?3 FROM accounts WHERE login = ?2 AND kind = 'user'
               ON CONFLICT DO UPDATE SET role = excluded.role";
    let changed = forge.store.transaction(move |database| {
        match database.execute(sql, (org.id, login, role))? {
            0 => Err(Failure::NotFound),
            _ => keep_owners(database),
        }
    });
    changed.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The member is removed from the teams of the organization as well.
#[requires(policy = "org-owner")]
async fn remove(
    State(forge): State<Forge>,
    org: Org,
    Login { login }: Login,
) -> Answer<StatusCode> {
    let removed = forge.store.transaction(move |database| {
        let sql = "DELETE FROM memberships WHERE org = ?1
                   AND account = (SELECT id FROM accounts WHERE login = ?2)";
        if database.execute(sql, (org.id, &login))? == 0 {
            return Err(Failure::NotFound);
        }
        let sql = "DELETE FROM team_members
                   WHERE team IN (SELECT id FROM teams WHERE org = ?1)
                   AND account = (SELECT id FROM accounts WHERE login = ?2)";
        database.execute(sql, (org.id, &login))?;
        keep_owners(database)
    });
    removed.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The last owner cannot be removed, since only owners can add others.
pub(crate) fn keep_owners(database: &Connection) -> Result<(), Failure> {
    let sql = "SELECT EXISTS (SELECT 1 FROM accounts AS orgs WHERE kind = 'org' AND NOT EXISTS (
                   SELECT 1 FROM memberships WHERE org = orgs.id AND role = 'owner'))";
    let lacks_owner: bool = database.query_row(sql, [], |row| row.get(0))?;
    if lacks_owner {
        Err(Failure::Unprocessable(
            "an organization has an owner at all times",
        ))
    } else {
        Ok(())
    }
}
