//! The workspace of a crate, found by cargo's rules: cargo does not report it to macros.

use std::fs;
use std::path::{Component, Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The files that cargo writes into the folder of a crate from a registry, from a repository, or
/// vendored. Folders above such a crate are not its workspace.
const FOREIGN: [&str; 2] = [".cargo-ok", ".cargo-checksum.json"];

/// The workspace of a crate, reduced to the folders relevant to that crate.
pub(super) struct Workspace {
    /// The root folder; for a crate without a workspace, its own.
    pub(super) root: PathBuf,
    /// The folder of the crate, those above it up to the root, and the root, wherever it lies.
    pub(super) folders: Vec<PathBuf>,
}

/// Returns the workspace of the crate in the folder `manifest`.
pub(super) fn of(manifest: &Path) -> Workspace {
    let mut folders = Vec::new();
    for folder in manifest.ancestors() {
        match role(folder) {
            Some(Role::Root { members, exclude }) => {
                let names_it = |paths: &[String]| {
                    let mut paths = paths.iter();
                    paths.any(|path| manifest.starts_with(folder.join(path)))
                };
                if folder == manifest || names_it(&members) || !names_it(&exclude) {
                    folders.push(folder.to_owned());
                    let root = folder.to_owned();
                    return Workspace { root, folders };
                }
                // Files in this folder apply to other crates.
            }
            Some(Role::MemberOf(root)) => {
                let root = joined(folder, &root);
                let above = folder.ancestors().skip(1);
                let above = above.take_while(|it| it.starts_with(&root));
                folders.push(folder.to_owned());
                folders.extend(above.map(Path::to_owned));
                if folders.last() != Some(&root) {
                    // The root lies beside the crate, and not above it.
                    folders.push(root.clone());
                }
                return Workspace { root, folders };
            }
            None => folders.push(folder.to_owned()),
        }
        let is_foreign = FOREIGN.iter().any(|file| folder.join(file).is_file());
        // Cargo verifies packages there as their users build them: without the surrounding
        // workspace.
        let is_packaged = folder.ends_with("target/package");
        if is_foreign || is_packaged {
            break;
        }
    }
    let root = manifest.to_owned();
    Workspace {
        folders: vec![root.clone()],
        root,
    }
}

/// Returns whether the manifest of a package or of a workspace requires a vocabulary.
pub(super) fn asks_for_vocabulary(folder: &Path) -> bool {
    let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    let Ok(manifest) = DeTable::parse(&text) else {
        return false;
    };
    let asks = |of: &str| {
        let auth = table(manifest.get_ref(), of)
            .and_then(|table| self::table(table, "metadata"))
            .and_then(|table| self::table(table, "auth"))?;
        auth.get("required")
            .map(|required| !matches!(required.get_ref(), DeValue::Boolean(false)))
    };
    asks("package") == Some(true) || asks("workspace") == Some(true)
}

/// The role of a folder in the workspace, by its manifest.
enum Role {
    Root {
        members: Vec<String>,
        exclude: Vec<String>,
    },
    MemberOf(String),
}

/// Returns the role. `None` if the folder has no manifest, or if the manifest does not state a
/// role.
fn role(folder: &Path) -> Option<Role> {
    let text = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let Ok(manifest) = DeTable::parse(&text) else {
        // Cargo would have stopped. Treat the folder as the root: an additional vocabulary only
        // rejects more, a missing one would accept more.
        return Some(Role::Root {
            members: Vec::new(),
            exclude: Vec::new(),
        });
    };
    if let Some(workspace) = table(manifest.get_ref(), "workspace") {
        return Some(Role::Root {
            members: strings(workspace, "members"),
            exclude: strings(workspace, "exclude"),
        });
    }
    let package = table(manifest.get_ref(), "package")?;
    match package.get("workspace")?.get_ref() {
        DeValue::String(root) => Some(Role::MemberOf(root.to_string())),
        _ => None,
    }
}

fn table<'v, 't>(table: &'v DeTable<'t>, key: &str) -> Option<&'v DeTable<'t>> {
    match table.get(key)?.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

fn strings(table: &DeTable<'_>, key: &str) -> Vec<String> {
    let Some(DeValue::Array(members)) = table.get(key).map(Spanned::get_ref) else {
        return Vec::new();
    };
    let text = |value: &DeValue<'_>| match value {
        DeValue::String(text) => Some(text.to_string()),
        _ => None,
    };
    let texts = members.iter().filter_map(|member| text(member.get_ref()));
    texts.collect()
}

/// Resolves `path` relative to `folder`, without `..` in the result.
pub(super) fn joined(folder: &Path, path: &str) -> PathBuf {
    let mut whole = PathBuf::new();
    for component in folder.join(path).components() {
        if component == Component::ParentDir {
            whole.pop();
        } else {
            whole.push(component);
        }
    }
    whole
}
