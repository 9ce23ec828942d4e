//! A cache of decisions about objects.

mod builder;
mod key;
mod memory;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use self::builder::{DecisionCacheBuilder, DecisionCacheError};
use self::memory::{Entry, Memory};
use crate::clock::Clock;
use crate::decision_point::object::Evaluation;
use crate::decision_point::object_decision::ObjectDecision;
use crate::decision_point::{
    DecisionPoint, DecisionPointError, EvaluationFuture, EvaluationRequest, PermittedFuture,
    TokenScope, counted,
};
use crate::identity::Identity;

/// A [`DecisionPoint`] that remembers the decisions of another one for a short time.
///
/// It is for engines behind a network: a decision of `auth-runtime-authzen` takes a request to its server.
/// Decisions within the process are cheaper than a look-up here, or about as cheap.
///
/// ```
/// use std::time::Duration;
///
/// use auth_runtime::ProtectionSpaceBuilder;
/// use auth_runtime::objects::{DecisionCache, DecisionCacheError, DecisionPoint};
///
/// fn with_cache(
///     space: ProtectionSpaceBuilder,
///     engine: impl DecisionPoint,
/// ) -> Result<ProtectionSpaceBuilder, DecisionCacheError> {
///     let cache = DecisionCache::builder(engine)
///         .lifetime(Duration::from_secs(10))
///         .build()?;
///     // A clone is for `forget_where`, such as when a member of a team is removed.
///     let forget = cache.clone();
///     forget.forget_where(|identity| identity.subject() == "mallory");
///     Ok(space.decision_point(cache))
/// }
/// # with_cache(auth_runtime::ProtectionSpace::builder(), auth_runtime::objects::ObjectRules::new(())).unwrap();
/// ```
///
/// # The question
///
/// A decision is used again only for an equal question:
///
/// | compared | part |
/// |---|---|
/// | the caller | subject, issuer, scopes, roles, permissions, `acr`, `amr`, time of the login with its clock skew, expiry, sender constraint, application, extensions |
/// | the question | action; type, id and properties of the object |
/// | the request | method, path, address of the client |
/// | not compared | the time, the id of the request |
///
/// Extensions have types of the service and cannot be compared. A caller with extensions, such as the claims
/// of a JWT, is therefore equal only to the same value of [`Identity`] and its clones, which a cache of tokens
/// returns. A scheme with a user ([`SchemeExt::with_user`](crate::SchemeExt::with_user)) makes another value for
/// each request, and so does one with an application if the user has extensions: no decision is then used again.
/// [`ignore_extensions`](DecisionCacheBuilder::ignore_extensions) leaves them out for engines that do
/// not read them. A refreshed token has another expiry, so the engine is asked again about its caller. A decision by
/// the time, such as `context.time` of Cedar, can be late by the lifetime.
///
/// # Age
///
/// A decision is used for less than the [`lifetime`](DecisionCacheBuilder::lifetime) after its question was
/// asked. A change of a policy, of a membership or of an object can take that long to apply.
/// [`forget_where`](Self::forget_where) and [`clear`](Self::clear) remove decisions at once, also those that
/// are under way. Grants and denials have the same lifetime, and errors are not cached. The caller of each
/// request is authenticated as without the cache, so revoked or expired credentials do not reach it.
///
/// Decisions from the cache and new ones can be mixed in a response: only the questions without a decision
/// are passed to the engine, in one call. Lists ([`permitted`](DecisionPoint::permitted)) are not cached. An engine that
/// makes each of its calls about a request at least as fresh as the one before, such as `auth-runtime-spicedb`, does not
/// see the decisions from the cache: a list can be older than they are, and they can be older than a list.
///
/// # Limits
///
/// | bounded | bound | beyond it |
/// |---|---|---|
/// | decisions | [`capacity`](DecisionCacheBuilder::capacity) | further ones are not cached, for a lifetime at most |
/// | decisions of one subject | an eighth of the capacity in each lifetime | the same |
/// | length of a question with its caller | 4 KiB | the decision is not cached |
/// | callers of the decisions, with their extensions | one for each decision | |
///
/// A hostile caller therefore cannot remove the decisions of others. Four together can take the places of
/// new decisions, and then the engine is asked as without a cache.
pub struct DecisionCache<E>(Arc<Cached<E>>);

struct Cached<E> {
    engine: E,
    memory: Mutex<Memory>,
    lifetime: Duration,
    clock: Clock,
    compares_extensions: bool,
}

impl<E> DecisionCache<E> {
    /// Removes the decisions about all callers for which `matches` returns true. It visits all decisions.
    pub fn forget_where(&self, matches: impl Fn(&Identity) -> bool) {
        self.0.memory().forget_where(matches);
    }

    /// Removes all decisions, such as after a change of the policies.
    pub fn clear(&self) {
        self.forget_where(|_| true);
    }
}

impl<E> Cached<E> {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: DecisionPoint> Cached<E> {
    async fn decide(
        &self,
        request: EvaluationRequest<'_>,
    ) -> Result<Vec<ObjectDecision>, DecisionPointError> {
        // The age counts from the question: the data may change before the decision arrives.
        let asked_at = self.clock.monotonic();
        let keys = key::of_questions(&request, self.compares_extensions);
        let (mut decisions, epoch) = {
            let mut memory = self.memory();
            memory.begin_period(asked_at, self.lifetime);
            let found = keys.iter().map(|key| {
                let key = key.as_ref()?;
                memory.get(key, asked_at, self.lifetime).cloned()
            });
            (found.collect::<Vec<_>>(), memory.epoch())
        };
        let open: Vec<&Evaluation> = request
            .evaluations
            .iter()
            .zip(&decisions)
            .filter_map(|(question, found)| found.is_none().then_some(question))
            .collect();
        if !open.is_empty() {
            let questions = if open.len() == request.evaluations.len() {
                Cow::Borrowed(request.evaluations)
            } else {
                Cow::Owned(open.into_iter().cloned().collect())
            };
            let rest = EvaluationRequest {
                evaluations: &questions,
                ..request
            };
            let found = counted(self.engine.evaluate(rest).await?, questions.len())?;
            let mut memory = self.memory();
            let is_current = memory.epoch() == epoch;
            let missing = decisions.iter_mut().zip(keys);
            let missing = missing.filter(|(decision, _)| decision.is_none());
            for ((missing, key), decision) in missing.zip(found) {
                if let Some(key) = key.filter(|_| is_current) {
                    let entry = Entry {
                        decision: decision.clone(),
                        asked_at,
                        identity: request.identity.clone(),
                    };
                    memory.insert(key, entry);
                }
                *missing = Some(decision);
            }
        }
        // Each question has a decision by now.
        Ok(decisions.into_iter().flatten().collect())
    }
}

impl<E: DecisionPoint> DecisionPoint for DecisionCache<E> {
    fn name(&self) -> &'static str {
        self.0.engine.name()
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
        self.0.engine.permitted(action, resource_type, request)
    }

    fn decides_about(&self, action: &str, resource_type: &str) -> bool {
        self.0.engine.decides_about(action, resource_type)
    }

    fn resource_types(&self) -> Vec<&str> {
        self.0.engine.resource_types()
    }

    fn token_scope(&self) -> Option<TokenScope> {
        self.0.engine.token_scope()
    }
}

impl<E> Clone for DecisionCache<E> {
    /// Clones share their decisions.
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<E: DecisionPoint> fmt::Debug for DecisionCache<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecisionCache")
            .field("engine", &self.0.engine.name())
            .field("lifetime", &self.0.lifetime)
            .finish_non_exhaustive()
    }
}
