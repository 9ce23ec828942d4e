//! An access report in a browser: with a keyboard, on a phone, without scripts.
//!
//! Not part of `cargo test --workspace`, since it needs more than Rust:
//! `cargo test -p auth-tests --test access_report_page` installs its dependencies (see
//! `clients/setup.sh`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use auth_runtime::routing::{any, get};
use auth_runtime::{Caller, GuardedRouter, Identity, public, requires};
use auth_runtime_audit::{AccessMatrix, AccessReport, Persona};
use auth_tests::programs::{output_of, set_up};
use auth_tests::{space, token};
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::from_fn;
use axum::response::IntoResponse;
use serde_json::{Value, json};

#[public(reason = "</code></script><script>alert(1)</script><img src=x onerror=alert(2)>")]
async fn healthz() {}

#[requires(scope = "repo:read", hide_as = 404)]
async fn show() {}

#[requires(scope = "repo:write", hide_as = 404, hide_unless = scope("repo:read"))]
async fn change() {}

#[requires(any(role = "<b>admin", network = "192.0.2.0/24"))]
async fn everything() {}

#[requires(any(
    all(
        role = "auditor-of-everything-that-was-ever-done",
        scope = "an-unusually-long-scope:that-has-no-space-to-break-at"
    ),
    permission = "another-name-that-is-as-long-as-names-become-in-large-organisations"
))]
async fn a_handler_with_a_name_that_is_as_long_as_names_become_in_large_services() {}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/healthz", get(healthz))
        .route("/repos", any(everything))
        .route("/repos/{id}", get(show).put(change))
        .route(
            "/a/path/as/long/as/they/become/{organisation}/and-then-some-more-of-it/without-an-end",
            get(a_handler_with_a_name_that_is_as_long_as_names_become_in_large_services),
        )
        .merge_unguarded("for the scraper", &["/*"], Router::new())
}

async fn report() -> String {
    // One response differs from the policies.
    let intercept = from_fn(
        async |request: axum::extract::Request, next: axum::middleware::Next| {
            if request.uri().path() == "/repos" && request.headers().contains_key("x-lucky") {
                return StatusCode::OK.into_response();
            }
            next.run(request).await
        },
    );
    let app = routes()
        .protect(space())
        .expect("a router")
        .layer(intercept);
    let known = |name: &str, scope: &str| {
        let token = token(json!({ "scope": scope }));
        let identity = Identity::new("ann").with_scopes(scope.split(' '));
        Persona::known(name, identity).header(AUTHORIZATION, format!("Bearer {token}"))
    };
    let table = routes().access_table();
    let lucky = Persona::named("<img src=x onerror=alert(3)>", Caller::Anonymous);
    let matrix = AccessMatrix::builder(&table, &space())
        .path_value("id", "7")
        .path_value("organisation", "acme")
        .persona(Persona::anonymous())
        .persona(lucky.header(axum::http::HeaderName::from_static("x-lucky"), "1"))
        .persona(Persona::named(
            "somebody_with_a_name_that_is_as_long_as_names_become_anywhere",
            Caller::Anonymous,
        ))
        .persona(known("reader", "repo:read"))
        .persona(known("writer", "repo:read repo:write"))
        .send(&app)
        .await
        .expect("a matrix");
    AccessReport::new(&table).with_matrix(&matrix).to_html()
}

const LONG: &str =
    "GET /a/path/as/long/as/they/become/{organisation}/and-then-some-more-of-it/without-an-end";

