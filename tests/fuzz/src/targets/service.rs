//! Requests to a whole service, and the properties of its responses.
//!
//! Each input is sent to a visible path, to a hidden one that nobody may see, and to an unknown one:
//!
//! - The visible path responds with 200 only to valid credentials, by an independent test of each target.
//! - A 401 has challenges, which another parser reads, and no other status has challenges by mistake.
//! - The hidden and the unknown path respond with the same bytes.

use auth_runtime::routing::get;
use auth_runtime::schemes::Scheme;
use auth_runtime::{Guard, GuardedRouter, ProtectedRouter, ProtectionSpace, requires};
use axum::extract::Request;
use http::{HeaderMap, StatusCode};
use http_auth::parse_challenges;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use super::requests::{Sent, fill};
use crate::{Check, Outcome};

/// The paths. Those that are compared have the same length.
pub(super) const SHOWN: &str = "/shown";
pub(super) const HIDDEN: &str = "/hidden";
pub(super) const ABSENT: &str = "/absent";

/// The number of executions after which the services are created again, since some have a bounded memory.
const LIFETIME: u32 = 20_000;
/// The maximum length of a response.
const MAX_BODY: usize = 64 * 1024;

/// The time of the services: `2027-01-15T08:00:00Z`.
pub(super) const NOW: u64 = 1_800_000_000;

/// A clock that does not move.
pub(super) fn clock() -> auth_runtime::clock::Clock {
    let now = std::time::UNIX_EPOCH + std::time::Duration::from_secs(NOW);
    auth_runtime::clock::ManualClock::new(now).clock()
}

#[requires(authenticated)]
async fn shown(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(role = "a role of nobody", hide_as = 404)]
async fn hidden() -> &'static str {
    "the secret"
}

#[requires(sender_constrained)]
async fn shown_to_bound(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

/// Returns a space with one scheme.
pub(super) fn space_of(scheme: impl Scheme) -> ProtectionSpace {
    let space = ProtectionSpace::builder().realm("fuzz").clock(clock());
    space.scheme(scheme).build().expect("a space")
}

/// Returns the three paths in a space.
pub(super) fn router(space: ProtectionSpace) -> ProtectedRouter {
    GuardedRouter::new()
        .route(SHOWN, get(shown).post(shown))
        .route(HIDDEN, get(hidden).post(hidden))
        .protect(space)
        .expect("the routes fit to the space")
}

/// Returns the three paths in a space with one scheme.
pub(super) fn router_of(scheme: impl Scheme) -> ProtectedRouter {
    router(space_of(scheme))
}

/// Returns the three paths, of which the visible one requires credentials that are bound to a key.
pub(super) fn bound_router_of(scheme: impl Scheme) -> ProtectedRouter {
    GuardedRouter::new()
        .route(SHOWN, get(shown_to_bound).post(shown_to_bound))
        .route(HIDDEN, get(hidden).post(hidden))
        .protect(space_of(scheme))
        .expect("the routes fit to the space")
}

/// The service of a target.
pub(super) trait Subject: 'static {
    /// Creates the service, with [`SHOWN`] and [`HIDDEN`].
    fn router(&self) -> ProtectedRouter;

    /// Returns the request for an input. Replaces the names of values in braces.
    fn fill(&mut self, input: &[u8], path: &str, service: &Service) -> Vec<u8> {
        let _ = service;
        fill(input, &[("path", path)])
    }

    /// Returns whether the request has valid credentials, by a test that is independent of the scheme and
    /// at most more permissive.
    fn may_be_granted(&self, sent: &Sent) -> bool;

    /// Checks a granted response.
    fn check_granted(&self, sent: &Sent, answer: &Answer) {
        let _ = (sent, answer);
    }
}

/// A service that responds to one request after another.
pub(super) struct Service {
    router: ProtectedRouter,
    runtime: Runtime,
}

impl Service {
    pub(super) fn new(router: ProtectedRouter) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        Self {
            router,
            runtime: runtime.expect("a runtime"),
        }
    }

    pub(super) fn respond(&self, request: Request) -> Answer {
        self.runtime.block_on(async {
            let Ok(response) = self.router.clone().oneshot(request).await;
            Answer::of(response).await
        })
    }
}

