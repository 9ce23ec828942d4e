//! `cargo auth diff`: the differences between the policies of two revisions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Write as _};

use anstyle::Style;
use auth_grammar::lower;
use auth_runtime_policy::compare::{self, Impact};
use serde::{Serialize, Serializer};

use crate::report::{Failure, LIMITS, PlainFormat, count, json};
use crate::revision::Revision;
use crate::sources::{
    self, Entry, EntryKind, MacroPolicy, Place, Sources, Unguarded, UnguardedKind,
};
use crate::style::{ADVICE, ALERT, NOTE, NOTICE, PLACE, SUBJECT};
use crate::workspace::Workspace;

/// The package and the path of an item.
type Key = (String, String);

/// The policies of one side.
#[derive(Default)]
pub(crate) struct PolicySet {
    /// The items with a policy. A path has several if a `cfg` chooses.
    entries: BTreeMap<Key, Vec<Entry>>,
    /// The paths of functions without a policy, with their packages. With another `cfg`, they may have one.
    bare: BTreeMap<String, BTreeSet<String>>,
    /// Handlers and routers without a policy, with or without a reason.
    unguarded: Vec<Unguarded>,
    /// The policies in macros.
    macros: Vec<MacroPolicy>,
}

/// The change of a policy.
#[derive(Serialize)]
pub(crate) struct Row {
    #[serde(rename = "change", serialize_with = "write_impact")]
    impact: Impact,
    #[serde(flatten)]
    subject: Subject,
    /// Its present place, or its former one.
    #[serde(flatten)]
    place: Place,
    before: Option<String>,
    after: Option<String>,
    why: Vec<&'static str>,
}

/// The subject of a policy.
#[derive(Serialize)]
#[serde(untagged)]
enum Subject {
    /// A handler or a service.
    Item { kind: EntryKind, path: String },
    /// A handler or a router without a policy.
    Unguarded {
        kind: UnguardedKind,
        /// The mounted item, if it has a name; the paths of a merged router; or an open pattern.
        #[serde(skip_serializing_if = "String::is_empty")]
        target: String,
    },
    /// A policy in a macro, and the name of the macro.
    Macro { kind: MacroKind, target: String },
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum MacroKind {
    Macro,
}

impl Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Item { path, .. } => f.write_str(path),
            Self::Unguarded { kind, target } => match kind {
                UnguardedKind::Merged => {
                    write!(f, "a router that is merged unguarded, for `{target}`")
                }
                UnguardedKind::Adopted => f.write_str("an adopted router"),
                UnguardedKind::Covering => write!(f, "an open pattern, `{target}`"),
                _ if target.is_empty() => f.write_str("a route of a plain router"),
                _ => write!(f, "a route of a plain router to `{target}`"),
            },
            Self::Macro { target, .. } => write!(f, "a policy in the macro `{target}`"),
        }
    }
}

pub(crate) fn run(
    workspace: &Workspace,
    packages: &[String],
    before: &str,
    after: Option<&str>,
    format: PlainFormat,
) -> Result<String, Failure> {
    let now = match after {
        None => PolicySet::of(sources::read(workspace)?),
        Some(revision) => at(workspace, packages, revision)?,
    };
    let rows = rows(&at(workspace, packages, before)?, &now);
    match format {
        PlainFormat::Json => json(&rows),
        PlainFormat::Text => Ok(text(&rows)),
    }
}

/// Returns the policies of a revision. A revision without the workspace or the package has none.
fn at(workspace: &Workspace, packages: &[String], revision: &str) -> Result<PolicySet, Failure> {
    let written = Revision::write_out(&workspace.root, revision)?;
    let manifest = written.root.join("Cargo.toml");
    if !manifest.is_file() {
        return Ok(PolicySet::default());
    }
    let failed = |failure| Failure::new(format!("at {revision}: {failure}"));
    written.find_dependencies().map_err(failed)?;
    let mut then = Workspace::read(Some(&manifest)).map_err(failed)?;
    then.select(packages);
    let sources = sources::read(&then).map_err(failed)?;
    Ok(PolicySet::of(sources))
}

