//! Asking for a matrix.

use std::collections::BTreeSet;
use std::fmt;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Uri};

use super::comparison::{Sample, told_apart};
use super::error::{AccessMatrixError, Kind, unfilled};
use super::expectation::{Expectation, Seen};
use super::{AccessAnswer, AccessMatrix, AccessMatrixRow, Persona, target, text};
use crate::access_table::{AccessRow, AccessTable, Mounted};
use crate::declaration::Declaration;
use crate::head::Head;
use crate::lookalike::{call, fallback_of, is_routed, neighbours, transcript};
use crate::space::ProtectionSpace;
use crate::witness::{Testimony, Witness};

/// As much of the body of a hidden answer as is compared.
const MAX_BODY: usize = 1024 * 1024;

/// Asks for an [`AccessMatrix`]: made by [`AccessMatrix::builder`].
#[must_use = "nothing is asked before `send`"]
pub struct AccessMatrixBuilder {
    rows: Vec<AccessRow>,
    space: ProtectionSpace,
    personas: Vec<Persona>,
    values: Vec<(String, String)>,
    targets: Vec<(String, String)>,
    contents: Vec<Content>,
}

/// What is sent in a request's body.
struct Content {
    method: Method,
    path: String,
    media_type: String,
    body: Bytes,
}

/// A row, and what is sent to it.
struct Question<'a> {
    row: &'a AccessRow,
    method: Method,
    target: Uri,
    content: Option<(HeaderValue, Bytes)>,
    /// Paths beside it that are not there, if it hides; each with the fallback that answers it.
    unknown: Vec<(Uri, Option<Declaration>)>,
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
        }
    }

    /// Adds a kind of caller, and a column.
    pub fn persona(mut self, persona: Persona) -> Self {
        self.personas.push(persona);
        self
    }

    /// What stands for the parameter `name` in every path that has it, as in `/repos/{id}`. It is
    /// percent-encoded; slashes are kept in a wildcard only.
    pub fn path_value(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.values.push((name.into(), value.into()));
        self
    }

    /// The target that a path of the table is asked by, such as `/repos/7?full=true` for `/repos/{id}`:
    /// where a parameter of the same name means something else, where a query is needed, or for what a
    /// nested service or a fallback is to be asked. It is sent as it is.
    pub fn target(mut self, path: impl Into<String>, target: impl Into<String>) -> Self {
        self.targets.push((path.into(), target.into()));
        self
    }

    /// What is sent to a method of a path of the table, and its media type. Default: nothing.
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

    /// Sends a request for each cell, one after the other: see
    /// [What is sent](AccessMatrix#what-is-sent).
    ///
    /// `app` is what [`GuardedRouter::protect`](crate::GuardedRouter::protect) gave, with whatever was
    /// put around it since.
    ///
    /// # Errors
    ///
    /// All at once: parameters without a value, values, targets and bodies for what is not in the table,
    /// targets that are none, and personas that are not there, share a name, or send what is no field
    /// value. That something differs from the policies is no error here, but of
    /// [`AccessMatrix::check`].
    pub async fn send(self, app: &Router) -> Result<AccessMatrix, AccessMatrixError> {
        let mut mistakes = self.mistakes();
        let mut asked = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            if row.mounted() == Mounted::Unguarded {
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
        // What changes the state comes last, what removes things from it at the very end.
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

    /// What cannot be asked for, but for the paths.
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
            } else if !names.insert(name) {
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
                text::shown(path)
            ));
        }
        for content in &self.contents {
            let (method, path) = (&content.method, text::shown(&content.path));
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
            let (path, asked) = (text::shown(row.path()), text::shown(&asked));
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
            unknown: Vec::new(),
        })
    }

    /// The method that a row is asked by.
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
        ]
        .into_iter();
        methods
            .find(|method| !is_taken(method))
            .unwrap_or(Method::OPTIONS)
    }

    async fn ask(&self, app: &Router, question: &Question<'_>, persona: &Persona) -> AccessAnswer {
        let head = question.head(&question.target, persona);
        let expectation = Expectation::new(
            &self.space,
            question.row,
            persona.caller(),
            Head::from(&head),
        );
        let witness = Witness::listening();
        let response = question.send(app, head, &witness).await;
        let status = response.status();
        let testimony = witness.testimony();
        let seen = Seen {
            status,
            headers: response.headers(),
            testimony: testimony.as_ref(),
        };
        let difference = match expectation.difference(question.row, &seen) {
            Some(difference) => Some(difference),
            None => match &testimony {
                Some(Testimony::Hidden { fallback, .. }) => {
                    question
                        .told_apart(app, persona, (response, *fallback))
                        .await
                }
                _ => None,
            },
        };
        AccessAnswer::new(status, testimony.as_ref(), difference)
    }
}

impl Question<'_> {
    /// Finds the paths that are not there. `false` if the row is about one and there is none.
    async fn look_around(&mut self, app: &Router) -> bool {
        if self.row.mounted() == Mounted::Fallback {
            let mut target = self.target.clone();
            // A parameter of a route takes one segment, and so may the next.
            for _ in 0..4 {
                if !is_routed(app, &target).await {
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
                if let Some(fallback) = fallback_of(app, &uri).await {
                    self.unknown.push((uri, fallback));
                }
            }
        }
        true
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

    async fn send(&self, app: &Router, mut head: Parts, witness: &Witness) -> Response {
        head.extensions.insert(witness.clone());
        let body = self.content.as_ref().map(|(_, body)| body.clone());
        let body = body.map_or_else(Body::empty, Body::from);
        call(app, Request::from_parts(head, body)).await
    }

    /// How the answer to a persona can be told from that of a path that is not there.
    async fn told_apart(
        &self,
        app: &Router,
        persona: &Persona,
        (answer, fallback): (Response, Option<Declaration>),
    ) -> Option<String> {
        let mut unknown = self.unknown.iter();
        let Some((unknown, _)) = unknown.find(|(_, own)| *own == fallback) else {
            return Some(
                "the policy says that nothing is there, but every path beside it is".to_owned(),
            );
        };
        let mut samples = Vec::new();
        for _ in 0..2 {
            let head = self.head(unknown, persona);
            let answer = self.send(app, head, &Witness::default()).await;
            samples.push(sample(unknown, answer).await);
        }
        let hidden = sample(&self.target, answer).await;
        let told = match (hidden, <[_; 2]>::try_from(samples)) {
            (Some(hidden), Ok([Some(one), Some(other)])) => told_apart(&hidden, &[one, other])?,
            _ => "has a body that cannot be read".to_owned(),
        };
        Some(format!(
            "the policy says that nothing is there, but this {told}"
        ))
    }
}

async fn sample(target: &Uri, answer: Response) -> Option<Sample<'_>> {
    let (head, body) = answer.into_parts();
    let body = to_bytes(body, MAX_BODY).await.ok()?;
    Some(Sample {
        target,
        transcript: transcript(&head, &body),
        length: body.len(),
    })
}

impl fmt::Debug for AccessMatrixBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessMatrixBuilder")
            .field("rows", &self.rows.len())
            .field("personas", &self.personas)
            .finish_non_exhaustive()
    }
}
