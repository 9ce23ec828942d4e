//! The responses to every persona on every row.

use std::fmt;

use auth_runtime_core::adapter::text::visible;
use auth_runtime_core::{AccessRow, Resource};

use super::persona::Persona;
use super::response::AccessResponse;
use super::row_object::RowObject;

/// The responses to each [`Persona`] on each row of an [`AccessTable`](auth_runtime_core::AccessTable), from real
/// requests.
///
/// The requests pass through the router, with its layers, schemes and handlers. In addition, the
/// policy of the row is evaluated for the stated identity of the persona. If the two differ, there
/// is a [difference](AccessResponse::difference), and [`check`](Self::check) fails. Examples are a
/// layer that responds in place of a handler, a verifier that grants too much, an accepted token
/// that has expired, a 401 without its challenge, or a hidden path that is distinguishable from an
/// unknown one.
///
/// ```
/// use auth_runtime::routing::get;
/// use auth_runtime::{Caller, GuardedRouter, Identity, ProtectionSpace, requires};
/// use auth_runtime::schemes::Bearer;
/// use auth_runtime_audit::{AccessMatrix, Persona};
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
/// [`assert_access_matrix!`](crate::assert_access_matrix) turns the matrix into a test that also
/// compares it with a snapshot.
///
/// # Cells
///
/// The status, and a word if the status alone does not state the cause:
///
/// | cell | meaning |
/// |---|---|
/// | `200`, any of 2xx | granted: the response of the handler |
/// | `404 own` | granted: a 404 of the handler, or of [`Guard::permit`](auth_runtime_axum::Guard::permit) |
/// | `500 unfinished`, `unfinished` | granted, but the handler did not finish (panic, time limit) |
/// | `400` | denied: the credentials were ambiguous or of another request, or the body could not be read |
/// | `401` | denied: credentials are required, or were rejected |
/// | `303 login` | the same, as a redirect of a browser to the login page |
/// | `401 step-up` | denied: a newer or stronger login is required |
/// | `401 unbound` | denied: the credentials must be bound to a key |
/// | `403` | denied |
/// | `403 scope`, `401 scope` | denied: the credentials lack scopes; 401 for clients of a token server |
/// | `503` | denied: the credentials could not be verified, or a check failed |
/// | `404 hidden`, `401 hidden` | denied, with exactly the response of an unknown path |
/// | `404 unknown` | an unknown path, on the row of a fallback |
/// | `-` | no request: an unguarded router, a fallback without an unknown path below it, or the fallback for methods |
///
/// # Objects
///
/// A policy with `can` decides by the object of the path. For objects that are declared by
/// [`object`](crate::AccessMatrixBuilder::object), the matrix has a row for each object and each route with
/// `can` on its type. The `on` of the policy reads the path parameters from the id. The other parameters are
/// [path values](crate::AccessMatrixBuilder::path_value).
///
/// A route without a fitting object has one row, with path values only. A route with several patterns for the
/// type has a row for each pattern that fits the id, and the row names the pattern. The matrix does not know the
/// results of checks and the decisions of the decision point, so each of them agrees with the policy: a grant, a
/// denial with any reason, and the request for a login. A policy with more than 1024 combinations of them is a
/// difference.
///
/// # Settings
///
/// A row whose policy has a `setting` names it, with the value of the space: `with setting`, or `without
/// setting`. A matrix has both values if that of a second router is [added](Self::and). The test of a matrix
/// with one value only [fails](Self::check).
///
/// # Requests
///
/// The builder sends one request for each cell, one after the other: `GET` and other safe methods
/// first, `DELETE` last, personas in their order. It waits for each response up to
/// [`time_limit`](crate::AccessMatrixBuilder::time_limit). The handlers run, so the test needs a router and a state of
/// its own. [`before_each`](crate::AccessMatrixBuilder::before_each) can restore the state between requests. The body
/// is empty unless one is given ([`body`](crate::AccessMatrixBuilder::body)). A response such as `415 own` shows
/// a grant as well as `200` does.
///
/// If a hidden denial is expected, an unknown path is requested as well, twice. Words that differ
/// between these two responses (a nonce, a request number) are not compared. A difference counts
/// only if it occurs again in further attempts.
///
/// A row for `any` method is requested with a method that has no other row on that path, and a
/// nested service on its own path. The result of a `check` is not known beforehand, so the
/// decisions for either result are accepted. The snapshot records the actual one.
///
/// The matrix does not cover methods without a row, responses of unguarded routers, changes that a
/// layer makes to the body of a granted response, behaviour that depends on more of a request than
/// a persona provides, and credentials in a form. Paths are requested as in the table. A router
/// that is nested in another one is therefore tested alone, or each path receives a
/// [target](crate::AccessMatrixBuilder::target).
#[derive(Clone, Debug)]
#[must_use = "a matrix has no effect unless it is compared"]
pub struct AccessMatrix {
    pub(super) personas: Vec<Persona>,
    pub(super) rows: Vec<AccessMatrixRow>,
}

