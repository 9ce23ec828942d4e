//! The matrix in a file, for reviews.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use super::*;

async fn short_asked(readers_scope: &'static str) -> AccessMatrix {
    let reader = known("reader", Identity::new("rita").with_scopes([readers_scope]));
    let builder = short_matrix().persona(Persona::anonymous()).persona(reader);
    builder.send(&short_app()).await.expect("a matrix")
}

#[tokio::test]
async fn missing_file_fails() {
    let matrix = short_asked("repo:read").await;
    let file = file("missing.md");
    let expected = file.clone();
    let failure = catch_unwind(AssertUnwindSafe(|| assert_access_matrix!(matrix, file)))
        .expect_err("no file");
    assert_eq!(
        failure.downcast_ref::<String>().expect("a text"),
        &format!(
            "the access matrix `{}` does not exist; create it with `ACCESS_MATRIX=overwrite cargo \
             test`, and commit it",
            expected.display()
        )
    );
    assert!(!expected.exists());
}

#[tokio::test]
async fn newly_allowed_callers_come_first() {
    let file = file("changed.md");
    let before = short_asked("repo:read").await.to_markdown();
    let before = before.replace(
        "| GET | `/healthz` | 200 | 200 |\n",
        "| GET | `/gone` | 200 | 200 |\n",
    );
    std::fs::write(&file, before).expect("a file");
    let report = short_asked("repo:write")
        .await
        .check(&file)
        .expect_err("a change");
    assert!(!report.is_difference());
    assert_eq!(
        report.to_string(),
        "\
the responses differ from `changed.md`

newly allowed
  POST `/repos`
    reader: 403 scope → 201

added
  GET `/healthz`
    anonymous: nothing → 200
    reader: nothing → 200

no longer allowed
  GET `/repos/{id}`
    reader: 200 → 404 hidden

removed
  GET `/gone`
    anonymous: 200 → nothing
    reader: 200 → nothing

changed personas
  reader: known: scope \"repo:read\" → known: scope \"repo:write\"

To accept the differences, run `ACCESS_MATRIX=overwrite cargo test`, and commit `changed.md`."
    );
}

#[tokio::test]
async fn unguarded_routers_are_numbered() {
    let routes = |reasons: &[&'static str]| {
        let short = GuardedRouter::new().route("/healthz", get(healthz));
        let routes = reasons.iter().fold(short, |routes, reason| {
            routes.merge_unguarded(reason, &["/*"], Router::new())
        });
        let matrix = AccessMatrix::builder(&routes.access_table(), &space());
        (matrix, routes.protect(space()).expect("a router"))
    };
    let file = file("unguarded.md");
    let (matrix, app) = routes(&["for the scraper", "for the proxy"]);
    let matrix = matrix.persona(Persona::anonymous()).send(&app).await;
    let matrix = matrix.expect("a matrix");
    std::fs::write(&file, matrix.to_markdown()).expect("a file");
    matrix.check(&file).expect("the same");
    let (fewer, app) = routes(&["for the scraper"]);
    let fewer = fewer.persona(Persona::anonymous()).send(&app).await;
    let report = fewer.expect("a matrix").check(&file).expect_err("a change");
    let report = report.to_string();
    let removed = "removed\n  unguarded `/*`, another\n    anonymous: - → nothing\n";
    assert!(report.contains(removed), "{report}");
}

#[tokio::test]
async fn file_without_table_fails() {
    let matrix = short_asked("repo:read").await;
    let file = file("unreadable.md");
    std::fs::write(&file, "<<<<<<< HEAD\n").expect("a file");
    let report = matrix.check(&file).expect_err("no table").to_string();
    assert!(report.contains("has no response table"), "{report}");
    let folder = file.with_file_name("folder.md");
    std::fs::create_dir_all(&folder).expect("a folder");
    let report = matrix.check(&folder).expect_err("a folder").to_string();
    assert!(report.contains("cannot be read or written"), "{report}");
    std::fs::remove_dir(folder).expect("the folder");
}

#[tokio::test]
async fn change_is_accepted_by_the_environment() -> Result<(), AccessMatrixError> {
    // Run in a process of its own, because of its environment.
    if let Some(file) = std::env::var_os("ACCESS_MATRIX_FILE") {
        let matrix = short_asked("repo:read").await;
        if std::env::var_os("ACCESS_MATRIX_DIFFERS").is_some() {
            // A matrix that differs from the policies is never written.
            let app = short_app().layer(map_response(async |_: Response| StatusCode::OK));
            return short_matrix()
                .persona(Persona::anonymous())
                .send(&app)
                .await?
                .check(file);
        }
        assert_access_matrix!(matrix, file);
        return Ok(());
    }
    let file = file("accepted.md");
    let test = |accept: Option<&str>, differs: bool| {
        let mut test = Command::new(std::env::current_exe().expect("this program"));
        test.args([
            "--exact",
            "access_matrix::snapshot::change_is_accepted_by_the_environment",
        ]);
        test.env("ACCESS_MATRIX_FILE", &file)
            .env_remove("ACCESS_MATRIX")
            .env_remove("CI");
        test.envs(accept.map(|value| ("ACCESS_MATRIX", value)));
        test.envs(differs.then_some(("ACCESS_MATRIX_DIFFERS", "")));
        test
    };
    let is_success = |mut test: Command| test.output().expect("a run").status.success();
    let run = |accept: Option<&str>, differs: bool| is_success(test(accept, differs));
    for value in [None, Some(""), Some("1"), Some("Overwrite")] {
        assert!(!run(value, false), "{value:?}");
        assert!(!file.exists());
    }
    assert!(!run(Some("overwrite"), true));
    assert!(!file.exists());
    // An accepted change would not be reviewed there.
    let mut in_ci = test(Some("overwrite"), false);
    in_ci.env("CI", "true");
    assert!(!is_success(in_ci));
    assert!(!file.exists());
    assert!(run(Some("overwrite"), false));
    let written = std::fs::read_to_string(&file).expect("a file");
    let start = "# Access matrix\n\nGenerated: `assert_access_matrix!` compares it \
                 with the responses of the service. A change is accepted \
                 by\n`ACCESS_MATRIX=overwrite cargo test`, and reviewed here.\n\n- anonymous: no \
                 credentials\n";
    assert!(written.starts_with(start), "{written}");
    assert!(run(None, false));
    std::fs::write(&file, written.replace("403 scope", "200")).expect("a file");
    assert!(!run(None, false));
    assert!(run(Some("overwrite"), false));
    Ok(())
}

#[tokio::test]
async fn differences_precede_the_file() {
    let cached = from_fn(async |request: Request, next: axum::middleware::Next| {
        match request.uri().path() {
            "/repos" => (StatusCode::OK, "from a cache").into_response(),
            _ => next.run(request).await,
        }
    });
    let builder = short_matrix().persona(Persona::anonymous());
    let matrix = builder.send(&short_app().layer(cached)).await;
    let report = matrix.expect("a matrix").check(file("never-read.md"));
    let report = report.expect_err("a difference");
    assert!(report.is_difference());
    assert_eq!(
        report.to_string(),
        "\
the responses of the service differ from its policies

  POST /repos, anonymous: the policy denies with 401 without credentials (rule 2: unknown: scope = \
         \"repo:write\"), but a layer, or a router around this one, responded with 200"
    );
}
