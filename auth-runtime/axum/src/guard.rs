//! The proof, in a handler's signature, that the request met its policy.

mod expiry;
mod lists;

use std::any::TypeId;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use auth_runtime_core::adapter::{
    AboutRequest, Authentication, Authorization, Evaluated, ObjectReport, RequestView, Route,
    State, Surroundings,
};
use auth_runtime_core::{
    Action, Caller, DecisionPointError, Denial, DenialDetails, Evaluation, HandlerLocation,
    Identity, ObjectDecision, ProtectionSpace, RequestData, RequestSnapshot, Resource,
    ServiceFunction,
};
use auth_runtime_policy::Policy;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::request::{Reported, head_of_parts, parts_to_report, stand_in};

/// Proof that the request met the handler's policy. It is the first parameter of every annotated
/// handler.
///
/// Write it as `guard: Guard` or `guard: auth_runtime::Guard` to use it. `#[requires]` and
/// `#[public]` complete the type, and add the parameter if it is missing. Under another name, the
/// type is not completed, and axum does not accept it. Only a request that meets the policy creates
/// a guard, so a handler cannot be called without authorization. A guard is valid only for its own
/// request: kept for another request, it proves nothing about that one. Code that two handlers
/// share belongs in a function without an attribute, which both call.
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
    /// The caller: an `&Identity`, or an `Option<&Identity>` if the policy also grants callers that
    /// are not known, since a `network` or a `setting` suffices for it.
    ///
    /// It does not compile in public handlers, which ignore credentials.
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
    /// the response of an unknown path. A foreign object and a missing one then lead to the same
    /// bytes, provided that the handler calls this method in both cases:
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
    /// A handler that reads the body of the request takes the whole `Request`, and reads the body after
    /// this call. Otherwise a `100 Continue`, or the wait for the rest of the body, shows the client that
    /// the path exists.
    ///
    /// # Errors
    ///
    /// [`Denied`], which the handler has to return unchanged.
    pub fn permit(&self, allowed: bool) -> Result<(), Denied>
    where
        P: KnowsCaller,
    {
        match allowed {
            true => Ok(()),
            false => Err(self.deny(&Denial::FORBIDDEN, None)),
        }
    }

    /// Continues if the decision point of the space allows the caller `action` on `object`.
    ///
    /// Otherwise the response is that of [`permit`](Self::permit); 401 if the decision point requests a new
    /// login; 503 if it fails, and the policy is not hidden. Write the decision as `can = "action"` in the attribute if the path
    /// names the object: it is then made before the handler runs.
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
        P: KnowsCaller,
    {
        let evaluated = self.evaluate(vec![Evaluation::new(action, object)]).await?;
        let denial = match evaluated.decision(0) {
            Some(decision) if decision.is_allowed() => {
                self.report_grant(&evaluated);
                return Ok(());
            }
            Some(decision) if self.can_request_login(decision) => Denial::StepUp {
                acr_values: decision
                    .acr_values()
                    .iter()
                    .cloned()
                    .map(Cow::Owned)
                    .collect(),
                max_age: None,
            },
            decision => Denial::Forbidden {
                reason: decision
                    .and_then(ObjectDecision::reason)
                    .map(|reason| Cow::Owned(reason.to_owned())),
            },
        };
        Err(self.deny(&denial, Some(&evaluated)))
    }

    /// Returns, for each of the objects, whether the decision point allows the caller `action` on it. All
    /// are decided in one call, of at most [`ProtectionSpace::MAX_EVALUATIONS`].
    ///
    /// # Errors
    ///
    /// [`Denied`] if the decision point fails, or if there are too many objects.
    pub async fn can_all<T: Into<Resource>>(
        &self,
        action: Action,
        objects: impl IntoIterator<Item = T>,
    ) -> Result<Vec<bool>, Denied>
    where
        P: KnowsCaller,
    {
        let objects = objects.into_iter();
        let evaluations: Vec<_> = objects
            .map(|object| Evaluation::new(action, object))
            .collect();
        if evaluations.is_empty() {
            return Ok(Vec::new());
        }
        if evaluations.len() > ProtectionSpace::MAX_EVALUATIONS {
            return Err(Denied::misconfigured(
                "a guard was asked about too many objects",
            ));
        }
        let evaluated = self.evaluate(evaluations).await?;
        self.report_grant(&evaluated);
        let decisions = evaluated.result.iter().flatten();
        Ok(decisions.map(ObjectDecision::is_allowed).collect())
    }

    /// Returns the objects on which the decision point allows the caller `action`, in their order. All are
    /// decided in one call, as by [`can_all`](Self::can_all).
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
    /// Like [`can_all`](Self::can_all).
    pub async fn filter<T>(&self, action: Action, objects: Vec<T>) -> Result<Vec<T>, Denied>
    where
        P: KnowsCaller,
        for<'t> &'t T: Into<Resource>,
    {
        let resources: Vec<Resource> = objects.iter().map(Into::into).collect();
        let allowed = self.can_all(action, resources).await?;
        let objects = objects.into_iter().zip(allowed);
        Ok(objects
            .filter_map(|(object, is_allowed)| is_allowed.then_some(object))
            .collect())
    }

    /// Returns an object that the handler loaded, if it exists and the decision point allows the caller
    /// `action` on it.
    ///
    /// With `hide_as = 404`, a missing object and a forbidden one have the same response, byte for byte.
    /// Otherwise the response is 404 for a missing object and 403 for the other. If the engine requests a
    /// new login, the response is a 401, which shows that the object exists. The engine is asked only about
    /// an object that exists, and this takes time.
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
        P: KnowsCaller,
        for<'t> &'t T: Into<Resource>,
    {
        let Some(object) = object else {
            return Err(self.deny(&Denial::NotFound, None));
        };
        let resource: Resource = (&object).into();
        self.can(action, resource).await?;
        Ok(object)
    }
}