/// A response.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) fields: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) async fn of(response: axum::response::Response) -> Self {
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, MAX_BODY).await;
        Self {
            status: head.status,
            fields: head.headers,
            body: body.expect("a bounded body").to_vec(),
        }
    }

    /// The values of a field.
    pub(super) fn lines(&self, name: &str) -> Vec<&str> {
        let lines = self.fields.get_all(name).iter();
        lines.map(|line| line.to_str().expect("ASCII")).collect()
    }

    /// The observable parts that distinguish outcomes.
    fn outcome(&self) -> (u16, Vec<String>, Vec<String>) {
        let challenges = self.lines("www-authenticate").into_iter();
        let names = self.fields.keys().map(ToString::to_string);
        let challenges = challenges.map(without_nonces);
        (self.status.as_u16(), challenges.collect(), names.collect())
    }

    /// Panics if the response violates a rule that holds for all responses.
    pub(super) fn check(&self, sent: &Sent) {
        let challenges = self.lines("www-authenticate");
        match self.status.as_u16() {
            401 => assert!(!challenges.is_empty(), "401 without a challenge"),
            400 | 403 | 431 => {}
            200 | 303 | 404 | 405 | 413 | 503 => {
                assert!(challenges.is_empty(), "{} {challenges:?}", self.status);
            }
            other => panic!("status {other}"),
        }
        if self.status == 503 {
            assert!(self.fields.contains_key("retry-after"), "{self:?}");
        }
        if self.status.is_client_error() {
            let no_store = |line: &&str| line.contains("no-store");
            assert!(self.lines("cache-control").iter().any(no_store), "{self:?}");
        }
        for challenge in challenges {
            check_challenge(challenge);
            for value in sent.fields.get_all("authorization") {
                let credentials = value.to_str().unwrap_or_default();
                let token = credentials.rsplit(' ').next().unwrap_or_default();
                let is_echoed = token.len() > 24 && challenge.contains(token);
                assert!(!is_echoed, "credentials in {challenge}");
            }
        }
    }
}

/// Panics unless the line is one challenge with lower-case names of parameters, each once.
fn check_challenge(line: &str) {
    let parsed = parse_challenges(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let [challenge] = parsed.as_slice() else {
        panic!("{} challenges in {line}", parsed.len());
    };
    let mut seen = Vec::new();
    for (name, _) in &challenge.params {
        assert_eq!(*name, name.to_ascii_lowercase(), "{line}");
        assert!(!seen.contains(name), "{name} twice in {line}");
        seen.push(name);
    }
    assert!(
        line.starts_with(&format!("{} ", challenge.scheme)),
        "{line}"
    );
    assert!(!line.contains("  "), "{line}");
}

/// Removes the values that differ from response to response.
fn without_nonces(line: &str) -> String {
    let Some((before, behind)) = line.split_once("nonce=\"") else {
        return line.to_owned();
    };
    let end = behind.find('"').unwrap_or(behind.len());
    format!("{before}nonce=\"{}", &behind[end..])
}

/// Creates the check of a service.
pub(super) fn service(subject: impl Subject) -> Check {
    let mut service = Checked {
        services: [SHOWN, HIDDEN, ABSENT].map(|_| Service::new(subject.router())),
        subject,
        executions: 0,
    };
    Box::new(move |input| service.check(input))
}

/// One service for each path: each of them receives the same requests, so that their memories are alike.
struct Checked<S> {
    services: [Service; 3],
    subject: S,
    executions: u32,
}

impl<S: Subject> Checked<S> {
    fn check(&mut self, input: &[u8]) -> Outcome {
        self.executions += 1;
        if self.executions.is_multiple_of(LIFETIME) {
            for service in &mut self.services {
                service.router = self.subject.router();
            }
        }
        let (Some(shown), Some(hidden), Some(absent)) = (
            self.send(input, 0, SHOWN),
            self.send(input, 1, HIDDEN),
            self.send(input, 2, ABSENT),
        ) else {
            return Outcome::of("not a request");
        };
        let (sent, answer) = shown;
        assert!(
            answer.status != 200 || self.subject.may_be_granted(&sent),
            "granted without valid credentials: {sent:?}"
        );
        if answer.status == 200 {
            self.subject.check_granted(&sent, &answer);
        }
        assert_alike(&hidden.1, &absent.1);
        Outcome::of((answer.outcome(), hidden.1.status.as_u16())).of_decision(answer.status == 200)
    }

    fn send(&mut self, input: &[u8], place: usize, path: &str) -> Option<(Sent, Answer)> {
        let service = &self.services[place];
        let filled = self.subject.fill(input, path, service);
        let sent = Sent::parse(&filled, path)?;
        let answer = service.respond(sent.to_request());
        answer.check(&sent);
        Some((sent, answer))
    }
}

/// Panics unless the response of the hidden path is that of the unknown path, except for the path itself.
pub(super) fn assert_alike(hidden: &Answer, absent: &Answer) {
    let line = |value: &http::HeaderValue| {
        let line = String::from_utf8_lossy(value.as_bytes());
        without_nonces(&line.replace(&ABSENT[1..], &HIDDEN[1..]))
    };
    let fields = |answer: &Answer| {
        let fields = answer.fields.iter();
        let fields = fields.map(|(name, value)| {
            let value = match name.as_str() {
                "dpop-nonce" => String::new(),
                // The time at which a session layer removes a cookie is that of the system.
                "set-cookie" => line(value)
                    .split("; Expires=")
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
                _ => line(value),
            };
            (name.clone(), value)
        });
        fields.collect::<Vec<_>>()
    };
    let body =
        |answer: &Answer| String::from_utf8_lossy(&answer.body).replace(&ABSENT[1..], &HIDDEN[1..]);
    assert_eq!(hidden.status, absent.status, "hidden: {hidden:?}");
    assert_eq!(fields(hidden), fields(absent));
    assert_eq!(body(hidden), body(absent));
}