impl PolicySet {
    pub(crate) fn of(sources: Sources) -> Self {
        let mut entries: BTreeMap<Key, Vec<Entry>> = BTreeMap::new();
        for entry in sources.entries {
            let key = (entry.package.clone(), entry.path.clone());
            entries.entry(key).or_default().push(entry);
        }
        Self {
            entries,
            bare: sources.bare,
            unguarded: [sources.unguarded, sources.without_reason].concat(),
            macros: sources.macros,
        }
    }

    fn at(&self, key: &Key) -> &[Entry] {
        self.entries.get(key).map_or(&[], Vec::as_slice)
    }

    fn has_bare(&self, (package, path): &Key) -> bool {
        let packages = self.bare.get(path);
        packages.is_some_and(|packages| packages.contains(package))
    }
}

const MISTAKEN: &str = "an attribute is invalid, so the policies cannot be compared";
const CONDITION: &str = "its build condition differs";
const UNGUARDED: &str = "the handler still exists, without a policy";
const OPEN: &str = "public access";
const MACRO: &str = "a macro applies it, and only its text is compared";
const VOCABULARY: &str = "the declarations in `auth.toml` differ";

pub(crate) fn rows(before: &PolicySet, after: &PolicySet) -> Vec<Row> {
    let keys: BTreeSet<&Key> = before.entries.keys().chain(after.entries.keys()).collect();
    let changes = keys.into_iter().flat_map(|key| changes(key, before, after));
    let mut rows: Vec<Row> = changes.collect();
    for (impact, open, none) in [
        (Impact::Added, after, before),
        (Impact::Removed, before, after),
    ] {
        // Line numbers are not compared, since lines move.
        let which = |unguarded: &Unguarded| {
            let Unguarded {
                place,
                kind,
                reason,
                target,
                made,
            } = unguarded.clone();
            (place.file, kind, reason, target, made)
        };
        let only = without(&open.unguarded, &none.unguarded, which).into_iter();
        rows.extend(only.map(|unguarded| Row::unguarded(unguarded, impact)));
        let which = |policy: &MacroPolicy| {
            let MacroPolicy { place, name, text } = policy.clone();
            (place.file, name, text)
        };
        let only = without(&open.macros, &none.macros, which).into_iter();
        rows.extend(only.map(|policy| Row::of_macro(policy, impact)));
    }
    rows.sort_by_cached_key(|row| (row.impact, row.subject.to_string(), row.place.clone()));
    rows
}

/// Returns the changes of the policies at one path.
fn changes(key: &Key, before: &PolicySet, after: &PolicySet) -> Vec<Row> {
    let paired = Paired::of(before.at(key), after.at(key));
    let pairs = paired.pairs.into_iter();
    let mut rows: Vec<Row> = pairs
        .filter_map(|(before, after)| Row::compared(before, after))
        .collect();
    // Any of the former policies may be that of a present item.
    for after in &paired.after {
        if paired.before.is_empty() {
            rows.push(Row::added(after));
        }
        let compared = paired.before.iter();
        let compared = compared.filter_map(|before| Row::compared(before, after));
        rows.extend(compared.min_by_key(|row| row.impact));
    }
    let is_bare = after.has_bare(key);
    if paired.after.is_empty() || (is_bare && !before.has_bare(key)) {
        let gone = paired.before.iter();
        rows.extend(gone.map(|before| Row::gone(before, is_bare)));
    }
    rows
}

/// The policies at one path.
struct Paired<'e> {
    /// Those that belong together.
    pairs: Vec<(&'e Entry, &'e Entry)>,
    /// The others.
    before: Vec<&'e Entry>,
    after: Vec<&'e Entry>,
}

