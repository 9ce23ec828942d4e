//! Teams: members of an organization that share access to some of its repositories.

use auth_runtime::routing::{delete, get, put};
use auth_runtime::{GuardedRouter, requires};
use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::Forge;
use crate::collaborators::Grant;
use crate::extract::{Json, Login, Org, Slug, TeamRepo};
use crate::failure::Answer;
use crate::text::Name;

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .route("/orgs/{org}/teams", get(list).post(create))
        .route("/orgs/{org}/teams/{team}", delete(remove))
        .route(
            "/orgs/{org}/teams/{team}/members/{login}",
            put(add_member).delete(remove_member),
        )
        .route("/orgs/{org}/teams/{team}/repos/{repo}", put(grant))
}

#[derive(Serialize)]
struct Team {
    slug: String,
    members: i64,
}

impl Team {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            slug: row.get(0)?,
            members: row.get(1)?,
        })
    }
}

#[requires(policy = "org-member")]
async fn list(State(forge): State<Forge>, org: Org) -> Answer<Json<Vec<Team>>> {
    let sql = "SELECT slug, (SELECT count(*) FROM team_members WHERE team = teams.id) FROM teams
               WHERE org = ?1 ORDER BY slug";
    Ok(Json(forge.store.all(sql, [org.id], Team::read).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTeam {
    slug: Name,
}

#[requires(policy = "org-owner")]
async fn create(
    State(forge): State<Forge>,
    org: Org,
    Json(new): Json<NewTeam>,
) -> Answer<(StatusCode, Json<Team>)> {
    let sql = "INSERT INTO teams (org, slug) VALUES (?1, ?2) RETURNING slug, 0";
    let team = forge
        .store
        .one(sql, (org.id, new.slug.0), Team::read)
        .await?;
    Ok((StatusCode::CREATED, Json(team)))
}

#[requires(policy = "org-owner")]
async fn remove(State(forge): State<Forge>, org: Org, Slug { team }: Slug) -> Answer<StatusCode> {
    let sql = "DELETE FROM teams WHERE org = ?1 AND slug = ?2";
    forge.store.change(sql, (org.id, team)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Only members of the organization can be added, so that a team does not bypass the owners.
#[requires(policy = "org-owner")]
async fn add_member(
    State(forge): State<Forge>,
    org: Org,
    Slug { team }: Slug,
    Login { login }: Login,
) -> Answer<StatusCode> {
    let sql = "INSERT INTO team_members (team, account)
               SELECT teams.id, accounts.id FROM teams
               JOIN memberships USING (org) JOIN accounts ON accounts.id = memberships.account
               WHERE org = ?1 AND slug = ?2 AND login = ?3
               ON CONFLICT DO UPDATE SET account = excluded.account";
    forge.store.change(sql, (org.id, team, login)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[requires(policy = "org-owner")]
async fn remove_member(
    State(forge): State<Forge>,
    org: Org,
    Slug { team }: Slug,
    Login { login }: Login,
) -> Answer<StatusCode> {
    let sql = "DELETE FROM team_members
               WHERE team = (SELECT id FROM teams WHERE org = ?1 AND slug = ?2)
               AND account = (SELECT id FROM accounts WHERE login = ?3)";
    forge.store.change(sql, (org.id, team, login)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Only repositories of the organization itself can be added.
#[requires(policy = "org-owner", scope = "repo:admin")]
async fn grant(
    State(forge): State<Forge>,
    org: Org,
    TeamRepo { team, repo }: TeamRepo,
    Json(Grant { level }): Json<Grant>,
) -> Answer<StatusCode> {
    let sql = "INSERT INTO team_repositories (team, repository, level)
               SELECT teams.id, repositories.id, ?4 FROM teams
               JOIN repositories ON repositories.owner = teams.org
               WHERE org = ?1 AND slug = ?2 AND repositories.name = ?3
               ON CONFLICT DO UPDATE SET level = excluded.level";
    let parameters = (org.id, team, repo, level.number());
    forge.store.change(sql, parameters).await?;
    Ok(StatusCode::NO_CONTENT)
}
