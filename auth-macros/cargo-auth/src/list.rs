//! `cargo auth list`: every policy, and the handlers and routers without one.

use std::fmt::Write as _;

use anstyle::Style;
use auth_grammar::requirement::ParsedPolicy;
use serde::Serialize;

use crate::report::{Failure, Format, LIMITS, count, json};
use crate::sarif;
use crate::sources::{self, Entry, EntryKind, MacroPolicy, Place, Sources, Unguarded};
use crate::style::{ALERT, NOTE, NOTICE, PLACE, SUBJECT};
use crate::workspace::Workspace;

/// The output of `--format json`.
#[derive(Serialize)]
struct Document<'s> {
    policies: Vec<Row<'s>>,
    unguarded: &'s [Unguarded],
    without_policy: Vec<OpenRow<'s>>,
    macros: &'s [MacroPolicy],
}

/// A route of a plain router, without a policy and without a reason.
#[derive(Serialize)]
struct OpenRow<'s> {
    #[serde(flatten)]
    place: &'s Place,
    /// The mounted item, if it has a name.
    #[serde(skip_serializing_if = "str::is_empty")]
    target: &'s str,
}

/// A handler or a service.
#[derive(Serialize)]
struct Row<'s> {
    #[serde(flatten)]
    place: &'s Place,
    path: &'s str,
    kind: EntryKind,
    /// The attribute, combined with the policies of the enclosing modules.
    policy: String,
    public: bool,
    hidden: bool,
    /// The reason of a public handler, or of an exception from the policy of the module.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'s str>,
    /// True if the attribute has a mistake, so that the policy may be incomplete.
    mistaken: bool,
    /// The conditions under which it is compiled: the predicates of `cfg` and `cfg_attr`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cfg: Option<&'s str>,
}

pub(crate) fn run(workspace: &Workspace, format: Format) -> Result<String, Failure> {
    let sources = sources::read(workspace)?;
    match format {
        Format::Text => Ok(text(&sources)),
        Format::Json => json(&Document {
            policies: sources.entries.iter().map(Row::of).collect(),
            unguarded: &sources.unguarded,
            without_policy: sources.without_policy().map(OpenRow::of).collect(),
            macros: &sources.macros,
        }),
        Format::Sarif => json(&sarif::policies(&sources)),
    }
}

impl<'s> OpenRow<'s> {
    fn of(Unguarded { place, target, .. }: &'s Unguarded) -> Self {
        Self { place, target }
    }
}

impl<'s> Row<'s> {
    fn of(entry: &'s Entry) -> Self {
        let (hidden, reason) = match &entry.policy {
            ParsedPolicy::Public(public) => (false, Some(public.reason.as_str())),
            ParsedPolicy::Requires(requires) => {
                let reason = requires.loosen.as_ref().map(|reason| reason.text.as_str());
                (requires.hide_as.is_some(), reason)
            }
        };
        Self {
            place: &entry.place,
            path: &entry.path,
            kind: entry.kind,
            policy: entry.policy.to_string(),
            public: matches!(entry.policy, ParsedPolicy::Public(_)),
            hidden,
            reason,
            mistaken: entry.is_mistaken,
            cfg: entry.condition.as_deref(),
        }
    }
}

/// Returns the line for an unguarded handler or router.
fn line_of(unguarded: &Unguarded) -> String {
    let Place { file, line, .. } = &unguarded.place;
    format!(
        "{PLACE}{file}:{line}{PLACE:#}: {NOTICE}{}{NOTICE:#}: {}\n",
        unguarded.description(),
        unguarded.reason
    )
}

/// Returns three columns and a summary.
fn text(sources: &Sources) -> String {
    let rows: Vec<_> = sources.entries.iter().map(Row::of).collect();
    let place = |row: &Row<'_>| format!("{}:{}", row.place.file, row.place.line);
    let places = rows.iter().map(|row| place(row).chars().count()).max();
    let paths = rows.iter().map(|row| row.path.chars().count()).max();
    let (places, paths) = (places.unwrap_or(0), paths.unwrap_or(0));
    let mut text = String::new();
    for row in &rows {
        let style = if row.public { NOTICE } else { Style::new() };
        let mut notes = row.cfg.map_or(String::new(), |cfg| format!("  if {cfg}"));
        if row.mistaken {
            notes.push_str("  (invalid: see `cargo auth check`)");
        }
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{PLACE}{:places$}{PLACE:#}  {SUBJECT}{:paths$}{SUBJECT:#}  {style}{}{style:#}{notes}",
            place(row),
            row.path,
            row.policy
        );
    }
    if !rows.is_empty() {
        text.push('\n');
    }
    let mut unguarded: Vec<_> = sources.unguarded.iter().map(line_of).collect();
    // Several on a line with the same reason are listed once.
    unguarded.dedup();
    for line in unguarded {
        text.push_str(&line);
    }
    for MacroPolicy { place, .. } in &sources.macros {
        let Place { file, line, .. } = place;
        let _ = writeln!(
            text,
            "{PLACE}{file}:{line}{PLACE:#}: a macro that generates policies, which are not listed"
        );
    }
    let without_policy = sources.without_policy().count();
    if without_policy > 0 {
        let routes = count(without_policy, "more route");
        let _ = writeln!(
            text,
            "{ALERT}{routes}{ALERT:#} on plain routers, without a policy: see `cargo auth check`"
        );
    }
    let number = |is: fn(&Row<'_>) -> bool| rows.iter().filter(|row| is(row)).count();
    let _ = writeln!(
        text,
        "{NOTE}{}, {}: {} public, {} hidden; {LIMITS}{NOTE:#}",
        count(number(|row| row.kind == EntryKind::Handler), "handler"),
        count(number(|row| row.kind == EntryKind::Service), "service"),
        number(|row| row.public),
        number(|row| row.hidden),
    );
    text
}
