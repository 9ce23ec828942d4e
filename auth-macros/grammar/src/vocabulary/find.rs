//! Where the vocabulary of a crate is, and what is wrong with it.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str;
use std::sync::{Arc, Mutex, PoisonError};

use proc_macro2::Span;

use super::Vocabulary;
use super::read::{Mistake, read};
use super::workspace::{self, Workspace};
use crate::codes;
use crate::errors::Errors;

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

impl Found {
    /// Notes what is wrong with the file: all at once, since the compiler can only point at what asked
    /// for it.
    pub fn tell(&self, errors: &mut Errors) {
        if self.mistakes.is_empty() {
            return;
        }
        let mut message = format!("`{}` is wrong, and not what is marked below\n", self.shown);
        for line in self.mistakes.iter().flat_map(|mistake| mistake.lines()) {
            message.push_str("\n    ");
            message.push_str(line);
        }
        errors.add(codes::VOCABULARY, Span::call_site(), message);
    }
}

/// Looks for `auth.toml` in the folder of a crate's `Cargo.toml`, and in the folders above it up to
/// the root of the workspace. It may be asked for there: `[package.metadata.auth]` or
/// `[workspace.metadata.auth]` with `required = true`.
pub fn find(manifest: &Path) -> Option<Found> {
    let Workspace { root, folders } = workspace::of(manifest);
    let Some(folder) = folders.iter().find(|folder| holds_one(folder)) else {
        let mut folders = folders.iter();
        let asks = folders.find(|folder| workspace::asks_for_vocabulary(folder))?;
        return Some(missing(asks, &root));
    };
    let path = folder.join(FILE);
    let shown = shown(&path, &root);
    let contents = fs::read(&path).map_err(|error| format!("{shown} cannot be read: {error}"));
    let (vocabulary, mistakes) = look_at(&path, contents, &shown);
    Some(Found {
        path,
        shown,
        vocabulary,
        mistakes,
    })
}

/// A link that leads nowhere and a folder of that name count: what is there is meant to be read.
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

/// There is none, against what the manifest in `folder` says.
fn missing(folder: &Path, root: &Path) -> Found {
    let path = folder.join(FILE);
    let manifest = shown(&folder.join("Cargo.toml"), root);
    let shown = shown(&path, root);
    let mistake = format!(
        "{manifest} requires an `{FILE}`, and there is none beside it or in a folder above it up to the \
         root of the workspace; put it back, or remove `required` below `metadata.auth`"
    );
    let (vocabulary, mistakes) = look_at(&path, Err(mistake), &shown);
    Found {
        path,
        shown,
        vocabulary,
        mistakes,
    }
}

/// A file as it was when it was looked at, or why it could not be read.
type Contents = Result<Vec<u8>, String>;

struct Known {
    contents: Contents,
    vocabulary: Option<Arc<Vocabulary>>,
}

/// Every handler asks for the file, but as long as it does not change, it is understood, and
/// complained about, once.
fn look_at(path: &Path, contents: Contents, shown: &str) -> (Option<Arc<Vocabulary>>, Vec<String>) {
    static KNOWN: Mutex<BTreeMap<PathBuf, Known>> = Mutex::new(BTreeMap::new());

    // Nothing panics while it is held; and if, what is in it is right.
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.get(path).filter(|known| known.contents == contents) {
        return (known.vocabulary.clone(), Vec::new());
    }
    let (vocabulary, mistakes) = match &contents {
        Ok(contents) => understand(contents, shown),
        Err(problem) => (None, vec![problem.clone()]),
    };
    let vocabulary = vocabulary.map(Arc::new);
    known.insert(
        path.to_owned(),
        Known {
            contents,
            vocabulary: vocabulary.clone(),
        },
    );
    (vocabulary, mistakes)
}

fn understand(contents: &[u8], shown: &str) -> (Option<Vocabulary>, Vec<String>) {
    let text = match str::from_utf8(contents) {
        Ok(text) => text,
        Err(error) => {
            let right = contents.get(..error.valid_up_to()).unwrap_or_default();
            let mistake = Mistake {
                at: right.len(),
                message: "this is not UTF-8, as TOML has to be; save the file as UTF-8".to_owned(),
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

/// A mistake with its line and column, both counted from 1, the column in characters.
fn located(mistake: &Mistake, text: &str, shown: &str) -> String {
    let before = text.get(..mistake.at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(start..).unwrap_or_default().chars().count() + 1;
    format!("{shown}:{line}:{column}: {}", mistake.message)
}
