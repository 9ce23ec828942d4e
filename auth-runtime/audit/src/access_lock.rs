//! The access policies of all routes, kept in the repository, so that a diff shows each change.

mod canonical;
mod changes;
mod dispatch;
mod entry;
mod error;
mod route_key;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use auth_runtime_core::AccessTable;

pub use self::changes::AccessChanges;
use self::entry::Entry;
pub use self::error::AccessLockError;
use self::error::LockErrorKind;
use self::route_key::RouteKey;
use crate::snapshot_file::SnapshotKind;

/// The contents of an `access.lock`: one line for each row of an [`AccessTable`], with the method,
/// the path, the policy and the handler. The place of the handler in the source is left out.
///
/// Most services need only [`assert_access_lock!`](crate::assert_access_lock). This type is for
/// tools.
///
/// ```
/// use auth_runtime_audit::{AccessLock, AccessLockError};
///
/// let before: AccessLock = r#"GET /x requires(role = "a", scope = "b")  shop::x"#.parse()?;
/// let after: AccessLock = r#"GET /x requires(scope = "b")  shop::x"#.parse()?;
/// let changes = before.changes_to(&after);
/// assert!(changes.to_string().starts_with("loosened"));
/// # Ok::<(), AccessLockError>(())
/// ```
///
/// A line ends in `(service)` or `(router)` if a service or a router responds in place of a
/// handler. The names behind `covers` are the guarded paths that the row is an [open
/// pattern](auth_runtime_core::AccessRow::covers) for.
///
/// Indented lines follow a policy with a `setting`: the equivalent policy with the setting, and the one
/// without it. `everybody` is allowed, or `nobody`, if nothing else is required.
///
/// ```
/// # use auth_runtime_audit::{AccessLock, AccessLockError};
/// let lock: AccessLock = r#"
/// GET /pull requires(any(setting = "open", scope = "pull"))  registry::pull
///   with setting = "open": everybody
///   without setting = "open": requires(scope = "pull")
/// "#.parse()?;
/// # Ok::<(), AccessLockError>(())
/// ```
///
/// Names of a vocabulary are written out, as the attributes do it at compile time: a scope with all
/// scopes that imply it, and a network with its blocks. A change of `auth.toml` therefore shows in
/// the lines of all routes that it affects, and is compared with the earlier state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLock {
    entries: Vec<Entry>,
}

/// The beginning of a line with the policy for one value of a setting.
const INDENT: &str = "  ";

const HEADER: &str = "\
# The access policy of each route. Generated: `assert_access_lock!` compares it with the router. A change is
# accepted by `ACCESS_LOCK=overwrite cargo test`, and reviewed here.
";

static KIND: SnapshotKind = SnapshotKind {
    name: "access lock",
    variable: "ACCESS_LOCK",
};

impl AccessLock {
    /// Creates the lock of a table.
    pub fn of(table: &AccessTable) -> Self {
        let entries = table.rows().iter().map(Entry::of).collect();
        Self { entries }
    }

    /// Returns the changes from this lock to `now`. Policies are compared by their meaning, not by
    /// their text.
    pub fn changes_to(&self, now: &Self) -> AccessChanges {
        AccessChanges::between(&self.entries, &now.entries)
    }

    /// Compares a table with the lock in `file`. With `ACCESS_LOCK=overwrite` in the environment,
    /// it writes the file instead, which is an error if the environment variable `CI` is set (to a value
    /// other than the empty one, `0` and `false`).
    ///
    /// # Errors
    ///
    /// If the lock differs from the table, or if the file is missing or cannot be read or written.
    /// The error is a readable report that includes the remedy.
    pub fn check(table: &AccessTable, file: impl AsRef<Path>) -> Result<(), AccessLockError> {
        let file = file.as_ref();
        let error = |kind| AccessLockError::new(file, kind);
        let now = Self::of(table);
        let read = KIND.read_or_overwrite(file, &now.to_string());
        let Some(text) = read.map_err(|cause| error(LockErrorKind::File(cause)))? else {
            return Ok(());
        };
        // Invalid UTF-8 never occurs in a written line, so such a line differs in any case.
        let before = Self::read(&String::from_utf8_lossy(&text)).map_err(error)?;
        let changes = before.changes_to(&now);
        if changes.is_empty() {
            Ok(())
        } else {
            let is_of_another_router = before.has_no_route_of(&now);
            Err(error(LockErrorKind::Differs {
                changes,
                is_of_another_router,
            }))
        }
    }

