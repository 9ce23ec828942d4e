//! The location of a crate's vocabulary, and the mistakes in it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str;
use std::sync::{Arc, Mutex, PoisonError};

use proc_macro2::Span;

use super::cedar::LoadSchema;
use super::read::read_with_schema;
use super::workspace::{self, Workspace};
use crate::cedar::MAX_SCHEMA;
use crate::codes::{self, Code};
use crate::declared::Vocabulary;
use crate::errors::Errors;
use crate::mistake::Mistake;

const FILE: &str = "auth.toml";

/// The vocabulary of a crate.
#[derive(Clone)]
pub struct LoadedVocabulary {
    /// The absolute path.
    pub path: PathBuf,
    /// The path for messages: relative to the root of the workspace.
    pub shown: String,
    /// The absolute path of the Cedar schema, if the file names one.
    pub schema: Option<PathBuf>,
    /// `None` if a file is invalid.
    pub vocabulary: Option<Arc<Vocabulary>>,
    /// The mistakes in the files.
    pub mistakes: Vec<FileMistake>,
}

/// A mistake in a vocabulary or in its Cedar schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMistake {
    /// The path of the file for messages.
    pub file: String,
    /// The [line and column](line_and_column). `None` for a file that cannot be read.
    pub place: Option<(usize, usize)>,
    /// The code of the message.
    pub code: Code,
    /// The message, without the code.
    pub message: String,
}

impl fmt::Display for FileMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => {
                write!(f, "{}:{line}:{column}: {}", self.file, self.message)
            }
            None => f.write_str(&self.message),
        }
    }
}

impl LoadedVocabulary {
    /// Records the mistakes in the files, those of each kind as one error: the compiler can only point at the
    /// attribute that requested the files.
    pub fn report(&self, errors: &mut Errors) {
        for code in [codes::VOCABULARY, codes::SCHEMA_CONTRADICTED, codes::SCHEMA] {
            let mistakes = self.mistakes.iter().filter(|own| own.code == code);
            let mut mistakes = mistakes.peekable();
            let Some(first) = mistakes.peek() else {
                continue;
            };
            let what = match code {
                codes::SCHEMA_CONTRADICTED => "contradicts its Cedar schema",
                _ => "is invalid",
            };
            let mut message = format!("`{}` {what}\n", first.file);
            for mistake in mistakes {
                for line in mistake.to_string().lines() {
                    message.push_str("\n    ");
                    message.push_str(line);
                }
            }
            errors.add(code, Span::call_site(), message);
        }
    }

    /// The files that the vocabulary was read from.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        [Some(&self.path), self.schema.as_ref()]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
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
        Ok(contents) => Some(parsed(path, shown, contents, &root)),
        Err(error) => {
            let message = format!("{shown} cannot be read: {error}");
            Some(unreadable(path, shown, message))
        }
    }
}

/// Returns the vocabulary without contents, and the reason.
fn unreadable(path: PathBuf, shown: String, message: String) -> LoadedVocabulary {
    let mistake = FileMistake {
        file: shown.clone(),
        place: None,
        code: codes::VOCABULARY,
        message,
    };
    LoadedVocabulary {
        path,
        shown,
        schema: None,
        vocabulary: None,
        mistakes: vec![mistake],
    }
}

/// The result for a file, and the contents that it depends on.
struct Parsed {
    contents: Vec<u8>,
    /// The path of the Cedar schema, and its text, unless it cannot be read.
    schema: Option<(PathBuf, Result<String, String>)>,
    loaded: LoadedVocabulary,
}

/// Parses the contents of a file, or returns the result for the same contents. Each attribute of a crate
/// reads the files, and parsing takes far longer than reading. The result depends on the contents alone.
fn parsed(path: PathBuf, shown: String, contents: Vec<u8>, root: &Path) -> LoadedVocabulary {
    static PARSED: Mutex<BTreeMap<PathBuf, Parsed>> = Mutex::new(BTreeMap::new());

    let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    let same = parsed.get(&path).filter(|other| {
        let schema = other.schema.as_ref();
        other.contents == contents
            && other.loaded.shown == shown
            && schema.is_none_or(|(path, text)| schema_text(path) == *text)
    });
    if let Some(same) = same {
        return same.loaded.clone();
    }
    let mut schema = None;
    let mut load = |relative: &str| {
        let folder = path.parent().unwrap_or(&path);
        let path = workspace::joined(folder, relative);
        let text = schema_text(&path);
        schema = Some((path, text.clone()));
        text
    };
    let (vocabulary, mistakes) = understand(&contents, &mut load);
    let schema_shown = schema.as_ref().map(|(path, _)| self::shown(path, root));
    let vocabulary_text = String::from_utf8_lossy(&contents);
    let mistakes = mistakes
        .into_iter()
        .map(|mistake| match (&schema, &schema_shown) {
            (Some((_, Ok(text))), Some(shown)) if mistake.is_in_schema() => {
                located(mistake, text, shown)
            }
            _ => located(mistake, &vocabulary_text, &shown),
        });
    let loaded = LoadedVocabulary {
        path: path.clone(),
        shown: shown.clone(),
        schema: schema.as_ref().map(|(path, _)| path.clone()),
        vocabulary: vocabulary.map(Arc::new),
        mistakes: mistakes.collect(),
    };
    let result = Parsed {
        contents,
        schema,
        loaded: loaded.clone(),
    };
    parsed.insert(path, result);
    loaded
}

/// Returns the text of a Cedar schema, or the reason why it cannot be read.
fn schema_text(path: &Path) -> Result<String, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > MAX_SCHEMA as u64 {
        return Err(format!(
            "it has {length} bytes; the maximum is {MAX_SCHEMA}"
        ));
    }
    let contents = fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(contents).map_err(|_| "it is not UTF-8".to_owned())
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
    unreadable(path, shown, mistake)
}

fn understand(contents: &[u8], load: LoadSchema<'_>) -> (Option<Vocabulary>, Vec<Mistake>) {
    let text = match str::from_utf8(contents) {
        Ok(text) => text,
        Err(error) => {
            let mistake = Mistake {
                at: error.valid_up_to(),
                code: codes::VOCABULARY,
                message: "the file is not UTF-8\nhelp: save it as UTF-8".to_owned(),
            };
            return (None, vec![mistake]);
        }
    };
    let (vocabulary, mistakes) = read_with_schema(text, load);
    (mistakes.is_empty().then_some(vocabulary), mistakes)
}

/// Adds the line and the column of a mistake in a text.
fn located(mistake: Mistake, text: &str, shown: &str) -> FileMistake {
    FileMistake {
        file: shown.to_owned(),
        place: Some(line_and_column(text, mistake.at)),
        code: mistake.code,
        message: mistake.message,
    }
}

/// Returns the line and the column of a byte in a text, both counted from 1, the column in characters.
pub fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count() + 1;
    let column = before.get(start..).unwrap_or_default().chars().count() + 1;
    (line, column)
}
