//! The files of a git revision, in a temporary folder.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use tempfile::TempDir;
use toml::de::{DeTable, DeValue};

use crate::report::Failure;

/// The sources and manifests of a revision. They are deleted on drop.
pub(crate) struct Revision {
    folder: TempDir,
    /// The folder that corresponds to the given one.
    pub(crate) root: PathBuf,
    /// The root of the working tree.
    top: PathBuf,
}

impl Revision {
    /// Writes out a revision of the repository around `root`.
    pub(crate) fn write_out(root: &Path, revision: &str) -> Result<Self, Failure> {
        let folder = TempDir::with_prefix("cargo-auth-").map_err(not_written)?;
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
        git(root, Some(&index), &["read-tree", &tree])?;
        let top = git(root, None, &["rev-parse", "--show-toplevel"])?;
        let revision = Self {
            root: folder.path().join(FILES).join(prefix),
            folder,
            top: top.into(),
        };
        revision.write_sources()?;
        Ok(revision)
    }

    /// Writes out the symbolic links and the files that are read, and no others: the filters of large files, such as
    /// those of Git LFS, would load them.
    fn write_sources(&self) -> Result<(), Failure> {
        let index = self.folder.path().join(INDEX);
        let files = self.folder.path().join(FILES);
        let list = ["ls-files", "--stage", "--full-name", "-z"];
        let list = output(&self.top, Some(&index), Stdio::null(), &list)?;
        let mut left: Vec<IndexEntry<'_>> = list
            .split(|byte| *byte == 0)
            .filter_map(IndexEntry::of)
            .collect();
        for entry in &left {
            // A path may lead through a folder without sources.
            let path = PathBuf::from(String::from_utf8_lossy(entry.name).as_ref());
            if let Some(parent) = within(&path).as_deref().and_then(Path::parent) {
                fs::create_dir_all(files.join(parent)).map_err(not_written)?;
            }
        }
        // A link may lead to a folder with sources.
        self.write(left.iter().filter(|entry| entry.is_link))?;
        let mut mentioned: BTreeSet<Vec<u8>> = BTreeSet::new();
        loop {
            let (round, rest): (Vec<_>, Vec<_>) = left
                .into_iter()
                .partition(|entry| entry.is_source() || mentioned.contains(entry.file_name()));
            if round.is_empty() {
                return Ok(());
            }
            left = rest;
            self.write(round.iter().filter(|entry| !entry.is_link))?;
            for entry in &round {
                let name = String::from_utf8_lossy(entry.name);
                mentioned_in(&files.join(name.as_ref()), &mut mentioned);
            }
        }
    }

    fn write<'e>(&self, entries: impl Iterator<Item = &'e IndexEntry<'e>>) -> Result<(), Failure> {
        let names = self.folder.path().join(NAMES);
        let list: Vec<u8> = entries
            .flat_map(|entry| entry.name.iter().copied().chain([0]))
            .collect();
        let list = fs::write(&names, list).and_then(|()| fs::File::open(&names));
        let list = list.map_err(not_written)?;
        let index = self.folder.path().join(INDEX);
        let to = format!("--prefix={}/", self.folder.path().join(FILES).display());
        let arguments = ["checkout-index", "--quiet", &to, "-z", "--stdin"];
        output(&self.top, Some(&index), list.into(), &arguments).map(drop)
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
const NAMES: &str = "names";

fn not_written(error: io::Error) -> Failure {
    Failure::new(format!(
        "the files of a revision cannot be written: {error}"
    ))
}

/// A file of a revision.
struct IndexEntry<'l> {
    name: &'l [u8],
    is_link: bool,
}

impl<'l> IndexEntry<'l> {
    /// Reads a line of `git ls-files --stage`. `None` for a submodule.
    fn of(line: &'l [u8]) -> Option<Self> {
        let end = line.iter().position(|byte| *byte == b'\t')?;
        let (mode, name) = (line.get(..6)?, line.get(end + 1..)?);
        (mode != b"160000").then_some(Self {
            name,
            is_link: mode == b"120000",
        })
    }

    fn file_name(&self) -> &'l [u8] {
        self.name
            .rsplit(|byte| *byte == b'/')
            .next()
            .unwrap_or_default()
    }

    /// Returns whether it is read in any case.
    fn is_source(&self) -> bool {
        let name = self.file_name();
        name.ends_with(b".rs") || name == b"Cargo.toml" || name == b"auth.toml"
    }
}

/// Adds the names of the files that a file or a link leads to: the last parts of the paths in
/// `#[path = "…"]`, in the targets of a manifest, and of the Cedar schema in `auth.toml`. Files in other folders with
/// such a name are written out as well.
fn mentioned_in(file: &Path, names: &mut BTreeSet<Vec<u8>>) {
    if let Ok(target) = fs::read_link(file) {
        let name = target.file_name().unwrap_or_default();
        names.insert(name.as_encoded_bytes().to_vec());
        return;
    }
    let text = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    for key in ["path", "schema"] {
        for (at, _) in text.match_indices(key) {
            let (before, after) = text.split_at(at);
            let before = before.trim_end_matches([' ', '\t']);
            let is_key = before.is_empty()
                || before.ends_with(['\n', '[', '(', ',', '{', '.', '"', '\''])
                || before.ends_with("*/");
            if !is_key {
                continue;
            }
            let after = after.get(key.len()..).unwrap_or_default();
            let value = after.trim_start_matches(['"', '\'']).trim_start();
            let Some(value) = value.strip_prefix('=') else {
                continue;
            };
            let value = value.trim_start().trim_start_matches(['r', '#']);
            let quote = value.chars().next().filter(|it| matches!(it, '"' | '\''));
            let Some(value) = quote.and_then(|quote| value.split(quote).nth(1)) else {
                continue;
            };
            let name = value.rsplit(['/', '\\']).next().unwrap_or_default();
            names.insert(name.as_bytes().to_vec());
        }
    }
}

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

/// Returns the output of git as text, without the final line break.
fn git(folder: &Path, index: Option<&Path>, arguments: &[&str]) -> Result<String, Failure> {
    let output = output(folder, index, Stdio::null(), arguments)?;
    let text = String::from_utf8_lossy(&output);
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Returns the output of git.
fn output(
    folder: &Path,
    index: Option<&Path>,
    input: Stdio,
    arguments: &[&str],
) -> Result<Vec<u8>, Failure> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(arguments).stdin(input);
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
    Ok(output.stdout)
}
