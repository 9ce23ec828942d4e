//! Labels of a repository, on a guarded router.

use auth_runtime::{GuardedRouter, requires};
use auth_runtime_utoipa::{RouterExt, routes};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::{Forge, Label, utoipa};

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(remove))
        .routes(routes!(attach, detach))
}

/// Lists the labels.
#[requires(scope = "repo:read")]
#[utoipa::path(get, path = "/labels", tag = "labels", responses((status = 200, body = Vec<Label>)))]
async fn list(State(forge): State<Forge>) -> Json<Vec<Label>> {
    Json(forge.labels.lock().expect("no panic").clone())
}

/// Adds a label.
#[requires(scope = "repo:write")]
#[utoipa::path(post, path = "/labels", tag = "labels", request_body = Label, responses((status = 201)))]
async fn add(State(forge): State<Forge>, Json(new): Json<Label>) -> StatusCode {
    forge.labels.lock().expect("no panic").push(new);
    StatusCode::CREATED
}

/// Removes a label.
#[requires(role = "owner", hide_as = 404)]
#[utoipa::path(delete, path = "/labels/{label}", tag = "labels", params(("label" = String, Path)), responses((status = 204)))]
async fn remove(State(forge): State<Forge>, Path(label): Path<String>) -> StatusCode {
    let mut labels = forge.labels.lock().expect("no panic");
    labels.retain(|own| own.name != label);
    StatusCode::NO_CONTENT
}

/// Attaches a label to an issue.
#[requires(scope = "repo:write")]
#[utoipa::path(
    put,
    path = "/issues/{number}/labels/{label}",
    tag = "labels",
    params(("number" = u64, Path), ("label" = String, Path)),
    responses((status = 204)),
)]
async fn attach(Path((_number, _label)): Path<(u64, String)>) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Detaches a label from an issue.
#[requires(scope = "repo:write")]
#[utoipa::path(
    delete,
    path = "/issues/{number}/labels/{label}",
    tag = "labels",
    params(("number" = u64, Path), ("label" = String, Path)),
    responses((status = 204)),
)]
async fn detach(Path((_number, _label)): Path<(u64, String)>) -> StatusCode {
    StatusCode::NO_CONTENT
}
