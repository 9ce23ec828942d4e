//! Public patterns that receive requests of guarded paths.

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
    all.push(vec!["a-", "b"]);
    all.split_off(1)
}

/// Returns the path of the route that axum uses for a request.
async fn route_of(router: &Router, target: &str) -> Option<String> {
    let request = Request::get(target).body(Body::empty()).expect("a request");
    let Ok(response) = router.clone().oneshot(request).await;
    let is_there = response.status() == 200;
    let body = to_bytes(response.into_body(), 1000).await.expect("a body");
    is_there.then(|| String::from_utf8(body.to_vec()).expect("a text"))
}

/// Returns the open patterns that axum shows, and those of the access table, each with a covered path. `None` if
/// the routes conflict. A path that ends in `/*` is a service.
fn covers(routes: &[(&'static str, bool)]) -> Option<[BTreeSet<String>; 2]> {
    let mut plain = Router::new();
    let mut guarded = GuardedRouter::<()>::new();
    let name = |path: &str| {
        let method = if path.ends_with("/*") { "any" } else { "GET" };
        format!("{method} {path}")
    };
    for (path, is_public) in routes.iter().copied() {
        let next = plain.clone();
        let next = std::panic::catch_unwind(AssertUnwindSafe(|| match path.strip_suffix("/*") {
            Some(prefix) => {
                let own = async move |_: Request| Ok::<_, Infallible>(path.into_response());
                next.nest_service(prefix, tower::service_fn(own))
            }
            None => next.route(path, axum::routing::get(matched)),
        }));
        plain = next.ok()?;
        guarded = match (path.strip_suffix("/*"), is_public) {
            (Some(prefix), false) => guarded.nest_service(prefix, Staff, echo()),
            (Some(prefix), true) => guarded.nest_service(prefix, Pages, echo()),
            (None, false) => guarded.route(path, get(secret)),
            (None, true) => guarded.route(path, get(page)),
        };
    }
    let is_public = |path: &str| routes.contains(&(path, true));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    let mut expected = BTreeSet::new();
    for target in targets() {
        let decoded = format!("/{}", target.join("/"));
        let usual = runtime.block_on(route_of(&plain, &decoded));
        let Some(usual) = usual.filter(|usual| !is_public(usual)) else {
            continue;
        };
        let mut spelled = vec![String::new()];
        for segment in target {
            let longer = spelled.iter().flat_map(|before| {
                let spellings = spellings(segment).into_iter();
                spellings.map(move |it| format!("{before}/{it}"))
            });
            spelled = longer.collect();
        }
        for target in spelled {
            let found = runtime.block_on(route_of(&plain, &target));
            if let Some(found) = found.filter(|it| is_public(it)) {
                expected.insert(format!("{} {usual}", name(&found)));
            }
        }
    }
    Some([expected, open_patterns(&guarded).into_iter().collect()])
}

/// Prefixes of wildcards and of parameters, subtrees, and routes in front of others.
#[test]
fn covers_depend_on_prefixes_and_neighbours() {
    const GUARDED: bool = false;
    const PUBLIC: bool = true;
    for (routes, count) in [
        (&[("/a-{*r}", GUARDED), ("/{*r}", PUBLIC)][..], 1),
        (&[("/a-{*r}", GUARDED), ("/{x}/b", PUBLIC)], 1),
        (&[("/a{*r}", PUBLIC), ("/a/b", GUARDED)], 1),
        (&[("/a{*r}", PUBLIC), ("/a", GUARDED)], 0),
        (&[("/a/b{*r}", GUARDED), ("/{x}/b/{y}", PUBLIC)], 1),
        // A prefix has one spelling. Behind it, a parameter may be empty, and the rest has others.
        (&[("/a-/b", GUARDED), ("/a-{x}/b", PUBLIC)], 0),
        (&[("/a-/b", GUARDED), ("/a-{x}/{y}", PUBLIC)], 1),
        (&[("/a/*", GUARDED), ("/{x}/b", PUBLIC)], 1),
        (&[("/a/*", GUARDED), ("/{x}/{*r}", PUBLIC)], 1),
        (&[("/a/*", PUBLIC), ("/a/b", GUARDED)], 1),
        // Another route takes the spellings.
        (
            &[("/a/b", GUARDED), ("/a/{x}", GUARDED), ("/{x}/{y}", PUBLIC)],
            2,
        ),
        // Another route takes the requests that they are spellings of.
        (
            &[
                ("/a/{x}", GUARDED),
                ("/a/a-{x}", PUBLIC),
                ("/{x}/a-{y}", PUBLIC),
            ],
            0,
        ),
        (
            &[
                ("/a/a-{x}/{y}", GUARDED),
                ("/a/a-{x}/c", PUBLIC),
                ("/{x}/{y}/c", PUBLIC),
            ],
            0,
        ),
        (
            &[
                ("/a/{*r}", GUARDED),
                ("/a/a{*r}", PUBLIC),
                ("/{x}/a-{*r}", PUBLIC),
            ],
            0,
        ),
    ] {
        let [expected, found] = covers(routes).expect("no conflict");
        assert_eq!(found, expected, "{routes:?}");
        assert_eq!(found.len(), count, "{routes:?}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 300, ..Default::default() })]

    #[test]
    fn covers_are_what_axum_routes_elsewhere(
        kinds in proptest::collection::vec(0..3_u8, PATHS.len())
    ) {
        // Each path is left out, guarded or public. A path that conflicts with an earlier one is
        // left out.
        let mut routes = Vec::new();
        for (path, kind) in PATHS.into_iter().zip(kinds).filter(|(_, kind)| *kind > 0) {
            routes.push((path, kind == 2));
            let conflicts = std::panic::catch_unwind(|| {
                routes.iter().fold(Router::<()>::new(), |router, (path, _)| {
                    router.route(path, axum::routing::get(matched))
                })
            });
            if conflicts.is_err() {
                routes.pop();
            }
        }
        let [expected, found] = covers(&routes).expect("no conflict");
        proptest::prop_assert_eq!(found, expected);
    }
}
