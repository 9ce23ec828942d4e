//! Functions of the service that requirements name: checks, and functions that return objects.

use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;

use http::{Extensions, HeaderMap, Method, Uri};

use crate::decision_point::object::Resource;
use crate::head::Head;
use crate::identity::Identity;

/// The argument of a function named by `check = path::to::function`: the caller, the head of the
/// request, and the state of the application.
///
/// The function is async, takes this type as its only parameter, and returns `bool`, or
/// `Result<bool, E>` with an `E` that implements `Display`. It runs only for known callers, and
/// only if its result can change the decision. An error is logged, and the response is 503: a
/// caller that cannot be checked is not granted access, and should retry. Where denials are concealed, the
/// response is that of an unknown path.
///
/// `S` is the state of the router that the handler is mounted on. A function that needs no state
/// omits it, and then works on any router.
///
/// ```
/// use auth_runtime::{CheckRequest, requires};
///
/// #[derive(Clone)]
/// struct Db;
/// # impl Db { async fn owner(&self, _: &str) -> Result<Option<String>, std::io::Error> { Ok(None) } }
///
/// /// `/repos/{name}` is for its owner.
/// async fn owns_repo(request: CheckRequest<'_, Db>) -> Result<bool, std::io::Error> {
///     let name = request.parameter("name").unwrap_or_default();
///     let owner = request.state().owner(name).await?;
///     Ok(owner.as_deref() == Some(request.identity().subject()))
/// }
///
/// #[requires(check = owns_repo, hide_as = 404)]
/// async fn delete_repo() {}
/// ```
///
/// A check should be fast and must have no side effects: it runs before the handler, even if the
/// request is denied.
///
/// The function of `resource = path::to::function` takes the same argument, and returns the
/// [`Resource`] that a `can` requirement is about.
pub struct CheckRequest<'r, S = ()> {
    identity: &'r Identity,
    head: Head<'r>,
    parameters: &'r Parameters<'r>,
    state: &'r S,
}

impl<'r, S> CheckRequest<'r, S> {
    /// The identity of the caller.
    pub fn identity(&self) -> &'r Identity {
        self.identity
    }

    /// The state of the router.
    pub fn state(&self) -> &'r S {
        self.state
    }

    /// The request's method.
    pub fn method(&self) -> &'r Method {
        self.head.method
    }

    /// The target of the request as the client sent it, with the prefixes of all nested routers. A layer may have
    /// changed the target that the handler reads: an id of the path is a [`parameter`](Self::parameter), and one of the
    /// query is in [`query`](Self::query).
    pub fn uri(&self) -> &'r Uri {
        self.head.sent_uri()
    }

    /// The query that the extractors of the handler read, without the `?`. It differs from that of
    /// [`uri`](Self::uri) if a layer changed the target of the request.
    ///
    /// ```
    /// use auth_runtime::{CheckRequest, requires};
    ///
    /// async fn is_preview(request: CheckRequest<'_>) -> bool {
    ///     request.query() == Some("preview")
    /// }
    ///
    /// #[requires(any(role = "editor", check = is_preview))]
    /// async fn page() {}
    /// ```
    pub fn query(&self) -> Option<&'r str> {
        self.head.routed_uri.query()
    }

    /// The decoded value of a path parameter, by its name in the route: `owner` of
    /// `/repos/{owner}`.
    ///
    /// `None` if the route has no such parameter. A check is not called, and not met, if a value of
    /// the path is not UTF-8, or if two parameters of one name have different values: it could not
    /// know which of them the handler uses.
    pub fn parameter(&self, name: &str) -> Option<&'r str> {
        let mut parameters = self.parameters.iter();
        let found = parameters.find(|(own, _)| *own == name);
        found.map(|(_, value)| *value)
    }

    /// The header fields of the request.
    pub fn headers(&self) -> &'r HeaderMap {
        self.head.headers
    }

    /// The extensions that the server, the router and outer layers added to the request.
    ///
    /// On a hidden path, a function runs in front of the layers that unknown paths do not have. It runs again behind
    /// them if they changed the method, the target, a header field or the peer of the request. A change
    /// of other extensions alone is not noticed, so the function may not see those that such a layer adds or replaces.
    pub fn extensions(&self) -> &'r Extensions {
        self.head.extensions
    }
}

impl<S> fmt::Debug for CheckRequest<'_, S> {
    /// Omits the state and the header fields: they may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckRequest")
            .field("identity", self.identity)
            .field("method", self.head.method)
            .finish_non_exhaustive()
    }
}

/// A function of the service, with the path by which a requirement refers to it: `check = path`, or
/// `resource = path`.
#[derive(Clone, Copy)]
pub struct ServiceFunction {
    name: &'static str,
    kind: FunctionKind,
}

#[derive(Clone, Copy)]
pub(crate) enum FunctionKind {
    /// Decides about a request.
    Check(Call<bool>),
    /// Returns the object that a request is about, if there is one.
    Resource(Call<Option<Resource>>),
}

