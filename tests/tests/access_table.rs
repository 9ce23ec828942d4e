//! Who may call what, as the router itself tells.

use std::convert::Infallible;

use auth_runtime::routing::{any, get, on, post};
use auth_runtime::{AccessTable, Guard, GuardedRouter, Mounted, public, requires};
use auth_tests::space;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request};
use axum::routing::MethodFilter;
use serde_json::{Value, json};
use tower::ServiceExt;

#[public(reason = "liveness probe")]
async fn healthz() {}

#[requires(scope = "repo:read", hide_as = 404)]
async fn show() {}

#[requires(scope = "repo:write")]
async fn change() {}

#[requires(any(role = "admin", network = "192.0.2.0/24"))]
async fn everything() {}

#[requires(authenticated)]
struct Files;

#[requires(role = "auditor")]
struct Log;

#[public(reason = "tells \"nothing\" | not even `why`")]
async fn not_found() {}

#[public(reason = "another 404")]
struct Elsewhere;

fn service()
-> impl tower::Service<Request, Response = &'static str, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    tower::service_fn(|_request: Request| async { Ok("a file") })
}

const MERGED: u32 = line!() + 14;

fn router() -> GuardedRouter {
    let repos = GuardedRouter::new()
        .route("/", any(everything))
        .route("/{id}", get(show).put(change))
        .nest_service("/{id}/files", Files, service())
        .fallback_service(Elsewhere, service());
    GuardedRouter::new()
        .route("/healthz", get(healthz))
        .route("/log", post(async |_: Guard<Log>| ()))
        .nest("/v1", GuardedRouter::new().nest("/repos", repos))
        .nest(
            "/ops",
            GuardedRouter::new().merge_unguarded("for the scraper", &["/*"], Router::new()),
        )
        .fallback(not_found)
}

/// The lines on which the handlers stand change with this file; that they are right is asked elsewhere.
fn without_lines(text: &str) -> String {
    let line = regex_lite::Regex::new(r"\.rs:[0-9]+").expect("a pattern");
    line.replace_all(text, ".rs:_").into_owned()
}

