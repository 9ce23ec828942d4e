//! The matrix as text: in columns, and as Markdown.

use std::fmt;

use auth_runtime_core::adapter::text::{self, code, markdown, visible};
use auth_runtime_core::{AccessRow, RouteKind};

use super::matrix::AccessMatrix;
use super::persona::Persona;
use super::response::AccessResponse;

/// The words of the cells, explained below a matrix that uses them.
const LEGEND: [(&str, &str); 11] = [
    ("own", "allowed: the response of the handler"),
    ("unfinished", "allowed, but the handler did not finish"),
    ("login", "denied: a browser is redirected to the login page"),
    ("step-up", "denied: a newer or stronger login is required"),
    (
        "unbound",
        "denied: sender-constrained credentials are required",
    ),
    ("scope", "denied: the credentials lack scopes"),
    (
        "hidden",
        "denied: concealed by the response of an unknown path",
    ),
    ("unknown", "unknown path"),
    (
        "elsewhere",
        "the response of something else, such as a layer",
    ),
    ("unanswered", "no response"),
    ("-", "not asked"),
];

/// Replaces the method on a row without requests.
pub(super) const UNGUARDED: &str = "unguarded";

fn method(row: &AccessRow) -> &str {
    match row.kind() {
        RouteKind::Unguarded => UNGUARDED,
        _ => row.method_shown(),
    }
}

/// Returns the name of a persona in Markdown, without colons, since a colon ends it.
pub(super) fn name(persona: &Persona) -> String {
    markdown(persona.name()).replace(':', "&#58;")
}

/// Returns the text of a cell. A difference from the policy is marked.
fn cell(response: &AccessResponse) -> String {
    match response.difference() {
        Some(_) => format!("≠ {response}"),
        None => response.to_string(),
    }
}

fn write_columns(matrix: &AccessMatrix, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let names = matrix
        .personas
        .iter()
        .map(|persona| visible(persona.name()));
    let headings = ["METHOD".to_owned(), "PATH".to_owned()];
    let headings: Vec<String> = headings.into_iter().chain(names).collect();
    let mut lines = vec![headings];
    for row in &matrix.rows {
        let path = visible(row.row.path());
        let path = match &row.object {
            Some(object) => format!("{path} on {object}"),
            None => path,
        };
        let path = path + &row.settings_shown();
        let place = [method(&row.row).to_owned(), path];
        lines.push(
            place
                .into_iter()
                .chain(row.responses.iter().map(cell))
                .collect(),
        );
    }
    text::write_columns(&lines, f)
}

impl fmt::Display for AccessMatrix {
    /// Writes the matrix in columns, one line for each row.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_columns(self, f)
    }
}

impl AccessMatrix {
    /// Returns the matrix as Markdown (GitHub's tables): the personas, the responses to them, and a
    /// legend.
    pub fn to_markdown(&self) -> String {
        let names: Vec<_> = self.personas.iter().map(name).collect();
        let mut lines = Vec::new();
        for (persona, name) in self.personas.iter().zip(&names) {
            lines.push(format!("- {name}: {}", markdown(&persona.description())));
        }
        lines.push(String::new());
        lines.push(format!("| method | path | {} |", names.join(" | ")));
        lines.push(format!("|---|---|{}", "---|".repeat(names.len())));
        for row in &self.rows {
            let (method, path) = (method(&row.row), code(&visible(row.row.path())));
            let path = match &row.object {
                Some(object) => format!("{path} on {}", object.to_markdown()),
                None => path,
            };
            let path = path + &row.settings_as(code);
            let cells: Vec<_> = row.responses.iter().map(cell).collect();
            lines.push(format!("| {method} | {path} | {} |", cells.join(" | ")));
        }
        let explained = self.legend().into_iter();
        let explained: Vec<_> = explained
            .map(|(word, meaning)| format!("`{word}`: {meaning}."))
            .collect();
        if !explained.is_empty() {
            lines.push(String::new());
            lines.push(explained.join("  \n"));
        }
        lines.push(String::new());
        lines.join("\n")
    }

    /// Returns the words of the cells, and their meanings.
    pub(crate) fn legend(&self) -> Vec<(&'static str, &'static str)> {
        let responses = self.rows.iter().flat_map(|row| &row.responses);
        let shown: Vec<_> = responses.map(AccessResponse::to_string).collect();
        let is_used = |word: &str| {
            shown
                .iter()
                .any(|cell| cell.rsplit(' ').next() == Some(word))
        };
        let used = LEGEND.into_iter().filter(|(word, _)| is_used(word));
        used.collect()
    }
}
