//! The builder of a matrix, which sends the requests.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use auth_runtime_axum::inspection::{
    App, Probe, Responder, call, fallback_of, head_of_parts, neighbours, transcript,
};
use auth_runtime_core::adapter::text::visible;
use auth_runtime_core::{AccessRow, AccessTable, HandlerLocation, ProtectionSpace, RouteKind};
use axum::body::{Body, Bytes, to_bytes};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Uri};
use tower::Service;

use super::comparison::{Sample, distinguish};
use super::deadline::{NoResponse, wait_for};
use super::error::{AccessMatrixError, Kind, unfilled};
use super::expectation::{Expectation, Seen};
use super::{AccessAnswer, AccessMatrix, AccessMatrixRow, Persona, target, text};

/// The bytes of a concealed response's body that are compared.
const MAX_BODY: usize = 1024 * 1024;

/// The number of attempts in which a hidden path has to differ from an unknown one. A single
/// difference may be a coincidence.
const ROUNDS: usize = 3;

/// Builds an [`AccessMatrix`]. Created by [`AccessMatrix::builder`].
#[must_use = "nothing is asked before `send`"]
pub struct AccessMatrixBuilder {
    rows: Vec<AccessRow>,
    space: ProtectionSpace,
    personas: Vec<Persona>,
    values: Vec<(String, String)>,
    targets: Vec<(String, String)>,
    contents: Vec<Content>,
    before_each: Option<BeforeEach>,
    time_limit: Duration,
}

/// The function that restores the state.
type BeforeEach = Box<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// The body of a request.
struct Content {
    method: Method,
    path: String,
    media_type: String,
    body: Bytes,
}

/// A row, and the request for it.
struct Question<'a> {
    row: &'a AccessRow,
    method: Method,
    target: Uri,
    content: Option<(HeaderValue, Bytes)>,
    time_limit: Duration,
    /// Unknown paths beside it, each with its fallback, if a denial may be concealed.
    unknown: Vec<(Uri, Option<HandlerLocation>)>,
}