/// One row of an [`AccessMatrix`].
#[derive(Clone, Debug)]
pub struct AccessMatrixRow {
    pub(super) row: AccessRow,
    pub(super) object: Option<RowObject>,
    /// The settings of the policy, with their values.
    pub(super) settings: Vec<(String, bool)>,
    pub(super) responses: Vec<AccessResponse>,
}

impl AccessMatrix {
    /// The personas, in the order in which they were given.
    pub fn personas(&self) -> &[Persona] {
        &self.personas
    }

    /// The rows, in the order of the table. The rows of a route are in the order of their objects.
    pub fn rows(&self) -> &[AccessMatrixRow] {
        &self.rows
    }

    /// The responses that differ from the policies.
    pub fn differences(&self) -> impl Iterator<Item = (&AccessMatrixRow, &Persona, &str)> {
        self.rows.iter().flat_map(|row| {
            let responses = self.personas.iter().zip(&row.responses);
            responses
                .filter_map(move |(persona, response)| Some((row, persona, response.difference()?)))
        })
    }
}

impl AccessMatrixRow {
    /// The row of the table.
    pub fn row(&self) -> &AccessRow {
        &self.row
    }

    /// The object of the requests, if the policy has `can` on one of the
    /// [declared](crate::AccessMatrixBuilder::object) objects.
    pub fn object(&self) -> Option<&Resource> {
        self.object.as_ref().map(RowObject::resource)
    }

    /// The settings that the policy requires, with their values in the protection space.
    pub fn settings(&self) -> impl Iterator<Item = (&str, bool)> {
        self.settings
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
    }

    /// Returns the text of the object, if there is one.
    #[cfg(feature = "access-report")]
    pub(crate) fn object_shown(&self) -> Option<String> {
        self.object.as_ref().map(RowObject::to_string)
    }

    /// Returns the settings, as they follow the path and the object.
    pub(crate) fn settings_shown(&self) -> String {
        self.settings_as(|name| format!("`{name}`"))
    }

    /// Returns the settings, with each name as `quoted` formats it.
    pub(super) fn settings_as(&self, quoted: impl Fn(&str) -> String) -> String {
        let settings = self.settings().map(|(name, value)| {
            let word = if value { "with" } else { "without" };
            format!(" {word} setting {}", quoted(&visible(name)))
        });
        settings.collect()
    }

    /// Returns whether both are about the same requests, with the same values of settings.
    pub(super) fn is_at_place_of(&self, other: &Self) -> bool {
        self.is_on_route_of(other) && self.settings == other.settings
    }

    /// Returns whether both are about the same requests.
    pub(super) fn is_on_route_of(&self, other: &Self) -> bool {
        self.row == other.row && self.object == other.object
    }

    /// The response to each persona, in the order of [`AccessMatrix::personas`].
    pub fn responses(&self) -> &[AccessResponse] {
        &self.responses
    }
}

impl fmt::Display for AccessMatrixRow {
    /// Formats the method, the path, the object and the settings: `GET /repos/{id} on Repository::"7"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}",
            self.row.method_shown(),
            visible(self.row.path())
        )?;
        if let Some(object) = &self.object {
            write!(f, " on {object}")?;
        }
        f.write_str(&self.settings_shown())
    }
}
