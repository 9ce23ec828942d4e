//! Where the workspace of a crate begins, by the rules of cargo, which tells no macro.

use std::fs;
use std::path::{Component, Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What cargo leaves in the folder of a crate that comes from elsewhere: from a registry, from a
/// repository, or vendored. No folder around it is its workspace.
const FOREIGN: [&str; 2] = [".cargo-ok", ".cargo-checksum.json"];

/// The workspace of a crate, as far as it is of interest to that crate.
pub(super) struct Workspace {
    /// Its folder; for a crate without a workspace, its own.
    pub(super) root: PathBuf,
    /// The folder of the crate, those above it up to the root, and the root, wherever it lies.
    pub(super) folders: Vec<PathBuf>,
}

/// The workspace of the crate in the folder `manifest`.
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
                // What lies there is for the others.
            }
            Some(Role::MemberOf(root)) => {
                let root = joined(folder, &root);
                let above = folder.ancestors().skip(1);
                let above = above.take_while(|it| it.starts_with(&root));
                folders.push(folder.to_owned());
                folders.extend(above.map(Path::to_owned));
                if folders.last() != Some(&root) {
                    // It lies beside the crate, and not above it.
                    folders.push(root.clone());
                }
                return Workspace { root, folders };
            }
            None => folders.push(folder.to_owned()),
        }
        let is_foreign = FOREIGN.iter().any(|file| folder.join(file).is_file());
        // Where cargo builds a package as those will who get it: without what lies around it.
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

/// Whether the manifest of a package or of a workspace says that there has to be a vocabulary.
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

/// What a folder is to the workspace, by its manifest.
enum Role {
    Root {
        members: Vec<String>,
        exclude: Vec<String>,
    },
    MemberOf(String),
}

/// `None` if there is no manifest, or if it does not say.
fn role(folder: &Path) -> Option<Role> {
    let text = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let Ok(manifest) = DeTable::parse(&text) else {
        // Cargo would have stopped. A vocabulary too many refuses more, one too few lets more pass.
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

/// `path` seen from `folder`, without `..` in it.
fn joined(folder: &Path, path: &str) -> PathBuf {
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
