//! The paths that a guarded pattern leaves to a public one, against axum.

use super::*;

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
