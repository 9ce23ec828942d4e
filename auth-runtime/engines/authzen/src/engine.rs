//! The decision point.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use auth_runtime_core::{
    DecisionPoint, DecisionPointError, EntityLoader, Evaluation, EvaluationFuture,
    EvaluationRequest, Identity, ObjectDecision, Permitted, PermittedFuture, Resource,
    share_properties,
};
use auth_runtime_remote::{HttpClient, HttpError, ServerCalls};
use http::{HeaderValue, StatusCode};
use tokio::time::timeout;

use crate::answer::{self, AnswerError};
use crate::discovery::Endpoints;
use crate::entities::{self, Loaded};
use crate::list::List;
use crate::question::{self, SubjectNames};

/// The wait before a retry after a failure.
const LATER: Duration = ServerCalls::PAUSE;

/// A decision point that puts all questions to a server over the AuthZEN Authorization API 1.0.
///
/// Questions about a request are sent in one HTTP request, unless
/// [`questions_per_request`](crate::AuthZenBuilder::questions_per_request) sets a bound: one question to
/// `/access/v1/evaluation` (§6), several to `/access/v1/evaluations` (§7). It is sent a second time only if the
/// server ends the connection without a response.
///
/// ```
/// use auth_runtime::ProtectionSpace;
/// use auth_runtime_authzen::AuthZen;
///
/// let cerbos = AuthZen::builder()
///     .url("https://cerbos.shop.example")
///     .roles_property("cerbos.roles")
///     .build()?;
/// let space = ProtectionSpace::builder().decision_point(cerbos);
/// # Ok::<(), auth_runtime_authzen::AuthZenError>(())
/// ```
///
/// # Questions
///
/// | member | value |
/// |---|---|
/// | `subject` | `type`: by [`subject_type`](crate::AuthZenBuilder::subject_type); `id`: the subject of the caller |
/// | `subject.properties` | `issuer`, `scopes`, `roles`, `permissions`, `acr`, `amr`, and `auth_time` in seconds since 1970 (OpenID Connect Core §2), each only if it is known and not empty |
/// | `action` | `name` |
/// | `resource` | `type`, `id` and the properties. A [`Reference`](auth_runtime_core::Value::Reference) is `{"type": …, "id": …}`. A number that not every implementation of JSON represents exactly, beyond ±(2⁵³ − 1), is a string (RFC 7493 §2.2) |
/// | `context` | `method`; `path`, as the client sent it; `ip`, if it is known; `time` in UTC (RFC 3339) |
///
/// All questions of a call about one object have the properties of each of them, and two values of one property are an
/// error: Cerbos would decide all of them by the properties of the first.
///
/// The id of the request, if the space knows one, is sent as `X-Request-ID` (§10.1.3). The one in
/// the response is ignored, since not every server sends it.
///
/// A subject is unique within its issuer only, and the engine identifies the caller by the subject. With several
/// issuers, or several schemes that name callers, make subjects unique by `Jwt::builder().identity(…)` of the package
/// `auth-runtime`. A comparison of `issuer` does not suffice, since the loader adds the same properties to both.
///
/// Ids are sent as they are, and a server may refuse some: OpenFGA refuses those of subjects and of objects with `:`,
/// `#` or a space, and Cerbos refuses all questions of an HTTP request with an empty id, as that of the service without
/// a realm.
///
/// # Properties from the service
///
/// A server without data of its own, such as Cerbos, decides by the properties of a question. An
/// [`EntityLoader`](auth_runtime_core::EntityLoader), which
/// [`entities`](crate::AuthZenBuilder::entities) sets, adds the properties of the caller and of the objects, in
/// one call for all questions of a request. The parents of each loaded entity are its property `parents`, a list
/// of references, which is also sent if it is empty. The properties of the caller in the table come from its
/// identity only.
///
/// # Answers
///
/// A decision is a response with the status 200 and a JSON object in which `decision` is a boolean; for
/// several questions, one such object for each. Any other response, such as a redirect, another status or
/// too few decisions, is an error: nothing is granted, and the response of the service is 503 with
/// `Retry-After`, or, where denials are concealed, that of an unknown path.
///
/// A decision with an `error` in its `context` (§7.2.1) is an error too, also if the `decision` is true, and with every
/// `status`. Servers use these statuses differently: OpenFGA has 404 in all errors about one of several questions, also
/// if its database is unavailable. If a server reports an unknown object by an `error`, and not by the `decision`
/// alone, the response to a request about this object, or about a list with it, is 503.
///
/// | member of a decision's `context` | effect |
/// |---|---|
/// | `reason_user`: a string, or an object of strings | the reason in the body of a 403, up to 256 characters |
/// | `policy`, or else `reason_admin`, or else `id`: a string, or an object of strings | the policy in records, up to 256 characters |
/// | `acr_values`: a string or a list of strings | for a denial: a login with one of these authentication context classes is requested (RFC 9470) |
///
/// # Lists
///
/// [`Guard::permitted`](https://docs.rs/auth-runtime/latest/auth_runtime/struct.Guard.html#method.permitted)
/// asks a server with the Resource Search API (§8.5) for the ids of the objects: one that names
/// `search_resource_endpoint` in its configuration document, or one with
/// [`search_resources`](crate::AuthZenBuilder::search_resources). Without it, the result is
/// [`PerObject`](auth_runtime_core::Permitted::PerObject), and `Guard::permitted` asks about each candidate of a list.
///
/// The questions are those above, without an object: the server has to know the objects of the service, and
/// their properties. A list is read page by page, in one HTTP request for each page, until a response has no
/// `page` or an empty `next_token`. Repeated objects count once, and the ids are sorted. An object of another type, a
/// token that is repeated, a `count` that does not match the results, and an `error` in the `context` are errors.
///
/// # Limits
///
/// Questions follow the authentication, so only known callers cause them.
///
/// | bounded | bound | beyond it | effect of one hostile caller |
/// |---|---|---|---|
/// | time of a request, from connecting to the end of the response | [`timeout`](crate::AuthZenBuilder::timeout), 2 seconds by default | 503 | none |
/// | time of the loader | the same | 503 | none |
/// | time after which no further request about the same questions begins | the same | 503 | none |
/// | length of a response | 1 MiB | 503 | none |
/// | concurrent requests to the server | 256; of one caller, a quarter of the free places, and at least one | 503 at once | none; 24 callers could take all places while the server is slow |
/// | requests to a server that fails | after 5 failures without a success between them, none for 5 seconds, then one at a time until one succeeds; 2 of these count for one caller, and after 5 of its own it is excluded alone | 503 at once | none; 3 callers on whose questions the server fails could exclude others |
/// | a list | 10 000 objects, 1000 pages, 4 MiB, all pages within the time of one request | 503 | none |
/// | memory for responses | 1.25 GiB, by the bounds above; 256 MiB without lists | | none |
/// | questions about which the server reports an error | one fails all questions of its call | 503 | a list with such an object of this caller is 503 for all callers |
///
/// The statuses 400, 413, 422 and 431, an error about a question with a status below 500, and responses and lists that
/// exceed their bounds concern one request. They are neither failures of the server nor successes.
///
/// When users create objects, check that the server accepts their ids.
///
/// A timeout layer of the service, or a [deadline](auth_runtime_core::DecisionDeadline) around this engine, has to be
/// longer than its timeout: a request that is abandoned before is not counted as a failure.
///
/// Servers bound the number of questions in a request. The default is 50 for Cerbos
/// (`server.requestLimits.maxResourcesPerRequest`) and for OpenFGA (`OPENFGA_MAX_CHECKS_PER_BATCH_CHECK`), which
/// [lists](https://docs.rs/auth-runtime/latest/auth_runtime/struct.Guard.html#method.filter) exceed easily: set
/// [`questions_per_request`](crate::AuthZenBuilder::questions_per_request).
///
/// Cloning is cheap; clones share their bounds.
#[derive(Clone)]
pub struct AuthZen(Arc<Remote>);

