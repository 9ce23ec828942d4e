//! Acceptance of changed snapshot files, set by the environment of a test run.

use std::env::var_os;

/// The reaction to a changed snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotUpdate {
    /// The change is not accepted, and the test fails.
    Refused,
    /// The change is accepted, and the file is overwritten.
    Accepted,
    /// The change is accepted on a CI server, where the new file would not be reviewed.
    OnCi,
}

impl SnapshotUpdate {
    pub(crate) fn by(variable: &str) -> Self {
        if var_os(variable).is_none_or(|value| value != "overwrite") {
            return Self::Refused;
        }
        // All CI services set `CI`.
        let denials = ["", "0", "false"];
        let is_ci = var_os("CI").is_some_and(|value| denials.iter().all(|denial| value != *denial));
        if is_ci { Self::OnCi } else { Self::Accepted }
    }
}