#[test]
fn the_table_is_shown_in_columns() {
    let expected = r#"
METHOD    PATH                   WHO MAY CALL                                                 DENIALS  HANDLER                   SOURCE
fallback  /*                     public(reason = "tells \"nothing\" | not even `why`")        none     access_table::not_found   tests/tests/access_table.rs:_
GET       /healthz               public(reason = "liveness probe")                            none     access_table::healthz     tests/tests/access_table.rs:_
POST      /log                   requires(role = "auditor")                                   shown    access_table::Log         tests/tests/access_table.rs:_
any       /ops/*                 unguarded(reason = "for the scraper")                        none     -                         tests/tests/access_table.rs:_
any       /v1/repos              requires(any(role = "admin", network = "192.0.2.0/24"))      shown    access_table::everything  tests/tests/access_table.rs:_
fallback  /v1/repos/*            public(reason = "another 404")                               none     access_table::Elsewhere   tests/tests/access_table.rs:_
GET       /v1/repos/{id}         requires(scope = "repo:read", hide_as = 404)                 hidden   access_table::show        tests/tests/access_table.rs:_
PUT       /v1/repos/{id}         requires(scope = "repo:write")                               hidden   access_table::change      tests/tests/access_table.rs:_
any       /v1/repos/{id}/files/* requires(authenticated)                                      shown    access_table::Files       tests/tests/access_table.rs:_
"#;
    let shown = without_lines(&router().access_table().to_string());
    let squeeze = |text: &str| {
        let lines = text.trim().lines();
        let words = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        words.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(squeeze(&shown), squeeze(expected), "\n{shown}");
    let columns = |line: &str| line.find("tests/tests").or(line.find("SOURCE"));
    let first = shown.lines().next().and_then(columns);
    assert!(first.is_some());
    for line in shown.lines() {
        assert_eq!(columns(line), first, "{line}");
        assert_eq!(line.trim_end(), line);
    }
}

#[test]
fn the_table_is_markdown_in_which_nothing_is_markup() {
    let markdown = without_lines(&router().access_table().to_markdown());
    assert_eq!(
        markdown,
        r##"| method | path | who may call | denials | handler | source |
|---|---|---|---|---|---|
| fallback | `/*` | <code>public&#40;reason &#61; &#34;tells &#92;&#34;nothing&#92;&#34; &#124; not even &#96;why&#96;&#34;&#41;</code> | none | `access_table::not_found` | `tests/tests/access_table.rs:_` |
| GET | `/healthz` | `public(reason = "liveness probe")` | none | `access_table::healthz` | `tests/tests/access_table.rs:_` |
| POST | `/log` | `requires(role = "auditor")` | shown | `access_table::Log` | `tests/tests/access_table.rs:_` |
| any | `/ops/*` | `unguarded(reason = "for the scraper")` | none | `-` | `tests/tests/access_table.rs:_` |
| any | `/v1/repos` | `requires(any(role = "admin", network = "192.0.2.0/24"))` | shown | `access_table::everything` | `tests/tests/access_table.rs:_` |
| fallback | `/v1/repos/*` | `public(reason = "another 404")` | none | `access_table::Elsewhere` | `tests/tests/access_table.rs:_` |
| GET | `/v1/repos/{id}` | `requires(scope = "repo:read", hide_as = 404)` | hidden | `access_table::show` | `tests/tests/access_table.rs:_` |
| PUT | `/v1/repos/{id}` | `requires(scope = "repo:write")` | hidden | `access_table::change` | `tests/tests/access_table.rs:_` |
| any | `/v1/repos/{id}/files/*` | `requires(authenticated)` | shown | `access_table::Files` | `tests/tests/access_table.rs:_` |
"##
    );
}

fn row(table: &AccessTable, method: Option<&str>, path: &str) -> Value {
    let rows = serde_json::to_value(table).expect("JSON");
    let rows = rows.as_array().expect("a list");
    let mut found = rows
        .iter()
        .filter(|row| row["path"] == path && row["method"].as_str() == method);
    let row = found.next().expect("a row").clone();
    assert_eq!(found.next(), None);
    row
}

#[test]
fn the_table_is_json_in_which_nothing_is_left_out() {
    let table = router().access_table();
    let count = serde_json::to_value(&table).expect("JSON");
    assert_eq!(count.as_array().expect("a list").len(), 9);
    let line = |path: &str, method| row(&table, method, path)["line"].clone();
    assert_eq!(
        row(&table, Some("GET"), "/v1/repos/{id}"),
        json!({
            "mounted": "route",
            "method": "GET",
            "path": "/v1/repos/{id}",
            "written": "requires(scope = \"repo:read\", hide_as = 404)",
            "policy": "requires(scope = \"repo:read\", hide_as = 404)",
            "hidden": true,
            "public_reason": null,
            "unguarded_reason": null,
            "handler": "access_table::show",
            "served": "handler",
            "file": "tests/tests/access_table.rs",
            "line": line("/v1/repos/{id}", Some("GET")),
        })
    );
    assert_eq!(
        row(&table, None, "/ops/*"),
        json!({
            "mounted": "unguarded",
            "method": null,
            "path": "/ops/*",
            "written": "unguarded(reason = \"for the scraper\")",
            "policy": null,
            "hidden": false,
            "public_reason": null,
            "unguarded_reason": "for the scraper",
            "handler": null,
            "served": null,
            "file": "tests/tests/access_table.rs",
            "line": MERGED,
        })
    );
    assert_eq!(
        row(&table, Some("GET"), "/healthz")["public_reason"],
        "liveness probe"
    );
    assert_eq!(row(&table, None, "/*")["mounted"], "fallback");
    assert_eq!(
        row(&table, None, "/v1/repos/{id}/files/*")["mounted"],
        "subtree"
    );
}

#[test]
fn a_row_says_where_the_handler_stands() {
    let table = router().access_table();
    let source = include_str!("access_table.rs");
    let mut guarded = 0;
    for row in table.rows() {
        let Some(declaration) = row.declaration() else {
            continue;
        };
        guarded += 1;
        let name = declaration.handler().rsplit("::").next().expect("a name");
        let at = usize::try_from(row.line()).expect("a line") - 1;
        let line = source.lines().nth(at).expect("a line");
        assert!(
            line.contains(&format!("fn {name}(")) || line == format!("struct {name};"),
            "{declaration}: {line}"
        );
    }
    assert_eq!(guarded, 8);
}

#[test]
fn the_order_in_which_routes_are_added_does_not_matter() {
    let unguarded =
        |reason| GuardedRouter::<()>::new().merge_unguarded(reason, &["/*"], Router::new());
    let parts: [fn() -> GuardedRouter; 4] = [
        || GuardedRouter::new().route("/b", get(show).post(change)),
        || GuardedRouter::new().route("/b", any(everything)),
        || GuardedRouter::new().route("/a", on(MethodFilter::PUT.or(MethodFilter::GET), show)),
        || GuardedRouter::new().nest_service("/b", Files, service()),
    ];
    let forward = parts
        .iter()
        .fold(GuardedRouter::new(), |router, part| router.merge(part()));
    let backward = parts
        .iter()
        .rev()
        .fold(GuardedRouter::new(), |router, part| router.merge(part()));
    assert_eq!(forward.access_table(), backward.access_table());
    let places: Vec<_> = forward
        .access_table()
        .rows()
        .iter()
        .map(|row| (row.path().to_owned(), row.method().map(ToString::to_string)))
        .collect();
    let place = |path: &str, method: Option<&str>| (path.to_owned(), method.map(str::to_owned));
    assert_eq!(
        places,
        [
            place("/a", Some("GET")),
            place("/a", Some("PUT")),
            place("/b", Some("GET")),
            place("/b", Some("POST")),
            place("/b", None),
            place("/b/*", None),
        ]
    );
    let one = unguarded("one").merge(unguarded("two")).access_table();
    let reasons: Vec<_> = one
        .rows()
        .iter()
        .map(|row| row.unguarded_reason())
        .collect();
    assert_eq!(reasons, [Some("one"), Some("two")]);
    let other = unguarded("two").merge(unguarded("one")).access_table();
    assert_eq!(one.to_string(), other.to_string());
}

#[test]
fn what_is_nested_twice_is_listed_at_its_whole_path() {
    let inner = GuardedRouter::new()
        .route("/", get(show))
        .fallback(not_found)
        .merge_unguarded("inner", &["/*"], Router::new());
    let router: GuardedRouter = GuardedRouter::new().nest(
        "/a/",
        GuardedRouter::new()
            .merge_unguarded("outer", &["/*"], Router::new())
            .nest("/b", inner),
    );
    let table = router.access_table();
    let paths: Vec<_> = table
        .rows()
        .iter()
        .map(|row| (row.path(), row.mounted()))
        .collect();
    assert_eq!(
        paths,
        [
            ("/a/*", Mounted::Unguarded),
            ("/a/b", Mounted::Route),
            ("/a/b/*", Mounted::Fallback),
            ("/a/b/*", Mounted::Unguarded),
        ]
    );
}

#[test]
fn nobody_is_denied_what_is_public_on_a_hidden_path() {
    let router: GuardedRouter =
        GuardedRouter::new().route("/x", get(show).put(change).post(healthz));
    let table = router.access_table();
    let hidden: Vec<_> = table.rows().iter().map(|row| row.is_hidden()).collect();
    // GET, POST, PUT.
    assert_eq!(hidden, [true, false, true]);
}

#[test]
fn a_table_needs_no_state_and_is_the_same_with_it() {
    let router: GuardedRouter<String> = GuardedRouter::new()
        .route("/{id}", get(show))
        .nest(
            "/ops",
            GuardedRouter::new().merge_unguarded("scraper", &["/*"], Router::new()),
        )
        .nest("/x", GuardedRouter::new().fallback(not_found));
    let without = router.access_table();
    let with = router.with_state::<()>("state".to_owned()).access_table();
    assert_eq!(without, with);
    assert_eq!(with.rows().len(), 3);
}

#[test]
fn a_router_without_a_fallback_of_its_own_has_no_row_for_one() {
    let router: GuardedRouter = GuardedRouter::new().route("/", get(healthz));
    assert_eq!(router.access_table().rows().len(), 1);
    let empty: GuardedRouter = GuardedRouter::new();
    assert!(empty.access_table().rows().is_empty());
}

#[test]
fn a_path_cannot_look_like_another_row() {
    let router: GuardedRouter = GuardedRouter::new()
        .route("/a  requires(role = \"admin\")", get(healthz))
        .route("/b\nGET /c", get(healthz));
    let table = router.access_table().to_string();
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(
        table.contains(r#" /a\u{20}\u{20}requires(role\u{20}=\u{20}"admin")  public("#),
        "{table}"
    );
    assert!(table.contains(r" /b\u{a}GET\u{20}/c "), "{table}");
}

#[public(reason = "tells its own path")]
async fn matched(path: MatchedPath) -> String {
    path.as_str().to_owned()
}

#[tokio::test]
async fn the_paths_are_those_that_axum_matches() {
    let leaf = || {
        GuardedRouter::new()
            .route("/", get(matched))
            .route("/{id}/", get(matched))
    };
    let router = GuardedRouter::new()
        .route("/", get(matched))
        .nest("/a", leaf().nest("/b/", leaf()))
        .nest(
            "/c/{of}",
            leaf().merge(GuardedRouter::new().nest("/d", leaf())),
        );
    let table = router.access_table();
    let app = router.protect(space()).expect("a router");
    assert_eq!(table.rows().len(), 9);
    for row in table.rows() {
        let target = row.path().replace("{id}", "7").replace("{of}", "x");
        let request = Request::get(&target)
            .body(Body::empty())
            .expect("a request");
        let response = app.clone().oneshot(request).await.expect("an answer");
        let body = to_bytes(response.into_body(), 1000).await.expect("a body");
        assert_eq!(body, row.path(), "{target}");
    }
}
