//! Requirements that only the service itself can evaluate.

use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::pin::Pin;

use http::{Extensions, HeaderMap, Method, Uri};

use crate::head::Head;
use crate::identity::Identity;

/// The argument of a function named by `check = path::to::function`: the caller, the head of the
/// request, and the state of the application.
///
/// The function is async, takes this type as its only parameter, and returns `bool`, or
/// `Result<bool, E>` with an `E` that implements `Display`. It runs only for known callers, and
/// only if its result can change the decision. An error is logged, and the response is 503: a
/// caller that cannot be checked is not granted access, and should retry.
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
pub struct CheckRequest<'r, S = ()> {
    identity: &'r Identity,
    head: Head<'r>,
    parameters: &'r Parameters,
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

    /// The target of the request as the client sent it, with the prefixes of all nested routers.
    pub fn uri(&self) -> &'r Uri {
        self.head.sent_uri()
    }

    /// The decoded value of a path parameter, by its name in the route: `owner` of
    /// `/repos/{owner}`.
    ///
    /// `None` if the route has no such parameter. A check is not called, and not met, if a value of
    /// the path is not UTF-8, or if two parameters of one name have different values: it could not
    /// know which of them the handler uses.
    pub fn parameter(&self, name: &str) -> Option<&'r str> {
        let mut parameters = self.parameters.iter();
        let found = parameters.find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The header fields of the request.
    pub fn headers(&self) -> &'r HeaderMap {
        self.head.headers
    }

    /// The extensions that the server, the router and outer layers added to the request.
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

/// A deciding function of the service, with the name by which a requirement refers to it: the path
/// in `check = path::to::function`.
#[derive(Clone, Copy)]
pub struct Check {
    name: &'static str,
    function: fn(CheckCall<'_>) -> CheckCalled<'_>,
}

/// The future result of a check; `None` if the check failed.
pub(crate) type PendingAnswer<'r> = Pin<Box<dyn Future<Output = Option<bool>> + Send + 'r>>;

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
pub type Parameters = [(String, String)];

/// The inputs of a check other than the caller.
#[derive(Clone, Copy)]
pub struct Surroundings<'r> {
    /// The head of the request.
    pub head: Head<'r>,
    /// The parameters of the matched path. `None` if they cannot be read, or are ambiguous: then no
    /// check is met.
    pub parameters: Option<&'r Parameters>,
    /// The state of the router.
    pub state: &'r State,
}

impl Check {
    /// For the expansion of an attribute only, which knows the function.
    #[doc(hidden)]
    pub const fn new(name: &'static str, function: fn(CheckCall<'_>) -> CheckCalled<'_>) -> Self {
        Self { name, function }
    }

    /// The path of the function, as in the attribute.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The type of the state that the function takes.
    pub fn state(self) -> StateType {
        (self.function)(CheckCall { request: None }).state
    }

    /// Runs the check.
    async fn run(self, identity: &Identity, surroundings: Surroundings<'_>) -> Option<bool> {
        if !self.state().is_met_by(surroundings.state) {
            tracing::error!(
                check = self.name,
                "the check needs the state `{}`, and the handler is mounted with another state",
                self.state().name,
            );
            return None;
        }
        let Some(parameters) = surroundings.parameters else {
            tracing::debug!(
                check = self.name,
                "the path parameters are not UTF-8 or ambiguous; the check is not met",
            );
            return Some(false);
        };
        let request = Some(ErasedRequest {
            check: self.name,
            identity,
            parameters,
            surroundings,
        });
        (self.function)(CheckCall { request }).answer?.await
    }
}

/// Runs the check of this name; `None` if it failed, or if the handler has no such check.
pub(crate) async fn run_named(
    checks: &[Check],
    name: &str,
    identity: &Identity,
    surroundings: Surroundings<'_>,
) -> Option<bool> {
    let Some(check) = checks.iter().find(|check| check.name == name) else {
        tracing::error!(
            check = name,
            "the policy names a check that the handler does not have"
        );
        return None;
    };
    check.run(identity, surroundings).await
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}

/// A call, in the expansion of an attribute, of a function with a state type that only the compiler
/// knows.
pub struct CheckCall<'r> {
    /// `None` to query only the type of the state.
    request: Option<ErasedRequest<'r>>,
}

/// The result of a [`CheckCall`].
pub struct CheckCalled<'r> {
    state: StateType,
    answer: Option<PendingAnswer<'r>>,
}

impl<'r> CheckCall<'r> {
    /// Calls the function.
    pub fn of<S, F>(self, function: F) -> CheckCalled<'r>
    where
        S: 'static,
        F: for<'x> CheckFunction<'x, S> + Send + 'r,
    {
        CheckCalled {
            state: StateType::of::<S>(),
            answer: self.request.map(|request| {
                Box::pin(async move {
                    let answer = function.ask(request.typed()?);
                    answer.await.settle(request.check)
                }) as PendingAnswer<'r>
            }),
        }
    }
}

impl fmt::Debug for CheckCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckCall").finish_non_exhaustive()
    }
}

impl fmt::Debug for CheckCalled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckCalled")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// A [`CheckRequest`] before the function's state is known.
struct ErasedRequest<'r> {
    check: &'static str,
    identity: &'r Identity,
    parameters: &'r Parameters,
    surroundings: Surroundings<'r>,
}

impl<'r> ErasedRequest<'r> {
    /// The request for a function that takes `S`; `None` if the router's state has another type.
    fn typed<S: 'static>(&self) -> Option<CheckRequest<'r, S>> {
        let none: &'static State = &();
        let Surroundings { head, state, .. } = self.surroundings;
        Some(CheckRequest {
            identity: self.identity,
            head,
            parameters: self.parameters,
            state: state.downcast_ref().or_else(|| none.downcast_ref())?,
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
    type Future: Future<Output: CheckAnswer> + Send + 'r;

    /// Calls the function.
    fn ask(&self, request: CheckRequest<'r, S>) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<'r, S, F, Answering> CheckFunction<'r, S> for F
where
    S: 'r,
    F: Fn(CheckRequest<'r, S>) -> Answering,
    Answering: Future<Output: CheckAnswer> + Send + 'r,
{
    type Future = Answering;

    fn ask(&self, request: CheckRequest<'r, S>) -> Answering {
        self(request)
    }
}

/// A return type of functions named by `check = …`.
pub trait CheckAnswer {
    /// Converts the value to a result; an error is logged and becomes `None`.
    fn settle(self, check: &'static str) -> Option<bool>;
}

impl CheckAnswer for bool {
    fn settle(self, _check: &'static str) -> Option<bool> {
        Some(self)
    }
}

impl<E: fmt::Display> CheckAnswer for Result<bool, E> {
    fn settle(self, check: &'static str) -> Option<bool> {
        match self {
            Ok(answer) => Some(answer),
            Err(error) => {
                tracing::error!(check, %error, "a check failed; the request is not granted");
                None
            }
        }
    }
}