impl<'e> Paired<'e> {
    /// Pairs the policies with the same condition, first those in the same file.
    fn of(before: &'e [Entry], after: &'e [Entry]) -> Self {
        let mut paired = Self {
            pairs: Vec::new(),
            before: before.iter().collect(),
            after: after.iter().collect(),
        };
        // An example may have the name of a program.
        paired.pair_by(|entry| (entry.condition.as_deref(), entry.place.file.as_str()));
        paired.pair_by(|entry| entry.condition.as_deref());
        paired
    }

    /// Pairs the other policies with the same key: one on each side, or the same ones in any order.
    fn pair_by<K: Ord>(&mut self, key: impl Fn(&'e Entry) -> K) {
        let mut groups: BTreeMap<K, [Vec<&Entry>; 2]> = BTreeMap::new();
        for entry in std::mem::take(&mut self.before) {
            let [before, _] = groups.entry(key(entry)).or_default();
            before.push(entry);
        }
        for entry in std::mem::take(&mut self.after) {
            let [_, after] = groups.entry(key(entry)).or_default();
            after.push(entry);
        }
        for [mut before, mut after] in groups.into_values() {
            let policy = |entry: &&Entry| (entry.policy.to_string(), entry.is_mistaken);
            before.sort_by_cached_key(policy);
            after.sort_by_cached_key(policy);
            let are_same = || before.iter().map(policy).eq(after.iter().map(policy));
            if (before.len() == 1 && after.len() == 1) || are_same() {
                self.pairs.extend(before.into_iter().zip(after));
            } else {
                self.before.extend(before);
                self.after.extend(after);
            }
        }
    }
}

/// Returns the elements of `all` that are not in `others`. `which` returns the compared parts.
fn without<'a, T, P: PartialEq>(all: &'a [T], others: &[T], which: impl Fn(&T) -> P) -> Vec<&'a T> {
    let mut others: Vec<_> = others.iter().map(&which).collect();
    let mut only = Vec::new();
    for element in all {
        let parts = which(element);
        match others.iter().position(|other| *other == parts) {
            Some(index) => drop(others.swap_remove(index)),
            None => only.push(element),
        }
    }
    only
}

impl Row {
    /// Returns the change of a policy, if any.
    fn compared(before: &Entry, after: &Entry) -> Option<Self> {
        let [one, other] = [before, after].map(|entry| lower::policy(&entry.policy));
        let comparison = compare::compare(&one, &other);
        let [one, other] = [before, after].map(|entry| entry.policy.to_string());
        let mut why = comparison.reasons();
        let impact = if before.is_mistaken || after.is_mistaken {
            why = vec![MISTAKEN];
            Impact::Changed
        } else {
            if !why.is_empty() && one == other {
                why.push(VOCABULARY);
            }
            if before.condition == after.condition {
                comparison.impact()?
            } else {
                why.push(CONDITION);
                let impact = comparison.impact();
                impact.map_or(Impact::Changed, |impact| impact.min(Impact::Changed))
            }
        };
        Some(Self::of(after, impact, Some(one), Some(other), why))
    }

    fn added(after: &Entry) -> Self {
        let why = if after.is_mistaken {
            vec![MISTAKEN]
        } else {
            Vec::new()
        };
        Self::of(
            after,
            Impact::Added,
            None,
            Some(after.policy.to_string()),
            why,
        )
    }

    /// Returns the loss of a policy, with its item or without it.
    fn gone(before: &Entry, is_bare: bool) -> Self {
        let (impact, mut why) = if is_bare {
            (Impact::Loosened, vec![UNGUARDED])
        } else {
            (Impact::Removed, Vec::new())
        };
        if before.is_mistaken {
            why.push(MISTAKEN);
        }
        Self::of(before, impact, Some(before.policy.to_string()), None, why)
    }