/// The settings besides the endpoints.
pub(crate) struct Settings {
    pub(crate) names: SubjectNames,
    pub(crate) loader: Option<Box<dyn EntityLoader>>,
    pub(crate) questions_per_request: usize,
    /// The longest time of a call of the loader, and of all pages of a list. After it, no further request about the same
    /// questions begins.
    pub(crate) timeout: Duration,
    pub(crate) http: HttpClient,
}

struct Remote {
    endpoints: Endpoints,
    settings: Settings,
    calls: ServerCalls,
}

/// The reason for missing decisions.
enum Problem {
    Http(HttpError),
    Answer(AnswerError),
}

impl AuthZen {
    pub(crate) fn new(endpoints: Endpoints, settings: Settings) -> Self {
        Self(Arc::new(Remote {
            endpoints,
            settings,
            calls: ServerCalls::default(),
        }))
    }
}

impl DecisionPoint for AuthZen {
    fn name(&self) -> &'static str {
        "AuthZEN"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        Box::pin(self.0.decide(request))
    }

    fn permitted<'r>(
        &'r self,
        action: &'r str,
        resource_type: &'r str,
        request: EvaluationRequest<'r>,
    ) -> PermittedFuture<'r> {
        Box::pin(self.0.list(action, resource_type, request))
    }
}

