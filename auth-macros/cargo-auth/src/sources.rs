//! The sources of a workspace: policies, and mounted handlers.
//!
//! Sources are read as text, before any macro expansion. So the output of macros is not seen. Both
//! sides of a `#[cfg]` are read, except tests.

mod aliases;
mod conditions;
mod configured_items;
mod expressions;
mod finding;
mod items;
mod lists;
mod macro_policies;
mod mount;
mod names;
mod nesting;
mod object_parameters;
mod open_patterns;
mod origins;
mod plain_mounts;
mod policy_alias;
mod policy_attribute;
mod reasons;
mod record;
mod routers;
mod routing;
mod source_texts;
mod test_code;
mod text;
mod used_names;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use auth_grammar::vocabulary::{self, LoadedVocabulary};

pub(crate) use self::finding::{Finding, Place};
pub(crate) use self::macro_policies::MacroPolicy;
pub(crate) use self::record::{Entry, EntryKind, Sources, Unguarded, UnguardedKind};
pub(crate) use self::routers::{AxumRoute, CheckKind, Routes, UnusedRouter, routes};
use self::text::shown;
use self::used_names::UsedNames;
use self::walk::Walk;
use crate::report::Failure;
use crate::workspace::Workspace;

/// Reads all sources of a workspace.
pub(crate) fn read(workspace: &Workspace) -> Result<Sources, Failure> {
    let sources = read_partly(workspace)?;
    match sources.unread.first() {
        Some(reason) => Err(Failure::new(reason)),
        None => Ok(sources),
    }
}

/// Reads the sources of a workspace, except those that are missing or invalid.
pub(crate) fn read_partly(workspace: &Workspace) -> Result<Sources, Failure> {
    let mut sources = Sources::default();
    let mut vocabularies: BTreeMap<PathBuf, Option<UsedNames>> = BTreeMap::new();
    // The vocabularies of the selected packages.
    let mut selected = BTreeSet::new();
    for krate in &workspace.crates {
        let before = sources.counts();
        let found =
            vocabulary::find(&krate.folder).map(|found| report_vocabulary(found, &mut sources));
        if krate.is_selected {
            selected.extend(found.as_ref().map(|found| found.path.clone()));
        }
        let used = found.as_ref().map(|found| {
            let first = || found.vocabulary.clone().map(UsedNames::of);
            vocabularies.entry(found.path.clone()).or_insert_with(first)
        });
        let used = used.and_then(Option::as_mut);
        Walk::new(&workspace.root, krate, found.as_ref(), used, &mut sources).krate();
        if !krate.is_selected {
            sources.truncate(before);
        }
    }
    for (path, used) in vocabularies {
        if let Some(used) = used.filter(|_| selected.contains(&path)) {
            let file = shown(&workspace.root, &path);
            let text = fs::read_to_string(&path)
                .map_err(|error| Failure::new(format!("{file} cannot be read: {error}")))?;
            sources.findings.extend(used.findings(&file, &text));
        }
    }
    let findings = aliases::remove_foreign(&mut sources);
    sources.findings.extend(findings);
    let (routers, unread) = routers::guarded_routers(&sources);
    let patterns = open_patterns::open_patterns(&routers);
    let findings = object_parameters::findings(&routers);
    sources.findings.extend(findings);
    sources.unread.extend(unread);
    let findings = plain_mounts::findings(&mut sources, patterns);
    sources.findings.extend(findings);
    let findings = aliases::findings(&sources.aliases, &sources.names);
    sources.findings.extend(findings);
    sources.entries.retain(|entry| entry.is_selected);
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
    // The tokens of a macro within another one are read twice.
    sources
        .macros
        .dedup_by(|one, other| one.place == other.place);
    Ok(sources)
}

/// Moves the mistakes of a vocabulary to the findings, at their own places and not at the first
/// attribute.
fn report_vocabulary(mut found: LoadedVocabulary, sources: &mut Sources) -> LoadedVocabulary {
    for mistake in std::mem::take(&mut found.mistakes) {
        let (line, column) = mistake.place.unwrap_or((1, 1));
        let place = Place {
            file: mistake.file,
            line,
            column,
        };
        let finding = Finding::new(place, mistake.code, mistake.message);
        sources.findings.push(finding);
    }
    found
}
