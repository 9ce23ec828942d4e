//! The policy of a handler or a service as a type, and the callers that it grants.

use std::any::TypeId;

use auth_runtime_core::{Caller, HandlerLocation, Identity, ServiceFunction};
use auth_runtime_policy::Policy;

/// A type with a policy. Only `#[requires]` and `#[public]` implement it.
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
    /// True if the handler names its guard, and can therefore deny objects. True for a unit struct, since closures and
    /// functions name its guard.
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
    type View<'a>: Into<Option<&'a Identity>>;

    /// Returns the caller for a handler.
    fn view(&self) -> Self::View<'_>;
}

/// The policy of a handler that only known callers reach. It bounds the type of a guard in a function that several
/// handlers call.
///
/// ```
/// # use auth_runtime::objects::{Action, Resource};
/// # use auth_runtime::routing::KnowsCaller;
/// # use auth_runtime::{Denied, Guard, requires};
/// # struct Document { id: String, text: String }
/// # impl From<&Document> for Resource {
/// #     fn from(document: &Document) -> Self { Self::new("Document", &document.id) }
/// # }
/// # async fn find(id: &str) -> Option<Document> { None }
/// async fn text_of<P: KnowsCaller>(guard: &Guard<P>, action: Action) -> Result<String, Denied> {
///     Ok(guard.load(action, find("d1").await).await?.text)
/// }
///
/// #[requires(authenticated, hide_as = 404)]
/// async fn read(guard: Guard) -> Result<String, Denied> {
///     text_of(&guard, Action::new("read")).await
/// }
/// ```
///
/// A denial is that of the policy of the handler that called the function. [`AuthenticatesCaller`] also accepts
/// guards of handlers with an optional identity. Only `#[requires]` creates such a policy: the trait cannot be
/// implemented by hand.
///
/// ```compile_fail,E0277
/// use auth_runtime::routing::KnowsCaller;
///
/// struct Own;
/// impl KnowsCaller for Own {}
/// ```
#[diagnostic::on_unimplemented(
    message = "the handler asks about objects, and its caller may have no identity [AUTH0045]",
    label = "the caller may have no identity",
    note = "write `#[requires(authenticated)]`, or another requirement of an identity, in place of \
            `#[public(...)]`; a policy that a network or a setting alone can meet also grants \
            callers without an identity",
    note = "`can`, `can_all` and `load` of a guard also work with `identity = optional`, and deny \
            a caller without an identity"
)]
pub trait KnowsCaller: HasPolicy<Caller = Identity> {}

#[diagnostic::do_not_recommend]
impl<P: HasPolicy<Caller = Identity>> KnowsCaller for P {}

/// The policy of a handler that known callers reach, and maybe callers without an identity. It bounds the type of a
/// guard in a function that several handlers call.
///
/// ```
/// # use auth_runtime::objects::{Action, Resource};
/// # use auth_runtime::routing::AuthenticatesCaller;
/// # use auth_runtime::{Denied, Guard, public, requires};
/// # struct Page { id: String, text: String, is_internal: bool }
/// # impl From<&Page> for Resource {
/// #     fn from(page: &Page) -> Self { Self::new("Page", &page.id) }
/// # }
/// # async fn find() -> Page {
/// #     Page { id: "welcome".to_owned(), text: "hello".to_owned(), is_internal: false }
/// # }
/// async fn text_of<P: AuthenticatesCaller>(guard: &Guard<P>) -> Result<String, Denied> {
///     let page = find().await;
///     if page.is_internal {
///         guard.can(Action::new("read"), &page).await?;
///     }
///     Ok(page.text)
/// }
///
/// #[public(reason = "internal pages need a login", identity = optional)]
/// async fn page(guard: Guard) -> Result<String, Denied> {
///     text_of(&guard).await
/// }
///
/// #[requires(scope = "page:write")]
/// async fn source(guard: Guard) -> Result<String, Denied> {
///     text_of(&guard).await
/// }
/// ```
///
/// `can`, `can_all` and `load` deny a caller without an identity. `permit` decides by its argument only. Methods with
/// a result for each object, such as [`filter`](super::Guard::filter), need a [`KnowsCaller`]. The trait cannot be
/// implemented by hand, and a public handler without `identity = optional` does not authenticate:
///
/// ```compile_fail,E0277
/// # use auth_runtime::routing::AuthenticatesCaller;
/// # use auth_runtime::{Guard, public};
/// fn shared<P: AuthenticatesCaller>(_: &Guard<P>) {}
///
/// #[public(reason = "a page")]
/// async fn page(guard: Guard) {
///     shared(&guard);
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "public handler has no identity [AUTH0045]",
    label = "the caller is not authenticated",
    note = "write `#[requires(authenticated)]` to require an identity, or `#[public(reason = \
            \"...\", identity = optional)]` to accept callers with and without one"
)]
pub trait AuthenticatesCaller: HasPolicy<Caller: HasIdentity> {}

#[diagnostic::do_not_recommend]
impl<P: HasPolicy<Caller: HasIdentity>> AuthenticatesCaller for P {}

impl HasIdentity for Identity {
    type View<'a> = &'a Identity;

    fn view(&self) -> &Self {
        self
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
