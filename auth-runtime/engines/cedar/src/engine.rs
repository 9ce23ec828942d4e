//! The engine.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime_core::{
    DecisionPoint, DecisionPointError, EntityLoader, Evaluation, EvaluationFuture,
    EvaluationRequest, ObjectDecision, PermittedFuture, Resource,
};
use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Entities, EntityId, EntityUid,
    EvaluationError, PolicySet, Request, Response, RestrictedExpression, Schema,
};

use crate::error::CedarError;
use crate::gather::{Gathered, Known, load};
use crate::policies::{self, Source};
use crate::schema::{Declared, Members, Names};
use crate::uid::Uid;
use crate::values::{Types, address};

/// The number of questions after which other tasks run.
const QUESTIONS_IN_A_ROW: usize = 64;

/// A [`DecisionPoint`] that decides by Cedar policies, within the process.
///
/// ```
/// use std::path::Path;
///
/// use auth_runtime::ProtectionSpaceBuilder;
/// use auth_runtime_cedar::{Cedar, CedarError};
///
/// # const SCHEMA: &str = "";
/// fn with_cedar(
///     space: ProtectionSpaceBuilder,
///     policies: &Path,
/// ) -> Result<(ProtectionSpaceBuilder, Cedar), CedarError> {
///     let cedar = Cedar::builder()
///         .policy_file(policies)
///         .schema(SCHEMA)
///         .build()?;
///     // The clone calls `reload` later.
///     Ok((space.decision_point(cedar.clone()), cedar))
/// }
/// ```
///
/// # While compiling
///
/// A build script validates the policies in the same way, so that invalid ones are an error of the build. Add
/// this package to `[build-dependencies]`:
///
/// ```
/// // build.rs
/// use auth_runtime_cedar::Cedar;
///
/// fn main() {
///     println!("cargo::rerun-if-changed=policies.cedar");
///     println!("cargo::rerun-if-changed=schema.cedarschema");
///     let schema = std::fs::read_to_string("schema.cedarschema").unwrap_or_default();
///     let cedar = Cedar::builder().policy_file("policies.cedar").schema(schema).build();
///     if let Err(error) = cedar {
///         for line in error.to_string().lines() {
///             println!("cargo::error={line}");
///         }
///     }
/// }
/// ```
///
/// # The request of a question
///
/// | variable | value |
/// |---|---|
/// | `principal` | `User::"…"` with the subject of the caller. Attributes: `issuer`, `acr` (each if it is known), `scopes`, `roles`, `permissions`, `amr` (sets of strings). Parents: `Role::"…"` for each role |
/// | `action` | `Action::"…"` with the name of the action |
/// | `resource` | the type and the id of the object; `Service::"…"` with the realm for `can = "action"` without `on`. Attributes: the properties of the object |
/// | `context` | `method`, `path` (as the client sent it), `ip` (an `ipaddr`, if the address is known), `time` (in seconds since 1970) |
///
/// With a schema, only the declared attributes and members are set, and roles are parents only if the
/// schema allows that. The schema may declare `ip` as a `String`. A text becomes an `ipaddr`, a `decimal`,
/// a `datetime` or a `duration` where the schema declares one. Attributes that are records, and tags, are
/// not supported. Data that some callers lack has to be optional: `acr?: String`.
///
/// An [`EntityLoader`] adds attributes and parents: `principal in Team::"core"` is true for an entity with
/// that parent. The attributes of the caller in the table come from its identity only, and the properties of
/// a question take precedence over a loaded attribute. Scopes, roles and permissions are those that were granted;
/// `auth.toml` does not add the implied ones.
///
/// An attribute that only the caller has, such as `scopes`, is unknown for other entities of its type, such as
/// the owner of an object: declare it as optional, or let the loader set it for them.
///
/// A subject is unique within its issuer only, and the engine identifies the caller by the subject. With several
/// issuers, or several schemes that name callers, make subjects unique by `Jwt::builder().identity(…)` of the package
/// `auth-runtime`. A comparison of `principal.issuer` does not suffice, since the loader adds the same attributes and
/// parents to both.
///
/// # Entities
///
/// The loader is called once for all questions of a request together, with
///
/// - the caller, and one entity `Role` for each of its roles,
/// - the objects of the questions,
/// - the entities that properties of these objects refer to.
///
/// If the returned entities name further ones, as parents or in attributes, it is called again with
/// these, up to four calls in all. An entity is asked for once. The loader is not asked for an entity of a type
/// without attributes and parents in the schema, such as `entity Team;`, unless the entity is an object of a
/// question. For policies, an entity that the loader does not return has no parents and no attributes: a policy that
/// reads one of its attributes fails. An object that an `enum` of the schema lists exists without the loader.
///
/// Beyond these limits the request fails with 503, since a missing entity could change a decision.
///
/// | limit | value |
/// |---|---|
/// | time of all calls for a request together | 5 seconds |
/// | calls for a request; those of the fourth may name only known entities | 4 |
/// | entities for a request | 100 000 |
/// | levels of parents above an entity; no entity is its own ancestor | 100 |
///
/// # Decisions
///
/// An action is allowed if Cedar allows it and no policy failed. A policy that fails, such as for a
/// missing attribute, would be skipped by Cedar, and a skipped `forbid` would allow the action. Here it
/// is an error: nothing is granted, and the response is 503, or, where denials are concealed, that of an unknown
/// path. The same applies to a question that does not match the schema. One such question fails all questions of
/// the request, so an object of one caller can fail the lists of others: when users create objects, check the texts of
/// extension types and the depth of nesting. Policies that were validated against a schema fail only in rare cases: an
/// overflow of numbers, or an attribute of an entity that was not loaded.
///
/// Records name the policies that determined the decision, by their annotation `@id`. A denial that no
/// `forbid` determined has no policy.
///
/// # Lists
///
/// [`Guard::permitted`](https://docs.rs/auth-runtime/latest/auth_runtime/struct.Guard.html#method.permitted)
/// gets the policies as a condition on the attributes of the objects. A schema is required. The policies may
/// use `resource` in `==`, `contains`, `in` (`principal in resource.team`), `has`, `is`, `&&`, `||`, `!` and
/// `if`. The property `id` is the id of the object, and `organization.suspended` is the name of
/// `resource.organization.suspended`. For any other policy about the action, the response is 503, and the
/// log names the policy. The same applies to an attribute `id` or one with a full stop, and to an expression
/// behind a part with `resource` that fails by itself, such as `principal.acr` of a caller without it.
///
/// Cloning is cheap; clones share their policies. Questions run on the task of the request, which yields
/// to other tasks after every 64 questions. A loader needs a tokio runtime with its timer.
#[derive(Clone)]
pub struct Cedar(pub(crate) Arc<Engine>);

