//! Who may call what, taken from the router itself.

mod row;
#[cfg(feature = "serde")]
mod serialize;
mod text;

pub(crate) use self::row::Access;
pub use self::row::{AccessRow, Mounted, Served};
#[cfg(any(
    feature = "access-lock",
    feature = "access-matrix",
    feature = "access-report"
))]
pub(crate) use self::text::visible;
#[cfg(feature = "access-matrix")]
pub(crate) use self::text::{code, markdown, write_columns};

/// Everything that a [`GuardedRouter`](crate::GuardedRouter) can answer with, and who may call it: made
/// by [`GuardedRouter::access_table`](crate::GuardedRouter::access_table).
///
/// One row for each method of each route, for each nested service, for each fallback of the service's
/// own and for each path of an unguarded router; in the order of the paths, then of the methods. The same routes
/// make the same table, in whatever order they were added.
///
/// It is shown as text in columns, as Markdown by [`to_markdown`](Self::to_markdown), and with the
/// feature `serde` as JSON or what else is serialized.
///
/// Not in it: the routes within a service, such as a whole router; what layers answer; and
/// the metadata document that a space with a [`ProtectedResource`](crate::ProtectedResource) adds.
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
#[must_use = "a table is there to be looked at"]
pub struct AccessTable {
    rows: Vec<AccessRow>,
}

impl AccessTable {
    pub(crate) fn new(mut rows: Vec<AccessRow>) -> Self {
        rows.sort_by(|one, other| one.place().cmp(&other.place()));
        Self { rows }
    }

    /// The rows, in the order of the paths, then of the methods.
    pub fn rows(&self) -> &[AccessRow] {
        &self.rows
    }
}
