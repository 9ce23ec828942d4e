//! The access table of a router.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;

use auth_runtime::routing::{AccessTable, RouteKind, Served};
use auth_runtime::routing::{any, get, on, post};
use auth_runtime::testing::with_identity;
use auth_runtime::{Guard, GuardedRouter, Identity, public, requires};
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

/// The line numbers change with this file. Another test compares them.
fn without_lines(text: &str) -> String {
    let line = regex_lite::Regex::new(r"\.rs:[0-9]+").expect("a pattern");
    line.replace_all(text, ".rs:_").into_owned()
}

#[test]
fn the_table_is_shown_in_columns() {
    let expected = r#"
METHOD    PATH                   POLICY                                                       DENIALS  HANDLER                   SOURCE
fallback  /*                     public(reason = "tells \"nothing\" | not even `why`")        none     integration::access_table::not_found   tests/integration/access_table.rs:_
GET       /healthz               public(reason = "liveness probe")                            none     integration::access_table::healthz     tests/integration/access_table.rs:_
POST      /log                   requires(role = "auditor")                                   shown    integration::access_table::Log         tests/integration/access_table.rs:_
any       /ops/*                 unguarded(reason = "for the scraper")                        none     -                         tests/integration/access_table.rs:_
any       /v1/repos              requires(any(role = "admin", network = "192.0.2.0/24"))      shown    integration::access_table::everything  tests/integration/access_table.rs:_
fallback  /v1/repos/*            public(reason = "another 404")                               none     integration::access_table::Elsewhere (service)   tests/integration/access_table.rs:_
GET       /v1/repos/{id}         requires(scope = "repo:read", hide_as = 404)                 hidden   integration::access_table::show        tests/integration/access_table.rs:_
PUT       /v1/repos/{id}         requires(scope = "repo:write")                               hidden   integration::access_table::change      tests/integration/access_table.rs:_
any       /v1/repos/{id}/files/* requires(authenticated)                                      shown    integration::access_table::Files (service)      tests/integration/access_table.rs:_

note: fallback /v1/repos/* also answers percent-encoded spellings of /v1/repos/{id}/files/*, for more callers
"#;
    let shown = without_lines(&router().access_table().to_string());
    let squeeze = |text: &str| {
        let lines = text.trim().lines();
        let words = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        words.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(squeeze(&shown), squeeze(expected), "\n{shown}");
    let columns = |line: &str| line.find("tests/integration").or(line.find("SOURCE"));
    let first = shown.lines().next().and_then(columns);
    assert!(first.is_some());
    for line in shown.lines().take_while(|line| !line.is_empty()) {
        assert_eq!(columns(line), first, "{line}");
        assert_eq!(line.trim_end(), line);
    }
}

#[test]
fn a_hidden_path_that_another_route_shows_is_named() {
    let note = "note: the hidden path /users/admin shows: without it, ";
    let hidden = || GuardedRouter::<()>::new().route("/users/admin", get(show));
    for (shown, other) in [
        (
            hidden().route("/users/{id}", get(healthz)),
            "GET /users/{id} would respond",
        ),
        (
            hidden().route("/{*path}", get(healthz)),
            "GET /{*path} would respond",
        ),
        (
            hidden().nest_service(
                "/users",
                Log,
                tower::service_fn(async |_: axum::extract::Request| {
                    Ok::<_, std::convert::Infallible>("")
                }),
            ),
            "any /users/* would respond",
        ),
    ] {
        let table = shown.access_table().to_string();
        assert!(table.contains(&format!("{note}{other}")), "{table}");
    }
    for not_shown in [
        hidden().route("/users/{id}", get(show)),
        hidden()
            .route("/users", get(healthz))
            .route("/users/{id}/x", get(healthz)),
        hidden().fallback(not_found),
    ] {
        let table = not_shown.access_table().to_string();
        assert!(!table.contains(note), "{table}");
    }
}

#[test]
fn the_table_is_markdown_in_which_nothing_is_markup() {
    let markdown = without_lines(&router().access_table().to_markdown());
    assert_eq!(
        markdown,
        r##"| method | path | policy | denials | handler | source |
|---|---|---|---|---|---|
| fallback | `/*` | <code>public&#40;reason &#61; &#34;tells &#92;&#34;nothing&#92;&#34; &#124; not even &#96;why&#96;&#34;&#41;</code> | none | `integration::access_table::not_found` | `tests/integration/access_table.rs:_` |
| GET | `/healthz` | `public(reason = "liveness probe")` | none | `integration::access_table::healthz` | `tests/integration/access_table.rs:_` |
| POST | `/log` | `requires(role = "auditor")` | shown | `integration::access_table::Log` | `tests/integration/access_table.rs:_` |
| any | `/ops/*` | `unguarded(reason = "for the scraper")` | none | `-` | `tests/integration/access_table.rs:_` |
| any | `/v1/repos` | `requires(any(role = "admin", network = "192.0.2.0/24"))` | shown | `integration::access_table::everything` | `tests/integration/access_table.rs:_` |
| fallback | `/v1/repos/*` | `public(reason = "another 404")` | none | `integration::access_table::Elsewhere (service)` | `tests/integration/access_table.rs:_` |
| GET | `/v1/repos/{id}` | `requires(scope = "repo:read", hide_as = 404)` | hidden | `integration::access_table::show` | `tests/integration/access_table.rs:_` |
| PUT | `/v1/repos/{id}` | `requires(scope = "repo:write")` | hidden | `integration::access_table::change` | `tests/integration/access_table.rs:_` |
| any | `/v1/repos/{id}/files/*` | `requires(authenticated)` | shown | `integration::access_table::Files (service)` | `tests/integration/access_table.rs:_` |

- `fallback /v1/repos/*` also answers percent-encoded spellings of `/v1/repos/{id}/files/*`, for more callers
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
            "handler": "integration::access_table::show",
            "served": "handler",
            "covers": [],
            "file": "tests/integration/access_table.rs",
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
            "covers": [],
            "file": "tests/integration/access_table.rs",
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
        let Some(location) = row.location() else {
            continue;
        };
        guarded += 1;
        let name = location.handler().rsplit("::").next().expect("a name");
        let at = usize::try_from(row.line()).expect("a line") - 1;
        let line = source.lines().nth(at).expect("a line");
        assert!(
            line.contains(&format!("fn {name}(")) || line == format!("struct {name};"),
            "{location}: {line}"
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
fn a_path_below_a_prefix_with_a_slash_is_listed_where_axum_mounts_it() {
    let inner = GuardedRouter::new()
        .route("//x", get(healthz))
        .route("/y", get(show));
    let router: GuardedRouter = GuardedRouter::new().nest("/a/", inner);
    let table = router.access_table();
    let paths: Vec<_> = table.rows().iter().map(|row| row.path()).collect();
    assert_eq!(paths, ["/a/x", "/a/y"]);
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
            ("/a/*", RouteKind::Unguarded),
            ("/a/b", RouteKind::Route),
            ("/a/b/*", RouteKind::Fallback),
            ("/a/b/*", RouteKind::Unguarded),
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

#[requires(role = "admin")]
async fn secret() -> &'static str {
    "secret"
}

#[public(reason = "files for everybody")]
async fn page(path: axum::extract::Path<String>) -> String {
    format!("page {}", path.0)
}

#[requires(authenticated)]
async fn known(path: axum::extract::Path<String>) -> String {
    format!("page {}", path.0)
}

#[requires(scope = "repo:read")]
async fn other(path: axum::extract::Path<String>) -> String {
    format!("page {}", path.0)
}

#[requires(all(role = "admin", max_age = "5m"))]
async fn narrower(path: axum::extract::Path<String>) -> String {
    format!("page {}", path.0)
}

#[requires(role = "admin")]
struct Staff;

#[public(reason = "files for everybody")]
struct Pages;

/// Answers with the path that it got.
fn echo() -> impl tower::Service<Request, Response = String, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    tower::service_fn(|request: Request| {
        let path = request.uri().path().to_owned();
        async move { Ok(format!("page {path}")) }
    })
}

/// Returns the open patterns of a router, each with a covered path.
fn open_patterns(router: &GuardedRouter) -> Vec<String> {
    let table = router.access_table();
    let rows = table.rows().iter();
    let pairs = rows.flat_map(|row| {
        let method = row.method().map_or("any", http::Method::as_str);
        let place = format!("{method} {}", row.path());
        row.covers()
            .iter()
            .map(move |path| format!("{place} {path}"))
    });
    pairs.collect()
}

/// A guarded path with its neighbours, a spelling of the path, and its open pattern. The last one
/// is empty if no route may be reported.
type Neighbours = (fn() -> GuardedRouter, &'static str, &'static str);

fn neighbours() -> Vec<Neighbours> {
    vec![
        // The pattern is public: a wildcard, a parameter, a subtree.
        (
            || {
                GuardedRouter::new()
                    .route("/x/secret", get(secret))
                    .route("/x/{*p}", get(page))
            },
            "/x/%73ecret",
            "GET /x/{*p} /x/secret",
        ),
        (
            || {
                GuardedRouter::new()
                    .route("/x/secret", get(secret))
                    .route("/x/{p}", any(page))
            },
            "/x/secre%74",
            "any /x/{p} /x/secret",
        ),
        (
            || {
                GuardedRouter::new()
                    .route("/x/secret", get(secret))
                    .nest_service("/x", Pages, echo())
            },
            "/x/%73ecret",
            "any /x/* /x/secret",
        ),
        // A spelling of the literal in front of a parameter, or of the part behind it, counts as
        // well.
        (
            || {
                GuardedRouter::new()
                    .route("/x/{id}", get(narrower))
                    .route("/{*p}", get(page))
            },
            "/%78/1",
            "GET /{*p} /x/{id}",
        ),
        (
            || {
                GuardedRouter::new()
                    .route("/x-{id}", get(narrower))
                    .route("/{p}", get(page))
            },
            "/%78-1",
            "GET /{p} /x-{id}",
        ),
        (
            || {
                GuardedRouter::new()
                    .nest_service("/x", Staff, echo())
                    .route("/{*p}", get(page))
            },
            "/%78/a",
            "GET /{*p} /x/*",
        ),
        (
            || {
                GuardedRouter::new()
                    .route("/x/{id}", get(narrower))
                    .route("/{p}/fixed", get(page))
            },
            "/%78/fixed",
            "GET /{p}/fixed /x/{id}",
        ),
        // Nested routes have their full paths.
        (
            || {
                let inner = GuardedRouter::new()
                    .route("/secret", get(secret))
                    .route("/{p}", get(page));
                GuardedRouter::new().nest("/v1", inner)
            },
            "/v1/%73ecret",
            "GET /v1/{p} /v1/secret",
        ),
        // A plain router, if it lists such a pattern.
        (
            || {
                let plain = Router::new().route(
                    "/x/{p}",
                    axum::routing::get(async |p: axum::extract::Path<String>| {
                        format!("page {}", p.0)
                    }),
                );
                GuardedRouter::new()
                    .route("/x/secret", get(secret))
                    .merge_unguarded("files", &["/x/{p}"], plain)
            },
            "/x/%73ecret",
            "any /x/{p} /x/secret",
        ),
        // A weaker policy, and an incomparable one that passes the path on.
        (
            || {
                GuardedRouter::new()
                    .route("/x/secret", get(secret))
                    .route("/x/{p}", get(known))
            },
            "/x/%73ecret",
            "GET /x/{p} /x/secret",
        ),
        (
            || {
                GuardedRouter::new()
                    .route("/x/secret", get(secret))
                    .route("/x/{*p}", get(other))
            },
            "/x/%73ecret",
            "GET /x/{*p} /x/secret",
        ),
        // Services that may serve the same files.
        (
            || {
                GuardedRouter::new()
                    .nest_service("/x", Staff, echo())
                    .fallback_service(Pages, echo())
            },
            "/%78/file",
            "any /* /x/*",
        ),
        // Another pattern precedes the fallback; an object of another kind; a narrower policy;
        // another method; another path; a fallback beside a handler.
        (
            || {
                GuardedRouter::new()
                    .nest_service("/x", Staff, echo())
                    .route("/{*p}", any(narrower))
                    .fallback_service(Pages, echo())
            },
            "/%78/file",
            "",
        ),
        (
            || {
                GuardedRouter::new()
                    .route("/x/secret", get(secret))
                    .route("/x/{p}", get(other))
            },
            "/x/%73ecret",
            "",
        ),
        (
            || {
                GuardedRouter::new()
                    .route("/x/secret", get(secret))
                    .route("/x/{*p}", any(narrower))
            },
            "/x/%73ecret",
            "",
        ),
        (
            || {
                GuardedRouter::new()
                    .route("/x/secret", get(secret))
                    .route("/x/{p}", post(page))
            },
            "/x/%73ecret",
            "",
        ),
        (
            || {
                GuardedRouter::new()
                    .route("/x/secret", get(secret))
                    .route("/x/{p}/y", get(page))
            },
            "/x/%73ecret",
            "",
        ),
        (
            || {
                GuardedRouter::new()
                    .route("/x/{id}", get(narrower))
                    .route("/y/{p}", get(page))
            },
            "/%78/1",
            "",
        ),
        (
            || {
                GuardedRouter::new()
                    .route("/x/secret", get(secret))
                    .fallback_service(Pages, echo())
            },
            "/x/%73ecret",
            "",
        ),
        (
            || {
                GuardedRouter::new()
                    .nest_service("/x", Staff, echo())
                    .fallback(not_found)
            },
            "/%78/file",
            "",
        ),
    ]
}

#[tokio::test]
async fn an_open_pattern_is_named_where_it_gets_requests_of_a_guarded_path() {
    for (router, spelling, expected) in neighbours() {
        let found = open_patterns(&router());
        let expected: Vec<_> = Some(expected)
            .filter(|it| !it.is_empty())
            .into_iter()
            .collect();
        assert_eq!(found, expected, "{spelling}");
        let app = router().protect(space()).expect("a router");
        let decoded = spelling
            .replace("%73", "s")
            .replace("%74", "t")
            .replace("%78", "x");
        assert!(!decoded.contains('%'), "{decoded}");
        let ask = async |target: &str| {
            let request = Request::get(target).body(Body::empty());
            let reader = Identity::new("kay").with_scopes(["repo:read"]);
            let request = with_identity(request.expect("a request"), reader);
            let response = app.clone().oneshot(request).await.expect("an answer");
            let is_granted = response.status() == 200;
            let body = to_bytes(response.into_body(), 1000).await.expect("a body");
            is_granted && body.starts_with(b"page ")
        };
        assert!(!ask(&decoded).await, "{decoded}");
        // A reported pattern responds, and the guarded path does not.
        if !expected.is_empty() {
            assert!(ask(spelling).await, "{spelling}");
        }
    }
}

#[test]
fn an_open_pattern_is_a_note_below_the_table_and_in_each_format() {
    let router: GuardedRouter = GuardedRouter::new()
        .route("/x/secret", get(secret).put(secret))
        .route("/x/other", get(secret))
        .route("/x/{*p}", any(page));
    let table = router.access_table();
    let text = table.to_string();
    let note = "note: any /x/{*p} also answers percent-encoded spellings of /x/other, /x/secret, for more \
                callers\n";
    assert!(text.ends_with(&format!("\n\n{note}")), "{text}");
    let markdown = table.to_markdown();
    assert!(
        markdown.ends_with(
            "|\n\n- `any /x/{*p}` also answers percent-encoded spellings of `/x/other`, `/x/secret`, for more \
             callers\n"
        ),
        "{markdown}"
    );
    assert_eq!(
        row(&table, None, "/x/{*p}")["covers"],
        json!(["/x/other", "/x/secret"])
    );
    let closed: GuardedRouter = GuardedRouter::new().route("/x/secret", get(secret));
    assert!(!closed.access_table().to_string().contains("note:"));
}

#[test]
fn a_router_in_place_of_a_handler_is_named() {
    let router: GuardedRouter = GuardedRouter::new()
        .route("/x", get(show))
        .nest_service("/files", Files, service())
        .nest_service("/all", Files, Router::new())
        .fallback_service(Elsewhere, Router::new());
    let table = router.access_table();
    let served: Vec<_> = table.rows().iter().map(|row| row.served()).collect();
    assert_eq!(
        served,
        [
            Some(Served::Router),
            Some(Served::Router),
            Some(Served::Service),
            Some(Served::Handler),
        ]
    );
    let text = table.to_string();
    assert!(
        text.contains(" integration::access_table::Elsewhere (router) "),
        "{text}"
    );
    assert!(
        text.contains(" integration::access_table::Files (service) "),
        "{text}"
    );
}

/// Paths of which axum accepts most together.
const PATHS: [&str; 12] = [
    "/a",
    "/{x}",
    "/a-{x}",
    "/a/b",
    "/a/{x}",
    "/{x}/b",
    "/{x}/{y}",
    "/{*r}",
    "/a/{*r}",
    "/a/b/c",
    "/a/{x}/c",
    "/{x}/b/{*r}",
];

/// Request paths with up to three segments.
fn targets() -> Vec<Vec<&'static str>> {
    let mut all = vec![Vec::new()];
    for length in 0..3 {
        let shorter: Vec<Vec<&str>> = all
            .iter()
            .filter(|it| it.len() == length)
            .cloned()
            .collect();
        for segments in shorter {
            for next in ["a", "b", "c", "q", "a-q"] {
                all.push([segments.as_slice(), &[next]].concat());
            }
        }
    }
    all.split_off(1)
}

/// A segment unchanged, with its first character encoded, and with its last one encoded.
fn spellings(segment: &str) -> Vec<String> {
    let encoded = |at: usize| {
        let byte = segment.as_bytes()[at];
        format!("{}%{byte:02x}{}", &segment[..at], &segment[at + 1..])
    };
    vec![segment.to_owned(), encoded(0), encoded(segment.len() - 1)]
}

/// Returns the path of the route that axum uses for a request.
async fn route_of(router: &Router, target: &str) -> Option<String> {
    let request = Request::get(target).body(Body::empty()).expect("a request");
    let Ok(response) = router.clone().oneshot(request).await;
    let is_there = response.status() == 200;
    let body = to_bytes(response.into_body(), 1000).await.expect("a body");
    is_there.then(|| String::from_utf8(body.to_vec()).expect("a text"))
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 300, ..Default::default() })]

    #[test]
    fn covers_are_what_axum_routes_elsewhere(
        kinds in proptest::collection::vec(0..3_u8, PATHS.len())
    ) {
        // Each path is left out, guarded or public. A path that conflicts with an earlier one is
        // left out.
        let mut plain = Router::new();
        let mut guarded = GuardedRouter::<()>::new();
        let mut public = Vec::new();
        for (path, kind) in PATHS.into_iter().zip(kinds).filter(|(_, kind)| *kind > 0) {
            let next = plain.clone();
            let next = std::panic::catch_unwind(AssertUnwindSafe(|| {
                next.route(path, axum::routing::get(matched))
            }));
            let Ok(next) = next else { continue };
            plain = next;
            guarded = guarded.route(path, if kind == 1 { get(secret) } else { get(page) });
            public.extend((kind == 2).then_some(path));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut expected = std::collections::BTreeSet::new();
        for target in targets() {
            let decoded = format!("/{}", target.join("/"));
            let Some(usual) = runtime.block_on(route_of(&plain, &decoded)) else { continue };
            if public.contains(&usual.as_str()) {
                continue;
            }
            let mut spelled = vec![String::new()];
            for segment in target {
                let longer = spelled.iter().flat_map(|before| {
                    spellings(segment).into_iter().map(move |it| format!("{before}/{it}"))
                });
                spelled = longer.collect();
            }
            for target in spelled {
                let found = runtime.block_on(route_of(&plain, &target));
                if let Some(found) = found.filter(|it| public.contains(&it.as_str())) {
                    expected.insert(format!("GET {found} {usual}"));
                }
            }
        }
        let found: std::collections::BTreeSet<_> = open_patterns(&guarded).into_iter().collect();
        proptest::prop_assert_eq!(found, expected);
    }
}
