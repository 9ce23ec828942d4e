//! The builder of a matrix, which sends the requests.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use auth_runtime_axum::inspection::{App, Probe, Responder, head_of_parts};
use auth_runtime_core::adapter::text::visible;
use auth_runtime_core::{AccessRow, AccessTable, ProtectionSpace, Resource, RouteKind};
use auth_runtime_policy::Policy;
use axum::body::{Body, Bytes};
use axum::response::Response;
use http::{HeaderValue, Method, Request};
use tower::Service;

use super::error::{AccessMatrixError, MatrixErrorKind, unfilled};
use super::expectation::{Expectation, Seen};
use super::matrix::{AccessMatrix, AccessMatrixRow};
use super::persona::Persona;
use super::response::AccessResponse;
use super::row_object::{self, RowObject, objects_of};
use super::row_request::RowRequest;
use super::{target, text};

/// Builds an [`AccessMatrix`]. Created by [`AccessMatrix::builder`].
#[must_use = "no request is sent before `send`"]
pub struct AccessMatrixBuilder {
    rows: Vec<AccessRow>,
    space: ProtectionSpace,
    personas: Vec<Persona>,
    objects: Vec<Resource>,
    values: Vec<(String, String)>,
    targets: Vec<(String, String)>,
    contents: Vec<RequestContent>,
    before_each: Option<BeforeEach>,
    time_limit: Duration,
}

/// The function that restores the state.
type BeforeEach = Box<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// A row before it is requested.
struct Line<'a> {
    row: &'a AccessRow,
    object: Option<RowObject>,
}

/// The body of a request.
struct RequestContent {
    method: Method,
    path: String,
    media_type: String,
    body: Bytes,
}

impl AccessMatrix {
    /// Starts a matrix of the rows of `table`. `space` is the space that protects the router; it
    /// provides the scheme of a persona's credentials. Of an application with several spaces, each router
    /// has a matrix and a file of its own.
    pub fn builder(table: &AccessTable, space: &ProtectionSpace) -> AccessMatrixBuilder {
        AccessMatrixBuilder::new(table, space)
    }
}

impl AccessMatrixBuilder {
    pub(super) fn new(table: &AccessTable, space: &ProtectionSpace) -> Self {
        Self {
            rows: table.rows().to_vec(),
            space: space.clone(),
            personas: Vec::new(),
            objects: Vec::new(),
            values: Vec::new(),
            targets: Vec::new(),
            contents: Vec::new(),
            before_each: None,
            time_limit: Duration::from_secs(30),
        }
    }

    /// Adds a kind of caller, and a column.
    pub fn persona(mut self, persona: Persona) -> Self {
        self.personas.push(persona);
        self
    }

    /// Adds an object, by its type and id. A route with `can` on this type in its policy is requested once
    /// for each object of the type, with path parameters from the id. For `on = "Repository::{owner}/{repo}"`
    /// and the id `ann/garden`, `{owner}` is `ann`, and `{repo}` is `garden`. See
    /// [Objects](AccessMatrix#objects).
    ///
    /// Declare objects for which the personas have different rights: a public one, one of each owner.
    ///
    /// ```
    /// use auth_runtime_audit::AccessMatrix;
    /// # fn ask(table: &auth_runtime::routing::AccessTable, space: &auth_runtime::ProtectionSpace) {
    ///
    /// let matrix = AccessMatrix::builder(table, space)
    ///     .object("Repository", "ann/garden")
    ///     .object("Repository", "bob/diary");
    /// # }
    /// ```
    ///
    /// A path value is still necessary for parameters that are not part of the object.
    pub fn object(mut self, resource_type: impl Into<String>, id: impl Into<String>) -> Self {
        let resource_type: String = resource_type.into();
        self.objects.push(Resource::new(resource_type, id));
        self
    }

    /// Sets the value of the parameter `name` in every path that has it, such as `/repos/{id}`. It
    /// is percent-encoded. Slashes are kept in a wildcard only.
    pub fn path_value(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.values.push((name.into(), value.into()));
        self
    }

