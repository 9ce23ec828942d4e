//! The errors of checking a lock.

use std::fmt;
use std::path::{Path, PathBuf};

use super::AccessChanges;
use crate::snapshot_file::SnapshotError;

/// An error of checking an [`AccessLock`](crate::AccessLock): a report for the readers of a failed
/// test.
#[derive(Debug)]
pub struct AccessLockError {
    file: PathBuf,
    kind: LockErrorKind,
}

#[derive(Debug)]
pub(super) enum LockErrorKind {
    File(SnapshotError),
    Line {
        number: usize,
        line: String,
    },
    Differs {
        changes: AccessChanges,
        /// True if no route of the file is in the router.
        is_of_another_router: bool,
    },
}

impl AccessLockError {
    pub(super) fn new(file: &Path, kind: LockErrorKind) -> Self {
        Self {
            file: file.to_owned(),
            kind,
        }
    }

    /// The changes. `None` if the lock could not be read.
    pub fn changes(&self) -> Option<&AccessChanges> {
        match &self.kind {
            LockErrorKind::Differs { changes, .. } => Some(changes),
            _ => None,
        }
    }
}

impl fmt::Display for AccessLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.file.file_name().unwrap_or_default().display();
        match &self.kind {
            LockErrorKind::File(error) => error.fmt(f),
            LockErrorKind::Line { number, line } => write!(
                f,
                "line {number} of `{name}` is not an entry of an access lock: `{}`; restore the \
                 file from the repository, or create it with `ACCESS_LOCK=overwrite cargo test` and \
                 review the difference",
                line.escape_debug()
            ),
            LockErrorKind::Differs {
                changes,
                is_of_another_router,
            } => {
                write!(f, "the access policies differ from `{name}`\n\n{changes}\n")?;
                if *is_of_another_router {
                    f.write_str(
                        "The router has no route of this file, so another test seems to use the file. Give \
                         each router a file of its own: `assert_access_lock!(router, \"other.lock\")`.\n",
                    )?;
                }
                write!(
                    f,
                    "To accept the differences, run `ACCESS_LOCK=overwrite cargo test`, and commit `{name}`."
                )
            }
        }
    }
}

impl std::error::Error for AccessLockError {}
