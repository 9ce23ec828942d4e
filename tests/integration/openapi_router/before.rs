//! Labels of a repository, on a plain router.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::utoipa_axum;
use super::{Forge, Label, utoipa};

pub(crate) fn routes() -> OpenApiRouter<Forge> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(remove))
        .routes(routes!(attach, detach))
}

/// Lists the labels.
#[utoipa::path(get, path = "/labels", tag = "labels", responses((status = 200, body = Vec<Label>)))]
async fn list(State(forge): State<Forge>) -> Json<Vec<Label>> {
    Json(forge.labels.lock().expect("no panic").clone())
}

/// Adds a label.
#[utoipa::path(post, path = "/labels", tag = "labels", request_body = Label, responses((status = 201)))]
async fn add(State(forge): State<Forge>, Json(new): Json<Label>) -> StatusCode {
    forge.labels.lock().expect("no panic").push(new);
    StatusCode::CREATED
}

/// Removes a label.
#[utoipa::path(delete, path = "/labels/{label}", tag = "labels", params(("label" = String, Path)), responses((status = 204)))]
async fn remove(State(forge): State<Forge>, Path(label): Path<String>) -> StatusCode {
    let mut labels = forge.labels.lock().expect("no panic");
    labels.retain(|own| own.name != label);
    StatusCode::NO_CONTENT
}

/// Attaches a label to an issue.
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
