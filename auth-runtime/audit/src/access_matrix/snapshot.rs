//! The accepted matrix, in a file of the repository.

use std::io;
use std::path::Path;

use super::changes::{Accepted, Changes};
use super::error::{AccessMatrixError, MatrixErrorKind};
use super::matrix::AccessMatrix;
use crate::snapshot_update::SnapshotUpdate;

const HEADER: &str = "\
# Access matrix

Generated: `assert_access_matrix!` compares it with the responses of the service. A change is accepted by
`ACCESS_MATRIX=overwrite cargo test`, and reviewed here.

";

/// The contents of the file.
pub(super) struct Snapshot {
    text: String,
    matrix: Accepted,
}

impl Snapshot {
    pub(super) fn of(matrix: &AccessMatrix) -> Self {
        let text = format!("{HEADER}{}", matrix.to_markdown());
        let matrix = Accepted::read(&text).unwrap_or_default();
        Self { text, matrix }
    }

    /// Compares the matrix with the file, or writes the file if the environment requests it.
    pub(super) fn check(&self, file: &Path) -> Result<(), AccessMatrixError> {
        let error = |kind| Err(AccessMatrixError::new(kind));
        match SnapshotUpdate::by("ACCESS_MATRIX") {
            SnapshotUpdate::Refused => {}
            SnapshotUpdate::Accepted => {
                return match std::fs::write(file, &self.text) {
                    Ok(()) => Ok(()),
                    Err(cause) => error(MatrixErrorKind::File(file.to_owned(), cause)),
                };
            }
            SnapshotUpdate::OnCi => {
                return error(MatrixErrorKind::UpdateOnCi(file.to_owned()));
            }
        }
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                return error(MatrixErrorKind::Missing(file.to_owned()));
            }
            Err(cause) => return error(MatrixErrorKind::File(file.to_owned(), cause)),
        };
        let Some(before) = Accepted::read(&text) else {
            return error(MatrixErrorKind::Unreadable(file.to_owned()));
        };
        match Changes::between(&before, &self.matrix) {
            changes if changes.is_empty() => Ok(()),
            changes => error(MatrixErrorKind::Changed(file.to_owned(), changes)),
        }
    }
}

impl AccessMatrix {
    /// Compares the responses with the policies, and then with the snapshot in `file`. With
    /// `ACCESS_MATRIX=overwrite` in the environment, it writes the file instead. It never writes
    /// one that differs from the policies, and never if the environment variable `CI` is set (to a
    /// value other than the empty one, `0` and `false`).
    ///
    /// # Errors
    ///
    /// If the responses differ from the policies or from the snapshot, if a [setting](AccessMatrix#settings)
    /// has the same value in every row, or if the file is missing or cannot be read or written. The error is a readable
    /// report that includes the remedy.
    pub fn check(&self, file: impl AsRef<Path>) -> Result<(), AccessMatrixError> {
        let differences: Vec<_> = self
            .differences()
            .map(|(row, persona, difference)| format!("{row}, {}: {difference}", persona.name()))
            .collect();
        if !differences.is_empty() {
            return Err(AccessMatrixError::new(MatrixErrorKind::Differs(
                differences,
            )));
        }
        let single = self.settings_with_one_value();
        if !single.is_empty() {
            return Err(AccessMatrixError::new(MatrixErrorKind::Incomplete(single)));
        }
        Snapshot::of(self).check(file.as_ref())
    }
}
