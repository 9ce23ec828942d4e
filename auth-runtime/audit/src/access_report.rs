//! An HTML page of the routes and their access policies.

mod html;
mod page;

use auth_runtime_core::adapter::text;
use auth_runtime_core::{AccessRow, AccessTable};

#[cfg(feature = "access-matrix")]
use crate::access_matrix::{AccessMatrix, AccessResponse};

/// An [`AccessTable`] as an HTML page: one file, for reviewers of a service, or to be kept with its
/// release. It begins with the notes of the table, for example about open patterns.
///
/// The routes can be filtered by path, method, access (public, hidden and so on), and by required
/// scope, role, permission or action on an object. With an [`AccessMatrix`](crate::AccessMatrix), they can also be
/// filtered by the responses to its personas. The address of the page holds the filters. The page
/// is self-contained, and its Content Security Policy forbids all requests (it allows only its own
/// script and style, by their hashes). Without scripts it shows the whole table. It works with the
/// keyboard (`/` focuses the search), on a phone, and in print.
///
/// ```
/// use auth_runtime::routing::get;
/// use auth_runtime::{GuardedRouter, requires};
/// use auth_runtime_audit::AccessReport;
///
/// #[requires(scope = "repo:read")]
/// async fn show() {}
///
/// let router: GuardedRouter = GuardedRouter::new().route("/repos/{id}", get(show));
/// let page = AccessReport::new(&router.access_table()).to_html();
/// assert!(page.starts_with("<!DOCTYPE html>") && page.contains("/repos/{id}"));
/// // std::fs::write("access.html", page)?;
/// ```
///
/// The page lists hidden routes and source files, which help an attacker. Keep it with the source
/// code, and do not serve it to the public.
#[derive(Clone, Debug)]
#[must_use = "a report has no effect unless it is written"]
pub struct AccessReport<'a> {
    rows: Vec<ReportRow<'a>>,
    /// The notes of the table, in HTML.
    notes: Vec<String>,
    personas: Vec<ReportPersona>,
    /// The words of the cells, and their meanings.
    legend: Vec<(&'static str, &'static str)>,
}

#[derive(Clone, Debug)]
struct ReportRow<'a> {
    row: &'a AccessRow,
    /// One for each object and each value of a setting in the matrix, and at least one.
    lines: Vec<ReportLine>,
}

/// The responses for an object of a row, with some values of settings.
#[derive(Clone, Debug, Default)]
struct ReportLine {
    /// `None` if the matrix declares no object for the row.
    object: Option<String>,
    /// The settings of the policy and their values, as they follow the path. Empty without a matrix.
    settings: String,
    /// One for each persona. Empty if the matrix has no such row.
    responses: Vec<ReportResponse>,
}

/// A persona of the matrix.
#[derive(Clone, Debug)]
struct ReportPersona {
    name: String,
    description: String,
}

/// The response to a persona.
#[derive(Clone, Debug)]
struct ReportResponse {
    shown: String,
    /// The class in the page's style and script.
    class: &'static str,
    difference: Option<String>,
}

impl<'a> AccessReport<'a> {
    /// Creates a report of these routes.
    pub fn new(table: &'a AccessTable) -> Self {
        let rows = table.rows().iter().map(|row| ReportRow {
            row,
            lines: vec![ReportLine::default()],
        });
        Self {
            rows: rows.collect(),
            notes: text::notes(table, html::code),
            personas: Vec::new(),
            legend: Vec::new(),
        }
    }

    /// Adds the response to each persona. A route has a row for each object and for
    /// each value of its settings in the matrix. Rows without a counterpart in `matrix` have none.
    #[cfg(feature = "access-matrix")]
    pub fn with_matrix(mut self, matrix: &AccessMatrix) -> Self {
        let personas = matrix.personas().iter();
        self.personas = personas
            .map(|persona| ReportPersona {
                name: persona.name().to_owned(),
                description: persona.description(),
            })
            .collect();
        self.legend = matrix.legend();
        for row in &mut self.rows {
            let asked = matrix.rows().iter();
            let asked = asked.filter(|asked| asked.row() == row.row);
            let lines: Vec<_> = asked
                .map(|asked| ReportLine {
                    object: asked.object_shown(),
                    settings: asked.settings_shown(),
                    responses: asked.responses().iter().map(ReportResponse::of).collect(),
                })
                .collect();
            if !lines.is_empty() {
                row.lines = lines;
            }
        }
        self
    }
}

#[cfg(feature = "access-matrix")]
impl ReportResponse {
    fn of(response: &AccessResponse) -> Self {
        Self {
            shown: response.to_string(),
            class: match response.status() {
                _ if response.is_granted() => "in",
                None => "none",
                Some(_) if response.is_hidden() => "out hidden",
                Some(_) => "out",
            },
            difference: response.difference().map(str::to_owned),
        }
    }
}
