//! Rows for both values of a setting.

use auth_runtime::ProtectedRouter;
use auth_runtime_audit::{AccessMatrixBuilder, AccessReport};

use super::*;

#[requires(any(setting = "open_registry", scope = "repo:read"))]
async fn pull() {}

#[requires(setting = "beta", role = "admin", hide_as = 404)]
async fn beta() {}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/beta", get(beta))
        .route("/healthz", get(healthz))
        .route("/pull", get(pull))
}

fn space_of(open: bool, beta: bool) -> ProtectionSpace {
    let space = space_builder()
        .setting("open_registry", open)
        .setting("beta", beta);
    space.build().expect("the space is in order")
}

/// An application, and a matrix of it that is not sent yet.
fn app_of(
    space: ProtectionSpace,
    personas: impl IntoIterator<Item = Persona>,
) -> (ProtectedRouter, AccessMatrixBuilder) {
    let empty = AccessMatrix::builder(&routes().access_table(), &space);
    let matrix = personas
        .into_iter()
        .fold(empty, AccessMatrixBuilder::persona);
    (routes().protect(space).expect("a router"), matrix)
}

fn personas() -> [Persona; 3] {
    [Persona::anonymous(), reader(), admin()]
}

async fn matrix_of(open: bool, beta: bool) -> AccessMatrix {
    let (app, matrix) = app_of(space_of(open, beta), personas());
    matrix.send(&app).await.expect("a matrix")
}

const ROWS: &str = "\
| method | path | anonymous | reader | admin |
|---|---|---|---|---|
| GET | `/beta` with setting `beta` | 404 hidden | 404 hidden | 200 |
| GET | `/beta` without setting `beta` | 404 hidden | 404 hidden | 404 hidden |
| GET | `/healthz` | 200 | 200 | 200 |
| GET | `/pull` with setting `open_registry` | 200 | 200 | 200 |
| GET | `/pull` without setting `open_registry` | 401 | 200 | 200 |
";

#[tokio::test]
async fn a_matrix_has_both_values() {
    let matrix = matrix_of(true, true)
        .await
        .and(matrix_of(false, false).await);
    let matrix = matrix.expect("the same personas");
    let markdown = matrix.to_markdown();
    assert!(markdown.contains(ROWS), "{markdown}");
    assert!(matrix.differences().next().is_none());
    let row = matrix.rows().last().expect("a row");
    assert_eq!(row.to_string(), "GET /pull without setting `open_registry`");
    assert_eq!(
        row.settings().collect::<Vec<_>>(),
        [("open_registry", false)]
    );
    let json = serde_json::to_value(&matrix).expect("JSON");
    assert_eq!(
        json["rows"][4]["settings"],
        json!({ "open_registry": false })
    );
    assert_eq!(json["rows"][2].get("settings"), None);
    let table = routes().access_table();
    let page = AccessReport::new(&table).with_matrix(&matrix).to_html();
    assert_eq!(page.matches("setting `open_registry`").count(), 4, "{page}");
    let summary = "3 rows: 1 public, 1 hidden, 0 unguarded. With a row for each object and each \
                   value of a setting: 5 rows.";
    assert!(page.contains(summary), "{page}");

    let file = file("both-values.md");
    let missing = matrix.check(&file).expect_err("no file").to_string();
    assert!(missing.contains("does not exist"), "{missing}");
}

#[tokio::test]
async fn one_value_is_not_sufficient() {
    let one = matrix_of(true, false).await.check(file("one-value.md"));
    let error = one.expect_err("one value").to_string();
    assert_eq!(
        error,
        "the matrix has only one value of some settings\n\n  \
         `setting = \"beta\"` is false in every row; add the matrix of a router with the other value: \
         `.and(...)`\n  \
         `setting = \"open_registry\"` is true in every row; add the matrix of a router with the other \
         value: `.and(...)`"
    );
}

#[tokio::test]
async fn matrices_with_other_columns_stay_apart() {
    let (app, other) = app_of(space_of(false, false), [Persona::anonymous()]);
    let other = other.send(&app).await.expect("a matrix");
    let error = matrix_of(true, true).await.and(other).expect_err("columns");
    assert!(error.to_string().contains("different personas"), "{error}");
}

/// Two matrices may have the same rows, which then have the same responses.
#[tokio::test]
async fn matrices_with_other_responses_stay_apart() {
    let teapot = map_response(async |mut response: Response| {
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
        response
    });
    let (app, other) = app_of(space_of(false, false), personas());
    let other = other.send(&app.layer(teapot)).await.expect("a matrix");
    let error = matrix_of(true, true).await.and(other);
    let error = error.expect_err("other responses").to_string();
    let expected =
        "the two matrices have different responses for GET /healthz, and the same settings";
    assert!(error.contains(expected), "{error}");
    assert!(!error.contains("/pull"), "{error}");
    let same = matrix_of(true, true).await;
    let both = same.clone().and(same.clone()).expect("the same responses");
    assert_eq!(both.to_markdown(), same.to_markdown());
}

/// The status alone does not tell who responded.
#[tokio::test]
async fn matrices_with_other_responders_stay_apart() {
    let intercept = from_fn(async |request: Request, next: axum::middleware::Next| {
        if request.uri().path() == "/healthz" {
            return StatusCode::OK.into_response();
        }
        next.run(request).await
    });
    let (app, other) = app_of(space_of(false, false), personas());
    let other = other.send(&app.layer(intercept)).await.expect("a matrix");
    let error = matrix_of(true, true).await.and(other);
    let error = error.expect_err("another responder").to_string();
    assert!(
        error.contains("different responses for GET /healthz"),
        "{error}"
    );
}

/// The cells of a matrix are in the order of its personas, so their names and order are the same in both.
#[tokio::test]
async fn matrices_with_other_personas_stay_apart() {
    // Of the same name, with other grants.
    let renamed = known("reader", Identity::new("rita").with_roles(["admin"]));
    for personas in [
        [Persona::anonymous(), admin(), reader()],
        [Persona::anonymous(), renamed, admin()],
    ] {
        let (app, other) = app_of(space_of(false, false), personas);
        let other = other.send(&app).await.expect("a matrix");
        let error = matrix_of(true, true)
            .await
            .and(other)
            .expect_err("personas");
        assert!(error.to_string().contains("different personas"), "{error}");
    }
}