impl Remote {
    async fn decide(
        &self,
        request: EvaluationRequest<'_>,
    ) -> Result<Vec<ObjectDecision>, DecisionPointError> {
        let mut evaluations = request.evaluations.to_vec();
        share_properties(&mut evaluations)?;
        let mut request = request;
        request.evaluations = &evaluations;
        let Some(loader) = self.settings.loader.as_deref() else {
            return self.decide_all(&request, None, &evaluations).await;
        };
        let loaded = self.load(loader, &request).await?;
        let decided = self.decide_all(&request, Some(&loaded.subject), &loaded.evaluations);
        let mut decided = decided.await?.into_iter();
        let decisions = loaded.exists.iter().map(|exists| {
            if *exists {
                decided.next().unwrap_or_else(ObjectDecision::deny)
            } else {
                ObjectDecision::deny()
            }
        });
        Ok(decisions.collect())
    }

    /// Loads the entities of the questions, unless the server is known to fail.
    async fn load(
        &self,
        loader: &dyn EntityLoader,
        request: &EvaluationRequest<'_>,
    ) -> Result<Loaded, DecisionPointError> {
        let identity = request.identity;
        let checked = self.calls.check((identity.issuer(), identity.subject()));
        checked.map_err(|problem| error(&problem, problem.retry_after()))?;
        let (limit, subject_type) = (self.settings.timeout, &self.settings.names.subject_type);
        entities::load(loader, limit, subject_type, request).await
    }

    /// Puts the questions to the server, in as many requests as it needs.
    async fn decide_all(
        &self,
        request: &EvaluationRequest<'_>,
        subject: Option<&Resource>,
        evaluations: &[Evaluation],
    ) -> Result<Vec<ObjectDecision>, DecisionPointError> {
        let begun = Instant::now();
        let mut decisions = Vec::with_capacity(evaluations.len());
        for some in evaluations.chunks(self.settings.questions_per_request) {
            if begun.elapsed() > self.settings.timeout {
                let (decided, all) = (decisions.len(), evaluations.len());
                let message = format!("only {decided} of {all} questions were answered in time");
                return Err(error(message, LATER));
            }
            decisions.extend(self.decide_some(request, subject, some).await?);
        }
        Ok(decisions)
    }

    async fn decide_some(
        &self,
        request: &EvaluationRequest<'_>,
        subject: Option<&Resource>,
        evaluations: &[Evaluation],
    ) -> Result<Vec<ObjectDecision>, DecisionPointError> {
        let body = match evaluations {
            [one] => question::evaluation(&self.settings.names, subject, request, one),
            _ => question::evaluations(&self.settings.names, subject, request, evaluations),
        };
        let body = body.map_err(|_| error("a property has an unknown type", LATER))?;
        self.call(request.identity, self.ask(request, body, evaluations.len()))
            .await
    }

