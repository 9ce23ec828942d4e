//! Every route asked by every kind of caller, and compared with what its policy says.

mod answer;
mod builder;
mod comparison;
mod error;
mod expectation;
mod patience;
mod persona;
#[cfg(feature = "serde")]
mod serialize;
mod snapshot;
mod target;
mod text;

use std::fmt;
use std::path::Path;

pub use self::answer::AccessAnswer;
pub use self::builder::AccessMatrixBuilder;
pub use self::error::AccessMatrixError;
use self::error::Kind;
pub use self::persona::Persona;
use self::snapshot::Snapshot;
use crate::access_table::{AccessRow, AccessTable, visible};
use crate::space::ProtectionSpace;

/// Who is answered what: each row of an [`AccessTable`], asked by each [`Persona`] with a real request.
///
/// The router answers, with its layers, schemes and handlers. Beside it, the policy of the row is
/// decided for what the persona is said to be. Where the two differ there is a
/// [difference](AccessAnswer::difference), and [`check`](Self::check) fails: a layer that answers in
/// place of a handler, a verifier that grants more than it should, an expired token that is taken, a 401
/// without its challenge, a hidden path that can be told from one that is not there.
///
/// ```
/// use auth_runtime::routing::get;
/// use auth_runtime::{
///     AccessMatrix, Bearer, Caller, GuardedRouter, Identity, Persona, ProtectionSpace, requires,
/// };
/// use axum::http::header::AUTHORIZATION;
///
/// #[requires(scope = "repo:read")]
/// async fn show() -> &'static str {
///     "a repository"
/// }
///
/// fn rita() -> Identity {
///     Identity::new("rita").with_scopes(["repo:read"])
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bearer = Bearer::new(async |token| match token.as_str() {
///     "rita" => Caller::known(rita()),
///     _ => Caller::rejected(),
/// });
/// let space = ProtectionSpace::builder().realm("code").scheme(bearer).build()?;
/// let routes = GuardedRouter::new().route("/repos/{id}", get(show));
/// let table = routes.access_table();
/// let app = routes.protect(space.clone())?;
///
/// let matrix = AccessMatrix::builder(&table, &space)
///     .persona(Persona::anonymous())
///     .persona(Persona::rejected("forged").header(AUTHORIZATION, "Bearer mallory"))
///     .persona(Persona::known("reader", rita()).header(AUTHORIZATION, "Bearer rita"))
///     .path_value("id", "7")
///     .send(&app)
///     .await?;
/// assert!(matrix.differences().next().is_none());
/// assert!(matrix.to_markdown().contains("| GET | `/repos/{id}` | 401 | 401 | 200 |"));
/// # Ok(())
/// # }
/// ```
///
/// [`assert_access_matrix!`](crate::assert_access_matrix) makes a test of it that also compares it with
/// what it was.
///
/// # What a cell says
///
/// The status, and a word where that alone does not say who decided:
///
/// | cell | meaning |
/// |---|---|
/// | `200`, any of 2xx | let in: the handler answered |
/// | `404 own` | let in: the handler itself answered so; [`Guard::permit`](crate::Guard::permit) too |
/// | `500 unfinished`, `unfinished` | let in, but the handler did not come to an end: a panic, or a time limit |
/// | `400` | the credentials were carried in a broken way |
/// | `401` | denied: log in, or log in anew |
/// | `303 login` | the same, for a browser that is sent to the page to log in on |
/// | `401 step-up` | denied: log in again, or more strongly |
/// | `401 unbound` | denied: the credentials have to be bound to a key |
/// | `403` | denied |
/// | `403 scope` | denied: the credentials lack scopes |
/// | `503` | denied: nobody can verify the credentials, or a check failed |
/// | `404 hidden`, `401 hidden` | denied, by the very answer of a path that is not there |
/// | `404 unknown` | what a fallback row answers: there is nothing |
/// | `-` | not asked: an unguarded router, or a fallback without an unknown path below it |
///
/// # What is sent
///
/// One request for each cell, one after the other, and waits for each as long as
/// [`AccessMatrixBuilder::time_limit`] says: `GET` and other safe methods first, `DELETE` last,
/// personas in their order. The handlers run, so the router has to be one of the test's own, with a state
/// of its own, which [`AccessMatrixBuilder::before_each`] can bring back between them. The body is empty unless there is one ([`AccessMatrixBuilder::body`]): an answer such as
/// `415 own` says as well as `200` that somebody was let in. Where a hidden denial is expected, a path
/// that is not there is asked as well, twice: the words that change between those two (a nonce, a number
/// for each request) are not compared, and what can be told apart once has to be told apart again.
///
/// A row for `any` method is asked by one that the path has no other row for, and a nested service on
/// its own path. What a `check` says is not known beforehand: either answer that the policy then gives
/// is taken, and which it was is for the snapshot to keep.
///
/// Not seen: methods that have no row, what the unguarded routers answer, what a layer makes of the body of
/// somebody who was let in, what depends on more of a request than a persona brings along, and
/// credentials in a form. Paths are asked as the table has them: a router that is nested in another one is
/// sent to by itself, or each path gets a [target](AccessMatrixBuilder::target).
#[derive(Clone, Debug)]
#[must_use = "a matrix is there to be compared"]
pub struct AccessMatrix {
    personas: Vec<Persona>,
    rows: Vec<AccessMatrixRow>,
}

/// One row of an [`AccessMatrix`].
#[derive(Clone, Debug)]
pub struct AccessMatrixRow {
    row: AccessRow,
    answers: Vec<AccessAnswer>,
}

impl AccessMatrix {
    /// A matrix of the rows of `table`. `space` is that which the router is protected by: it says which
    /// scheme a persona's credentials are of.
    pub fn builder(table: &AccessTable, space: &ProtectionSpace) -> AccessMatrixBuilder {
        AccessMatrixBuilder::new(table, space)
    }

    /// The personas, in the order in which they were given.
    pub fn personas(&self) -> &[Persona] {
        &self.personas
    }

    /// The rows, in the order of the table.
    pub fn rows(&self) -> &[AccessMatrixRow] {
        &self.rows
    }

    /// The answers that are not what the policies say.
    pub fn differences(&self) -> impl Iterator<Item = (&AccessRow, &Persona, &str)> {
        self.rows.iter().flat_map(|row| {
            let answers = self.personas.iter().zip(&row.answers);
            answers.filter_map(|(persona, answer)| Some((&row.row, persona, answer.difference()?)))
        })
    }

    /// Compares what was answered with the policies, and then with the snapshot in `file`. With
    /// `ACCESS_MATRIX=overwrite` in the environment it writes the file anew instead; never one in which
    /// something differs from the policies, and never where `CI` says that nobody looks at it.
    ///
    /// # Errors
    ///
    /// If the router answers something else than the policies say, or than the snapshot; if that is not
    /// there, or cannot be read or written: the error is a report for people, with what to do about it.
    pub fn check(&self, file: impl AsRef<Path>) -> Result<(), AccessMatrixError> {
        let differences: Vec<_> = self
            .differences()
            .map(|(row, persona, difference)| {
                let (method, path) = (row.method_shown(), visible(row.path()));
                format!("{method} {path}, {}: {difference}", persona.name())
            })
            .collect();
        if !differences.is_empty() {
            return Err(AccessMatrixError::new(Kind::Differs(differences)));
        }
        Snapshot::of(self).check(file.as_ref())
    }
}

impl AccessMatrixRow {
    /// The row of the table.
    pub fn row(&self) -> &AccessRow {
        &self.row
    }

    /// What each persona was answered, in the order of [`AccessMatrix::personas`].
    pub fn answers(&self) -> &[AccessAnswer] {
        &self.answers
    }
}

impl fmt::Display for AccessMatrix {
    /// In columns, a line for each row.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write_columns(self, f)
    }
}

/// Fails a test when somebody is answered something else than the policies say, or than the crate's
/// `access-matrix.md`.
///
/// ```no_run
/// use std::error::Error;
///
/// use auth_runtime::{
///     AccessMatrix, Bearer, Caller, GuardedRouter, Persona, ProtectionSpace, assert_access_matrix,
/// };
///
/// fn routes() -> GuardedRouter {
///     GuardedRouter::new() // .route(…)
/// }
///
/// // #[tokio::test]
/// async fn everybody_is_answered_what_the_policies_say() -> Result<(), Box<dyn Error>> {
///     let bearer = Bearer::new(async |_| Caller::rejected());
///     let space = ProtectionSpace::builder().realm("code").scheme(bearer).build()?;
///     let app = routes().protect(space.clone())?;
///     let matrix = AccessMatrix::builder(&routes().access_table(), &space)
///         .persona(Persona::anonymous())
///         .send(&app)
///         .await?;
///     assert_access_matrix!(matrix);
///     Ok(())
/// }
/// ```
///
/// The file lies beside the crate's `Cargo.toml`, and belongs into the repository; it is Markdown, to be
/// read there. `ACCESS_MATRIX=overwrite cargo test` makes it, and accepts changes; nothing else does, so
/// a missing file is a failure. The failure lists first who was let in and was not before.
///
/// A service with several matrices gives each a file of its own: `assert_access_matrix!(matrix,
/// "internal-access.md")`.
///
/// # Panics
///
/// With a report, if something differs, or if the file is missing or cannot be read.
#[macro_export]
macro_rules! assert_access_matrix {
    ($matrix:expr $(,)?) => {
        $crate::assert_access_matrix!($matrix, "access-matrix.md")
    };
    ($matrix:expr, $file:expr $(,)?) => {{
        let file = ::std::path::Path::new(::core::env!("CARGO_MANIFEST_DIR")).join($file);
        if let ::core::result::Result::Err(report) = $crate::AccessMatrix::check(&$matrix, file) {
            ::core::panic!("{report}");
        }
    }};
}