pub(crate) struct Engine {
    pub(crate) sources: Vec<Source>,
    pub(crate) names: Names,
    pub(crate) declared: Option<Declared>,
    pub(crate) loader: Option<Box<dyn EntityLoader>>,
    pub(crate) policies: RwLock<Arc<PolicySet>>,
    /// Held while policies are read, so that an older version never replaces a newer one.
    pub(crate) reloading: Mutex<()>,
    pub(crate) authorizer: Authorizer,
}

impl Cedar {
    /// Reads the policy files again, validates them, and replaces the policies, for all clones. Questions
    /// that are being decided are decided by the previous policies.
    ///
    /// Replace a file by renaming a complete one. Half of a file can be valid, and lack a `forbid`.
    ///
    /// The call blocks while it reads and validates. An async task calls it within `spawn_blocking`:
    ///
    /// ```
    /// use auth_runtime_cedar::Cedar;
    ///
    /// async fn reload(cedar: Cedar) {
    ///     let result = tokio::task::spawn_blocking(move || cedar.reload()).await;
    ///     match result {
    ///         Ok(Ok(())) => println!("the policies were reloaded"),
    ///         Ok(Err(error)) => eprintln!("the previous policies stay in force: {error}"),
    ///         Err(error) => eprintln!("{error}"),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CedarError`] has the mistakes. The previous policies stay in force.
    pub fn reload(&self) -> Result<(), CedarError> {
        let engine = &self.0;
        let lock = engine.reloading.lock();
        let _lock = lock.unwrap_or_else(PoisonError::into_inner);
        let policies = policies::read(&engine.sources, engine.schema())?;
        let current = engine.policies.write();
        *current.unwrap_or_else(PoisonError::into_inner) = Arc::new(policies);
        Ok(())
    }
}