/// Returns the expected contents.
fn expected() -> Vec<(&'static str, Value)> {
    let all = [
        "any /*",
        LONG,
        "GET /healthz",
        "any /repos",
        "GET /repos/{id}",
        "PUT /repos/{id}",
    ];
    let everything = json!({ "rows": all, "count": "all 6 rows", "hash": "" });
    let one = json!({
        "rows": ["PUT /repos/{id}"], "count": "1 of 6 rows", "hash": "#text=Repos/{ID&method=PUT",
    });
    let hostile = json!({ "images": 0, "scripts": 1, "title": "Access policies", "texts": 2 });
    vec![
        ("everything at first", everything.clone()),
        (
            "every filter by Tab, in order",
            json!([
                "text", "method", "asks", "access", "persona", "response", "reset"
            ]),
        ),
        ("where the focus is", json!("solid")),
        ("the search by a slash", json!("text")),
        (
            "a part of a path, in whatever case",
            json!({
                "rows": ["GET /repos/{id}", "PUT /repos/{id}"], "count": "2 of 6 rows",
                "hash": "#text=Repos/{ID",
            }),
        ),
        ("a slash that is typed", json!("Repos/{ID/")),
        ("a method besides", one.clone()),
        ("the same after a reload", one),
        ("everything after a reset", everything),
        ("a scope", json!(["GET /repos/{id}", "PUT /repos/{id}"])),
        ("what is public", json!(["GET /healthz"])),
        (
            "what is hidden",
            json!(["GET /repos/{id}", "PUT /repos/{id}"]),
        ),
        ("what is unguarded", json!(["any /*"])),
        (
            "where a reader is let in",
            json!(["GET /healthz", "GET /repos/{id}"]),
        ),
        (
            "what the reader is answered",
            json!(["reader 200", "reader 200"]),
        ),
        (
            "another address on the same page",
            json!(["GET /repos/{id}", "PUT /repos/{id}"]),
        ),
        ("whose responses are hidden after a reset", json!(0)),
        (
            "where anybody is let in",
            json!(["GET /healthz", "GET /repos/{id}", "PUT /repos/{id}"]),
        ),
        ("what nobody asks for any more", json!(all)),
        ("what is chosen then", json!([0, 0, 0, 0, 0])),
        ("hostile texts are texts", hostile),
        (
            "the count is told to those who do not see it",
            json!("status"),
        ),
        (
            "nothing else may run or be fetched",
            json!({ "ran": false, "fetched": false }),
        ),
        ("what the policy says to that", json!(true)),
        ("printed without filters", json!(false)),
        (
            "nothing wider than 320 pixels",
            json!({ "page": 0, "elements": [] }),
        ),
        (
            "nothing wider than 768 pixels",
            json!({ "page": 0, "elements": [] }),
        ),
        (
            "nothing wider than 840 pixels",
            json!({ "page": 0, "elements": [] }),
        ),
        (
            "without scripts the whole table",
            json!({ "rows": 6, "filters": false }),
        ),
        ("no barriers by day (axe)", json!([])),
        ("no barriers by night (axe)", json!([])),
        ("no barriers on a phone (axe)", json!([])),
        ("no barriers on a phone by night (axe)", json!([])),
        ("no complaints", json!([])),
        ("no requests", json!(["PAGE"])),
    ]
}

#[tokio::test]
async fn page_is_accessible() {
    let folder = set_up(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients"));
    let file = folder.join("access.html");
    std::fs::write(&file, report().await).expect("a file");
    let seen = look_at(&folder, &file);
    let mut failures = Vec::new();
    for (sight, wanted) in expected() {
        match seen.get(sight) {
            Some(seen) if *seen == wanted => println!("as expected: {sight}"),
            seen => failures.push(format!("{sight}\n  expected {wanted}\n  seen     {seen:?}")),
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert_eq!(seen.len(), expected().len(), "{seen:#?}");
}

fn look_at(folder: &Path, file: &PathBuf) -> BTreeMap<String, Value> {
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    let mut node = Command::new("node");
    node.arg("access_report.mjs").arg(file).arg(chromium);
    let output = output_of(node.current_dir(folder).stderr(Stdio::inherit()));
    let sights = output.lines().filter_map(|line| {
        let sight: Value = serde_json::from_str(line).ok()?;
        Some((sight["sight"].as_str()?.to_owned(), sight["seen"].clone()))
    });
    sights.collect()
}
