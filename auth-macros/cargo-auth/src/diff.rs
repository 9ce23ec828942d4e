//! `cargo auth diff`: the differences between the policies of two revisions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anstyle::Style;
use auth_grammar::lower;
use auth_runtime_policy::compare::{self, Comparison, Impact};
use serde::{Serialize, Serializer};

use crate::report::{Failure, LIMITS, PlainFormat, count, json};
use crate::revision::Revision;
use crate::sources::{self, Entry, MacroPolicy, OpenRouteKind, Place, Sources, Unguarded};
use crate::style::{ADVICE, ALERT, NOTE, NOTICE, PLACE, SUBJECT};
use crate::workspace::Workspace;

/// The policies of one side.
#[derive(Default)]
pub(crate) struct PolicySet {
    /// The items with a policy, by their paths. A further item at a path has a number.
    entries: BTreeMap<String, Entry>,
    /// The paths of functions without a policy. With another `cfg`, they may have one.
    bare: BTreeSet<String>,
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
    path: String,
    /// Its present place, or its former one.
    #[serde(flatten)]
    place: Option<Place>,
    before: Option<String>,
    after: Option<String>,
    why: Vec<&'static str>,
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
        let mut side = Self {
            bare: sources.bare,
            unguarded: [sources.unguarded.as_slice(), &sources.open].concat(),
            macros: sources.macros,
            ..Self::default()
        };
        for entry in sources.entries {
            side.add(entry);
        }
        side
    }

    fn lowered(&self) -> BTreeMap<String, auth_runtime_policy::Policy> {
        let entries = self.entries.iter();
        entries
            .map(|(name, entry)| (name.clone(), lower::policy(&entry.policy)))
            .collect()
    }

    fn add(&mut self, entry: Entry) {
        let path = &entry.path;
        let mut name = path.clone();
        // Both sides of a `cfg` are numbered in their order.
        let mut number = 1;
        while self.entries.contains_key(&name) {
            number += 1;
            name = format!("{path} ({number})");
        }
        self.entries.insert(name, entry);
    }
}

const MISTAKEN: &str = "an attribute is invalid, so the policies cannot be compared";
const CONDITION: &str = "its build condition differs";
const UNGUARDED: &str = "the handler still exists, without a policy";
const OPEN: &str = "public access";
const MACRO: &str = "a macro applies it, and only its text is compared";
const VOCABULARY: &str = "the declarations in `auth.toml` differ";

pub(crate) fn rows(before: &PolicySet, after: &PolicySet) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut undecided = undecided(before, after);
    for difference in compare::tables(&before.lowered(), &after.lowered()) {
        let name = difference.name;
        let mut why = difference
            .comparison
            .as_ref()
            .map_or(Vec::new(), Comparison::reasons);
        let mut impact = difference.impact;
        let is_bare = |entry: &Entry| after.bare.contains(&entry.path);
        if impact == Impact::Removed && before.entries.get(&name).is_some_and(is_bare) {
            impact = Impact::Loosened;
            why.push(UNGUARDED);
        }
        if let Some(reason) = undecided.remove(&name) {
            impact = Impact::Changed;
            why = vec![reason];
        }
        rows.push(Row::of(&name, impact, why, before, after));
    }
    // Equal texts may have different meanings here.
    for (name, reason) in undecided {
        rows.push(Row::of(&name, Impact::Changed, vec![reason], before, after));
    }
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
    rows.sort_by(|one, other| (one.impact, &one.path).cmp(&(other.impact, &other.path)));
    rows
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

/// Returns the policies that cannot be compared, and the reasons.
fn undecided(before: &PolicySet, after: &PolicySet) -> BTreeMap<String, &'static str> {
    let is_mistaken = |side: &PolicySet, name: &String| {
        let entry = side.entries.get(name);
        entry.is_some_and(|entry| entry.is_mistaken)
    };
    let reason = |name: &String| {
        if is_mistaken(before, name) || is_mistaken(after, name) {
            return Some((name.clone(), MISTAKEN));
        }
        let (one, other) = (before.entries.get(name)?, after.entries.get(name)?);
        (one.condition != other.condition).then(|| (name.clone(), CONDITION))
    };
    let names = before.entries.keys().chain(after.entries.keys());
    names.filter_map(reason).collect()
}

impl Row {
    fn of(
        name: &str,
        impact: Impact,
        mut why: Vec<&'static str>,
        before: &PolicySet,
        after: &PolicySet,
    ) -> Self {
        let (before, after) = (before.entries.get(name), after.entries.get(name));
        let place = after.or(before).map(|entry| entry.place.clone());
        let [before, after] = [before, after].map(|it| it.map(|entry| entry.policy.to_string()));
        if before == after && why.iter().all(|why| *why != MISTAKEN && *why != CONDITION) {
            why.push(VOCABULARY);
        }
        Self {
            impact,
            path: name.to_owned(),
            place,
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
            OpenRouteKind::Merged
            | OpenRouteKind::Adopted
            | OpenRouteKind::Plain
            | OpenRouteKind::Covering => format!("unguarded(reason = {reason:?})"),
            OpenRouteKind::Excused => "no policy, and the reason of `merge_unguarded`".to_owned(),
            OpenRouteKind::Unsaid => "no policy, and no reason".to_owned(),
        };
        if !made.is_empty() && made != target {
            policy.push_str(&format!(": {made}"));
        }
        let is_there = impact == Impact::Added;
        Self {
            impact,
            path: match kind {
                OpenRouteKind::Merged => {
                    format!("a router that is merged unguarded, for `{target}`")
                }
                OpenRouteKind::Adopted => "an adopted router".to_owned(),
                OpenRouteKind::Covering => format!("an open pattern, `{target}`"),
                _ if target.is_empty() => "a route of a plain router".to_owned(),
                _ => format!("a route of a plain router to `{target}`"),
            },
            place: Some(place.clone()),
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
            path: format!("a policy in the macro `{name}`"),
            place: Some(place.clone()),
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
        let place = row.place.as_ref();
        let place = place.map_or(String::new(), |place| {
            format!("{PLACE}{}:{}{PLACE:#}  ", place.file, place.line)
        });
        let why = match row.why.as_slice() {
            [] => String::new(),
            why => format!("  {NOTE}({}){NOTE:#}", why.join("; ")),
        };
        let _ = writeln!(text, "  {place}{SUBJECT}{}{SUBJECT:#}{why}", row.path);
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