impl DecisionPoint for Cedar {
    fn name(&self) -> &'static str {
        "cedar"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        Box::pin(self.0.decide(request))
    }

    /// Translates the policies into a condition on the attributes of the objects, for a schema only.
    fn permitted<'r>(
        &'r self,
        action: &'r str,
        resource_type: &'r str,
        request: EvaluationRequest<'r>,
    ) -> PermittedFuture<'r> {
        Box::pin(self.0.permitted(action, resource_type, request))
    }

    /// With a schema, returns whether it declares the action for the type of callers and this type of
    /// objects; `true` without a schema.
    fn decides_about(&self, action: &str, resource_type: &str) -> bool {
        let Some(declared) = &self.0.declared else {
            return true;
        };
        let kind = match resource_type {
            Resource::SERVICE => self.0.names.service.as_str(),
            other => other,
        };
        let action = declared.action(action);
        action.is_some_and(|action| action.resources.contains(kind))
    }
}

impl fmt::Debug for Cedar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cedar")
            .field("policies", &self.0.policies().num_of_policies())
            .field("has_schema", &self.0.declared.is_some())
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// The policies that are in force.
    pub(crate) fn policies(&self) -> Arc<PolicySet> {
        let policies = self.policies.read();
        Arc::clone(&policies.unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn schema(&self) -> Option<&Schema> {
        self.declared.as_ref().map(|declared| &declared.schema)
    }

    async fn decide(
        &self,
        request: EvaluationRequest<'_>,
    ) -> Result<Vec<ObjectDecision>, DecisionPointError> {
        let policies = self.policies();
        let declared = self.declared.as_ref();
        let has_roles = declared.is_none_or(|own| own.has_roles);
        let loader = self.loader.as_deref();
        let loaded = load(request, &self.names, declared, has_roles, loader).await?;
        let mut gathered = Gathered::new(request, &self.names, has_roles, &loaded)?;
        let mut types = Types::new(declared);
        let mut objects = Vec::with_capacity(request.evaluations.len());
        for evaluation in request.evaluations {
            let resource = Uid::of_object(&evaluation.resource, &self.names);
            let is_known = gathered.entities.contains_key(&resource);
            let exists = self.exists(resource, is_known);
            match (exists, is_known) {
                // Cedar checks that its required attributes are known.
                (true, false) => {
                    gathered.entities.insert(resource, Known::default());
                }
                (false, true) => {
                    gathered.entities.remove(&resource);
                }
                _ => {}
            }
            objects.push(exists.then(|| types.uid(resource)).transpose()?);
        }
        let mut batch = Batch {
            principal: types.uid(gathered.caller)?,
            entities: self.entities(&gathered, &mut types)?,
            actions: Vec::new(),
            policies,
            request,
        };
        let mut decisions = Vec::with_capacity(objects.len());
        for (index, (evaluation, object)) in request.evaluations.iter().zip(objects).enumerate() {
            if index % QUESTIONS_IN_A_ROW == QUESTIONS_IN_A_ROW - 1 {
                tokio::task::yield_now().await;
            }
            decisions.push(self.decide_one(&mut batch, evaluation, object)?);
        }
        Ok(decisions)
    }

    /// Decides a question about an object; `None` is one that does not exist.
    fn decide_one<'r>(
        &self,
        batch: &mut Batch<'r>,
        evaluation: &'r Evaluation,
        object: Option<EntityUid>,
    ) -> Result<ObjectDecision, DecisionPointError> {
        let mut known = batch.actions.iter();
        let known = known.find(|(name, _)| *name == evaluation.action);
        let (action, context) = match known {
            Some((_, action)) => action.clone(),
            None => {
                let action = self.action(batch.request, &evaluation.action)?;
                batch.actions.push((&evaluation.action, action.clone()));
                action
            }
        };
        let Some(object) = object else {
            return Ok(ObjectDecision::deny());
        };
        let principal = batch.principal.clone();
        let asked = Request::new(principal, action, object, context, self.schema());
        let asked = asked.map_err(|_| {
            let (action, kind) = (&evaluation.action, evaluation.resource.resource_type());
            DecisionPointError::new(format!("the schema has no action `{action}` on `{kind}`"))
        })?;
        let authorizer = &self.authorizer;
        decision(authorizer.is_authorized(&asked, &batch.policies, &batch.entities))
    }

    /// Returns whether an object exists, as far as the engine can find out. `is_known` says whether the
    /// loader or a question knows it.
    fn exists(&self, resource: Uid<'_>, is_known: bool) -> bool {
        let declared = self.declared.as_ref();
        let declared = declared.and_then(|own| own.entity_type(resource.kind));
        if let Some(ids) = declared.and_then(|declared| declared.ids.as_ref()) {
            return ids.contains(resource.id);
        }
        self.loader.is_none() || resource.kind == self.names.service || is_known
    }

    /// Returns the id of an action, and its context.
    pub(crate) fn action(
        &self,
        request: EvaluationRequest<'_>,
        name: &str,
    ) -> Result<(EntityUid, Context), DecisionPointError> {
        let Some(declared) = &self.declared else {
            let kind = self.names.action.parse().map_err(|_| {
                DecisionPointError::new(format!("`{}` is not a type", self.names.action))
            })?;
            let uid = EntityUid::from_type_name_and_id(kind, EntityId::new(name));
            return Ok((uid, context(request, None)?));
        };
        let action = declared.action(name).ok_or_else(|| {
            DecisionPointError::new(format!("the schema declares no action `{name}` of callers"))
        })?;
        let context = context(request, Some(&action.context))
            .map_err(|error| DecisionPointError::new(format!("`{name}`: {error}")))?;
        Ok((action.uid.clone(), context))
    }
}

