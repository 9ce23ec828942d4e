//! `cargo auth routes`: the routes of any axum service, and the parts that seem to check access.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anstyle::Style;
use serde::Serialize;

use crate::report::{Failure, Format, count, json};
use crate::sarif;
use crate::sources::{self, AxumRoute, CheckKind, Place, Routes, UnusedRouter};
use crate::style::{ALERT, NOTE, NOTICE, PLACE, SUBJECT};
use crate::workspace::Workspace;

/// The output of `--format json`.
#[derive(Serialize)]
struct Document<'r> {
    routes: &'r [AxumRoute],
    /// The functions that make routers, and that nothing calls.
    unused: &'r [UnusedRouter],
    /// The files that were not read, with the reasons.
    unread: &'r [String],
}

/// The limits of the output. It ends with them.
const LIMITS: &str =
    "read from the sources, by names and types; a check may be incomplete, or be somewhere else";

pub(crate) fn run(workspace: &Workspace, format: Format) -> Result<String, Failure> {
    let sources = sources::read_partly(workspace)?;
    let found = sources::routes(&sources);
    let Routes { routes, unused } = &found;
    match format {
        Format::Text => Ok(text(routes, unused, &sources.unread)),
        Format::Json => json(&Document {
            routes,
            unused,
            unread: &sources.unread,
        }),
        Format::Sarif => json(&sarif::routes(&found, &sources.unread)),
    }
}

/// Returns one table for each set of checks, the routes without any first. The statements of handlers
/// differ, and have a column.
fn text(routes: &[AxumRoute], unused: &[UnusedRouter], unread: &[String]) -> String {
    let mut groups: BTreeMap<Vec<String>, Vec<&AxumRoute>> = BTreeMap::new();
    for route in routes {
        let checks = route.checks.iter();
        let around = checks.filter(|check| check.kind != CheckKind::Statement);
        let mut names: Vec<_> = around.map(ToString::to_string).collect();
        if names.is_empty() && !route.checks.is_empty() {
            names.push("statement of the handler".to_owned());
        }
        groups.entry(names).or_default().push(route);
    }
    let mut text = String::new();
    for (checks, routes) in &groups {
        let number = count(routes.len(), "route");
        // Writing to a string does not fail.
        let _ = if checks.is_empty() {
            writeln!(text, "{ALERT}no check found{ALERT:#} ({number})")
        } else {
            let checks = checks.join(" + ");
            writeln!(text, "{SUBJECT}{checks}{SUBJECT:#} ({number})")
        };
        table(&mut text, routes);
        text.push('\n');
    }
    for unused in unused {
        let (name, number) = (&unused.function, count(unused.routes, "route"));
        let Place { file, line, .. } = &unused.place;
        let _ = writeln!(
            text,
            "{NOTICE}not used{NOTICE:#}: {PLACE}{file}:{line}{PLACE:#}: nothing calls `{name}`, which makes {number}"
        );
    }
    for reason in unread {
        let _ = writeln!(text, "{ALERT}not read{ALERT:#}: {reason}");
    }
    let open = groups.get(&Vec::new()).map_or(0, Vec::len);
    let _ = writeln!(
        text,
        "{NOTE}{}, {open} without a check; {LIMITS}{NOTE:#}",
        count(routes.len(), "route"),
    );
    text
}

/// The columns of a table.
const COLUMNS: [&str; 7] = [
    "METHOD",
    "PATH",
    "HANDLER",
    "EXTRACTORS",
    "LAYERS",
    "CHECKS",
    "PLACE",
];

/// Writes the routes of a group. The layers that all of them have are written once.
fn table(text: &mut String, routes: &[&AxumRoute]) {
    let layers: Vec<BTreeSet<&String>> = routes
        .iter()
        .map(|route| route.layers.iter().collect())
        .collect();
    let is_shared = |layer: &String| layers.len() > 1 && layers.iter().all(|it| it.contains(layer));
    let first = routes.first().map_or(&[][..], |route| &route.layers);
    let shared: Vec<&str> = first
        .iter()
        .filter(|layer| is_shared(layer))
        .map(String::as_str)
        .collect();
    if !shared.is_empty() {
        let _ = writeln!(text, "{NOTE}  layers of all: {}{NOTE:#}", shared.join(", "));
    }
    let own = |route: &AxumRoute| {
        let own = route.layers.iter().filter(|layer| !is_shared(layer));
        own.map(String::as_str).collect::<Vec<_>>().join(", ")
    };
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    rows.extend(routes.iter().map(|route| {
        let Place { file, line, .. } = &route.place;
        [
            route.method.clone(),
            route.path.clone(),
            route.handler.clone(),
            route.extractors.join(", "),
            own(route),
            statements(route),
            format!("{file}:{line}"),
        ]
    }));
    let widths: Vec<usize> = (0..COLUMNS.len())
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    // A column without content is left out.
    let is_used = |column: usize| {
        rows.iter()
            .skip(1)
            .any(|row| row.get(column).is_some_and(|it| !it.is_empty()))
    };
    for (number, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            if !is_used(column) {
                continue;
            }
            let style = match (number, column) {
                (0, _) => NOTE,
                (_, 0) => NOTICE,
                (_, 2) => SUBJECT,
                (_, 6) => PLACE,
                _ => Style::new(),
            };
            let width = if column == 6 { 0 } else { *width };
            let _ = write!(line, "  {style}{cell:width$}{style:#}");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

/// Returns the statements of a handler that seem to check access.
fn statements(route: &AxumRoute) -> String {
    let checks = route.checks.iter();
    let statements = checks.filter(|check| check.kind == CheckKind::Statement);
    let statements: Vec<_> = statements.map(|check| check.text.as_str()).collect();
    statements.join(", ")
}
