//! The workspace of a crate, found by cargo's rules: cargo does not report it to macros.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

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
        match read(folder).as_ref().and_then(|it| it.role.as_ref()) {
            Some(Role::Root { members, exclude }) => {
                let names_it = |paths: &[String]| {
                    let mut paths = paths.iter();
                    paths.any(|path| manifest.starts_with(folder.join(path)))
                };
                if folder == manifest || names_it(members) || !names_it(exclude) {
                    folders.push(folder.to_owned());
                    let root = folder.to_owned();
                    return Workspace { root, folders };
                }
                // Files in this folder apply to other crates.
            }
            Some(Role::MemberOf(root)) => {
                let root = joined(folder, root);
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
    read(folder).is_some_and(|manifest| manifest.asks_for_vocabulary)
}

/// The relevant part of a manifest.
struct Manifest {
    /// `None` if the manifest does not state a role.
    role: Option<Role>,
    asks_for_vocabulary: bool,
}

/// The role of a folder in the workspace, by its manifest.
enum Role {
    Root {
        members: Vec<String>,
        exclude: Vec<String>,
    },
    MemberOf(String),
}

/// Returns the manifest of a folder, if there is one. Each attribute of a crate reads the manifests. Parsing 9 KB
/// takes about 5 ms without optimizations, and reading them 10 µs: the last result for each file is kept, with its
/// text.
fn read(folder: &Path) -> Option<Arc<Manifest>> {
    static PARSED: Mutex<BTreeMap<PathBuf, (String, Arc<Manifest>)>> = Mutex::new(BTreeMap::new());

    let path = folder.join("Cargo.toml");
    let text = fs::read_to_string(&path).ok()?;
    let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((same, manifest)) = parsed.get(&path)
        && *same == text
    {
        return Some(Arc::clone(manifest));
    }
    let manifest = Arc::new(parse(&text));
    parsed.insert(path, (text, Arc::clone(&manifest)));
    Some(manifest)
}

fn parse(text: &str) -> Manifest {
    let Ok(manifest) = DeTable::parse(text) else {
        // Cargo would have stopped. Treat the folder as the root: an additional vocabulary only
        // rejects more, a missing one would accept more.
        return Manifest {
            role: Some(Role::Root {
                members: Vec::new(),
                exclude: Vec::new(),
            }),
            asks_for_vocabulary: false,
        };
    };
    let package = table(manifest.get_ref(), "package");
    let workspace = table(manifest.get_ref(), "workspace");
    let asks = |of: &DeTable<'_>| {
        let auth = table(of, "metadata").and_then(|metadata| table(metadata, "auth"));
        auth.and_then(|auth| auth.get("required"))
            .is_some_and(|required| !matches!(required.get_ref(), DeValue::Boolean(false)))
    };
    let member_of = |package: &DeTable<'_>| match package.get("workspace")?.get_ref() {
        DeValue::String(root) => Some(Role::MemberOf(root.to_string())),
        _ => None,
    };
    let role = match workspace {
        Some(workspace) => Some(Role::Root {
            members: strings(workspace, "members"),
            exclude: strings(workspace, "exclude"),
        }),
        None => package.and_then(member_of),
    };
    Manifest {
        role,
        asks_for_vocabulary: [package, workspace].into_iter().flatten().any(asks),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_manifest_is_parsed_once() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let [first, second] = [(); 2].map(|()| read(folder).expect("a manifest"));
        assert!(Arc::ptr_eq(&first, &second));
    }
}
