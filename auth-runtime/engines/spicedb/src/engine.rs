//! The decision point.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use auth_runtime_core::{
    DecisionPoint, DecisionPointError, EvaluationFuture, EvaluationRequest, Identity,
    ObjectDecision, Permitted, PermittedFuture,
};
use auth_runtime_remote::ServerCalls;
use tokio::time::timeout;

use crate::client::Client;
use crate::failure::Failure;
use crate::freshness::{self, Freshness};
use crate::messages::{CheckBulkPermissionsRequest, Consistency, Requirement};
use crate::names::Names;
use crate::{answer, object_id, question};

/// The wait before a retry after a failure.
const LATER: Duration = ServerCalls::PAUSE;

/// A decision point that puts all questions to a SpiceDB server.
///
/// The questions about a request are one call of `CheckBulkPermissions`, of up to 3 MiB. Lists are one call of
/// `LookupResources`. A call is made a second time only if the connection fails.
///
/// ```
/// use auth_runtime::ProtectionSpace;
/// use auth_runtime_spicedb::SpiceDb;
///
/// let spicedb = SpiceDb::builder()
///     .url("https://spicedb.shop.example:50051")
///     .preshared_key("key-of-this-service")
///     .resource_type("Repository", "forge/repo")
///     .action("update", "write")
///     .build()?;
/// let space = ProtectionSpace::builder().decision_point(spicedb);
/// # Ok::<(), auth_runtime_spicedb::SpiceDbError>(())
/// ```
///
/// # Questions
///
/// | SpiceDB | policy |
/// |---|---|
/// | subject | type: by [`subject_type`](crate::SpiceDbBuilder::subject_type), `user` by default; id: the subject of the caller |
/// | resource | type: by [`resource_type`](crate::SpiceDbBuilder::resource_type), or else its lower-case form: `PullRequest` is `pull_request`; id: that of the object |
/// | permission | by [`action`](crate::SpiceDbBuilder::action), or else the lower-case form of the action |
///
/// SpiceDB allows lower-case letters, digits and `_` in names of at least three characters. A type or
/// an action without such a form, as `ls`, needs a name by the builder: otherwise the check of all routes at
/// start reports it, and a question about it is an error. Two names can have the same form: `read-all` and
/// `readAll` are both `read_all`.
///
/// A subject is unique within its issuer only, and the engine identifies the caller by the subject. With several
/// issuers, or several schemes that name callers, make subjects unique by `Jwt::builder().identity(…)` of the package
/// `auth-runtime`. A caveat that compares `issuer` does not suffice for relationships without it.
///
/// # Ids
///
/// SpiceDB allows only letters, digits and `/_|-+=` in ids. Each byte of another character, and `=`, is
/// written as `=` and two hexadecimal digits: `ann@example.org` is `ann=40example=2Eorg`. A service writes
/// its relationships with ids by [`object_id`](Self::object_id). Different ids never have the same form.
///
/// The empty id, `*`, and an id whose form would exceed 1024 bytes have no relationships. Questions about them
/// are denied without a call. In SpiceDB, `*` means all subjects: it is never sent.
///
/// The id of the service, which `can = "…"` without `on` is about, is the realm of its protection space. A question
/// about a service without a realm, or with one that has no form, is an error.
///
/// # Consistency
///
/// | objects of the first call of a request | SpiceDB |
/// |---|---|
/// | none has the property [`ZED_TOKEN`](Self::ZED_TOKEN) | `minimize_latency`: a decision may ignore the changes of the last seconds |
/// | one or several have it, with the same token | `at_least_as_fresh` as the token |
/// | several have it, with different tokens | `fully_consistent`: the order of tokens is not known |
/// | any, with [`fully_consistent`](crate::SpiceDbBuilder::fully_consistent) | `fully_consistent` |
///
/// Each further call of the same request is at least as fresh as the response before it: a question or a list
/// of the handler never uses older data than the policy did. An object with a token that no earlier
/// call had makes it `fully_consistent`.
///
/// A service stores the `written_at` token of each change of an object's relationships with the object, and
/// returns it as a property. A token that is empty, not a text or unknown to the server is an error. The
/// objects of a list have no token: as the first call of a request, without `fully_consistent`, a list may
/// ignore the changes of the last seconds.
///
/// A decision that [`DecisionCache`](https://docs.rs/auth-runtime/latest/auth_runtime/objects/struct.DecisionCache.html)
/// returns from its memory is not a call. It can be older than the responses before it, and a list after it can be older
/// than the decision: with a cache, use `fully_consistent` for services with lists.
///
/// ```
/// use auth_runtime::objects::Resource;
/// use auth_runtime_spicedb::SpiceDb;
///
/// struct Document { id: String, written_at: String }
///
/// impl From<&Document> for Resource {
///     fn from(document: &Document) -> Self {
///         Resource::new("Document", &document.id)
///             .with_property(SpiceDb::ZED_TOKEN, document.written_at.as_str())
///     }
/// }
/// ```
///
/// # Caveats
///
/// Caveats receive these parameters, and a relationship's own context has priority over them:
///
/// | parameter | type | value |
/// |---|---|---|
/// | `method`, `path` | `string` | of the request; the path as the client sent it |
/// | `ip` | `ipaddress` | the address of the client, if it is known |
/// | `time` | `timestamp` | of the decision, in seconds |
/// | `issuer`, `acr` | `string` | of the caller, if they are known |
/// | `amr` | `list<string>` | the authentication methods, if they are known |
/// | `auth_time` | `timestamp` | of the login, if it is known |
/// | `roles`, `scopes`, `permissions` | `list<string>` | of the caller; may be empty |
///
/// A parameter of another meaning must not have one of these names, unless each relationship sets it. The
/// properties of an object are not sent, since lists do not know them.
///
/// A decision that depends on a missing parameter (`CONDITIONAL_PERMISSION`) is a denial, and is logged
/// at debug level. By default, servers accept 4096 bytes of context: a value that would exceed it, such as a
/// long list of roles, is missing.
///
/// # Errors
///
/// Nothing is granted, and the response of the service is 503 with `Retry-After`, if the server is not
/// reachable, too slow or rejects the key; if its schema does not have a type or a permission; if the service has no
/// id; if SpiceDB reports an error about one of the questions; and if its response is about other questions. The log
/// has the reason.
///
/// # Limits
///
/// Questions follow the authentication, so only known callers cause them.
///
/// | bounded | bound | beyond it | effect of one hostile caller |
/// |---|---|---|---|
/// | time of a decision or a list, with connecting | [`timeout`](crate::SpiceDbBuilder::timeout), 1 second by default | 503, and a new connection for further calls | none |
/// | length of a request | 3 MiB, which 10 000 usual questions do not exceed | several calls, one after the other, all within the time of one | none |
/// | length of a message of the server | 8 MiB | 503 | none |
/// | objects of a list | 10 000 | 503 | none |
/// | concurrent decisions and lists | 256; of one caller, a quarter of the free places, and at least one | 503 at once | none; 24 callers could take all places while the server is slow |
/// | questions about which SpiceDB reports an error | one fails all questions of its call | 503 | a list with such an object of this caller is 503 for all callers |
/// | calls of a server that fails | after 5 failures without a success between them, none for 5 seconds, then one at a time until one succeeds; 2 of these count for one caller, and after 5 of its own it is excluded alone | 503 at once | none; 3 callers on whose questions the server fails could exclude others |
///
/// `INVALID_ARGUMENT`, `FAILED_PRECONDITION`, `NOT_FOUND` and `OUT_OF_RANGE`, messages and lists that exceed their
/// bounds, and `RESOURCE_EXHAUSTED` for relationships that exceed the depth of the server concern one request. They are
/// neither failures of the server nor successes. Any other `RESOURCE_EXHAUSTED` is a failure: an overloaded server
/// refuses requests by it.
///
/// When users nest groups or folders, bound the depth of their relationships by that of the server.
///
/// A timeout layer of the service, or a [deadline](auth_runtime_core::DecisionDeadline) around this engine, has to be
/// longer than its timeout: a call that is abandoned before is not counted as a failure, and the connection stays in use.
///
/// Cloning is cheap; clones share their connection and their bounds.
#[derive(Clone)]
pub struct SpiceDb(Arc<Remote>);

