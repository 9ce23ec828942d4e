//! Where the vocabulary of a crate is, and what is wrong with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::Vocabulary;
use super::read::{Mistake, read};

const FILE: &str = "auth.toml";

/// The vocabulary of a crate.
pub struct Found {
    /// Absolute.
    pub path: PathBuf,
    /// As the user would name it: from the root of the workspace.
    pub shown: String,
    /// `None` if the file is wrong.
    pub vocabulary: Option<Arc<Vocabulary>>,
    /// What is wrong with it, if nobody was told yet.
    pub mistakes: Vec<String>,
}

/// A file that was read, to be read again only if it changed.
struct Known {
    text: String,
    vocabulary: Option<Arc<Vocabulary>>,
}

/// Looks for `auth.toml` in the folder of a crate's `Cargo.toml`, and in the folders above it up to
/// the root of the workspace.
pub fn find(manifest: &Path) -> Option<Found> {
    let root = root_of(manifest);
    let folder = manifest
        .ancestors()
        .take_while(|folder| folder.starts_with(&root))
        .find(|folder| folder.join(FILE).is_file())?;
    let path = folder.join(FILE);
    let shown = path.strip_prefix(&root).unwrap_or(&path);
    let shown = shown.display().to_string();
    let (vocabulary, mistakes) = load(&path, &shown);
    Some(Found {
        path,
        shown,
        vocabulary,
        mistakes,
    })
}

/// The nearest folder whose `Cargo.toml` is that of a workspace; without one, the crate's own.
fn root_of(manifest: &Path) -> PathBuf {
    let is_root = |folder: &&Path| {
        let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        text.lines().any(|line| {
            let line = line.trim();
            line.starts_with("[workspace]") || line.starts_with("[workspace.")
        })
    };
    let root = manifest.ancestors().find(is_root);
    root.unwrap_or(manifest).to_owned()
}

/// Every handler asks for the file, but it is read, and complained about, once.
fn load(path: &Path, shown: &str) -> (Option<Arc<Vocabulary>>, Vec<String>) {
    static KNOWN: Mutex<BTreeMap<PathBuf, Known>> = Mutex::new(BTreeMap::new());

    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return (None, vec![format!("{shown} cannot be read: {error}")]),
    };
    // Nothing panics while it is held; and if, what is in it is right.
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.get(path).filter(|known| known.text == text) {
        return (known.vocabulary.clone(), Vec::new());
    }
    let (vocabulary, mistakes) = read(&text);
    let vocabulary = mistakes.is_empty().then(|| Arc::new(vocabulary));
    let mistakes = mistakes
        .iter()
        .map(|mistake| located(mistake, &text, shown))
        .collect();
    known.insert(
        path.to_owned(),
        Known {
            text,
            vocabulary: vocabulary.clone(),
        },
    );
    (vocabulary, mistakes)
}

/// A mistake with its line and column, both counted from 1, the column in characters.
fn located(mistake: &Mistake, text: &str, shown: &str) -> String {
    let before = text.get(..mistake.at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(start..).unwrap_or_default().chars().count() + 1;
    format!("{shown}:{line}:{column}: {}", mistake.message)
}