/// The parts that all questions of a request share.
struct Batch<'r> {
    policies: Arc<PolicySet>,
    principal: EntityUid,
    entities: Entities,
    /// The actions of the previous questions, with their names. A service has few.
    actions: Vec<(&'r str, (EntityUid, Context))>,
    request: EvaluationRequest<'r>,
}

/// Returns the context with the members that the schema declares; all without a schema.
fn context(
    request: EvaluationRequest<'_>,
    declared: Option<&Members>,
) -> Result<Context, DecisionPointError> {
    let kind_of = |name: &str| declared.and_then(|own| own.get(name)).map(|own| &own.kind);
    let text = |text: &str| Some(RestrictedExpression::new_string(text.to_owned()));
    let ip = request.address;
    let members = [
        ("method", text(request.method.as_str())),
        ("path", text(request.path)),
        ("ip", ip.map(|ip| address(ip, kind_of("ip")))),
        (
            "time",
            Some(RestrictedExpression::new_long(seconds(request.time))),
        ),
    ];
    let mut pairs = Vec::new();
    for (name, value) in members {
        let member = match declared.map(|declared| declared.get(name)) {
            Some(None) => continue,
            Some(Some(member)) => Some(member),
            None => None,
        };
        match value {
            Some(value) => pairs.push((name.to_owned(), value)),
            None if member.is_some_and(|member| member.is_required) => {
                let message = format!("`context.{name}` is required, and its value is unknown");
                return Err(DecisionPointError::new(message));
            }
            None => {}
        }
    }
    Context::from_pairs(pairs).map_err(|_| DecisionPointError::new("the context is invalid"))
}

/// Returns the seconds since 1970, which are negative before.
fn seconds(time: SystemTime) -> i64 {
    let seconds = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => seconds(after.as_secs()),
        Err(before) => seconds(before.duration().as_secs()).saturating_neg(),
    }
}

fn decision(response: Response) -> Result<ObjectDecision, DecisionPointError> {
    let diagnostics = response.diagnostics();
    if let Some(error) = diagnostics.errors().next() {
        let AuthorizationError::PolicyEvaluationError(error) = error;
        let (policy, problem) = (error.policy_id(), problem(error.inner()));
        return Err(DecisionPointError::new(format!(
            "the policy `{policy}` failed: {problem}"
        )));
    }
    let decision = ObjectDecision::from(response.decision() == Decision::Allow);
    let mut policies: Vec<&str> = diagnostics.reason().map(AsRef::as_ref).collect();
    if policies.is_empty() {
        return Ok(decision);
    }
    policies.sort_unstable();
    Ok(decision.by_policy(policies.join(", ")))
}

/// Describes an error without the ids and values in its text, which are not for the log.
fn problem(error: &EvaluationError) -> &'static str {
    match error {
        EvaluationError::EntityDoesNotExist(_) => "it reads an attribute of an unknown entity",
        EvaluationError::EntityAttrDoesNotExist(_) => "an entity lacks an attribute",
        EvaluationError::RecordAttrDoesNotExist(_) => "a record lacks an attribute",
        EvaluationError::TypeError(_) => "a value has another type",
        EvaluationError::IntegerOverflow(_) => "a number overflows",
        EvaluationError::RecursionLimit(_) => "it is nested too deeply",
        EvaluationError::FailedExtensionFunctionExecution(_) => {
            "a function of an extension type failed"
        }
        _ => "it cannot be evaluated",
    }
}
