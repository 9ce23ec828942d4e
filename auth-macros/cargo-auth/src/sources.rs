//! The sources of a workspace: policies, and mounted handlers.
//!
//! Sources are read as text, before any macro expansion. So the output of macros is not seen. Both
//! sides of a `#[cfg]` are read, except tests.

mod aliases;
mod body;
mod conditions;
mod expressions;
mod items;
mod mount;
mod names;
mod reasons;
mod routes;
mod unguarded;
mod walk;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use auth_grammar::codes;
use auth_grammar::requirement::Policy;
use auth_grammar::vocabulary::{self, LoadedVocabulary};
use proc_macro2::Span;
use serde::Serialize;
use syn::Ident;
use syn::ext::IdentExt;

use self::aliases::Alias;
use self::mount::Mount;
use self::names::Names;
use self::reasons::Reason;
use self::routes::Router;
use self::unguarded::Excused;
pub(crate) use self::unguarded::{Unguarded, Way};
use self::walk::Walk;
use self::words::Used;
use crate::Failure;
use crate::workspace::Workspace;

/// All results.
#[derive(Default)]
pub(crate) struct Sources {
    /// The handlers and services with a policy, by place.
    pub(crate) entries: Vec<Entry>,
    /// The mistakes, by place.
    pub(crate) findings: Vec<Finding>,
    /// The unguarded handlers and routers.
    pub(crate) unguarded: Vec<Unguarded>,
    /// The handlers on plain routers that have no reason of their own.
    pub(crate) open: Vec<Unguarded>,
    /// The macros that write policies, which are not read.
    pub(crate) macros: Vec<Place>,
    /// The paths of functions without a policy. With another `cfg`, they may have one.
    bare: BTreeSet<String>,
    /// The paths of all possible handlers: `async fn`s, with a policy or without.
    functions: BTreeSet<String>,
    names: Names,
    mounts: Vec<Mount>,
    routers: Vec<Router>,
    excused: Vec<Excused>,
    reasons: Vec<Reason>,
    aliases: Vec<Alias>,
}

/// An item with a policy.
#[derive(Clone)]
pub(crate) struct Entry {
    /// The place of the attribute, or that of the name if the attribute is the module's.
    pub(crate) place: Place,
    /// The path of the item, from the name of the crate.
    pub(crate) path: String,
    pub(crate) kind: EntryKind,
    /// The policy, combined with those of the enclosing modules.
    pub(crate) policy: Policy,
    /// The conditions under which it is compiled: the predicates of `cfg` and `cfg_attr`.
    pub(crate) condition: Option<String>,
    /// True if its package is selected.
    is_told: bool,
    /// True if the attribute has a mistake, so that the policy may be incomplete.
    pub(crate) is_mistaken: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EntryKind {
    /// An `async fn`.
    Handler,
    /// A unit struct, the policy of a service.
    Service,
}

/// A place in a file, in the numbering of editors: from 1, the column in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Place {
    /// The path from the root of the workspace, with `/`.
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// A mistake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Finding {
    #[serde(flatten)]
    pub(crate) place: Place,
    /// `None` for compiler errors without a code.
    pub(crate) code: Option<String>,
    pub(crate) message: String,
}

impl Sources {
    /// Returns the present numbers of results.
    fn told(&self) -> [usize; 6] {
        let Self {
            findings,
            unguarded,
            macros,
            mounts,
            aliases,
            reasons,
            ..
        } = self;
        [
            findings.len(),
            unguarded.len(),
            macros.len(),
            mounts.len(),
            aliases.len(),
            reasons.len(),
        ]
    }

    /// Truncates the results to these numbers.
    fn forget(&mut self, told: [usize; 6]) {
        let [findings, unguarded, macros, mounts, aliases, reasons] = told;
        self.findings.truncate(findings);
        self.unguarded.truncate(unguarded);
        self.macros.truncate(macros);
        self.mounts.truncate(mounts);
        self.aliases.truncate(aliases);
        self.reasons.truncate(reasons);
    }

    /// Returns the paths of all functions, with a policy or without.
    pub(crate) fn functions(&self) -> BTreeSet<String> {
        self.names.items().map(|path| path.join("::")).collect()
    }
}

impl Place {
    fn of(file: &str, span: Span) -> Self {
        let start = span.start();
        Self {
            file: file.to_owned(),
            line: start.line,
            column: start.column + 1,
        }
    }
}