struct Remote {
    names: Names,
    is_fully_consistent: bool,
    timeout: Duration,
    client: Client,
    calls: ServerCalls,
}

impl SpiceDb {
    /// The property of an object with the ZedToken of the latest change of its relationships: a text.
    pub const ZED_TOKEN: &'static str = freshness::ZED_TOKEN;

    pub(crate) fn new(
        names: Names,
        is_fully_consistent: bool,
        timeout: Duration,
        client: Client,
    ) -> Self {
        Self(Arc::new(Remote {
            names,
            is_fully_consistent,
            timeout,
            client,
            calls: ServerCalls::default(),
        }))
    }

    /// Returns the id in SpiceDB of an object or a subject, for writing relationships.
    ///
    /// `None` for the empty id, for `*`, and for an id with a form of more than 1024 bytes.
    ///
    /// ```
    /// use auth_runtime_spicedb::SpiceDb;
    ///
    /// let id = |id| SpiceDb::object_id(id);
    /// assert_eq!(id("ann/garden").as_deref(), Some("ann/garden"));
    /// assert_eq!(id("ann@example.org").as_deref(), Some("ann=40example=2Eorg"));
    /// assert_eq!(id("*"), None);
    /// ```
    pub fn object_id(id: &str) -> Option<String> {
        object_id::encode(id)
    }
}

