//! Snapshot files in the repository: read, or overwritten if the environment of the test run requests it.

use std::env::var_os;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A kind of snapshot files.
#[derive(Debug)]
pub(crate) struct SnapshotKind {
    pub(crate) name: &'static str,
    /// The environment variable that accepts a changed snapshot.
    pub(crate) variable: &'static str,
}

/// The reason for which a snapshot file was neither read nor overwritten.
#[derive(Debug)]
pub(crate) struct SnapshotError {
    kind: &'static SnapshotKind,
    file: PathBuf,
    problem: SnapshotProblem,
}

#[derive(Debug)]
enum SnapshotProblem {
    Missing,
    /// Overwriting is requested on a CI server, where the new file is not reviewed.
    UpdateOnCi,
    File(io::Error),
}

impl SnapshotKind {
    /// Returns the contents of a file. If the environment requests it, overwrites the file with `now` instead, and
    /// returns `None`.
    pub(crate) fn read_or_overwrite(
        &'static self,
        file: &Path,
        now: &str,
    ) -> Result<Option<Vec<u8>>, SnapshotError> {
        let error = |problem| SnapshotError {
            kind: self,
            file: file.to_owned(),
            problem,
        };
        let is_requested = var_os(self.variable).is_some_and(|value| value == "overwrite");
        if !is_requested {
            return std::fs::read(file).map(Some).map_err(|cause| {
                error(match cause.kind() {
                    io::ErrorKind::NotFound => SnapshotProblem::Missing,
                    _ => SnapshotProblem::File(cause),
                })
            });
        }
        if is_ci() {
            return Err(error(SnapshotProblem::UpdateOnCi));
        }
        let written = std::fs::write(file, now);
        written.map_err(|cause| error(SnapshotProblem::File(cause)))?;
        Ok(None)
    }
}

/// All CI services set `CI`.
fn is_ci() -> bool {
    let denials = ["", "0", "false"];
    var_os("CI").is_some_and(|value| denials.iter().all(|denial| value != *denial))
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SnapshotKind { name, variable } = self.kind;
        let path = self.file.display();
        match &self.problem {
            SnapshotProblem::Missing => write!(
                f,
                "the {name} `{path}` does not exist; create it with `{variable}=overwrite cargo test`, and commit \
                 it"
            ),
            SnapshotProblem::UpdateOnCi => write!(
                f,
                "`{variable}=overwrite` would accept every change of `{}` without a review, since `CI` is set; \
                 unset `{variable}` here, and accept the change where it is made",
                self.file.file_name().unwrap_or_default().display()
            ),
            SnapshotProblem::File(cause) => {
                write!(f, "`{path}` cannot be read or written: {cause}")
            }
        }
    }
}
