//! The proof, in a handler's signature, that the request met its policy.

mod denied;
mod expiry;
mod lists;
mod object_authorizer;
mod plain_router;
mod policy;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use auth_runtime_core::adapter::EvaluationResult;
use auth_runtime_core::{
    Action, Caller, DecisionPointError, Denial, Evaluation, Identity, ObjectDecision,
    ProtectionSpace, Resource,
};

pub use self::denied::Denied;
pub(crate) use self::object_authorizer::{ConcealMark, KeptRequest, ObjectAuthorizer};
pub use self::policy::{
    AuthenticatesCaller, Declared, FromCaller, HasIdentity, HasPolicy, KnowsCaller, OfHandler,
    OfService, PublicCaller, PublicPolicy, ServicePolicy, Undeclared, type_id_of,
};

/// Proof that the request met the handler's policy. It is the first parameter of every annotated
/// handler.
///
/// Write it as `guard: Guard` or `guard: auth_runtime::Guard` to use it. `#[requires]` and
/// `#[public]` complete the type, and add the parameter if it is missing. Under another name, the
/// type is not completed, and axum does not accept it. Only a request that meets the policy creates
/// a guard, so a handler cannot be called without authorization. A guard is valid only for its own
/// request: kept for another request, it proves nothing about that one. Code that two handlers
/// share belongs in a function without an attribute, which both call. With a parameter `&Guard<P>`, it uses the guard
/// of each: see [`KnowsCaller`].
///
/// ```
/// use auth_runtime::{Denied, Guard, requires};
/// # struct Repo { owner: String }
///
/// #[requires(scope = "repo:read", hide_as = 404)]
/// async fn repo(guard: Guard) -> Result<String, Denied> {
///     let repo = Repo { owner: "ann".to_owned() };
///     guard.permit(repo.owner == guard.identity().subject())?;
///     Ok(repo.owner)
/// }
/// ```
///
/// On a [`GuardedRouter`](crate::GuardedRouter), the decision is made before any other part of the
/// request is parsed. On a plain axum `Router`, the guard makes the decision itself, with the
/// [`ProtectionSpace`] that `.layer(Extension(space))` adds to the request. Without that layer, the
/// response is 500, and the error is logged.
pub struct Guard<P: HasPolicy = Undeclared> {
    caller: P::Caller,
    objects: Option<Arc<ObjectAuthorizer>>,
    policy: PhantomData<fn() -> P>,
}

impl<P: HasPolicy> Guard<P> {
    /// The caller: an `&Identity`. An `Option<&Identity>` if callers without an identity are granted too: with
    /// `#[public(…, identity = optional)]`, or if a `network` or a `setting` alone meets the policy.
    ///
    /// It does not compile in other public handlers, which ignore credentials.
    pub fn identity<C>(&self) -> C::View<'_>
    where
        P: HasPolicy<Caller = C>,
        C: HasIdentity,
    {
        self.caller.view()
    }

    /// Continues if the caller is allowed to access the object of the request.
    ///
    /// Otherwise the response is the denial of the handler's policy: 403, or, with `hide_as = 404`,
    /// the response of an unknown path. A caller that meets `hide_unless` receives the 403. A foreign object and
    /// a missing one lead to the same bytes, provided that the handler calls this method in both cases:
    ///
    /// ```
    /// # use auth_runtime::{Denied, Guard, requires};
    /// # fn find(id: u32) -> Option<String> { None }
    /// #[requires(authenticated, hide_as = 404)]
    /// async fn document(guard: Guard) -> Result<String, Denied> {
    ///     let document = find(7).filter(|document| document == guard.identity().subject());
    ///     guard.permit(document.is_some())?;
    ///     Ok(document.unwrap_or_default())
    /// }
    /// ```
    ///
    /// A caller without an identity receives the 401 of a handler that requires one, since a login may help.
    /// Some objects of a public handler can be for members only:
    ///
    /// ```
    /// # use auth_runtime::{Denied, Guard, public};
    /// # struct Page { is_internal: bool }
    /// # async fn find() -> Page { Page { is_internal: false } }
    /// #[public(reason = "internal pages need a login", identity = optional)]
    /// async fn page(guard: Guard) -> Result<&'static str, Denied> {
    ///     let page = find().await;
    ///     guard.permit(!page.is_internal || guard.identity().is_some())?;
    ///     Ok("the page")
    /// }
    /// ```
    ///
    /// A handler that reads the body of the request takes the whole `Request`, and reads the body after
    /// this call. Otherwise a `100 Continue`, or the wait for the rest of the body, shows the client that
    /// the path exists.
    ///
    /// # Errors
    ///
    /// [`Denied`], which the handler has to return unchanged.
    pub fn permit<C>(&self, allowed: bool) -> Result<(), Denied>
    where
        P: HasPolicy<Caller = C>,
        C: HasIdentity,
    {
        if allowed {
            return Ok(());
        }
        Err(self.deny_object())
    }