impl<P: KnowsCaller> Guard<P> {
    fn objects(&self) -> Result<&ObjectAuthorizer, Denied> {
        let objects = self.objects.as_deref();
        objects.ok_or_else(|| Denied::misconfigured(WITHOUT_OBJECTS))
    }

    /// Asks the decision point.
    async fn evaluate(&self, evaluations: Vec<Evaluation>) -> Result<Evaluated, Denied> {
        let objects = self.objects()?;
        let about = objects.about();
        let evaluated = (objects.space)
            .evaluate(&self.caller, evaluations, about)
            .await;
        match evaluated.result {
            Ok(_) => Ok(evaluated),
            Err(_) => Err(self.deny_by_outage(&evaluated)),
        }
    }

    /// Returns whether a denial requests a new login, and an accepted scheme can do so.
    fn can_request_login(&self, decision: &ObjectDecision) -> bool {
        let can_step_up = |objects: &Arc<ObjectAuthorizer>| objects.space.can_step_up(P::POLICY);
        !decision.acr_values().is_empty() && self.objects.as_ref().is_some_and(can_step_up)
    }

    fn deny_by_outage(&self, evaluated: &Evaluated) -> Denied {
        let error = evaluated.result.as_ref().err();
        let retry_after = error.and_then(DecisionPointError::retry_time);
        self.deny(&Denial::Unverifiable { retry_after }, Some(evaluated))
    }

    /// Reports decisions after which the handler continues.
    fn report_grant(&self, evaluated: &Evaluated) {
        if let Some(objects) = &self.objects {
            objects.report(P::POLICY, P::LOCATION, None, Some(evaluated), false);
        }
    }

    fn deny(&self, denial: &Denial, evaluated: Option<&Evaluated>) -> Denied {
        match &self.objects {
            Some(objects) => objects.deny(P::POLICY, P::LOCATION, denial, evaluated),
            None => Denied::misconfigured(WITHOUT_OBJECTS),
        }
    }
}

const WITHOUT_OBJECTS: &str = "a guard without an object authorizer was asked about an object";

/// The denial of a request, which the handler returns as its response.
///
/// The status, the challenges and, if the policy is hidden, every byte of the response are those of
/// the handler's policy.
#[derive(Debug)]
#[must_use = "a denial has to be returned from the handler, or the caller is not denied"]
pub struct Denied(Box<Response>);

impl Denied {
    pub(crate) fn new(response: impl IntoResponse) -> Self {
        Self(Box::new(response.into_response()))
    }