impl FunctionKind {
    pub(crate) fn check_call(self) -> Option<Call<bool>> {
        match self {
            Self::Check(call) => Some(call),
            Self::Resource(_) => None,
        }
    }

    pub(crate) fn resource_call(self) -> Option<Call<Option<Resource>>> {
        match self {
            Self::Resource(call) => Some(call),
            Self::Check(_) => None,
        }
    }
}

/// A call of a function. Only the expansion of an attribute knows the type of its state.
type Call<A> = for<'r> fn(FunctionCall<'r, A>) -> FunctionResult<'r, A>;

/// The future result of a function; `None` if the function failed.
type PendingAnswer<'r, A> = Pin<Box<dyn Future<Output = Option<A>> + Send + 'r>>;

/// The type of the state that a function takes.
#[derive(Clone, Copy, Debug)]
pub struct StateType {
    id: TypeId,
    /// The name of the type, for messages.
    pub name: &'static str,
}

impl StateType {
    fn of<S: 'static>() -> Self {
        Self {
            id: TypeId::of::<S>(),
            name: type_name::<S>(),
        }
    }

    /// Returns whether `state` can be passed to a function that takes this type.
    pub fn is_met_by(self, state: &State) -> bool {
        self.id == TypeId::of::<()>() || self.id == state.type_id()
    }
}

/// The state of a router, with its type erased.
pub type State = dyn Any + Send + Sync;

/// The names and values of the path parameters.
pub type Parameters<'r> = [(&'r str, &'r str)];

/// The inputs of a check other than the caller.
#[derive(Clone, Copy)]
pub struct Surroundings<'r> {
    /// The head of the request.
    pub head: Head<'r>,
    /// The parameters of the matched path. `None` if they cannot be read, or are ambiguous: then no
    /// check is met.
    pub parameters: Option<&'r Parameters<'r>>,
    /// The state of the router.
    pub state: &'r State,
}

impl ServiceFunction {
    /// For the expansion of an attribute only, which knows the function of `check = name`.
    #[doc(hidden)]
    pub const fn check(name: &'static str, call: Call<bool>) -> Self {
        Self {
            name,
            kind: FunctionKind::Check(call),
        }
    }

    /// For the expansion of an attribute only, which knows the function of `resource = name`.
    #[doc(hidden)]
    pub const fn resource(name: &'static str, call: Call<Option<Resource>>) -> Self {
        Self {
            name,
            kind: FunctionKind::Resource(call),
        }
    }

    /// The path of the function, as in the attribute.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The type of the state that the function takes.
    pub fn state(self) -> StateType {
        match self.kind {
            FunctionKind::Check(call) => state_of(call),
            FunctionKind::Resource(call) => state_of(call),
        }
    }
}

fn state_of<A>(call: Call<A>) -> StateType {
    let query = FunctionCall {
        request: None,
        answer: PhantomData,
    };
    call(query).state
}

/// Calls the function of this name, if `call_of` returns its call. The result is that of a request without an
/// object if the path parameters cannot be read; `None` if the function failed, or if the handler has no such
/// function.
pub(crate) async fn run_named<A: Default>(
    functions: &[ServiceFunction],
    name: &str,
    call_of: fn(FunctionKind) -> Option<Call<A>>,
    identity: &Identity,
    surroundings: &Surroundings<'_>,
) -> Option<A> {
    let found = functions.iter().find_map(|function| {
        let call = call_of(function.kind).filter(|_| function.name == name)?;
        Some((function.name, call))
    });
    let Some((name, call)) = found else {
        tracing::error!(
            function = name,
            "the policy names a function that the handler does not have"
        );
        return None;
    };
    let state = state_of(call);
    if !state.is_met_by(surroundings.state) {
        tracing::error!(
            function = name,
            "the function needs the state `{}`, and the handler is mounted with another state",
            state.name,
        );
        return None;
    }
    let Some(parameters) = surroundings.parameters else {
        tracing::debug!(
            function = name,
            "the path parameters are not UTF-8 or ambiguous; the requirement is not met",
        );
        return Some(A::default());
    };
    let request = Some(ErasedRequest {
        function: name,
        identity,
        head: surroundings.head,
        parameters,
        state: surroundings.state,
    });
    let call = call(FunctionCall {
        request,
        answer: PhantomData,
    });
    call.answer?.await
}

impl fmt::Debug for ServiceFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServiceFunction").field(&self.name).finish()
    }
}

/// A call, in the expansion of an attribute, of a function with a state type that only the compiler
/// knows.
pub struct FunctionCall<'r, A> {
    /// `None` to query only the type of the state.
    request: Option<ErasedRequest<'r>>,
    answer: PhantomData<A>,
}

/// The result of a [`FunctionCall`].
pub struct FunctionResult<'r, A> {
    state: StateType,
    answer: Option<PendingAnswer<'r, A>>,
}

impl<'r> FunctionCall<'r, bool> {
    /// Calls a check.
    pub fn of<S, F>(self, function: F) -> FunctionResult<'r, bool>
    where
        S: 'static,
        F: for<'x> CheckFunction<'x, S> + Send + 'r,
    {
        self.called(move |request, name| {
            let answer = function.ask(request);
            async move { answer.await.settle(name) }
        })
    }
}

