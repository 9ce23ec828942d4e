//! Public patterns that receive requests of guarded paths.

mod covers;

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use auth_runtime::Identity;
use auth_runtime::testing::with_identity;
use axum::response::IntoResponse;

use super::*;

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
        // A subtree passes the path on as well.
        (
            || {
                GuardedRouter::new()
                    .route("/x/secret", get(secret))
                    .nest_service("/x", Readers, echo())
            },
            "/x/%73ecret",
            "any /x/* /x/secret",
        ),
        // No parameter takes the empty segment at the end.
        (
            || {
                GuardedRouter::new()
                    .route("/x/", any_service(Staff, echo()))
                    .route("/{a}/{b}", any(narrower))
                    .fallback_service(Pages, echo())
            },
            "/%78/",
            "any /* /x/",
        ),
        // All methods but those of other routes of the path.
        (
            || {
                GuardedRouter::new()
                    .route("/x/secret", get(secret))
                    .route("/x/{p}", any(page).get(narrower).head(narrower))
            },
            "/x/%73ecret",
            "",
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
async fn open_patterns_are_found() {
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
fn each_format_notes_open_patterns() {
    let router: GuardedRouter = GuardedRouter::new()
        .route("/x/secret", get(secret).put(secret))
        .route("/x/other", get(secret))
        .route("/x/{*p}", any(page));
    let table = router.access_table();
    let text = table.to_string();
    let note = "note: any /x/{*p} also responds to percent-encoded spellings of /x/other, /x/secret, for more \
                callers\n";
    assert!(text.ends_with(&format!("\n\n{note}")), "{text}");
    let markdown = table.to_markdown();
    assert!(
        markdown.ends_with(
            "|\n\n- `any /x/{*p}` also responds to percent-encoded spellings of `/x/other`, `/x/secret`, for more \
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
