//! The files of a revision of git, in a folder of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::Failure;

/// A revision that was written out, until it is dropped.
pub(crate) struct Revision {
    _folder: TempDir,
    /// The folder that corresponds to the one that was asked for.
    pub(crate) root: PathBuf,
}

impl Revision {
    /// Writes out what the repository around `root` was at a revision.
    pub(crate) fn write_out(root: &Path, revision: &str) -> Result<Self, Failure> {
        let failed =
            |error: std::io::Error| Failure::new(format!("no folder can be made: {error}"));
        let folder = TempDir::with_prefix("cargo-auth-").map_err(failed)?;
        git(root, None, &["rev-parse", "--is-inside-work-tree"]).map_err(|failure| {
            Failure::new(format!("this is no working tree of git: {failure}"))
        })?;
        // Neither an option nor a path, whatever it looks like.
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
        .map_err(|_| Failure::new(format!("git knows no revision {revision:?} here")))?;
        let prefix = git(root, None, &["rev-parse", "--show-prefix"])?;
        // An index of its own: the one of the repository stays as it is.
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

/// What git prints, without the line break behind it.
fn git(folder: &Path, index: Option<&Path>, arguments: &[&str]) -> Result<String, Failure> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(arguments);
    // In a hook, git says which repository it works for. What is asked about is the one around `folder`.
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
