//! The text of the page.

use std::collections::BTreeSet;

use auth_runtime_core::AccessRow;
use auth_runtime_core::adapter::text::{handler, visible};
use auth_runtime_policy::{Atom, Requirement};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::html::{Breakable, Text};
use super::{AccessReport, ReportLine, ReportResponse};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

impl AccessReport<'_> {
    /// Returns the page, in UTF-8.
    pub fn to_html(&self) -> String {
        page(self).into_string()
    }
}

/// Begins a new line of the page's source.
const LINE: PreEscaped<&str> = PreEscaped("\n");

fn page(report: &AccessReport<'_>) -> Markup {
    // A browser converts every line end to this one before it computes the hash.
    let [style, script] = [STYLE, SCRIPT].map(|text| text.replace("\r\n", "\n"));
    let asked = asked_for(report);
    let has_personas = !report.personas.is_empty();
    html! {
        (DOCTYPE)
        html lang="en" {
            (LINE)
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy(&style, &script));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { "Access policies" }
                style { (PreEscaped(&style)) }
            }
            (LINE)
            body {
                header {
                    h1 { "Access policies" }
                    p { (summary(report)) }
                    (notes(report))
                }
                (LINE)
                main {
                    (differences(report))
                    (filters(report, &asked))
                    p #count role="status" { "all " (lines(report)) " rows" }
                    (LINE)
                    table #routes role="table" {
                        caption {
                            "Every route and its policy"
                            @if has_personas { ", and the response to each persona" }
                        }
                        thead role="rowgroup" {
                            tr role="row" {
                                @for heading in ["Method", "Path", "Policy", "Denials"] {
                                    th scope="col" role="columnheader" { (heading) }
                                }
                                @if has_personas {
                                    th scope="col" role="columnheader" { "Responses" }
                                }
                                th scope="col" role="columnheader" { "Handler" }
                            }
                        }
                        (LINE)
                        tbody role="rowgroup" {
                            @for row in &report.rows {
                                @for line in &row.lines {
                                    (LINE)
                                    (table_row(report, row.row, line, &asked))
                                }
                            }
                        }
                    }
                    (LINE)
                    (explained(report))
                }
                (LINE)
                script { (PreEscaped(&script)) }
            }
        }
        (LINE)
    }
}

/// Returns the Content Security Policy (CSP Level 3). It allows only the page's own script and
/// style, and no requests.
fn policy(style: &str, script: &str) -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(style),
        hash(script)
    )
}

/// Returns the filters, which the script shows.
fn filters(report: &AccessReport<'_>, asked: &[String]) -> Markup {
    let methods = report.rows.iter().map(|row| row.row.method_shown());
    let methods: BTreeSet<_> = methods.collect();
    let present = report.rows.iter().flat_map(|row| access_of(row.row));
    let present: BTreeSet<_> = present.collect();
    html! {
        (LINE)
        form #filters hidden {
            p .wide {
                label for="text" { "Path, object or handler" }
                " "
                input #text name="text" type="search" autocomplete="off" spellcheck="false" aria-keyshortcuts="/";
            }
            p {
                label for="method" { "Method" }
                " "
                select #method name="method" { option value="" { "all" } (options(methods)) }
            }
            p {
                label for="asks" { "Requires" }
                " "
                select #asks name="asks" {
                    option value="" { "anything" }
                    (options(asked.iter().map(String::as_str)))
                }
            }
            p {
                label for="access" { "Access" }
                " "
                select #access name="access" {
                    option value="" { "all" }
                    @for (name, shown) in ACCESSES.iter().filter(|(name, _)| present.contains(name)) {
                        option value=(name) { (shown) }
                    }
                }
            }
            @if !report.personas.is_empty() {
                p {
                    label for="persona" { "Requested by" }
                    " "
                    select #persona name="persona" {
                        option value="" { "all personas" }
                        (options(report.personas.iter().map(|persona| persona.name.as_str())))
                    }
                }
                p {
                    label for="response" { "Response" }
                    " "
                    select #response name="response" {
                        option value="" { "any" }
                        option value="in" { "allowed" }
                        option value="out" { "denied" }
                        option value="hidden" { "concealed" }
                        option value="differs" { "differs from the policy" }
                    }
                }
            }
            p { button type="reset" { "Show all" } }
        }
        (LINE)
    }
}

/// Returns an option for each text, with its index for the script.
fn options<'t>(texts: impl IntoIterator<Item = &'t str>) -> Markup {
    html! {
        @for (index, text) in texts.into_iter().enumerate() {
            option value=(Text(text)) data-index=(index) { (Text(text)) }
        }
    }
}

fn summary(report: &AccessReport<'_>) -> String {
    let count = |matches: &dyn Fn(&AccessRow) -> bool| {
        let rows = report.rows.iter().filter(|row| matches(row.row));
        rows.count()
    };
    let rows = report.rows.len();
    let with_objects = match lines(report) {
        lines if lines == rows => String::new(),
        lines => {
            format!(" With a row for each object and each value of a setting: {lines} rows.")
        }
    };
    format!(
        "{rows} rows: {} public, {} hidden, {} unguarded.{with_objects}",
        count(&|row| row.public_reason().is_some()),
        count(&AccessRow::is_hidden),
        count(&|row| row.unguarded_reason().is_some()),
    )
}

/// Returns the notes of the table.
fn notes(report: &AccessReport<'_>) -> Markup {
    html! {
        @if !report.notes.is_empty() {
            (LINE)
            ul .notes aria-label="Notes" {
                @for note in &report.notes { li { (PreEscaped(note)) } (LINE) }
            }
        }
    }
}