    /// Fails closed. The error is logged, and not disclosed to the client.
    fn misconfigured(problem: &str) -> Self {
        tracing::error!("{problem}; the response is 500");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// The proof that a request was granted, from which its guard is created.
pub(crate) struct Proof {
    pub(crate) caller: Caller,
    /// The denial of objects, if the handler uses its guard.
    pub(crate) objects: Option<Arc<ObjectAuthorizer>>,
}

/// The data for a denial by [`Guard::permit`].
pub(crate) struct ObjectAuthorizer {
    pub(crate) space: ProtectionSpace,
    pub(crate) authentication: Authentication,
    pub(crate) request: ObjectRequest,
    /// The data that the decision point keeps for the request.
    pub(crate) data: Option<RequestData>,
    /// True if the denial is concealed from this caller.
    pub(crate) conceal: bool,
    /// True if an authorizer in front of the handler replaces a concealed denial by the response of
    /// the router's fallback. Otherwise the fallback is not known, and the 404 of the space is
    /// sent.
    pub(crate) has_router: bool,
}

/// The parts of a request that the denial of an object depends on.
#[derive(Clone)]
pub(crate) struct ObjectRequest {
    pub(crate) snapshot: RequestSnapshot,
    /// The parts for records and for questions to the decision point, if there may be any.
    pub(crate) reported: Option<Reported>,
    /// The head of the request, for a fallback that needs it.
    pub(crate) head: Option<Arc<Parts>>,
}

impl ObjectAuthorizer {
    fn report(
        &self,
        policy: &Policy,
        location: HandlerLocation,
        denial: Option<&Denial>,
        evaluated: Option<&Evaluated>,
        is_hidden: bool,
    ) {
        let reported = self.request.reported.as_ref();
        self.space.report_object(ObjectReport {
            policy,
            location,
            authentication: &self.authentication,
            request: &self.request.snapshot,
            origin: reported.map(|reported| &reported.origin),
            matched_path: reported.and_then(Reported::matched_path),
            denial,
            evaluated,
            is_hidden,
        });
    }

    fn about(&self) -> AboutRequest<'_> {
        let ObjectRequest {
            snapshot, reported, ..
        } = &self.request;
        let origin = reported.as_ref().map(|reported| &reported.origin);
        AboutRequest::kept(snapshot, origin, self.data.as_ref())
    }

    fn deny(
        &self,
        policy: &Policy,
        location: HandlerLocation,
        denial: &Denial,
        evaluated: Option<&Evaluated>,
    ) -> Denied {
        // The request for a new login is disclosed, as it is by the policy (rule 3a).
        let conceal = self.conceal && !matches!(denial, Denial::StepUp { .. });
        self.report(policy, location, Some(denial), evaluated, conceal);
        let Self {
            space,
            authentication,
            request,
            ..
        } = self;
        if conceal && self.has_router {
            // The router replaces this response by that of the fallback.
            let concealed = Concealed {
                authentication: authentication.clone(),
                request: request.clone(),
                by_policy: false,
            };
            return Denied::new(concealed.marked());
        }
        let unknown;
        let details = match conceal {
            true => {
                unknown = space.deny_unknown_path(authentication);
                DenialDetails::of_unknown_path(unknown.as_ref().unwrap_or(&Denial::NotFound))
            }
            false => DenialDetails::of_policy(denial, policy, &[]),
        };
        let request = RequestView::Before(&request.snapshot);
        let response = space.answer(details, authentication, request);
        Denied::new(response.map(axum::body::Body::from))
    }
}

/// Marks a response that the authorizer in front of the handler replaces by that of an unknown
/// path.
#[derive(Clone)]
pub(crate) struct Concealed {
    pub(crate) authentication: Authentication,
    pub(crate) request: ObjectRequest,
    /// True if the policy denied the request, and false if the handler denied an object.
    pub(crate) by_policy: bool,
}

impl Concealed {
    /// A response with this mark.
    pub(crate) fn marked(self) -> Response {
        let mut response = StatusCode::NOT_FOUND.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl<S: Send + Sync + 'static, P: Declared> FromRequestParts<S> for Guard<P> {
    type Rejection = Denied;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Denied> {
        if P::POLICY.ignores_credentials() {
            if let Some(space) = head.extensions.get::<ProtectionSpace>() {
                space.report_public(P::POLICY, Some(P::LOCATION), head_of_parts(head));
            }
            return Self::prove(Proof {
                caller: Caller::Anonymous,
                objects: None,
            });
        }
        let Some(space) = head.extensions.get::<ProtectionSpace>().cloned() else {
            return Err(Denied::misconfigured(
                "a guarded handler is mounted outside of a `GuardedRouter`, on a router without \
                 a protection space: add `.layer(Extension(space))` to the router",
            ));
        };
        Self::decide(space, head, state).await
    }
}

impl<P: HasPolicy> Guard<P> {
    /// Decides on a plain axum router.
    async fn decide(
        space: ProtectionSpace,
        head: &mut Parts,
        state: &State,
    ) -> Result<Self, Denied> {
        let request = P::USES_GUARD.then(|| ObjectRequest {
            snapshot: RequestSnapshot::of(head_of_parts(head)),
            reported: parts_to_report(&space, head_of_parts(head)),
            head: None,
        });
        let needs_parameters = !P::FUNCTIONS.is_empty() || P::POLICY.asks_about_objects();
        let parameters = match needs_parameters {
            false => Some(Vec::new()),
            true => parameters_of(head).await,
        };
        let route = Route {
            policy: P::POLICY,
            functions: P::FUNCTIONS,
            location: Some(P::LOCATION),
            denies_objects: P::USES_GUARD,
            constants: None,
            is_unknown_path: false,
        };
        let surroundings = Surroundings {
            head: head_of_parts(head),
            parameters: parameters.as_deref(),
            state,
        };
        let Authorization {
            authentication,
            conceal,
            data,
            ..
        } = space
            .authorize_route(route, surroundings, stand_in(&head.extensions))
            .await
            .map_err(|response| Denied::new(response.map(axum::body::Body::from)))?;
        let caller = space.caller_for(P::POLICY, &authentication).cloned();
        let objects = request.map(|request| {
            Arc::new(ObjectAuthorizer {
                data: data.or_else(|| space.request_data()),
                space,
                authentication,
                request,
                conceal,
                has_router: false,
            })
        });
        Self::prove(Proof {
            // Ambiguous credentials are never granted.
            caller: caller.unwrap_or(Caller::Anonymous),
            objects,
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

/// The parameters of the matched path, for functions of the service. Only axum's own extractors can read them. `None`
/// if one is not UTF-8, or if two of one name have different values, as nested routers can have.
pub(crate) async fn parameters_of(head: &mut Parts) -> Option<Vec<(String, String)>> {
    let raw = match RawPathParams::from_request_parts(head, &()).await {
        Ok(raw) => raw,
        Err(RawPathParamsRejection::MissingPathParams(_)) => return Some(Vec::new()),
        Err(_) => return None,
    };
    let mut parameters: Vec<(String, String)> = Vec::new();
    for (name, value) in &raw {
        match parameters.iter().find(|(own, _)| own == name) {
            Some((_, own)) if own != value => return None,
            Some(_) => {}
            None => parameters.push((name.to_owned(), value.to_owned())),
        }
    }
    Some(parameters)
}

impl<P: HasPolicy> fmt::Debug for Guard<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guard({})", P::POLICY)
    }
}

/// A type that carries a policy. Only `#[requires]` and `#[public]` implement it.
pub trait HasPolicy: Send + Sync + 'static {
    /// The kind of item that the attribute is on: [`OfHandler`] or [`OfService`].
    type Kind;
    /// The caller, as the guard stores it; [`PublicCaller`] for a public policy.
    type Caller: FromCaller;
    /// The policy.
    const POLICY: &'static Policy;
    /// The functions that the policy names, each once.
    const FUNCTIONS: &'static [ServiceFunction];
    /// The location of the policy in the source.
    const LOCATION: HandlerLocation;
    /// True if the handler names its guard, and can therefore deny objects.
    const USES_GUARD: bool;
    /// Returns the type of the handler, which no other function has. `None` for a service, and for a
    /// handler that has several types because it is generic, or may have because a parameter
    /// contains a macro.
    fn handler_type() -> Option<TypeId>;
}

/// The kind of a policy on a handler. It is for that handler only.
#[derive(Debug)]
pub enum OfHandler {}

/// The kind of a policy on a unit struct, for services, closures and functions.
#[derive(Debug)]
pub enum OfService {}

/// The kind of a policy that an attribute created.
pub trait DeclaredKind {}
impl DeclaredKind for OfHandler {}
impl DeclaredKind for OfService {}

/// Returns the identity of the type of a value. Each function has a type of its own.
pub fn type_id_of<T: 'static>(_: &T) -> TypeId {
    TypeId::of::<T>()
}

/// A [`HasPolicy`] that an attribute created. Guards and routers require it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no access policy [AUTH0036]",
    label = "neither `#[requires(...)]` nor `#[public(...)]` is written above it",
    note = "write `#[requires(...)]`, or `#[public(reason = \"...\")]` for public access, above \
            the handler, or above a unit struct for a service",
    note = "the attribute completes a guard that is written as `guard: Guard` and is the first \
            parameter"
)]
pub trait Declared: HasPolicy {}