impl AccessMatrixBuilder {
    pub(super) fn new(table: &AccessTable, space: &ProtectionSpace) -> Self {
        Self {
            rows: table.rows().to_vec(),
            space: space.clone(),
            personas: Vec::new(),
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

    /// Sets the value of the parameter `name` in every path that has it, such as `/repos/{id}`. It
    /// is percent-encoded. Slashes are kept in a wildcard only.
    pub fn path_value(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.values.push((name.into(), value.into()));
        self
    }

    /// Sets the target that is requested for a path of the table, such as `/repos/7?full=true` for
    /// `/repos/{id}`. It is necessary if a parameter of the same name has another meaning, if a
    /// query is needed, or for the requests to a nested service or a fallback. It is sent
    /// unchanged.
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
        self.contents.push(Content {
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
    /// the handler takes longer. A timeout elsewhere is a [difference](AccessAnswer::difference).
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
    /// All at once: parameters without a value; values, targets and bodies for paths that are not
    /// in the table; invalid targets; no persona at all; and personas that share a name or send an
    /// invalid field value. A difference from the policies is not an error here, but of
    /// [`AccessMatrix::check`].
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime with an enabled timer. `#[tokio::test]` provides one.
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
        let mut asked = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            if row.mounted() == RouteKind::Unguarded {
                continue;
            }
            match self.question(row) {
                Ok(question) => asked.push((index, question)),
                Err(mistake) => mistakes.extend(mistake),
            }
        }
        if !mistakes.is_empty() {
            return Err(AccessMatrixError::new(Kind::Mistakes(mistakes)));
        }
        let nothing = || vec![AccessAnswer::not_asked(); self.personas.len()];
        let mut answers: Vec<_> = self.rows.iter().map(|_| nothing()).collect();
        // Requests that change the state come last, and those that delete come at the very end.
        asked.sort_by_key(|(_, question)| match question.method {
            Method::DELETE => 2,
            ref method => u8::from(!method.is_safe()),
        });
        for (index, mut question) in asked {
            if !question.look_around(app).await {
                continue;
            }
            let mut given = Vec::new();
            for persona in &self.personas {
                if let Some(prepare) = &self.before_each {
                    prepare().await;
                }
                given.push(self.ask(app, &question, persona).await);
            }
            if let Some(row) = answers.get_mut(index) {
                *row = given;
            }
        }
        let rows = self.rows.into_iter().zip(answers);
        Ok(AccessMatrix {
            personas: self.personas,
            rows: rows
                .map(|(row, answers)| AccessMatrixRow { row, answers })
                .collect(),
        })
    }

    /// Returns the mistakes of the settings, except those of the paths.
    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if self.personas.is_empty() {
            mistakes.push("nobody asks: add `.persona(Persona::anonymous())`".to_owned());
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
                mistakes.push(format!("{name:?} sends a `{field}` that is no field value"));
            }
        }
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
                mistakes.push(format!("nothing is asked by {method} `{path}`"));
            }
            if HeaderValue::from_str(&content.media_type).is_err() {
                mistakes.push(format!("the media type for {method} `{path}` is none"));
            }
        }
        mistakes
    }

    fn question<'a>(&self, row: &'a AccessRow) -> Result<Question<'a>, Vec<String>> {
        let own = self.targets.iter().find(|(path, _)| path == row.path());
        let value = |name: &str| {
            let mut values = self.values.iter();
            let (_, value) = values.find(|(own, _)| own == name)?;
            Some(value.as_str())
        };
        let asked = match own {
            Some((_, target)) => target.clone(),
            None => {
                let names = target::parameters(row).into_iter();
                let open: Vec<_> = names
                    .filter(|name| value(name).is_none_or(str::is_empty))
                    .map(|name| unfilled(name, row.path()))
                    .collect();
                if !open.is_empty() {
                    return Err(open);
                }
                target::fill(row, value)
            }
        };
        let Some(target) = target::read(&asked) else {
            let (path, asked) = (visible(row.path()), visible(&asked));
            return Err(vec![format!(
                "`{path}` cannot be asked: `{asked}` is no target of a request"
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
        Ok(Question {
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

    async fn ask(&self, app: &App, question: &Question<'_>, persona: &Persona) -> AccessAnswer {
        let head = question.head(&question.target, persona);
        let expectation = Expectation::new(
            &self.space,
            question.row,
            persona.caller(),
            head_of_parts(&head),
            self.rows.iter().any(AccessRow::is_hidden),
        );
        let probe = Probe::listening();
        let answer = question.send(app, head, &probe).await;
        let responder = probe.responder();
        let seen = Seen {
            answer: match &answer {
                Ok(response) => Ok((response.status(), response.headers())),
                Err(silence) => Err(*silence),
            },
            responder: responder.as_ref(),
        };
        let status = seen.answer.ok().map(|(status, _)| status);
        let difference = expectation.difference(question.row, &seen);
        let difference = match (difference, &responder, answer) {
            (None, Some(Responder::Hidden { fallback, .. }), Ok(response)) => {
                let unknown = question.unknown_answered_by(fallback.as_ref());
                question.distinguish(app, persona, response, unknown).await
            }
            (difference, ..) => difference,
        };
        AccessAnswer::new(status, responder.as_ref(), difference)
    }
}

impl Question<'_> {
    /// Finds the unknown paths. Returns false if the row is that of a fallback and there is none.
    async fn look_around(&mut self, app: &App) -> bool {
        if self.row.mounted() == RouteKind::Fallback {
            let mut target = self.target.clone();
            // A route's parameter matches one segment, and may match the next one too.
            for _ in 0..4 {
                if self.fallback_of(app, &target).await.is_some() {
                    self.target = target;
                    return true;
                }
                let longer = format!("{}/~unknown", target.path());
                match target::read(&longer) {
                    Some(longer) => target = longer,
                    None => return false,
                }
            }
            return false;
        }
        if self.row.is_hidden() {
            for uri in neighbours(&self.target) {
                if let Some(fallback) = self.fallback_of(app, &uri).await {
                    self.unknown.push((uri, fallback));
                }
            }
        }
        true
    }

    /// Returns the fallback that responds to a path, if no route does.
    async fn fallback_of(&self, app: &App, path: &Uri) -> Option<Option<HandlerLocation>> {
        let asked = wait_for(self.time_limit, fallback_of(app, path)).await;
        asked.ok().flatten()
    }

    /// Returns an unknown path that this fallback responds to.
    fn unknown_answered_by(&self, fallback: Option<&HandlerLocation>) -> Option<&Uri> {
        let mut unknown = self.unknown.iter();
        let (path, _) = unknown.find(|(_, own)| own.as_ref() == fallback)?;
        Some(path)
    }

    fn head(&self, target: &Uri, persona: &Persona) -> Parts {
        let (mut head, ()) = Request::new(()).into_parts();
        head.method = self.method.clone();
        head.uri = target.clone();
        if let Some((media_type, _)) = &self.content {
            head.headers.insert(CONTENT_TYPE, media_type.clone());
        }
        persona.prepare(&mut head);
        head
    }

    async fn send(
        &self,
        app: &App,
        mut head: Parts,
        probe: &Probe,
    ) -> Result<Response, NoResponse> {
        head.extensions.insert(probe.clone());
        let body = self.content.as_ref().map(|(_, body)| body.clone());
        let body = body.map_or_else(Body::empty, Body::from);
        let answer = call(app, Request::from_parts(head, body));
        wait_for(self.time_limit, answer).await
    }

    /// Returns the difference between the response to a persona and that of an unknown path, if
    /// any.
    async fn distinguish(
        &self,
        app: &App,
        persona: &Persona,
        answer: Response,
        unknown: Option<&Uri>,
    ) -> Option<String> {
        let Some(unknown) = unknown else {
            return Some(
                "the policy says that nothing is there, but every path beside it is".to_owned(),
            );
        };
        let mut told = "has a body that cannot be read".to_owned();
        let mut first = Some(answer);
        for _ in 0..ROUNDS {
            let one = self.sample(app, persona, unknown).await;
            // It is in the middle: a change over time also occurs between the other two.
            let hidden = match first.take() {
                Some(answer) => self.read(&self.target, answer).await,
                None => self.sample(app, persona, &self.target).await,
            };
            let other = self.sample(app, persona, unknown).await;
            if let (Some(hidden), Some(one), Some(other)) = (hidden, one, other) {
                told = distinguish(&hidden, &[one, other])?;
            }
        }
        Some(format!(
            "the policy says that nothing is there, but this {told}"
        ))
    }

    async fn sample<'t>(
        &self,
        app: &App,
        persona: &Persona,
        target: &'t Uri,
    ) -> Option<Sample<'t>> {
        let head = self.head(target, persona);
        let answer = self.send(app, head, &Probe::default()).await.ok()?;
        self.read(target, answer).await
    }

    async fn read<'t>(&self, target: &'t Uri, answer: Response) -> Option<Sample<'t>> {
        let (head, body) = answer.into_parts();
        let body = wait_for(self.time_limit, to_bytes(body, MAX_BODY)).await;
        let body = body.ok()?.ok()?;
        Some(Sample {
            target,
            transcript: transcript(&head, &body),
            length: body.len(),
        })
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