/// Returns the number of rows of the page.
fn lines(report: &AccessReport<'_>) -> usize {
    report.rows.iter().map(|row| row.lines.len()).sum()
}

/// Returns the differences from the policies, which are shown first.
fn differences(report: &AccessReport<'_>) -> Markup {
    let lines = report.rows.iter();
    let lines = lines.flat_map(|row| row.lines.iter().map(|line| (place(row.row, line), line)));
    let found: Vec<_> = lines
        .flat_map(|(place, line)| {
            let asked = report.personas.iter().zip(&line.responses);
            asked.filter_map(move |(persona, response)| {
                let difference = response.difference.as_deref()?;
                Some((place.clone(), persona.name.as_str(), difference))
            })
        })
        .collect();
    html! {
        @if !found.is_empty() {
            section .differences aria-labelledby="differences" {
                h2 #differences { "The service responds differently from its policies" }
                ul {
                    @for (place, persona, difference) in &found {
                        li { (Text(place)) ", " (Text(persona)) ": " pre { (Text(difference)) } }
                    }
                }
            }
        }
    }
}

fn place(row: &AccessRow, line: &ReportLine) -> String {
    let object = line.object.as_ref();
    let object = object.map_or(String::new(), |object| format!(" on {object}"));
    let (method, path) = (row.method_shown(), visible(row.path()));
    format!("{method} {path}{object}{}", line.settings)
}

/// Returns the scopes, roles, permissions, settings and actions on objects that the policies require.
fn asked_for(report: &AccessReport<'_>) -> Vec<String> {
    let all: BTreeSet<_> = report.rows.iter().flat_map(|row| asks(row.row)).collect();
    all.into_iter().collect()
}

fn asks(row: &AccessRow) -> BTreeSet<String> {
    let policy = row.policy();
    let requirements = policy.and_then(|policy| policy.requirement()).into_iter();
    let lesser = policy.and_then(|policy| policy.shown_to());
    let atoms = requirements.chain(lesser).flat_map(Requirement::atoms);
    let granted = atoms.filter(|atom| {
        matches!(
            atom,
            Atom::Scope(_)
                | Atom::Role(_)
                | Atom::Permission(_)
                | Atom::Setting(_)
                | Atom::Can { .. }
        )
    });
    granted.map(ToString::to_string).collect()
}

/// The kinds of access, each with its label.
const ACCESSES: [(&str, &str); 5] = [
    ("public", "public"),
    ("guarded", "guarded"),
    ("hidden", "hidden"),
    ("shown", "guarded, not hidden"),
    ("unguarded", "unguarded"),
];

fn access_of(row: &AccessRow) -> Vec<&'static str> {
    if row.unguarded_reason().is_some() {
        return vec!["unguarded"];
    }
    if row.public_reason().is_some() {
        return vec!["public"];
    }
    if row.is_hidden() {
        vec!["guarded", "hidden"]
    } else {
        vec!["guarded", "shown"]
    }
}

fn table_row(
    report: &AccessReport<'_>,
    row: &AccessRow,
    line: &ReportLine,
    asked: &[String],
) -> Markup {
    let path = visible(row.path());
    let handler = handler(row);
    let source = format!("{}:{}", row.file(), row.line());
    let own = asks(row);
    let own = asked
        .iter()
        .enumerate()
        .filter(|(_, text)| own.contains(*text));
    let own: Vec<_> = own.map(|(index, _)| index.to_string()).collect();
    let access = access_of(row);
    let object = line.object.as_deref();
    let named = object.map_or(String::new(), |object| format!(" {object}"));
    let searched = format!("{path} {handler}{named}{}", line.settings).to_lowercase();
    html! {
        tr role="row" data-method=(row.method_shown()) data-text=(Text(&searched)) data-asks=(own.join(" ")) data-access=(access.join(" ")) {
            td role="cell" class="method" { (Text(row.method_shown())) }
            th scope="row" role="rowheader" {
                code { (Breakable(&path)) }
                @if let Some(object) = object { " on " code .object { (Breakable(object)) } }
                (Text(&line.settings))
            }
            td role="cell" data-label="Policy" { code { (Text(&row.written())) } }
            td role="cell" data-label="Denials" {
                @if row.is_hidden() {
                    span .hidden { "hidden" }
                } @else if access.contains(&"shown") {
                    "shown"
                } @else {
                    "none"
                }
            }
            (responses_cell(report, &line.responses))
            td role="cell" data-label="Handler" {
                code { (Breakable(&handler)) }
                " "
                code .source { (Breakable(&source)) }
            }
        }
    }
}

fn responses_cell(report: &AccessReport<'_>, responses: &[ReportResponse]) -> Markup {
    let asked = report.personas.iter().zip(responses).enumerate();
    html! {
        @if !report.personas.is_empty() {
            td role="cell" data-label="Responses" {
                @if responses.is_empty() {
                    "not requested"
                } @else {
                    ul .responses {
                        @for (index, (persona, response)) in asked {
                            @let differs = response.difference.is_some();
                            li class={ (response.class) @if differs { " differs" } } data-persona=(index) {
                                (Text(&persona.name))
                                " "
                                b { @if differs { "≠ " } (Text(&response.shown)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn explained(report: &AccessReport<'_>) -> Markup {
    html! {
        @if !report.personas.is_empty() {
            h2 { "Personas" }
            dl {
                @for persona in &report.personas {
                    dt { (Text(&persona.name)) }
                    dd { (Text(&persona.description)) }
                }
            }
            @if !report.legend.is_empty() {
                h2 { "Meaning of the words" }
                dl {
                    @for (word, meaning) in &report.legend { dt { (word) } dd { (meaning) } }
                }
            }
        }
    }
}