    /// Sets the target that is requested for a path of the table, such as `/repos/7?full=true` for
    /// `/repos/{id}`. It is necessary if a parameter of the same name has another meaning, if a
    /// query is needed, or for the requests to a nested service or a fallback. The parameters of the
    /// path may occur in it, such as `/repos/{id}?full=true`. The rest is sent unchanged.
    ///
    /// A route with a target is requested for an object if all parameters of the object occur in the target.
    /// Any other target names one object, and has one row.
    pub fn target(mut self, path: impl Into<String>, target: impl Into<String>) -> Self {
        self.targets.push((path.into(), target.into()));
        self
    }

    /// Sets the body, and its media type, for a method of a path of the table. Default: empty.
    pub fn body(
        mut self,
        method: Method,
        path: impl Into<String>,
        media_type: impl Into<String>,
        body: impl Into<Bytes>,
    ) -> Self {
        self.contents.push(RequestContent {
            method,
            path: path.into(),
            media_type: media_type.into(),
            body: body.into(),
        });
        self
    }

    /// Sets a function that runs before the request of each cell. It can restore the state that
    /// earlier requests changed, so that no cell depends on another: a deleted object exists again
    /// for the next persona. Default: none.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    ///
    /// use auth_runtime_audit::AccessMatrix;
    /// # fn ask(table: &auth_runtime::routing::AccessTable, space: &auth_runtime::ProtectionSpace) {
    ///
    /// let orders = Arc::new(Mutex::new(vec![7]));
    /// let matrix = AccessMatrix::builder(table, space).before_each(move || {
    ///     let orders = Arc::clone(&orders);
    ///     async move { *orders.lock().unwrap() = vec![7] }
    /// });
    /// # }
    /// ```
    pub fn before_each<F>(mut self, prepare: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.before_each = Some(Box::new(move || Box::pin(prepare())));
        self
    }