    /// Returns whether the lock has routes, and none of them is in `now`. Fallbacks are not compared.
    fn has_no_route_of(&self, now: &Self) -> bool {
        let own = self.entries.iter().map(RouteKey::of);
        let mut own = own.filter(|key| !key.is_fallback()).peekable();
        let is_in_both = |key: RouteKey<'_>| now.entries.iter().any(|it| RouteKey::of(it) == key);
        own.peek().is_some() && !own.any(is_in_both)
    }

    fn read(text: &str) -> Result<Self, LockErrorKind> {
        let lines = text.lines().zip(1..);
        let lines = lines.filter(|(line, _)| !line.trim().is_empty() && !line.starts_with('#'));
        let mut entries: Vec<Entry> = Vec::new();
        for (line, number) in lines {
            let is_read = match (line.strip_prefix(INDENT), entries.last_mut()) {
                (Some(case), Some(entry)) => entry.add_case(case),
                (Some(_), None) => false,
                (None, _) => Entry::read(line).map(|entry| entries.push(entry)).is_some(),
            };
            if !is_read {
                let line = line.to_owned();
                return Err(LockErrorKind::Line { number, line });
            }
        }
        Ok(Self { entries })
    }
}

impl fmt::Display for AccessLock {
    /// Writes the contents of the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        for entry in &self.entries {
            writeln!(f, "{entry}")?;
            for case in &entry.cases {
                writeln!(f, "{INDENT}{case}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for AccessLock {
    type Err = AccessLockError;

    fn from_str(text: &str) -> Result<Self, AccessLockError> {
        Self::read(text).map_err(|kind| AccessLockError::new(Path::new("access.lock"), kind))
    }
}

/// Fails a test if a route or its policy differs from the crate's `access.lock`.
///
/// ```no_run
/// use auth_runtime::GuardedRouter;
/// use auth_runtime_audit::assert_access_lock;
///
/// fn routes() -> GuardedRouter {
///     GuardedRouter::new() // .route(…)
/// }
///
/// // #[test]
/// fn access_policies_are_reviewed() {
///     assert_access_lock!(routes());
/// }
/// ```
///
/// The file is next to the crate's `Cargo.toml` and belongs in version control: a change that
/// allows more callers cannot be merged without its line in the diff.
/// `ACCESS_LOCK=overwrite cargo test` creates the file and accepts changes. Without it, a missing
/// file is a failure.
///
/// If the environment variable `CI` is set to a value other than the empty one, `0` and `false`,
/// `ACCESS_LOCK=overwrite` is a failure as well, because an accepted change would not be reviewed there.
///
/// The failure lists the changes by their impact: loosened, added, changed, moved, tightened,
/// removed, restated. The impact follows from the logic of the policies. Each change names its
/// differences in parentheses, such as the realm or the handler. A difference that cannot be
/// decided counts as changed: a check that may be another function now (in another module, or on a
/// path with other parameter names), a service or a router in place of other code, another reason
/// of an unguarded router. A row that became an [open
/// pattern](auth_runtime_core::AccessRow::covers) counts as changed too.
///
/// A removed route is compared with the route that its requests reach now, and an added one with
/// the route that they reached before: `any` method of the path, `GET` for `HEAD`, or a path that
/// matches some of the requests. If an unguarded router may respond to the requests of a removed
/// route, the route counts as changed.
///
/// The lock does not contain the routes that an [`AccessTable`] leaves out, the routes within a
/// service, the code of a `check` (only its name), the denials of a handler itself
/// ([`Guard::permit`](auth_runtime_axum::Guard::permit)), and the protection space.
///
/// The macro also takes a [`ProtectedRouter`](auth_runtime_axum::ProtectedRouter), with the routes of all routers
/// that were added to it. Routers that are locked separately use a file for each:
/// `assert_access_lock!(internal(), "internal.lock")`.
///
/// The feature `access-lock` depends on a Rust parser (`syn`, to read the policies back), so enable it in
/// `[dev-dependencies]`: `auth-runtime-audit = { version = "…", features = ["access-lock"] }`.
///
/// # Panics
///
/// With a report, if the lock differs from the router, is missing or cannot be read.
#[macro_export]
macro_rules! assert_access_lock {
    ($router:expr $(,)?) => {
        $crate::assert_access_lock!($router, "access.lock")
    };
    ($router:expr, $file:expr $(,)?) => {{
        let file = ::std::path::Path::new(::core::env!("CARGO_MANIFEST_DIR")).join($file);
        if let ::core::result::Result::Err(report) =
            $crate::AccessLock::check(&$router.access_table(), file)
        {
            ::core::panic!("{report}");
        }
    }};
}