    async fn list(
        &self,
        action: &str,
        resource_type: &str,
        request: EvaluationRequest<'_>,
    ) -> Result<Permitted, DecisionPointError> {
        let Some(url) = &self.endpoints.search_resource else {
            return Ok(Permitted::PerObject);
        };
        let loaded = match self.settings.loader.as_deref() {
            Some(loader) => Some(self.load(loader, &request).await?),
            None => None,
        };
        let subject = loaded.as_ref().map(|loaded| &loaded.subject);
        let question = question::search(
            &self.settings.names,
            subject,
            &request,
            action,
            resource_type,
        );
        let question = question.map_err(|_| error("a property has an unknown type", LATER))?;
        let list = List::new(question, resource_type);
        let searched = self.search(url, list, request.request_id);
        let ids = self.call(request.identity, searched).await;
        ids.map(Permitted::Ids)
    }

    /// Awaits a result of the server within the bounds on concurrent calls and on calls of a failing server.
    async fn call<T>(
        &self,
        identity: &Identity,
        asked: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, DecisionPointError> {
        let caller = (identity.issuer(), identity.subject());
        let called = self.calls.call(caller, asked, Problem::is_of_request);
        let called = called.await;
        called.map_err(|problem| error(&problem, problem.retry_after()))
    }

    async fn ask(
        &self,
        request: &EvaluationRequest<'_>,
        body: Vec<u8>,
        asked: usize,
    ) -> Result<Vec<ObjectDecision>, Problem> {
        let url = match asked {
            1 => &self.endpoints.evaluation,
            _ => &self.endpoints.evaluations,
        };
        let answer = self
            .settings
            .http
            .post_json(url, body, request.request_id)
            .await;
        let answer = answer.map_err(Problem::Http)?;
        let decisions = match asked {
            1 => answer::one(&answer).map(|decision| vec![decision]),
            _ => answer::several(&answer, asked),
        };
        decisions.map_err(Problem::Answer)
    }

    /// Reads the pages of a list, all within the time of one request.
    async fn search(
        &self,
        url: &str,
        mut list: List<'_>,
        request_id: Option<&HeaderValue>,
    ) -> Result<Vec<String>, Problem> {
        let pages = async {
            loop {
                let answer = self
                    .settings
                    .http
                    .post_json(url, list.request(), request_id)
                    .await;
                let answer = answer.map_err(Problem::Http)?;
                if !list.add(&answer).map_err(Problem::Answer)? {
                    return Ok(());
                }
            }
        };
        match timeout(self.settings.timeout, pages).await {
            Ok(read) => read.map(|()| list.into_ids()),
            Err(_) => Err(Problem::late(&list)),
        }
    }
}

fn error(message: impl fmt::Display, retry_after: Duration) -> DecisionPointError {
    DecisionPointError::new(message).retry_after(retry_after)
}

impl Problem {
    /// The failure of a list that is not read in time. A server that sent a page works.
    fn late(list: &List<'_>) -> Self {
        if list.has_begun() {
            Self::Answer(AnswerError::LongList(
                "the pages of the list are not read in time".to_owned(),
            ))
        } else {
            Self::Http(HttpError::Failed("the response is too late".to_owned()))
        }
    }

    /// Returns whether the problem concerns this request, and others may succeed. Otherwise callers with such requests
    /// could open the circuit for all.
    fn is_of_request(&self) -> bool {
        match self {
            Self::Http(error) => matches!(
                error,
                HttpError::TooLong
                    | HttpError::Status(
                        StatusCode::BAD_REQUEST
                            | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
                            | StatusCode::PAYLOAD_TOO_LARGE
                            | StatusCode::UNPROCESSABLE_ENTITY
                    )
            ),
            Self::Answer(error) => error.is_of_request(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(error) => error.fmt(f),
            Self::Answer(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for AuthZen {
    /// Omits the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthZen")
            .field("evaluation", &self.0.endpoints.evaluation)
            .field("evaluations", &self.0.endpoints.evaluations)
            .field("search_resource", &self.0.endpoints.search_resource)
            .finish_non_exhaustive()
    }
}
