//! The location of a crate's vocabulary, and the mistakes in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str;
use std::sync::{Arc, Mutex, PoisonError};

use proc_macro2::Span;

use super::declared::Vocabulary;
use super::read::read;
use super::reader::Mistake;
use super::workspace::{self, Workspace};
use crate::codes;
use crate::errors::Errors;

const FILE: &str = "auth.toml";

/// The vocabulary of a crate.
#[derive(Clone)]
pub struct LoadedVocabulary {
    /// The absolute path.
    pub path: PathBuf,
    /// The path for messages: relative to the root of the workspace.
    pub shown: String,
    /// `None` if the file is invalid.
    pub vocabulary: Option<Arc<Vocabulary>>,
    /// The mistakes in the file.
    pub mistakes: Vec<String>,
}

impl LoadedVocabulary {
    /// Records the mistakes in the file as one error: the compiler can only point at the attribute
    /// that requested the file.
    pub fn report(&self, errors: &mut Errors) {
        if self.mistakes.is_empty() {
            return;
        }
        let mut message = format!("`{}` is invalid\n", self.shown);
        for line in self.mistakes.iter().flat_map(|mistake| mistake.lines()) {
            message.push_str("\n    ");
            message.push_str(line);
        }
        errors.add(codes::VOCABULARY, Span::call_site(), message);
    }
}

/// Searches `auth.toml` in the folder of a crate's `Cargo.toml`, and in the folders above it up to
/// the root of the workspace. A manifest in these folders can require the file:
/// `[package.metadata.auth]` or `[workspace.metadata.auth]` with `required = true`.
pub fn find(manifest: &Path) -> Option<LoadedVocabulary> {
    let Workspace { root, folders } = workspace::of(manifest);
    let Some(folder) = folders.iter().find(|folder| holds_one(folder)) else {
        let mut folders = folders.iter();
        let asks = folders.find(|folder| workspace::asks_for_vocabulary(folder))?;
        return Some(missing(asks, &root));
    };
    let path = folder.join(FILE);
    let shown = shown(&path, &root);
    match fs::read(&path) {
        Ok(contents) => Some(parsed(path, shown, contents)),
        Err(error) => Some(LoadedVocabulary {
            mistakes: vec![format!("{shown} cannot be read: {error}")],
            path,
            shown,
            vocabulary: None,
        }),
    }
}

/// Parses the contents of a file, or returns the result for the same contents. Each attribute of a crate
/// reads the file, and parsing takes far longer than reading. The result depends on the contents alone.
fn parsed(path: PathBuf, shown: String, contents: Vec<u8>) -> LoadedVocabulary {
    static PARSED: Mutex<BTreeMap<PathBuf, (Vec<u8>, LoadedVocabulary)>> =
        Mutex::new(BTreeMap::new());

    let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    let same = parsed
        .get(&path)
        .filter(|(other, loaded)| *other == contents && loaded.shown == shown);
    if let Some((_, loaded)) = same {
        return loaded.clone();
    }
    let (vocabulary, mistakes) = understand(&contents, &shown);
    let loaded = LoadedVocabulary {
        path: path.clone(),
        shown,
        vocabulary: vocabulary.map(Arc::new),
        mistakes,
    };
    parsed.insert(path, (contents, loaded.clone()));
    loaded
}

/// Returns whether a folder contains the file. A dangling link and a folder of that name count, so
/// that the failure to read them is reported.
fn holds_one(folder: &Path) -> bool {
    match folder.join(FILE).symlink_metadata() {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

fn shown(path: &Path, root: &Path) -> String {
    let shown = path.strip_prefix(root).unwrap_or(path);
    shown.display().to_string()
}

/// Reports a missing file that the manifest in `folder` requires.
fn missing(folder: &Path, root: &Path) -> LoadedVocabulary {
    let path = folder.join(FILE);
    let manifest = shown(&folder.join("Cargo.toml"), root);
    let shown = shown(&path, root);
    let mistake = format!(
        "no `{FILE}` was found, which {manifest} requires\n\
         help: create it beside {manifest}, or in a folder above up to the root of the \
         workspace, or remove `required` below `metadata.auth`"
    );
    LoadedVocabulary {
        path,
        shown,
        vocabulary: None,
        mistakes: vec![mistake],
    }
}

fn understand(contents: &[u8], shown: &str) -> (Option<Vocabulary>, Vec<String>) {
    let text = match str::from_utf8(contents) {
        Ok(text) => text,
        Err(error) => {
            let right = contents.get(..error.valid_up_to()).unwrap_or_default();
            let mistake = Mistake {
                at: right.len(),
                message: "the file is not UTF-8\nhelp: save it as UTF-8".to_owned(),
            };
            let right = String::from_utf8_lossy(right);
            return (None, vec![located(&mistake, &right, shown)]);
        }
    };
    let (vocabulary, mistakes) = read(text);
    let mistakes: Vec<_> = mistakes
        .iter()
        .map(|mistake| located(mistake, text, shown))
        .collect();
    (mistakes.is_empty().then_some(vocabulary), mistakes)
}

/// Formats a mistake with its line and column, both counted from 1, the column in characters.
fn located(mistake: &Mistake, text: &str, shown: &str) -> String {
    let before = text.get(..mistake.at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(start..).unwrap_or_default().chars().count() + 1;
    format!("{shown}:{line}:{column}: {}", mistake.message)
}