impl<'r> FunctionCall<'r, Option<Resource>> {
    /// Calls a function that returns an object.
    pub fn of<S, F>(self, function: F) -> FunctionResult<'r, Option<Resource>>
    where
        S: 'static,
        F: for<'x> ResourceFunction<'x, S> + Send + 'r,
    {
        self.called(move |request, name| {
            let found = function.find(request);
            async move { found.await.settle(name) }
        })
    }
}

impl<'r, A> FunctionCall<'r, A> {
    /// Calls a function, and passes it its name for the log.
    fn called<S, F>(
        self,
        function: impl FnOnce(CheckRequest<'r, S>, &'static str) -> F,
    ) -> FunctionResult<'r, A>
    where
        S: 'static,
        F: Future<Output = Option<A>> + Send + 'r,
    {
        let call = |request: ErasedRequest<'r>| {
            let answer = function(request.typed()?, request.function);
            Some(Box::pin(answer) as PendingAnswer<'r, A>)
        };
        FunctionResult {
            state: StateType::of::<S>(),
            answer: self.request.and_then(call),
        }
    }
}

/// A [`CheckRequest`] before the function's state is known.
struct ErasedRequest<'r> {
    function: &'static str,
    identity: &'r Identity,
    head: Head<'r>,
    parameters: &'r Parameters<'r>,
    state: &'r State,
}

impl<'r> ErasedRequest<'r> {
    /// The request for a function that takes `S`; `None` if the router's state has another type.
    fn typed<S: 'static>(&self) -> Option<CheckRequest<'r, S>> {
        let none: &'static State = &();
        Some(CheckRequest {
            identity: self.identity,
            head: self.head,
            parameters: self.parameters,
            state: (self.state.downcast_ref()).or_else(|| none.downcast_ref())?,
        })
    }
}

/// A function that `check = …` can name.
#[diagnostic::on_unimplemented(
    message = "function is not a check [AUTH0037]",
    label = "not an `async fn` that takes a `CheckRequest` and returns `bool`",
    note = "write `async fn is_owner(request: CheckRequest<'_>) -> bool`, or return \
            `Result<bool, E>` with an error that implements `Display`; its future has to be \
            `Send`"
)]
pub trait CheckFunction<'r, S> {
    /// The future that the function returns.
    type Future: Future<Output: FunctionAnswer<bool>> + Send + 'r;

    /// Calls the function.
    fn ask(&self, request: CheckRequest<'r, S>) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<'r, S, F, Answering> CheckFunction<'r, S> for F
where
    S: 'r,
    F: Fn(CheckRequest<'r, S>) -> Answering,
    Answering: Future<Output: FunctionAnswer<bool>> + Send + 'r,
{
    type Future = Answering;

    fn ask(&self, request: CheckRequest<'r, S>) -> Answering {
        self(request)
    }
}

/// A function that `resource = …` can name.
#[diagnostic::on_unimplemented(
    message = "function does not return an object [AUTH0037]",
    label = "not an `async fn` that takes a `CheckRequest` and returns `Option<Resource>`",
    note = "write `async fn report(request: CheckRequest<'_>) -> Option<Resource>`, or return \
            `Result<Option<Resource>, E>` with an error that implements `Display`; its future has to be \
            `Send`"
)]
pub trait ResourceFunction<'r, S> {
    /// The future that the function returns.
    type Future: Future<Output: FunctionAnswer<Option<Resource>>> + Send + 'r;

    /// Calls the function.
    fn find(&self, request: CheckRequest<'r, S>) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<'r, S, F, Answering> ResourceFunction<'r, S> for F
where
    S: 'r,
    F: Fn(CheckRequest<'r, S>) -> Answering,
    Answering: Future<Output: FunctionAnswer<Option<Resource>>> + Send + 'r,
{
    type Future = Answering;

    fn find(&self, request: CheckRequest<'r, S>) -> Answering {
        self(request)
    }
}

/// A return type of functions that requirements name: the result `A`, or a `Result` of it.
pub trait FunctionAnswer<A> {
    /// Converts the value to a result; an error is logged and becomes `None`.
    fn settle(self, function: &'static str) -> Option<A>;
}

impl FunctionAnswer<Self> for bool {
    fn settle(self, _function: &'static str) -> Option<Self> {
        Some(self)
    }
}

impl FunctionAnswer<Self> for Option<Resource> {
    fn settle(self, _function: &'static str) -> Option<Self> {
        Some(self)
    }
}

impl<A, E: fmt::Display> FunctionAnswer<A> for Result<A, E> {
    fn settle(self, function: &'static str) -> Option<A> {
        self.inspect_err(|error| {
            // The alternate form of some errors, such as those of `anyhow`, has their causes.
            let error = format_args!("{error:#}");
            tracing::error!(
                function,
                error,
                "a function failed; the request is not granted"
            );
        })
        .ok()
    }
}
