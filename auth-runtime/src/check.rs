//! Requirements that only the service itself can decide.

use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::pin::Pin;

use http::{Extensions, HeaderMap, Method, Uri};

use crate::head::Head;
use crate::identity::Identity;

/// What a function named by `check = path::to::function` is asked about: who calls, the head of the
/// request, and the application's state.
///
/// Such a function is async, takes this as its only parameter, and returns `bool`, or
/// `Result<bool, E>` for an `E` that can be displayed. It only runs for known callers, and only if
/// the other requirements leave its answer to matter. An error is logged, and the caller is
/// answered 503: whoever cannot be checked is not let in, and should come back.
///
/// `S` is the state of the router that the handler is mounted on; a function that needs none leaves
/// it out, and then works on any router.
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
/// It has to be quick and to change nothing: it runs before the handler, and also where the answer
/// is no.
pub struct CheckRequest<'r, S = ()> {
    identity: &'r Identity,
    head: Head<'r>,
    parameters: &'r Parameters,
    state: &'r S,
}

impl<'r, S> CheckRequest<'r, S> {
    /// Who calls.
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

    /// The request's target, as the client sent it: with all that routers are nested under.
    pub fn uri(&self) -> &'r Uri {
        self.head.sent_uri()
    }

    /// A parameter of the path, decoded, by its name in the route: `owner` of `/repos/{owner}`.
    ///
    /// What is no UTF-8 is not there.
    pub fn parameter(&self, name: &str) -> Option<&'r str> {
        let mut parameters = self.parameters.iter();
        let found = parameters.find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The request's fields.
    pub fn headers(&self) -> &'r HeaderMap {
        self.head.headers
    }

    /// What the server, the router and the layers outside have found out about the request.
    pub fn extensions(&self) -> &'r Extensions {
        self.head.extensions
    }
}

impl<S> fmt::Debug for CheckRequest<'_, S> {
    /// Leaves the state and the fields out: they may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckRequest")
            .field("identity", self.identity)
            .field("method", self.head.method)
            .finish_non_exhaustive()
    }
}

/// A function that decides, as an atom of a requirement. Made by `check = path::to::function`.
///
/// Two are the same if they are written the same.
#[derive(Clone, Copy)]
pub struct Check {
    name: &'static str,
    function: fn(CheckCall<'_>) -> CheckCalled<'_>,
}

/// What a check will say; `None` if it failed.
pub(crate) type Answer<'r> = Pin<Box<dyn Future<Output = Option<bool>> + Send + 'r>>;

/// The state that a function asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StateType {
    id: TypeId,
    pub(crate) name: &'static str,
}

impl StateType {
    fn of<S: 'static>() -> Self {
        Self {
            id: TypeId::of::<S>(),
            name: type_name::<S>(),
        }
    }

    /// Whether a function that asks for this can be given `state`.
    pub(crate) fn is_met_by(self, state: &State) -> bool {
        self.id == TypeId::of::<()>() || self.id == state.type_id()
    }
}

/// A router's state, of whatever type.
pub(crate) type State = dyn Any + Send + Sync;

/// The parameters of a path, by their names.
pub(crate) type Parameters = [(String, String)];

/// What a check gets to see besides the caller.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'r> {
    pub(crate) head: Head<'r>,
    pub(crate) parameters: &'r Parameters,
    pub(crate) state: &'r State,
}

impl Check {
    /// Only for the expansion of an attribute, which knows the function.
    #[doc(hidden)]
    pub const fn new(name: &'static str, function: fn(CheckCall<'_>) -> CheckCalled<'_>) -> Self {
        Self { name, function }
    }

    /// The path of the function, as it is written in the attribute.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The state that the function asks for.
    pub(crate) fn state(self) -> StateType {
        (self.function)(CheckCall { request: None }).state
    }

    /// Asks the function.
    pub(crate) async fn ask(
        self,
        identity: &Identity,
        surroundings: Surroundings<'_>,
    ) -> Option<bool> {
        if !self.state().is_met_by(surroundings.state) {
            tracing::error!(
                check = self.name,
                "the check asks for the state `{}`, and the handler is mounted with another one",
                self.state().name,
            );
            return None;
        }
        let request = Some(ErasedRequest {
            check: self.name,
            identity,
            surroundings,
        });
        (self.function)(CheckCall { request }).answer?.await
    }
}

impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Check {}

impl PartialOrd for Check {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Check {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.name.cmp(other.name)
    }
}

impl Hash for Check {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}

/// A call of a function whose state only the compiler knows, in the expansion of an attribute.
pub struct CheckCall<'r> {
    /// `None` to learn the state only.
    request: Option<ErasedRequest<'r>>,
}

/// What came of a [`CheckCall`].
pub struct CheckCalled<'r> {
    state: StateType,
    answer: Option<Answer<'r>>,
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
                }) as Answer<'r>
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
    surroundings: Surroundings<'r>,
}

impl<'r> ErasedRequest<'r> {
    /// The request for a function that asks for `S`; `None` if the state is another one.
    fn typed<S: 'static>(&self) -> Option<CheckRequest<'r, S>> {
        let none: &'static State = &();
        let Surroundings {
            head,
            parameters,
            state,
        } = self.surroundings;
        Some(CheckRequest {
            identity: self.identity,
            head,
            parameters,
            state: state.downcast_ref().or_else(|| none.downcast_ref())?,
        })
    }
}

/// A function that can be named by `check = …`.
#[diagnostic::on_unimplemented(
    message = "this function is no check [AUTH0037]",
    label = "not an `async fn` that takes a `CheckRequest` and answers yes or no",
    note = "write `async fn is_fine(request: CheckRequest<'_>) -> bool`, or let it return \
            `Result<bool, E>` for an error that can be displayed; nothing in it may keep its future \
            from being sent to another thread"
)]
pub trait CheckFunction<'r, S> {
    /// What it will say.
    type Future: Future<Output: CheckAnswer> + Send + 'r;

    /// Asks it.
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

/// What a function named by `check = …` can return.
pub trait CheckAnswer {
    /// `None` if the check failed, which is logged here.
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
                tracing::error!(check, %error, "a check failed; the request is not let in");
                None
            }
        }
    }
}