impl DecisionPoint for SpiceDb {
    fn name(&self) -> &'static str {
        "SpiceDB"
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

    fn decides_about(&self, action: &str, resource_type: &str) -> bool {
        let names = &self.0.names;
        names.permission(action).is_some() && names.object_type(resource_type).is_some()
    }
}

impl Remote {
    async fn decide(
        &self,
        request: EvaluationRequest<'_>,
    ) -> Result<Vec<ObjectDecision>, DecisionPointError> {
        let questions = question::check(&self.names, &request);
        let questions = questions.map_err(|problem| error(problem, LATER))?;
        let freshness = Freshness::of(&request).map_err(|problem| error(problem, LATER))?;
        let mut decisions = vec![ObjectDecision::deny(); request.evaluations.len()];
        if questions.batches.is_empty() {
            return Ok(decisions);
        }
        let has_begun = AtomicBool::new(false);
        let asking = async {
            let mut freshness = freshness;
            let mut found = Vec::with_capacity(questions.asked.len());
            for items in questions.batches {
                let consistency = Some(self.consistency(&freshness));
                let check = CheckBulkPermissionsRequest { consistency, items };
                let mut response = self.client.check(&check, request.request_id).await?;
                has_begun.store(true, Ordering::Relaxed);
                freshness.responded(response.checked_at.take());
                found.extend(answer::decisions(&check.items, response)?);
            }
            freshness.keep(&request);
            Ok(found)
        };
        let found = self.ask(request.identity, asking, &has_begun).await?;
        for (index, decision) in questions.asked.into_iter().zip(found) {
            if let Some(asked) = decisions.get_mut(index) {
                *asked = decision;
            }
        }
        Ok(decisions)
    }

    async fn list(
        &self,
        action: &str,
        resource_type: &str,
        request: EvaluationRequest<'_>,
    ) -> Result<Permitted, DecisionPointError> {
        let mut freshness = Freshness::of(&request).map_err(|problem| error(problem, LATER))?;
        let consistency = self.consistency(&freshness);
        let lookup = question::lookup(&self.names, consistency, action, resource_type, &request);
        let Some(lookup) = lookup.map_err(|problem| error(problem, LATER))? else {
            return Ok(Permitted::Ids(Vec::new()));
        };
        let has_begun = AtomicBool::new(false);
        let asking = self.client.lookup(&lookup, request.request_id, &has_begun);
        let mut listed = self.ask(request.identity, asking, &has_begun).await?;
        freshness.responded(listed.looked_up_at.take());
        freshness.keep(&request);
        Ok(Permitted::Ids(listed.into_ids()))
    }

    /// The consistency of the next call of a request.
    fn consistency(&self, freshness: &Freshness) -> Consistency {
        if self.is_fully_consistent {
            Consistency {
                requirement: Some(Requirement::FullyConsistent(true)),
            }
        } else {
            freshness.consistency()
        }
    }

    /// Waits for responses of the server, within the bounds. `has_begun` is true after the first of them: the
    /// server works, and a caller with many questions or a long list opens no circuit.
    async fn ask<T>(
        &self,
        identity: &Identity,
        asking: impl Future<Output = Result<T, Failure>>,
        has_begun: &AtomicBool,
    ) -> Result<T, DecisionPointError> {
        let asked = async {
            let connection = self.client.connection_number();
            let asked = timeout(self.timeout, asking).await;
            asked.unwrap_or_else(|_| {
                if has_begun.load(Ordering::Relaxed) {
                    return Err(Failure::Unfinished);
                }
                self.client.disconnect(connection);
                Err(Failure::Late)
            })
        };
        let caller = (identity.issuer(), identity.subject());
        let called = self.calls.call(caller, asked, Failure::is_of_request);
        called
            .await
            .map_err(|failure| error(&failure, failure.retry_after()))
    }
}

fn error(message: impl fmt::Display, retry_after: Duration) -> DecisionPointError {
    DecisionPointError::new(message).retry_after(retry_after)
}

impl fmt::Debug for SpiceDb {
    /// Omits the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpiceDb")
            .field("url", &self.0.client.url())
            .field("subject_type", &self.0.names.subject_type)
            .field("is_fully_consistent", &self.0.is_fully_consistent)
            .finish_non_exhaustive()
    }
}
