//! The requests for a row.

use std::time::Duration;

use auth_runtime_axum::inspection::{App, Probe, call, fallback_of, neighbours, transcript};
use auth_runtime_core::{AccessRow, HandlerLocation, RouteKind};
use axum::body::{Body, Bytes, to_bytes};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Uri};

use super::comparison::{Sample, distinguish};
use super::deadline::{NoResponse, wait_for};
use super::persona::Persona;
use super::target;

/// The bytes of a concealed response's body that are compared.
const MAX_BODY: usize = 1024 * 1024;

/// The number of attempts in which a hidden path has to differ from an unknown one. A single
/// difference may be a coincidence.
const ROUNDS: usize = 3;

/// A row, and the request for it.
pub(super) struct RowRequest<'a> {
    pub(super) row: &'a AccessRow,
    pub(super) method: Method,
    pub(super) target: Uri,
    pub(super) content: Option<(HeaderValue, Bytes)>,
    pub(super) time_limit: Duration,
    /// Unknown paths beside it, each with its fallback, if a denial may be concealed.
    pub(super) unknown: Vec<(Uri, Option<HandlerLocation>)>,
}

impl RowRequest<'_> {
    /// Finds the unknown paths. Returns false if the row is that of a fallback and there is none.
    pub(super) async fn look_around(&mut self, app: &App) -> bool {
        if self.row.kind() == RouteKind::Fallback {
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
        let (head, ()) = Request::new(()).into_parts();
        let asked = wait_for(self.time_limit, fallback_of(app, head, path)).await;
        asked.ok().flatten()
    }

    /// Returns an unknown path that this fallback responds to.
    pub(super) fn unknown_answered_by(&self, fallback: Option<&HandlerLocation>) -> Option<&Uri> {
        let mut unknown = self.unknown.iter();
        let (path, _) = unknown.find(|(_, own)| own.as_ref() == fallback)?;
        Some(path)
    }

    pub(super) fn head(&self, target: &Uri, persona: &Persona) -> Parts {
        let (mut head, ()) = Request::new(()).into_parts();
        head.method = self.method.clone();
        head.uri = target.clone();
        if let Some((media_type, _)) = &self.content {
            head.headers.insert(CONTENT_TYPE, media_type.clone());
        }
        persona.prepare(&mut head);
        head
    }

    pub(super) async fn send(
        &self,
        app: &App,
        mut head: Parts,
        probe: &Probe,
    ) -> Result<Response, NoResponse> {
        head.extensions.insert(probe.clone());
        let body = self.content.as_ref().map(|(_, body)| body.clone());
        let body = body.map_or_else(Body::empty, Body::from);
        let response = call(app, Request::from_parts(head, body));
        wait_for(self.time_limit, response).await
    }

    /// Returns the difference between the response to a persona and that of an unknown path, if
    /// any.
    pub(super) async fn distinguish(
        &self,
        app: &App,
        persona: &Persona,
        response: Response,
        unknown: Option<&Uri>,
    ) -> Option<String> {
        let Some(unknown) = unknown else {
            return Some(
                "the policy conceals the route, but every path beside it is routed".to_owned(),
            );
        };
        let mut difference = "has a body that cannot be read".to_owned();
        let mut first = Some(response);
        for _ in 0..ROUNDS {
            let one = self.sample(app, persona, unknown).await;
            // It is in the middle: a change over time also occurs between the other two.
            let hidden = match first.take() {
                Some(response) => self.read(&self.target, response).await,
                None => self.sample(app, persona, &self.target).await,
            };
            let other = self.sample(app, persona, unknown).await;
            if let (Some(hidden), Some(one), Some(other)) = (hidden, one, other) {
                difference = distinguish(&hidden, &[one, other])?;
            }
        }
        Some(format!(
            "the policy conceals the route, but the response {difference}"
        ))
    }

    async fn sample<'t>(
        &self,
        app: &App,
        persona: &Persona,
        target: &'t Uri,
    ) -> Option<Sample<'t>> {
        let head = self.head(target, persona);
        let response = self.send(app, head, &Probe::default()).await.ok()?;
        self.read(target, response).await
    }

    async fn read<'t>(&self, target: &'t Uri, response: Response) -> Option<Sample<'t>> {
        let (head, body) = response.into_parts();
        let body = wait_for(self.time_limit, to_bytes(body, MAX_BODY)).await;
        let body = body.ok()?.ok()?;
        Some(Sample {
            target,
            transcript: transcript(&head, &body),
            length: body.len(),
        })
    }
}