    fn of(
        entry: &Entry,
        impact: Impact,
        before: Option<String>,
        after: Option<String>,
        why: Vec<&'static str>,
    ) -> Self {
        Self {
            impact,
            subject: Subject::Item {
                kind: entry.kind,
                path: entry.path.clone(),
            },
            place: entry.place.clone(),
            before,
            after,
            why,
        }
    }

    fn unguarded(unguarded: &Unguarded, impact: Impact) -> Self {
        let Unguarded {
            place,
            kind,
            reason,
            target,
            made,
        } = unguarded;
        let mut policy = match kind {
            UnguardedKind::Merged
            | UnguardedKind::Adopted
            | UnguardedKind::Plain
            | UnguardedKind::Covering => format!("unguarded(reason = {reason:?})"),
            UnguardedKind::Excused => "no policy, and the reason of `merge_unguarded`".to_owned(),
            UnguardedKind::Unexcused => "no policy, and no reason".to_owned(),
        };
        if !made.is_empty() && made != target {
            policy.push_str(&format!(": {made}"));
        }
        let is_there = impact == Impact::Added;
        Self {
            impact,
            subject: Subject::Unguarded {
                kind: *kind,
                target: target.clone(),
            },
            place: place.clone(),
            before: (!is_there).then(|| policy.clone()),
            after: is_there.then_some(policy),
            why: if is_there { vec![OPEN] } else { Vec::new() },
        }
    }

    fn of_macro(policy: &MacroPolicy, impact: Impact) -> Self {
        let MacroPolicy { place, name, text } = policy;
        let is_there = impact == Impact::Added;
        Self {
            impact,
            subject: Subject::Macro {
                kind: MacroKind::Macro,
                target: name.clone(),
            },
            place: place.clone(),
            before: (!is_there).then(|| text.clone()),
            after: is_there.then(|| text.clone()),
            why: vec![MACRO],
        }
    }
}

fn word(impact: Impact) -> &'static str {
    match impact {
        Impact::Loosened => "loosened",
        Impact::Added => "added",
        Impact::Changed => "changed",
        Impact::Moved => "moved",
        Impact::Tightened => "tightened",
        Impact::Removed => "removed",
        Impact::Restated => "restated",
    }
}

fn write_impact<S: Serializer>(impact: &Impact, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(word(*impact))
}

fn style_of(impact: Impact) -> Style {
    match impact {
        Impact::Loosened | Impact::Added => ALERT,
        Impact::Tightened | Impact::Removed => ADVICE,
        Impact::Changed => NOTICE,
        Impact::Moved | Impact::Restated => NOTE,
    }
}

fn text(rows: &[Row]) -> String {
    let mut text = String::new();
    let mut last = None;
    for row in rows {
        // Writing to a string does not fail.
        if last != Some(row.impact) {
            let space = if last.is_none() { "" } else { "\n" };
            let style = style_of(row.impact);
            let _ = writeln!(text, "{space}{style}{}{style:#}", word(row.impact));
            last = Some(row.impact);
        }
        let Place { file, line, .. } = &row.place;
        let why = match row.why.as_slice() {
            [] => String::new(),
            why => format!("  {NOTE}({}){NOTE:#}", why.join("; ")),
        };
        let subject = &row.subject;
        let _ = writeln!(
            text,
            "  {PLACE}{file}:{line}{PLACE:#}  {SUBJECT}{subject}{SUBJECT:#}{why}"
        );
        for (sign, style, policy) in [("-", ALERT, &row.before), ("+", ADVICE, &row.after)] {
            if let Some(policy) = policy {
                let _ = writeln!(text, "    {style}{sign}{style:#} {policy}");
            }
        }
    }
    let changes = match rows.len() {
        0 => "no access policy changed".to_owned(),
        number => {
            text.push('\n');
            count(number, "change")
        }
    };
    let _ = writeln!(text, "{NOTE}{changes}; {LIMITS}{NOTE:#}");
    text
}
