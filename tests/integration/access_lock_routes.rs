//! The reported impact of changes, compared with the access through an axum router with the same
//! routes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use auth_runtime_audit::AccessLock;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::{MethodRouter, any};
use proptest::prelude::*;
use tower::ServiceExt as _;

/// The paths of a router, each in two spellings.
const PATHS: [[&str; 2]; 9] = [
    ["/", "/"],
    ["/a", "/a"],
    ["/{x}", "/{y}"],
    ["/a/b", "/a/b"],
    ["/{x}/b", "/{y}/b"],
    ["/a/{x}", "/a/{z}"],
    ["/d/{*x}", "/d/{*rest}"],
    ["/d/e", "/d/e"],
    ["/b/*", "/b/*"],
];

/// The requests. Each path receives one of them if all paths exist.
const TARGETS: [&str; 15] = [
    "/", "/a", "/c", "/a/b", "/c/b", "/a/c", "/b", "/b/", "/b/b", "/d", "/d/", "/d/b", "/d/e",
    "/d/e/", "/d/f/g",
];

/// `any` comes first, since the others are added to it.
const METHODS: [&str; 4] = ["any", "GET", "HEAD", "POST"];

/// Each caller has one of these roles. With all roles, a route is public.
type Roles = u8;

const ROLES: [&str; 3] = ["a", "b", "c"];
const EVERYBODY: Roles = 0b111;

/// The routes of a router: each path in one of its spellings, and the roles by the numbers of path
/// and method.
#[derive(Clone, Debug)]
struct Routes {
    spellings: [usize; PATHS.len()],
    callers: BTreeMap<(usize, usize), Roles>,
}

/// A subtree serves all methods.
fn is_possible(path: usize, method: usize) -> bool {
    !PATHS[path][0].ends_with("/*") || METHODS[method] == "any"
}

fn place() -> impl Strategy<Value = (usize, usize)> {
    let place = (0..PATHS.len(), 0..METHODS.len());
    place.prop_filter("there is no such route", |(path, method)| {
        is_possible(*path, *method)
    })
}

/// Two versions that differ in one route, or in the spelling of a path.
fn versions() -> impl Strategy<Value = (Routes, Routes)> {
    let callers = proptest::collection::btree_map(place(), 1..=EVERYBODY, 0..7);
    let change = (place(), proptest::option::of(1..=EVERYBODY), 0..2_usize);
    (callers, change).prop_map(|(callers, ((path, method), roles, spelling))| {
        let spellings = [0; PATHS.len()];
        let before = Routes { spellings, callers };
        let mut after = before.clone();
        after.spellings[path] = spelling;
        match roles {
            Some(roles) => after.callers.insert((path, method), roles),
            None => after.callers.remove(&(path, method)),
        };
        (before, after)
    })
}

impl Routes {
    fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, Roles)> {
        self.callers.iter().map(|((path, method), roles)| {
            let spelling = self.spellings[*path];
            (PATHS[*path][spelling], METHODS[*method], *roles)
        })
    }

    fn lock(&self) -> AccessLock {
        let mut text = String::new();
        for (path, method, roles) in self.iter() {
            let names = ROLES.iter().enumerate();
            let names = names.filter(|(index, _)| roles & (1 << index) != 0);
            let names: Vec<_> = names.map(|(_, name)| format!("role = {name:?}")).collect();
            let policy = match roles {
                EVERYBODY => "public(reason = \"x\")".to_owned(),
                _ => format!("requires(any({}))", names.join(", ")),
            };
            writeln!(text, "{method} {path}  {policy}  shop::handler").expect("a text");
        }
        text.parse().expect("a lock")
    }

    /// Returns an axum router with these routes. Each responds with its roles.
    fn router(&self) -> Router {
        let mut paths: BTreeMap<&str, MethodRouter> = BTreeMap::new();
        let mut router = Router::new();
        for (path, method, roles) in self.iter() {
            let handler = async move || [("roles", roles.to_string())];
            if let Some(prefix) = path.strip_suffix("/*") {
                router = router.nest_service(prefix, any(handler));
                continue;
            }
            let methods = paths.remove(path).unwrap_or_default();
            let methods = match method {
                "any" => any(handler),
                "GET" => methods.get(handler),
                "HEAD" => methods.head(handler),
                _ => methods.post(handler),
            };
            paths.insert(path, methods);
        }
        let paths = paths.into_iter();
        paths.fold(router, |router, (path, methods)| {
            router.route(path, methods)
        })
    }

    /// Returns the roles for each target and method. `None` if there is no route.
    async fn ask(&self) -> Vec<Option<Roles>> {
        let router = self.router();
        let mut all = Vec::new();
        for target in TARGETS {
            // A method without a route of its own is served by `any`.
            for method in ["GET", "HEAD", "POST", "DELETE"] {
                let request = Request::builder().method(method).uri(target);
                let request = request.body(Body::empty()).expect("a request");
                let Ok(response) = router.clone().oneshot(request).await;
                let roles = response.headers().get("roles");
                let roles = roles.and_then(|roles| roles.to_str().ok()?.parse().ok());
                all.push(roles);
            }
        }
        all
    }
}

fn heading(report: &str) -> &str {
    let end = report.find([':', '\n']);
    &report[..end.unwrap_or_default()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn wider_methods_are_never_called_harmless((before, after) in versions()) {
        let report = before.lock().changes_to(&after.lock()).to_string();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (were, are) = runtime.block_on(async { (before.ask().await, after.ask().await) });
        let pairs = || std::iter::zip(&were, &are);
        let (mut gained, mut lost) = (false, false);
        for (was, is) in pairs() {
            // A route on a new target has a line of its own, or replaces one.
            if let (Some(was), Some(is)) = (was, is) {
                gained |= is & !was != 0;
                lost |= was & !is != 0;
            }
        }
        let heading = heading(&report);
        let is_loud = ["loosened", "added", "changed"].contains(&heading);
        prop_assert!(!gained || is_loud, "{}", report);
        // If two paths share requests, a third one may have served them before.
        prop_assert!(gained || heading != "loosened" || report.contains(" (for "), "{}", report);
        prop_assert!(lost || heading != "tightened", "{}", report);
        prop_assert!(!report.is_empty() || were == are);
    }
}
