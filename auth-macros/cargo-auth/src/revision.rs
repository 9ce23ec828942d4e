//! The files of a git revision, in a temporary folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::report::Failure;

/// A checked-out revision. Its files are deleted on drop.
pub(crate) struct Revision {
    _folder: TempDir,
    /// The folder that corresponds to the given one.
    pub(crate) root: PathBuf,
}

impl Revision {
    /// Checks out a revision of the repository around `root`.
    pub(crate) fn write_out(root: &Path, revision: &str) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(format!("a temporary folder cannot be created: {error}"))
        };
        let folder = TempDir::with_prefix("cargo-auth-").map_err(failed)?;
        git(root, None, &["rev-parse", "--is-inside-work-tree"]).map_err(|failure| {
            Failure::new(format!("this is not a working tree of git: {failure}"))
        })?;
        // Ensures that the revision is read neither as an option nor as a path.
        let tree = format!("{revision}^{{tree}}");
        let tree = git(
            root,
            None,
            &[
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                &tree,
            ],
        )
        .map_err(|_| Failure::new(format!("unknown revision {revision:?}")))?;
        let prefix = git(root, None, &["rev-parse", "--show-prefix"])?;
        // A separate index, so that the repository's own is not changed.
        let index = folder.path().join("index");
        let files = folder.path().join("files");
        let to = format!("--prefix={}/", files.display());
        git(root, Some(&index), &["read-tree", &tree])?;
        let top = git(root, None, &["rev-parse", "--show-toplevel"])?;
        git(
            Path::new(&top),
            Some(&index),
            &["checkout-index", "--all", "--quiet", &to],
        )?;
        Ok(Self {
            root: files.join(prefix),
            _folder: folder,
        })
    }
}

/// Returns the output of git without the final line break.
fn git(folder: &Path, index: Option<&Path>, arguments: &[&str]) -> Result<String, Failure> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(arguments);
    // In a hook, these variables name the repository of the hook, and not the one around `folder`.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    if let Some(index) = index {
        command.env("GIT_INDEX_FILE", index);
    }
    let output = command
        .output()
        .map_err(|error| Failure::new(format!("git cannot be run: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!("git failed: {}", said.trim())));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