#[diagnostic::do_not_recommend]
impl<P: HasPolicy<Kind: DeclaredKind>> Declared for P {}

/// A policy on a unit struct.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the policy of a service [AUTH0036]",
    label = "not a unit struct with `#[requires(...)]` or `#[public(...)]`",
    note = "write `#[requires(...)]`, or `#[public(reason = \"...\")]` for public access, above \
            a unit struct, such as `struct Files;`; the policy of a handler applies to that \
            handler only"
)]
pub trait ServicePolicy: Declared {}

#[diagnostic::do_not_recommend]
impl<P: HasPolicy<Kind = OfService>> ServicePolicy for P {}

/// A policy that `#[public]` created.
#[diagnostic::on_unimplemented(
    message = "fallback is not public [AUTH0044]",
    label = "not a handler or unit struct with `#[public(reason = \"...\")]`",
    note = "write `#[public(reason = \"...\")]` above it, and move restricted content to a path \
            of its own"
)]
pub trait PublicPolicy: Declared {}

#[diagnostic::do_not_recommend]
impl<P: Declared + HasPolicy<Caller = PublicCaller>> PublicPolicy for P {}

/// The stored form of a caller in a guard.
pub trait FromCaller: Send + Sync + Sized + 'static {
    /// Converts the caller; `None` if a guard of this type cannot represent it.
    fn of(caller: Caller) -> Option<Self>;
}