impl Finding {
    /// Creates a finding from an error of the grammar. `own` is the place for errors without a
    /// token.
    fn of(error: &syn::Error, own: &Place) -> Self {
        let message = error.to_string();
        let (message, code) = codes::split(&message);
        let span = error.span();
        Self {
            place: if is_written(span) {
                Place::of(&own.file, span)
            } else {
                own.clone()
            },
            code: code.map(str::to_owned),
            message,
        }
    }

    fn hidden(place: Place, name: &str) -> Self {
        Self {
            place,
            code: Some(codes::RENAMED.as_str().to_owned()),
            message: format!(
                "whoever looks for `#[{name}(` will miss this; write it so, without `r#`, other brackets, \
                 spaces or comments in it"
            ),
        }
    }

    fn renamed(place: Place, name: &str, other: &str) -> Self {
        Self {
            place,
            code: Some(codes::RENAMED.as_str().to_owned()),
            message: format!(
                "`{name}` is called `{other}` here, so whoever looks for policies will miss it; call \
                 it `{name}`, or `auth_runtime::{name}`"
            ),
        }
    }
}

/// Returns whether a span is from the file, and was not created during parsing.
fn is_written(span: Span) -> bool {
    !span.byte_range().is_empty()
}

/// Reads all sources of a workspace.
pub(crate) fn read(workspace: &Workspace) -> Result<Sources, Failure> {
    let mut sources = Sources::default();
    let mut vocabularies: BTreeMap<PathBuf, Option<Used>> = BTreeMap::new();
    for krate in &workspace.crates {
        let found = vocabulary::find(&krate.folder).map(|found| told(found, &mut sources));
        let used = found.as_ref().map(|found| {
            let first = || found.vocabulary.clone().map(Used::of);
            vocabularies.entry(found.path.clone()).or_insert_with(first)
        });
        let used = used.and_then(Option::as_mut);
        let told = sources.told();
        Walk::new(&workspace.root, krate, found.as_ref(), used, &mut sources).krate()?;
        if !krate.is_told {
            sources.forget(told);
        }
    }
    for (path, used) in vocabularies {
        if let Some(used) = used {
            let file = shown(&workspace.root, &path);
            let text = fs::read_to_string(&path)
                .map_err(|error| Failure::new(format!("{file} cannot be read: {error}")))?;
            sources.findings.extend(used.findings(&file, &text));
        }
    }
    let findings = unguarded::findings(&mut sources);
    sources.findings.extend(findings);
    let findings = aliases::findings(&sources);
    sources.findings.extend(findings);
    sources.entries.retain(|entry| entry.is_told);
    // A file can belong to several crates.
    sources.findings.sort();
    sources.findings.dedup();
    sources.entries.sort_by(|one, other| {
        let by_place = one.place.cmp(&other.place);
        by_place.then_with(|| one.path.cmp(&other.path))
    });
    sources.unguarded.sort();
    sources.unguarded.dedup();
    sources.macros.sort();
    sources.macros.dedup();
    Ok(sources)
}

/// Moves the mistakes of a vocabulary to the findings, at their own places and not at the first
/// attribute.
fn told(mut found: LoadedVocabulary, sources: &mut Sources) -> LoadedVocabulary {
    for mistake in std::mem::take(&mut found.mistakes) {
        // `auth.toml:3:1: message`, or an error of reading the file.
        let rest = mistake.strip_prefix(&found.shown).unwrap_or(&mistake);
        let mut parts = rest.splitn(4, ':').skip(1);
        let mut number = || parts.next().and_then(|text| text.parse().ok());
        let (line, column) = (number(), number());
        sources.findings.push(Finding {
            place: Place {
                file: found.shown.clone(),
                line: line.unwrap_or(1),
                column: column.unwrap_or(1),
            },
            code: Some(codes::VOCABULARY.as_str().to_owned()),
            message: parts.next().unwrap_or(&mistake).trim_start().to_owned(),
        });
    }
    found
}

/// Returns a name for comparison: `r#get` becomes `get`, and `r#type` is not changed.
fn named(name: &Ident) -> String {
    let bare = name.unraw();
    match name == &bare || syn::parse_str::<Ident>(&bare.to_string()).is_err() {
        true => name.to_string(),
        false => bare.to_string(),
    }
}

/// Returns the displayed path of a file: from the root of the workspace.
fn shown(root: &Path, path: &Path) -> String {
    let within = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = within
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    one_line(&parts.join("/"))
}

/// Returns a text on one line, without characters that control a terminal or are invisible.
fn one_line(text: &str) -> String {
    // Characters that change the direction of the text, or are invisible.
    let is_unseen = |it| matches!(it, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let mut line = String::new();
    for character in text.chars() {
        if character.is_control() || is_unseen(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}
