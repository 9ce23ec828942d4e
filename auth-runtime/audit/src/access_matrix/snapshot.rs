//! The accepted matrix, in a file of the repository.

use std::path::Path;

use super::changes::{Accepted, Changes};
use super::error::{AccessMatrixError, MatrixErrorKind};
use super::matrix::AccessMatrix;
use crate::snapshot_file::SnapshotKind;

const HEADER: &str = "\
# Access matrix

Generated: `assert_access_matrix!` compares it with the responses of the service. A change is accepted by
`ACCESS_MATRIX=overwrite cargo test`, and reviewed here.

";

static KIND: SnapshotKind = SnapshotKind {
    name: "access matrix",
    variable: "ACCESS_MATRIX",
};

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
        self.check_file(file.as_ref())
    }

    /// Compares the matrix with the file, or writes the file if the environment requests it.
    fn check_file(&self, file: &Path) -> Result<(), AccessMatrixError> {
        let error = AccessMatrixError::new;
        let now = format!("{HEADER}{}", self.to_markdown());
        let read = KIND.read_or_overwrite(file, &now);
        let Some(text) = read.map_err(|cause| error(MatrixErrorKind::File(cause)))? else {
            return Ok(());
        };
        // Invalid UTF-8 never occurs in a written matrix, so such a file differs in any case.
        let before = Accepted::read(&String::from_utf8_lossy(&text))
            .ok_or_else(|| error(MatrixErrorKind::Unreadable(file.to_owned())))?;
        let now = Accepted::read(&now).unwrap_or_default();
        match Changes::between(&before, &now) {
            changes if changes.is_empty() => Ok(()),
            changes => Err(error(MatrixErrorKind::Changed(file.to_owned(), changes))),
        }
    }
}