impl FromCaller for Identity {
    fn of(caller: Caller) -> Option<Self> {
        caller.into_identity()
    }
}

/// A stored caller that may have an identity.
#[diagnostic::on_unimplemented(
    message = "public handler has no identity [AUTH0045]",
    label = "the caller is not authenticated",
    note = "write `#[requires(authenticated)]` to require an identity, or `#[public(reason = \
            \"...\", identity = optional)]` to accept callers with and without one"
)]
pub trait HasIdentity: FromCaller {
    /// The type that a handler receives.
    type View<'a>;

    /// Returns the caller for a handler.
    fn view(&self) -> Self::View<'_>;

    /// Returns the identity, if the caller is known.
    fn known(&self) -> Option<&Identity>;
}

/// A policy that grants only known callers, so that its guard can ask about their objects.
#[diagnostic::on_unimplemented(
    message = "handler that grants callers without an identity asks about objects [AUTH0045]",
    label = "the caller may have no identity",
    note = "write `#[requires(authenticated)]`, or another requirement of an identity, in place of \
            `#[public(...)]`; a policy that a network or a setting suffices for grants callers \
            without one too"
)]
pub trait KnowsCaller: HasPolicy<Caller = Identity> {}

#[diagnostic::do_not_recommend]
impl<P: HasPolicy<Caller = Identity>> KnowsCaller for P {}

impl HasIdentity for Identity {
    type View<'a> = &'a Identity;

    fn view(&self) -> &Self {
        self
    }

    fn known(&self) -> Option<&Identity> {
        Some(self)
    }
}

/// The caller of a policy that a network or a setting suffices for, which also grants callers that are not
/// known.
impl FromCaller for Option<Identity> {
    fn of(caller: Caller) -> Option<Self> {
        Some(caller.into_identity())
    }
}

impl HasIdentity for Option<Identity> {
    type View<'a> = Option<&'a Identity>;

    fn view(&self) -> Option<&Identity> {
        self.as_ref()
    }

    fn known(&self) -> Option<&Identity> {
        self.as_ref()
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

/// The caller of a public handler, which does not authenticate.
#[derive(Clone, Copy, Debug)]
pub struct PublicCaller;

impl FromCaller for PublicCaller {
    fn of(_caller: Caller) -> Option<Self> {
        Some(Self)
    }
}

/// The policy of a `Guard` that no attribute completed. It grants no caller, and no
/// [`GuardedRouter`](crate::GuardedRouter) accepts it.
#[derive(Clone, Copy, Debug)]
pub struct Undeclared;

impl HasPolicy for Undeclared {
    type Kind = Self;
    type Caller = Identity;
    const POLICY: &'static Policy = &Policy::requires(auth_runtime_policy::Requirement::never());
    const FUNCTIONS: &'static [ServiceFunction] = &[];
    const LOCATION: HandlerLocation = HandlerLocation::new("undeclared", file!(), line!());
    const USES_GUARD: bool = true;
    fn handler_type() -> Option<TypeId> {
        None
    }
}
