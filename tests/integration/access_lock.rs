//! A changed policy fails a test until the change is accepted.

mod changes;
mod files;
mod functions;
mod lines;
mod objects;
mod paths;
mod properties;

use std::path::PathBuf;

use auth_runtime::routing::{get, head, put};
use auth_runtime::{GuardedRouter, public, requires};
use auth_runtime_audit::{AccessLock, assert_access_lock};
use axum::Router;
use proptest::prelude::*;

const HEADER: &str = "\
# The access policy of each route. Generated: `assert_access_lock!` compares it with the router. A change is
# accepted by `ACCESS_LOCK=overwrite cargo test`, and reviewed here.
";

#[public(reason = "liveness  probe, \"really\"")]
async fn healthz() {}

#[requires(scope = "repo:read", hide_as = 404, hide_unless = role("auditor"))]
async fn show() {}

#[requires(
    any(scope = "a", all(role = "b", network = "192.0.2.0/24")),
    max_age = "15m",
    sender_constrained,
    schemes(Bearer, "X-Own"),
    realm = "other"
)]
async fn change() {}

fn router() -> GuardedRouter {
    GuardedRouter::new()
        .route("/healthz", get(healthz))
        .nest(
            "/v1",
            GuardedRouter::new().route("/repos/{id}", get(show).put(change)),
        )
        .nest(
            "/ops",
            GuardedRouter::new().merge_unguarded("for the  scraper", &["/*"], Router::new()),
        )
        .fallback(healthz)
}

/// Returns a file that no other test uses.
fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("access_lock");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(name);
    let _ = std::fs::remove_file(&file);
    file
}

/// Returns the changes between two locks without a header.
fn changes(before: &str, after: &str) -> String {
    let [before, after]: [AccessLock; 2] =
        [before, after].map(|text| text.parse().expect("a lock"));
    let changes = before.changes_to(&after);
    assert_eq!(changes.is_empty(), changes.to_string().is_empty());
    changes.to_string()
}

/// Names with every character that could be mistaken for a part of a line.
fn name() -> impl Strategy<Value = String> {
    let letters = prop_oneof![
        Just(' '),
        Just('"'),
        Just('\\'),
        Just('\n'),
        Just('('),
        Just(')'),
        Just('#'),
        Just('{'),
        Just('\u{2028}'),
        Just('\u{a0}'),
        Just('\u{202e}'),
        any::<char>(),
        proptest::char::range('a', 'z'),
    ];
    proptest::collection::vec(letters, 0..8).prop_map(|letters| letters.into_iter().collect())
}

fn path() -> impl Strategy<Value = String> {
    let path = name().prop_map(|name| format!("/{}", name.replace(['{', '}', ':', '*', '/'], "_")));
    path.prop_filter("axum takes none of these", |path| path.len() > 1)
}

/// Returns the differences in the report of the only changed line.
fn what(before: &str, after: &str) -> String {
    let report = changes(before, after);
    let (heading, rest) = report.split_once('\n').expect("a heading");
    let heading = heading.split(':').next().expect("a word");
    let line = rest.lines().next().expect("a line");
    let what = line.split_once("  (").map_or("", |(_, what)| what);
    format!("{heading}: {}", what.trim_end_matches(')'))
}

#[public(reason = "the site")]
struct Site;

#[requires(scope = "repo:read", realm = "code")]
async fn in_a_realm() {}

#[requires(scope = "repo:read", realm = "other")]
async fn in_another_realm() {}

/// Lines of a lock. Two lines in the same place differ in one part.
fn lines() -> impl Strategy<Value = std::collections::BTreeMap<(usize, usize), String>> {
    const PATHS: [[&str; 2]; 6] = [
        ["/x", "/x"],
        ["/{a}", "/{b}"],
        ["/x/y", "/x/y"],
        ["/x/{a}", "/x/{b}"],
        ["/x/*", "/x/*"],
        ["/{*a}", "/{*b}"],
    ];
    const METHODS: [&str; 4] = ["any", "GET", "HEAD", "fallback"];
    const POLICIES: [&str; 7] = [
        "requires(role = \"a\")",
        "requires(role = \"a\", realm = \"r\")",
        "requires(role = \"a\", schemes(Bearer))",
        "requires(role = \"a\", hide_as = 404)",
        "requires(any(role = \"a\", role = \"b\"))",
        "requires(any(role = \"b\", role = \"a\"))",
        "public(reason = \"x\")",
    ];
    const HANDLERS: [&str; 4] = ["s::x", "s::y", "s::x (service)", "s::x (router)"];
    const COVERS: [&str; 3] = ["", "covers /x  ", "covers /x /y  "];
    const REASONS: [&str; 2] = ["unguarded(reason = \"x\")", "unguarded(reason = \"y\")"];
    let place = (0..PATHS.len(), 0..=METHODS.len());
    let rest = (
        0..2_usize,
        0..POLICIES.len(),
        0..HANDLERS.len(),
        0..COVERS.len(),
    );
    let lines = proptest::collection::btree_map(place, rest, 0..6);
    lines.prop_map(|lines| {
        // A path has one spelling in a router.
        let spellings: Vec<_> = (0..PATHS.len())
            .map(|path| {
                let mut on_path = lines.iter().filter(|((own, _), _)| *own == path);
                on_path.next().map_or(0, |(_, (spelling, ..))| *spelling)
            })
            .collect();
        let line = |((path, method), (_, policy, handler, covers)): (
            &(usize, usize),
            &(usize, usize, usize, usize),
        )| {
            let shown = PATHS[*path][spellings[*path]];
            let covers = COVERS[*covers];
            match METHODS.get(*method) {
                Some(method) => format!(
                    "{method} {shown}  {covers}{}  {}",
                    POLICIES[*policy], HANDLERS[*handler]
                ),
                None => format!("any {shown}  {covers}{}", REASONS[*policy % 2]),
            }
        };
        lines
            .iter()
            .map(|(place, rest)| (*place, line((place, rest))))
            .collect()
    })
}