    /// Continues if the decision point of the space allows the caller `action` on `object`.
    ///
    /// Otherwise the response is that of [`permit`](Self::permit); 401 if the decision point requests a new
    /// login; `insufficient_scope` if it names the [scope](auth_runtime_core::DecisionPoint::token_scope) of a
    /// token; 503 if it fails, and the policy is not hidden. Write the decision as `can = "action"` in the
    /// attribute if the path names the object: it is then made before the handler runs.
    ///
    /// The decision point decides about known callers only. A caller without an identity is denied as by
    /// [`permit`](Self::permit), without a question.
    ///
    /// ```
    /// # use auth_runtime::{Denied, Guard, requires};
    /// # use auth_runtime::objects::{Action, Resource};
    /// # struct Db;
    /// # impl Db { async fn invoice_of(&self, order: u32) -> String { format!("i{order}") } }
    /// const READ: Action = Action::new("read");
    ///
    /// #[requires(authenticated, hide_as = 404)]
    /// async fn invoice(guard: Guard) -> Result<String, Denied> {
    ///     let id = Db.invoice_of(7).await;
    ///     guard.can(READ, Resource::new("Invoice", &id)).await?;
    ///     Ok(id)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`], which the handler has to return unchanged.
    pub async fn can(&self, action: Action, object: impl Into<Resource>) -> Result<(), Denied>
    where
        P: HasPolicy<Caller: HasIdentity>,
    {
        self.can_all(action, [object]).await
    }

    /// Continues if the decision point allows the caller `action` on each of the objects. All are decided in one
    /// call, of at most [`ProtectionSpace::MAX_EVALUATIONS`].
    ///
    /// Otherwise the response is one of those of [`can`](Self::can): 401 if a new login suffices for all of them;
    /// `insufficient_scope` with the scopes of all, if these suffice and are at most 16; or else 403 with the first
    /// reason of the decision point. Without an object, a caller with an identity is allowed without a question. A
    /// caller without one is denied as by [`permit`](Self::permit), in any case.
    ///
    /// ```
    /// # use auth_runtime::{Denied, Guard, requires};
    /// # use auth_runtime::objects::{Action, Resource};
    /// # struct Repo { name: String }
    /// # impl From<&Repo> for Resource {
    /// #     fn from(repo: &Repo) -> Self { Self::new("Repository", &repo.name) }
    /// # }
    /// # async fn selected() -> Vec<Repo> { Vec::new() }
    /// # async fn archive(_: Vec<Repo>) {}
    /// const UPDATE: Action = Action::new("update");
    ///
    /// #[requires(authenticated)]
    /// async fn archive_selected(guard: Guard) -> Result<(), Denied> {
    ///     let repos = selected().await;
    ///     guard.can_all(UPDATE, &repos).await?;
    ///     archive(repos).await;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`], which the handler has to return unchanged. More objects are a mistake of the handler, and the
    /// response is 500, on a hidden path too: the handler limits a list that the client chooses.
    pub async fn can_all<T: Into<Resource>>(
        &self,
        action: Action,
        objects: impl IntoIterator<Item = T>,
    ) -> Result<(), Denied>
    where
        P: HasPolicy<Caller: HasIdentity>,
    {
        let identity = self.known()?;
        let evaluations = evaluations_of(action, objects)?;
        if evaluations.is_empty() {
            return Ok(());
        }
        let evaluated = self.evaluate(identity, evaluations).await?;
        let objects = self.objects()?;
        let denial = (objects.space).deny_evaluated(P::POLICY, &objects.authentication, &evaluated);
        match denial {
            None => {
                self.report_grant(&evaluated);
                Ok(())
            }
            Some(denial) => Err(self.deny(&denial, Some(&evaluated))),
        }
    }

