//! Who may call what, as a page for a browser.

mod html;
mod page;

#[cfg(feature = "access-matrix")]
use crate::access_matrix::AccessMatrix;
use crate::access_table::{AccessRow, AccessTable};

/// An [`AccessTable`] as a page for a browser: one file, to be looked at by those who review a service,
/// or kept with its release.
///
/// The routes can be filtered by path, method, access (public, hidden and so on) and by the scope, role or
/// permission that they ask for; with an [`AccessMatrix`](crate::AccessMatrix) also by who is
/// answered what. What is chosen stands in the address. The page needs nothing from elsewhere and
/// forbids itself to fetch anything (its Content Security Policy allows its own script and style by
/// their hashes); without scripts it is the whole table. It can be used by keyboard (`/` goes to the
/// search), on a phone, and be printed.
///
/// ```
/// use auth_runtime::routing::get;
/// use auth_runtime::{AccessReport, GuardedRouter, requires};
///
/// #[requires(scope = "repo:read")]
/// async fn show() {}
///
/// let router: GuardedRouter = GuardedRouter::new().route("/repos/{id}", get(show));
/// let page = AccessReport::new(&router.access_table()).to_html();
/// assert!(page.starts_with("<!doctype html>") && page.contains("/repos/{id}"));
/// // std::fs::write("access.html", page)?;
/// ```
///
/// It says what an attacker would like to know, hidden routes and source files among it: keep it where
/// the source is kept, and do not serve it to everybody.
#[derive(Clone, Debug)]
#[must_use = "a report is there to be written down"]
pub struct AccessReport<'a> {
    rows: Vec<ReportRow<'a>>,
    personas: Vec<Asking>,
    /// The words of the answers, and what they mean.
    legend: Vec<(&'static str, &'static str)>,
}

#[derive(Clone, Debug)]
struct ReportRow<'a> {
    row: &'a AccessRow,
    /// One for each persona; none where the matrix has no such row.
    answers: Vec<Answer>,
}

/// A persona of the matrix.
#[derive(Clone, Debug)]
struct Asking {
    name: String,
    description: String,
}

/// What a persona was answered.
#[derive(Clone, Debug)]
struct Answer {
    shown: String,
    /// What the page's style and script know it by.
    class: &'static str,
    difference: Option<String>,
}

impl<'a> AccessReport<'a> {
    /// A report of these routes.
    pub fn new(table: &'a AccessTable) -> Self {
        let rows = table.rows().iter().map(|row| ReportRow {
            row,
            answers: Vec::new(),
        });
        Self {
            rows: rows.collect(),
            personas: Vec::new(),
            legend: Vec::new(),
        }
    }

    /// The same with what each persona was answered. Rows that `matrix` has not are left without.
    #[cfg(feature = "access-matrix")]
    pub fn with_matrix(mut self, matrix: &AccessMatrix) -> Self {
        let personas = matrix.personas().iter();
        self.personas = personas
            .map(|persona| Asking {
                name: persona.name().to_owned(),
                description: persona.description(),
            })
            .collect();
        self.legend = matrix.legend();
        for row in &mut self.rows {
            let mut asked = matrix.rows().iter();
            let asked = asked.find(|asked| asked.row() == row.row);
            let answers = asked.map_or(&[][..], |asked| asked.answers());
            row.answers = answers
                .iter()
                .map(|answer| Answer {
                    shown: answer.to_string(),
                    class: match answer.status() {
                        _ if answer.is_let_in() => "in",
                        None => "none",
                        Some(_) if answer.is_hidden() => "out hidden",
                        Some(_) => "out",
                    },
                    difference: answer.difference().map(str::to_owned),
                })
                .collect();
        }
        self
    }

    /// The page, in UTF-8.
    pub fn to_html(&self) -> String {
        page::write(self)
    }
}
