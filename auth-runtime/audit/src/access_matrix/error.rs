//! The errors of building and checking a matrix.

use std::fmt;
use std::path::PathBuf;

use auth_runtime_core::adapter::text::visible;

use super::changes::Changes;
use crate::snapshot_file::SnapshotError;

/// An error of building or checking an [`AccessMatrix`](crate::AccessMatrix): a report for the
/// readers of a failed test.
pub struct AccessMatrixError {
    kind: MatrixErrorKind,
}

#[derive(Debug)]
pub(super) enum MatrixErrorKind {
    /// Mistakes in the settings of the builder, each as text.
    Mistakes(Vec<String>),
    /// The reasons against the union of two matrices.
    Apart(Vec<String>),
    /// Responses that differ from the policies.
    Differs(Vec<String>),
    /// Settings with one value only.
    Incomplete(Vec<String>),
    File(SnapshotError),
    /// The file has no matrix.
    Unreadable(PathBuf),
    Changed(PathBuf, Changes),
}

impl AccessMatrixError {
    pub(super) fn new(kind: MatrixErrorKind) -> Self {
        Self { kind }
    }

    /// Returns whether the router differs from the policies. Such a difference cannot be accepted.
    pub fn is_difference(&self) -> bool {
        matches!(self.kind, MatrixErrorKind::Differs(_))
    }
}

impl fmt::Display for AccessMatrixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            MatrixErrorKind::Apart(reasons) => {
                f.write_str("the matrices cannot be joined")?;
                reasons
                    .iter()
                    .try_for_each(|reason| write!(f, "\n  {reason}"))
            }
            MatrixErrorKind::Mistakes(mistakes) => {
                f.write_str("the matrix cannot be requested")?;
                mistakes
                    .iter()
                    .try_for_each(|mistake| write!(f, "\n  {mistake}"))
            }
            MatrixErrorKind::Differs(differences) => {
                f.write_str("the responses of the service differ from its policies\n")?;
                differences
                    .iter()
                    .try_for_each(|difference| write!(f, "\n  {difference}"))
            }
            MatrixErrorKind::Incomplete(settings) => {
                f.write_str("the matrix has only one value of some settings\n")?;
                settings
                    .iter()
                    .try_for_each(|setting| write!(f, "\n  {setting}"))
            }
            MatrixErrorKind::File(error) => error.fmt(f),
            MatrixErrorKind::Unreadable(file) => write!(
                f,
                "`{}` has no response table, or a merge left two of them in it; restore the file \
                 from the repository, or create it with `ACCESS_MATRIX=overwrite cargo test` and \
                 review the difference",
                file.display()
            ),
            MatrixErrorKind::Changed(file, changes) => {
                let name = file.file_name().unwrap_or_default().display();
                write!(
                    f,
                    "the responses differ from `{name}`\n\n{changes}\nTo accept the differences, \
                     run `ACCESS_MATRIX=overwrite cargo test`, and commit `{name}`."
                )
            }
        }
    }
}

impl fmt::Debug for AccessMatrixError {
    /// Writes the report, since a test that returns the error prints this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for AccessMatrixError {}

/// Returns the mistake of a row's parameter without a value.
pub(super) fn unfilled(name: &str, path: &str) -> String {
    format!(
        "`{}` has a parameter without a value: add `.path_value({name:?}, …)`",
        visible(path)
    )
}