    /// Returns, for each of the objects, whether the decision point allows the caller `action` on it. All
    /// are decided in one call, as by [`can_all`](Self::can_all), which denies instead.
    ///
    /// # Errors
    ///
    /// [`Denied`] if the decision point fails, also about one of the objects only, or if there are too many objects.
    pub async fn can_each<T: Into<Resource>>(
        &self,
        action: Action,
        objects: impl IntoIterator<Item = T>,
    ) -> Result<Vec<bool>, Denied>
    where
        P: KnowsCaller,
    {
        let evaluations = evaluations_of(action, objects)?;
        if evaluations.is_empty() {
            return Ok(Vec::new());
        }
        let evaluated = self.evaluate(&self.caller, evaluations).await?;
        self.report_grant(&evaluated);
        let decisions = evaluated.result.iter().flatten();
        Ok(decisions.map(ObjectDecision::is_allowed).collect())
    }

    /// Returns the objects on which the decision point allows the caller `action`, in their order. All are
    /// decided in one call, as by [`can_each`](Self::can_each).
    ///
    /// ```
    /// # use auth_runtime::{Denied, Guard, requires};
    /// # use auth_runtime::objects::{Action, Resource};
    /// # struct Repo { name: String }
    /// # impl From<&Repo> for Resource {
    /// #     fn from(repo: &Repo) -> Self { Self::new("Repository", &repo.name) }
    /// # }
    /// # async fn all_repos() -> Vec<Repo> { Vec::new() }
    /// const READ: Action = Action::new("read");
    ///
    /// #[requires(authenticated)]
    /// async fn list(guard: Guard) -> Result<String, Denied> {
    ///     let repos = guard.filter(READ, all_repos().await).await?;
    ///     Ok(repos.iter().map(|repo| format!("{}\n", repo.name)).collect())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Like [`can_each`](Self::can_each).
    pub async fn filter<T>(&self, action: Action, objects: Vec<T>) -> Result<Vec<T>, Denied>
    where
        P: KnowsCaller,
        for<'t> &'t T: Into<Resource>,
    {
        let resources: Vec<Resource> = objects.iter().map(Into::into).collect();
        let allowed = self.can_each(action, resources).await?;
        let objects = objects.into_iter().zip(allowed);
        Ok(objects
            .filter_map(|(object, is_allowed)| is_allowed.then_some(object))
            .collect())
    }

    /// Returns an object that the handler loaded, if it exists and the decision point allows the caller
    /// `action` on it.
    ///
    /// With `hide_as = 404`, a missing object and a forbidden one have the same response, byte for byte.
    /// Without it, and for callers that meet `hide_unless`, the response is 404 for a missing object and 403 for
    /// the other. If the engine requests a new login, the response is a 401, which shows that the object exists.
    /// The engine is asked only about an object that exists, and this takes time. A caller without an identity is
    /// denied as by [`permit`](Self::permit), for a missing object too.
    ///
    /// ```
    /// # use auth_runtime::{Denied, Guard, requires};
    /// # use auth_runtime::objects::{Action, Resource};
    /// # struct Document { id: String, text: String }
    /// # async fn find(id: &str) -> Option<Document> { None }
    /// impl From<&Document> for Resource {
    ///     fn from(document: &Document) -> Self {
    ///         Self::new("Document", &document.id)
    ///     }
    /// }
    /// const READ: Action = Action::new("read");
    ///
    /// #[requires(authenticated, hide_as = 404)]
    /// async fn document(guard: Guard) -> Result<String, Denied> {
    ///     let document = guard.load(READ, find("d1").await).await?;
    ///     Ok(document.text)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`], which the handler has to return unchanged.
    pub async fn load<T>(&self, action: Action, object: Option<T>) -> Result<T, Denied>
    where
        P: HasPolicy<Caller: HasIdentity>,
        for<'t> &'t T: Into<Resource>,
    {
        self.known()?;
        let Some(object) = object else {
            return Err(self.deny(&Denial::NotFound, None));
        };
        let resource: Resource = (&object).into();
        self.can(action, resource).await?;
        Ok(object)
    }
}

impl<P: HasPolicy<Caller: HasIdentity>> Guard<P> {
    /// The identity of the caller, or the denial of a caller without one.
    fn known(&self) -> Result<&Identity, Denied> {
        let known: Option<&Identity> = self.caller.view().into();
        known.ok_or_else(|| self.deny_object())
    }
}

