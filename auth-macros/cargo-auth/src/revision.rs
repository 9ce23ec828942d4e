//! The files of a git revision, in a temporary folder.

use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use tempfile::TempDir;
use toml::de::{DeTable, DeValue};

use crate::report::Failure;

/// A checked-out revision. Its files are deleted on drop.
pub(crate) struct Revision {
    folder: TempDir,
    /// The folder that corresponds to the given one.
    pub(crate) root: PathBuf,
    /// The root of the working tree.
    top: PathBuf,
}

impl Revision {
    /// Checks out a revision of the repository around `root`.
    pub(crate) fn write_out(root: &Path, revision: &str) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
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
        let index = folder.path().join(INDEX);
        let files = folder.path().join(FILES);
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
            folder,
            top: top.into(),
        })
    }

    /// Lets the manifests name the folders of the working tree where a path of a dependency leads
    /// to a folder that the revision does not contain: out of the repository, or to a submodule.
    pub(crate) fn find_dependencies(&self) -> Result<(), Failure> {
        let index = self.folder.path().join(INDEX);
        let manifests = ["ls-files", "-z", ":(glob)**/Cargo.toml"];
        let manifests = git(&self.top, Some(&index), &manifests)?;
        for name in manifests.split('\0').filter(|name| !name.is_empty()) {
            let failed = |error| Failure::new(format!("{name} cannot be changed: {error}"));
            self.write_paths(Path::new(name)).map_err(failed)?;
        }
        Ok(())
    }

    /// Writes the paths in a manifest anew, if necessary.
    fn write_paths(&self, name: &Path) -> io::Result<()> {
        let files = self.folder.path().join(FILES);
        let manifest = files.join(name);
        // A link could lead out of the temporary folder.
        if !fs::symlink_metadata(&manifest).is_ok_and(|it| it.is_file()) {
            return Ok(());
        }
        // Cargo reports an invalid manifest, if it reads it.
        let Ok(mut text) = fs::read_to_string(&manifest) else {
            return Ok(());
        };
        let mut paths = Vec::new();
        if let Ok(table) = DeTable::parse(&text) {
            paths_of_dependencies(table.get_ref(), false, &mut paths);
        }
        let folder = name.parent().unwrap_or(Path::new(""));
        let is_missing = |path: &str| {
            let path = within(&folder.join(path)).map(|path| files.join(path));
            path.is_none_or(|path| !path.join("Cargo.toml").exists())
        };
        paths.retain(|(_, path)| is_missing(path));
        if paths.is_empty() {
            return Ok(());
        }
        // The last one first, since the others do not move then.
        paths.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        for (range, path) in paths {
            let path = self.top.join(folder).join(path);
            // A string of JSON is one of TOML.
            text.replace_range(range, &serde_json::to_string(&path)?);
        }
        fs::write(manifest, text)
    }
}

/// The names in the temporary folder.
const INDEX: &str = "index";
const FILES: &str = "files";

/// Returns the paths of the dependencies in a manifest, with their places in its text.
fn paths_of_dependencies(
    table: &DeTable<'_>,
    are_dependencies: bool,
    paths: &mut Vec<(Range<usize>, String)>,
) {
    for (name, value) in table {
        let DeValue::Table(inner) = value.get_ref() else {
            continue;
        };
        if are_dependencies
            && let Some(path) = inner.get("path")
            && let DeValue::String(text) = path.get_ref()
        {
            paths.push((path.span(), text.to_string()));
        }
        // Those of a target and of the workspace are in tables of their own.
        let are_dependencies = name.get_ref().ends_with("dependencies");
        paths_of_dependencies(inner, are_dependencies, paths);
    }
}

/// Returns a path of the repository without `.` and `..`; `None` if it leads out of it.
fn within(path: &Path) -> Option<PathBuf> {
    let mut within = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => within.push(name),
            Component::CurDir => {}
            Component::ParentDir if within.pop() => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(within)
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