    /// Sets the time limit for each response. A request that reached a handler is granted even if
    /// the handler takes longer. A timeout elsewhere is a [difference](AccessResponse::difference).
    /// Default: 30 seconds.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Sends a request for each cell, one after the other: see [Requests](AccessMatrix#requests).
    ///
    /// `app` is the result of [`GuardedRouter::protect`](auth_runtime_axum::GuardedRouter::protect), with the
    /// layers that were added since.
    ///
    /// # Errors
    ///
    /// All at once: parameters without a value; objects that are declared twice, of a type without a `can`,
    /// or with an id that fits no route; values, targets and bodies for paths that are not in the table;
    /// invalid targets; no persona at all; and personas that share a name or send an invalid field value. A
    /// difference from the policies is not an error here, but of [`AccessMatrix::check`].
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime with an enabled timer. `#[tokio::test]` provides one.
    pub async fn send<A>(self, app: &A) -> Result<AccessMatrix, AccessMatrixError>
    where
        A: Service<Request<Body>, Response = Response, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        A::Future: Send,
    {
        let app = &App::new(app.clone());
        let mut mistakes = self.mistakes();
        let lines: Vec<_> = self.rows.iter().flat_map(|row| self.lines(row)).collect();
        let mut asked = Vec::new();
        let is_sent = |line: &Line<'_>| {
            !matches!(
                line.row.kind(),
                RouteKind::Unguarded | RouteKind::MethodNotAllowed
            )
        };
        for (index, line) in lines.iter().enumerate().filter(|(_, line)| is_sent(line)) {
            match self.row_request(line) {
                Ok(request) => asked.push((index, request)),
                // The lines of a path have the same mistakes.
                Err(found) => {
                    let fresh = found.into_iter().filter(|it| !mistakes.contains(it));
                    mistakes.extend(fresh.collect::<Vec<_>>());
                }
            }
        }
        if !mistakes.is_empty() {
            return Err(AccessMatrixError::new(MatrixErrorKind::Mistakes(mistakes)));
        }
        let nothing = || vec![AccessResponse::not_asked(); self.personas.len()];
        let mut responses: Vec<_> = lines.iter().map(|_| nothing()).collect();
        // Requests that change the state come last, and those that delete come at the very end.
        asked.sort_by_key(|(_, request)| match request.method {
            Method::DELETE => 2,
            ref method => u8::from(!method.is_safe()),
        });
        for (index, mut request) in asked {
            if !request.look_around(app).await {
                continue;
            }
            let mut given = Vec::new();
            for persona in &self.personas {
                if let Some(prepare) = &self.before_each {
                    prepare().await;
                }
                given.push(self.ask(app, &request, persona).await);
            }
            if let Some(row) = responses.get_mut(index) {
                *row = given;
            }
        }
        let rows = lines.into_iter().zip(responses);
        let rows = rows.map(|(line, responses)| AccessMatrixRow {
            row: line.row.clone(),
            object: line.object,
            settings: self.settings_of(line.row),
            responses,
        });
        Ok(AccessMatrix {
            rows: rows.collect(),
            personas: self.personas,
        })
    }

    /// Returns the lines of a row: one for each object, or one without an object.
    fn lines<'a>(&self, row: &'a AccessRow) -> Vec<Line<'a>> {
        let target = self.target_of(row);
        let objects = objects_of(row, &self.objects).into_iter();
        let objects = objects.filter(|object| {
            let Some(target) = target else { return true };
            let present = target::parameters_in(row, target);
            object.parameters().all(|name| present.contains(&name))
        });
        let line = |object| Line { row, object };
        let lines: Vec<_> = objects.map(|object| line(Some(object))).collect();
        if lines.is_empty() {
            vec![line(None)]
        } else {
            lines
        }
    }

    /// Returns the settings that the policy of a row requires, with their values.
    fn settings_of(&self, row: &AccessRow) -> Vec<(String, bool)> {
        let required = row.policy().map(Policy::settings).unwrap_or_default();
        let values = self.space.settings();
        let values = values.filter(|(name, _)| required.contains(name));
        values
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn path_value_of(&self, name: &str) -> Option<&str> {
        let mut values = self.values.iter();
        let (_, value) = values.find(|(own, _)| own == name)?;
        Some(value)
    }

    fn target_of(&self, row: &AccessRow) -> Option<&str> {
        let mut targets = self.targets.iter();
        let (_, target) = targets.find(|(path, _)| path == row.path())?;
        Some(target)
    }

    /// Returns the mistakes of the settings, except those of the paths.
    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if self.personas.is_empty() {
            mistakes
                .push("the matrix has no persona: add `.persona(Persona::anonymous())`".to_owned());
        }
        let mut names = BTreeSet::new();
        for persona in &self.personas {
            let name = persona.name();
            if name.trim().is_empty() {
                mistakes.push("a persona has no name".to_owned());
            } else if !names.insert(text::name(persona)) {
                // Names that are displayed alike would be one in the snapshot.
                mistakes.push(format!("two personas have the name {name:?}"));
            }
            for field in persona.refused() {
                mistakes.push(format!(
                    "{name:?} sends a `{field}` with an invalid field value"
                ));
            }
        }
        mistakes.extend(row_object::mistakes(&self.rows, &self.objects));
        let known: BTreeSet<_> = self.rows.iter().flat_map(target::parameters).collect();
        let strangers = self.values.iter().map(|(name, _)| name.as_str());
        for name in strangers.filter(|name| !known.contains(name)) {
            mistakes.push(format!("no path has the parameter {name:?}"));
        }
        let is_path = |path: &str| self.rows.iter().any(|row| row.path() == path);
        for (path, _) in self.targets.iter().filter(|(path, _)| !is_path(path)) {
            mistakes.push(format!(
                "the table has no path `{}`, so it needs no target",
                visible(path)
            ));
        }
        for content in &self.contents {
            let (method, path) = (&content.method, visible(&content.path));
            let mut rows = self.rows.iter();
            if !rows.any(|row| row.path() == content.path && self.method(row) == *method) {
                mistakes.push(format!("the table has no route {method} `{path}`"));
            }
            if HeaderValue::from_str(&content.media_type).is_err() {
                mistakes.push(format!("the media type for {method} `{path}` is invalid"));
            }
        }
        mistakes
    }

    fn row_request<'a>(&self, line: &Line<'a>) -> Result<RowRequest<'a>, Vec<String>> {
        let row = line.row;
        let object = line.object.as_ref();
        let value = |name: &str| {
            let of_object = object.and_then(|object| object.value(name));
            of_object.or_else(|| self.path_value_of(name))
        };
        let own = self.target_of(row);
        let names = match own {
            Some(target) => target::parameters_in(row, target),
            None => target::parameters(row),
        };
        let open = names
            .into_iter()
            .filter(|name| value(name).is_none_or(str::is_empty))
            .map(|name| unfilled(name, row.path()));
        let open: Vec<_> = open.collect();
        if !open.is_empty() {
            return Err(open);
        }
        let asked = match own {
            Some(target) => target::fill_in(row, target, value),
            None => target::fill(row, value),
        };
        let Some(target) = target::read(&asked) else {
            let (path, asked) = (visible(row.path()), visible(&asked));
            return Err(vec![format!(
                "`{path}` cannot be requested: `{asked}` is not a request target"
            )]);
        };
        let method = self.method(row);
        let mut contents = self.contents.iter();
        let content =
            contents.find(|content| content.method == method && content.path == row.path());
        let content = content.and_then(|content| {
            let media_type = HeaderValue::from_str(&content.media_type).ok()?;
            Some((media_type, content.body.clone()))
        });
        Ok(RowRequest {
            row,
            method,
            target,
            content,
            time_limit: self.time_limit,
            unknown: Vec::new(),
        })
    }

    /// Returns the method that a row is requested with.
    fn method(&self, row: &AccessRow) -> Method {
        if let Some(method) = row.method() {
            return method.clone();
        }
        let is_taken = |method: &Method| {
            let mut rows = self.rows.iter().filter(|other| other.path() == row.path());
            rows.any(|other| other.method() == Some(method))
        };
        let mut methods = [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::OPTIONS,
        ]
        .into_iter();
        methods.find(|method| !is_taken(method)).unwrap_or_else(|| {
            // A method that no row can have.
            Method::from_bytes(b"ANY").unwrap_or(Method::TRACE)
        })
    }

    async fn ask(&self, app: &App, request: &RowRequest<'_>, persona: &Persona) -> AccessResponse {
        let head = request.head(&request.target, persona);
        let expectation = Expectation::new(
            self.space.for_adapters(),
            request.row,
            persona.caller(),
            head_of_parts(&head),
            self.rows.iter().any(AccessRow::is_hidden),
        );
        let probe = Probe::listening();
        let response = request.send(app, head, &probe).await;
        let responder = probe.responder();
        let seen = Seen {
            response: match &response {
                Ok(response) => Ok((response.status(), response.headers())),
                Err(silence) => Err(*silence),
            },
            responder: responder.as_ref(),
        };
        let status = seen.response.ok().map(|(status, _)| status);
        let difference = expectation.difference(request.row, &seen);
        let difference = match (difference, &responder, response) {
            (None, Some(Responder::Concealed { fallback, .. }), Ok(response)) => {
                let unknown = request.unknown_answered_by(fallback.as_ref());
                request.distinguish(app, persona, response, unknown).await
            }
            (difference, ..) => difference,
        };
        AccessResponse::new(status, responder.as_ref(), difference)
    }
}

impl fmt::Debug for AccessMatrixBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessMatrixBuilder")
            .field("rows", &self.rows.len())
            .field("personas", &self.personas)
            .finish_non_exhaustive()
    }
}
