//! Who may call what, kept in the repository, so that a change of it shows in the diff.

mod canonical;
mod changes;
mod dispatch;
mod entry;
mod error;
mod route_key;

use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

use auth_runtime_core::AccessTable;

pub use self::changes::AccessChanges;
use self::entry::Entry;
pub use self::error::AccessLockError;
use self::error::Kind;
use crate::snapshot_update::SnapshotUpdate;

/// The contents of an `access.lock`: who may call what, a line for each row of an [`AccessTable`], with
/// the handler but without its place in the source.
///
/// [`assert_access_lock!`](crate::assert_access_lock) is all that most services need; this is for tools.
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
/// A line ends in `(service)` or `(router)` where that answers in place of a handler, and names behind `covers`
/// the guarded paths that it is an [open pattern](auth_runtime_core::AccessRow::covers) for.
///
/// What a name of a vocabulary is met by is spelled out, as the attributes do it while compiling: a scope
/// stands there with all that imply it, and a network with its blocks. So a change of `auth.toml` shows
/// in the lines of all routes that it changes, and is compared with what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLock {
    entries: Vec<Entry>,
}

const HEADER: &str = "\
# Who may call what. Not to be edited: `assert_access_lock!` compares it with the router. A change is
# accepted by `ACCESS_LOCK=overwrite cargo test`, and reviewed here.
";

impl AccessLock {
    /// What is to be kept of a table.
    pub fn of(table: &AccessTable) -> Self {
        let entries = table.rows().iter().map(Entry::of).collect();
        Self { entries }
    }

    /// What became of it, decided by what the policies mean and not by how they are written.
    pub fn changes_to(&self, now: &Self) -> AccessChanges {
        AccessChanges::between(&self.entries, &now.entries)
    }

    /// Compares a table with the lock in `file`. With `ACCESS_LOCK=overwrite` in the environment it
    /// writes the file anew instead.
    ///
    /// # Errors
    ///
    /// If the lock says something else, is not there, or cannot be read or written: the error is a report
    /// for people, with what to do about it.
    pub fn check(table: &AccessTable, file: impl AsRef<Path>) -> Result<(), AccessLockError> {
        let file = file.as_ref();
        let error = |kind| AccessLockError::new(file, kind);
        let now = Self::of(table);
        match SnapshotUpdate::by("ACCESS_LOCK") {
            SnapshotUpdate::Refused => {}
            SnapshotUpdate::Given => {
                let written = std::fs::write(file, now.to_string());
                return written.map_err(|cause| error(Kind::File(cause)));
            }
            SnapshotUpdate::OnNobodysMachine => return Err(error(Kind::AcceptedByNobody)),
        }
        let text = std::fs::read(file).map_err(|cause| {
            error(match cause.kind() {
                io::ErrorKind::NotFound => Kind::Missing,
                _ => Kind::File(cause),
            })
        })?;
        // What is no text is in none of the lines that are written.
        let before = Self::read(&String::from_utf8_lossy(&text)).map_err(error)?;
        let changes = before.changes_to(&now);
        if changes.is_empty() {
            Ok(())
        } else {
            Err(error(Kind::Differs(changes)))
        }
    }

    fn read(text: &str) -> Result<Self, Kind> {
        let lines = text.lines().zip(1..);
        let lines = lines.filter(|(line, _)| !line.trim().is_empty() && !line.starts_with('#'));
        let entries = lines.map(|(line, number)| {
            Entry::read(line).ok_or_else(|| Kind::Line {
                number,
                line: line.to_owned(),
            })
        });
        Ok(Self {
            entries: entries.collect::<Result<_, _>>()?,
        })
    }
}

impl fmt::Display for AccessLock {
    /// As it stands in the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        self.entries
            .iter()
            .try_for_each(|entry| writeln!(f, "{entry}"))
    }
}

impl FromStr for AccessLock {
    type Err = AccessLockError;

    fn from_str(text: &str) -> Result<Self, AccessLockError> {
        Self::read(text).map_err(|kind| AccessLockError::new(Path::new("access.lock"), kind))
    }
}

/// Fails a test when who may call what is no longer what the crate's `access.lock` says.
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
/// fn who_may_call_what_is_reviewed() {
///     assert_access_lock!(routes());
/// }
/// ```
///
/// The file lies beside the crate's `Cargo.toml`, and belongs into the repository: a change that lets
/// more people in cannot be merged without its line in the diff. `ACCESS_LOCK=overwrite cargo test`
/// makes it, and accepts changes; nothing else does, so a missing file is a failure.
///
/// `CI` is in the environment of machines on which nobody looks at what is accepted, so with it
/// `ACCESS_LOCK=overwrite` is a failure as well.
///
/// The failure lists what was loosened first, then what was added, changed, moved, tightened, removed,
/// and said in other words; decided by the logic of the policies. Each says in parentheses what is
/// different, such as the realm or the handler. Undecidable differences count as changed: a check that may
/// be another function now (in another module, or on a path with other parameter names), a service or a
/// router in place of other code, another reason of an unguarded router. So does a row that became an
/// [open pattern](auth_runtime_core::AccessRow::covers).
///
/// A route that was removed is compared with what answers its requests now, and one that was added with
/// what answered them before: `any` method of the path, `GET` for `HEAD`, or a path that matches some of
/// them too. Where an unguarded router may answer what was removed, it counts as changed.
///
/// Not in it: what an [`AccessTable`] leaves out, the routes within a service, what a `check` does (it stands there by its name), what
/// a handler denies itself ([`Guard::permit`](auth_runtime_axum::Guard::permit)), and the protection space.
///
/// A service with several routers gives each a file of its own: `assert_access_lock!(internal(),
/// "internal.lock")`.
///
/// The feature `access-lock` brings a Rust parser with it (`syn`, to read the policies back), so enable it
/// in `[dev-dependencies]`: `auth-runtime = { version = "…", features = ["access-lock"] }`.
///
/// # Panics
///
/// With a report, if the lock says something else, is missing or cannot be read.
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
