//! The routes of a router and their access policies.

mod row;
#[cfg(feature = "serde")]
mod serialize;
pub mod text;

use std::collections::{BTreeMap, BTreeSet};

use auth_runtime_policy::compare::{Change, compare};
use http::Method;

pub use self::row::{AccessRow, EndpointKind, RouteAccess};
use crate::open_pattern::{Cover, MountedRoute, find_covers};

/// All routes of a `GuardedRouter`, with their access policies. `GuardedRouter::access_table`
/// creates it.
///
/// The table has a row for each method of each route, for each nested service, for each fallback of
/// the service (`405` is the one for methods without a handler), and for each path of an unguarded router. Rows are in
/// the order of the paths, then of the methods. The order in which routes were added does not matter.
///
/// It is displayed as text in columns, and as Markdown by [`to_markdown`](Self::to_markdown). With
/// the feature `serde` it can be serialized, for example as JSON.
///
/// Notes below the rows name each [open pattern](AccessRow::covers), which responds to
/// percent-encoded spellings of a guarded path, and each hidden path that the pattern of a visible
/// route matches as well: its 404 then reveals that the path exists.
///
/// The table does not contain the routes within a service, such as a whole router, the responses of
/// layers, and the metadata document that a space with a
/// [`ProtectedResource`](crate::ProtectedResource) adds.
///
/// ```
/// use auth_runtime::routing::get;
/// use auth_runtime::{GuardedRouter, requires};
///
/// #[requires(scope = "repo:read", hide_as = 404)]
/// async fn show() {}
///
/// let routes: GuardedRouter = GuardedRouter::new().route("/{id}", get(show));
/// let router: GuardedRouter = GuardedRouter::new().nest("/repos", routes);
/// let table = router.access_table();
/// let row = table.rows().first().ok_or("no row")?;
/// assert_eq!(row.path(), "/repos/{id}");
/// assert!(row.is_hidden());
/// println!("{table}");
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a table has no effect unless it is used"]
pub struct AccessTable {
    rows: Vec<AccessRow>,
}

impl AccessTable {
    /// Creates a table. Rows are sorted, and the guarded paths that they cover are found.
    pub fn new(mut rows: Vec<AccessRow>) -> Self {
        rows.sort_by(|one, other| one.place().cmp(&other.place()));
        let mut covers: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        for Cover { pattern, guarded } in find_covers(&mounted(&rows), |open, guarded| {
            match (rows.get(open), rows.get(guarded)) {
                (Some(open), Some(guarded)) => change(open, guarded),
                _ => Change::Same,
            }
        }) {
            let path = rows.get(guarded).map(|row| row.path().to_owned());
            covers.entry(pattern).or_default().extend(path);
        }
        for (pattern, paths) in covers {
            if let Some(row) = rows.get_mut(pattern) {
                row.cover(paths);
            }
        }
        Self { rows }
    }

    /// The rows, in the order of the paths, then of the methods.
    pub fn rows(&self) -> &[AccessRow] {
        &self.rows
    }
}

fn mounted(rows: &[AccessRow]) -> Vec<MountedRoute<'_>> {
    let mounted = rows.iter().map(|row| MountedRoute {
        path: row.path().into(),
        method: row.method().map(Method::as_str),
        kind: row.kind(),
        is_service: row
            .endpoint_kind()
            .is_some_and(|kind| kind != EndpointKind::Handler),
    });
    mounted.collect()
}

/// Returns the difference of the callers from a guarded row to an open one.
fn change(open: &AccessRow, guarded: &AccessRow) -> Change {
    let Some(guarded) = guarded.policy().filter(|it| it.requirement().is_some()) else {
        return Change::Same;
    };
    match open.policy().filter(|it| it.requirement().is_some()) {
        Some(open) => compare(guarded, open).callers,
        None => Change::Loosened,
    }
}