impl<P: HasPolicy> Guard<P> {
    /// Asks the decision point.
    async fn evaluate(
        &self,
        identity: &Identity,
        evaluations: Vec<Evaluation>,
    ) -> Result<EvaluationResult, Denied> {
        let objects = self.objects()?;
        let about = objects.about(identity);
        let evaluated = objects.space.evaluate(evaluations, about).await;
        match evaluated.result {
            Ok(_) => Ok(evaluated),
            Err(_) => Err(self.deny_by_outage(&evaluated)),
        }
    }

    fn deny_by_outage(&self, evaluated: &EvaluationResult) -> Denied {
        let error = evaluated.result.as_ref().err();
        let retry_after = error.and_then(DecisionPointError::retry_time);
        self.deny(&Denial::Unverifiable { retry_after }, Some(evaluated))
    }

    /// Reports decisions after which the handler continues.
    fn report_grant(&self, evaluated: &EvaluationResult) {
        if let Some(objects) = &self.objects {
            objects.report(P::POLICY, P::LOCATION, None, Some(evaluated), false);
        }
    }

    /// The denial of an object about which the decision point was not asked.
    fn deny_object(&self) -> Denied {
        match self.objects() {
            Ok(objects) => {
                let denial = (objects.space).deny_object(P::POLICY, &objects.authentication);
                objects.deny(P::POLICY, P::LOCATION, &denial, None)
            }
            Err(misconfigured) => misconfigured,
        }
    }

    fn deny(&self, denial: &Denial, evaluated: Option<&EvaluationResult>) -> Denied {
        match self.objects() {
            Ok(objects) => objects.deny(P::POLICY, P::LOCATION, denial, evaluated),
            Err(misconfigured) => misconfigured,
        }
    }
}

/// The questions about the objects.
fn evaluations_of<T: Into<Resource>>(
    action: Action,
    objects: impl IntoIterator<Item = T>,
) -> Result<Vec<Evaluation>, Denied> {
    let evaluations = (objects.into_iter())
        .map(|object| Evaluation::new(action, object))
        .take(ProtectionSpace::MAX_EVALUATIONS + 1)
        .collect::<Vec<_>>();
    if evaluations.len() > ProtectionSpace::MAX_EVALUATIONS {
        return Err(Denied::misconfigured(
            "a guard was asked about too many objects",
        ));
    }
    Ok(evaluations)
}

/// The proof that a request was granted, from which its guard is created.
pub(crate) struct Proof {
    pub(crate) caller: Caller,
    /// The denial of objects, if the handler uses its guard.
    pub(crate) objects: Option<Arc<ObjectAuthorizer>>,
}

impl<P: HasPolicy> Guard<P> {
    fn objects(&self) -> Result<&ObjectAuthorizer, Denied> {
        let objects = self.objects.as_deref();
        objects.ok_or_else(|| {
            Denied::misconfigured("a guard without an object authorizer was asked about an object")
        })
    }

    /// Creates the guard of a granted request.
    pub(crate) fn prove(proof: Proof) -> Result<Self, Denied> {
        let Some(caller) = P::Caller::of(proof.caller) else {
            return Err(Denied::misconfigured(
                "a policy granted a request whose caller is not known",
            ));
        };
        Ok(Self {
            caller,
            objects: proof.objects,
            policy: PhantomData,
        })
    }
}

impl<P: HasPolicy> fmt::Debug for Guard<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guard({})", P::POLICY)
    }
}

/// The type in `guard: Guard`. Another type of that name would leave the handler without its policy on a
/// plain router.
///
/// ```compile_fail,E0277
/// # use auth_runtime::requires;
/// struct Guard<P>(std::marker::PhantomData<P>);
///
/// #[requires(role = "admin")]
/// async fn reports(guard: Guard) {}
/// ```
#[diagnostic::on_unimplemented(
    message = "this `Guard` is not `auth_runtime::Guard` [AUTH0013]",
    label = "a type of the same name, which checks no policy",
    note = "write `guard: auth_runtime::Guard`"
)]
pub trait GuardOf<P> {}

impl<P: HasPolicy> GuardOf<P> for Guard<P> {}

/// Returns true. Compiles only if `G` is the guard of the policy `P`.
pub const fn uses_guard<P, G: GuardOf<P>>() -> bool {
    true
}
