//! Public information about the forge.

use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, public, vocabulary};
use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};

use crate::Forge;
use crate::extract::Json;
use crate::failure::{Answer, Failure};
use crate::repos::Repository;

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .route("/", get(index))
        .route("/healthz", get(healthz))
        .route("/scopes", get(scopes))
        .route("/explore", get(explore))
}

#[public(reason = "where clients start")]
async fn index() -> Json<Value> {
    Json(json!({ "explore": "/explore", "user": "/user", "scopes": "/scopes" }))
}

#[public(reason = "liveness probe")]
async fn healthz() -> &'static str {
    "ok\n"
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    description: &'static str,
}

#[public(reason = "clients have to know what they can ask for")]
async fn scopes() -> Json<Vec<Scope>> {
    let scopes = vocabulary!().scopes().iter();
    Json(
        scopes
            .map(|scope| Scope {
                name: scope.name(),
                description: scope.description(),
            })
            .collect(),
    )
}

#[public(reason = "public repositories are for everybody; the query takes no others")]
async fn explore(State(forge): State<Forge>) -> Answer<Json<Vec<Repository>>> {
    let sql = "SELECT login, repositories.name, description, visibility FROM repositories
               JOIN accounts ON accounts.id = owner
               WHERE visibility = 'public' ORDER BY login, repositories.name LIMIT 100";
    let repositories = forge.store.all(sql, [], Repository::read).await?;
    Ok(Json(repositories))
}

/// The response of every unknown path, and of every hidden one.
#[public(reason = "tells nothing but that there is nothing")]
pub(crate) async fn not_found() -> Failure {
    Failure::NotFound
}
