//! Extractors of the parameters of handlers.

use std::convert::Infallible;
use std::future::Future;

use auth_runtime_core::Identity;
use auth_runtime_core::adapter::UserType;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;

use crate::guard::{Guard, HasPolicy};

/// An extractor that needs the caller, such as one for the account of a user.
///
/// Handlers of a [`GuardedRouter`](crate::GuardedRouter) take it as a parameter, like axum's
/// extractors, if their policy requires a known caller. On a public handler it does not compile; a handler
/// with `identity = optional` takes an `Option`. The service's own user is a
/// [`CurrentUser`](crate::CurrentUser), which needs no implementation of this trait.
///
/// ```
/// use auth_runtime::routing::{FromIdentity, get};
/// use auth_runtime::{GuardedRouter, Identity, requires};
/// use axum::http::StatusCode;
/// use axum::http::request::Parts;
///
/// #[derive(Clone)]
/// struct Db;
/// # impl Db { async fn account(&self, _: &str) -> Option<u64> { Some(7) } }
///
/// struct Account(u64);
///
/// impl FromIdentity<Db> for Account {
///     type Rejection = StatusCode;
///
///     async fn from_identity(
///         identity: &Identity,
///         _head: &mut Parts,
///         db: &Db,
///     ) -> Result<Self, StatusCode> {
///         let account = db.account(identity.subject()).await;
///         account.map(Self).ok_or(StatusCode::CONFLICT)
///     }
/// }
///
/// #[requires(authenticated)]
/// async fn profile(account: Account) -> String {
///     format!("account {}", account.0)
/// }
///
/// let router = GuardedRouter::new().route("/profile", get(profile)).with_state::<()>(Db);
/// ```
pub trait FromIdentity<S>: Sized {
    /// The response if the value cannot be extracted.
    type Rejection: IntoResponse;

    /// Extracts the value for a known caller.
    ///
    /// # Errors
    ///
    /// The rejection, which becomes the response in place of the handler's.
    fn from_identity(
        identity: &Identity,
        head: &mut Parts,
        state: &S,
    ) -> impl Future<Output = Result<Self, Self::Rejection>> + Send;

    /// The service's own user that the value is made of; see [`CurrentUser`](crate::CurrentUser). `protect`
    /// then requires schemes that provide it. Default: none.
    ///
    /// ```
    /// use auth_runtime::routing::FromIdentity;
    /// use auth_runtime::schemes::UserType;
    /// use auth_runtime::{CurrentUser, Identity};
    /// use axum::http::request::Parts;
    ///
    /// struct User {
    ///     tenant: u32,
    /// }
    ///
    /// struct Tenant(u32);
    ///
    /// impl<S: Sync> FromIdentity<S> for Tenant {
    ///     type Rejection = <CurrentUser<User> as FromIdentity<S>>::Rejection;
    ///
    ///     async fn from_identity(
    ///         identity: &Identity,
    ///         head: &mut Parts,
    ///         state: &S,
    ///     ) -> Result<Self, Self::Rejection> {
    ///         let user = CurrentUser::<User>::from_identity(identity, head, state).await?;
    ///         Ok(Self(user.tenant))
    ///     }
    ///
    ///     fn needed_user() -> Option<UserType> {
    ///         Some(UserType::of::<User>())
    ///     }
    /// }
    /// ```
    fn needed_user() -> Option<UserType> {
        None
    }
}

/// Extracts the identity, for handlers that need nothing else from their guard.
impl<S: Sync> FromIdentity<S> for Identity {
    type Rejection = Infallible;

    async fn from_identity(identity: &Self, _: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(identity.clone())
    }
}

/// A parameter of a handler, extracted from the head of a granted request in the way `M`.
pub trait FromGranted<P: HasPolicy, S, M>: Sized {
    #[doc(hidden)]
    fn from_granted(
        guard: &Guard<P>,
        head: &mut Parts,
        state: &S,
    ) -> impl Future<Output = Result<Self, Response>> + Send;

    #[doc(hidden)]
    fn needed_user() -> Option<UserType> {
        None
    }
}

/// The last parameter of a handler, which may consume the request.
pub trait FromGrantedRequest<P: HasPolicy, S, M>: Sized {
    #[doc(hidden)]
    fn from_granted_request(
        guard: &Guard<P>,
        request: Request,
        state: &S,
    ) -> impl Future<Output = Result<Self, Response>> + Send;

    #[doc(hidden)]
    fn needed_user() -> Option<UserType> {
        None
    }
}

/// Marks axum's extractors from the head of a request.
#[derive(Debug)]
pub enum ViaParts {}

/// Marks extractors that need the caller.
#[derive(Debug)]
pub enum ViaIdentity {}

/// Marks extractors that need the caller, as an `Option` for policies that also grant callers that are not
/// known.
#[derive(Debug)]
pub enum ViaOptionalIdentity {}

/// Marks axum's extractors from a whole request.
#[derive(Debug)]
pub enum ViaRequest {}

/// Marks a last parameter that is extracted from the head of a request, in the way `Via`.
#[derive(Debug)]
pub struct ViaHead<Via>(Via);

#[diagnostic::do_not_recommend]
impl<T, P, S> FromGranted<P, S, ViaParts> for T
where
    T: FromRequestParts<S>,
    P: HasPolicy,
    S: Sync,
{
    async fn from_granted(_: &Guard<P>, head: &mut Parts, state: &S) -> Result<Self, Response> {
        let part = T::from_request_parts(head, state).await;
        part.map_err(IntoResponse::into_response)
    }
}

#[diagnostic::do_not_recommend]
impl<T, P, S> FromGranted<P, S, ViaIdentity> for T
where
    T: FromIdentity<S>,
    P: HasPolicy<Caller = Identity>,
    S: Sync,
{
    async fn from_granted(guard: &Guard<P>, head: &mut Parts, state: &S) -> Result<Self, Response> {
        let part = T::from_identity(guard.identity(), head, state).await;
        part.map_err(IntoResponse::into_response)
    }

    fn needed_user() -> Option<UserType> {
        T::needed_user()
    }
}

#[diagnostic::do_not_recommend]
impl<T, P, S> FromGranted<P, S, ViaOptionalIdentity> for Option<T>
where
    T: FromIdentity<S>,
    P: HasPolicy<Caller = Option<Identity>>,
    S: Sync,
{
    async fn from_granted(guard: &Guard<P>, head: &mut Parts, state: &S) -> Result<Self, Response> {
        let Some(identity) = guard.identity() else {
            return Ok(None);
        };
        let part = T::from_identity(identity, head, state).await;
        part.map(Some).map_err(IntoResponse::into_response)
    }

    fn needed_user() -> Option<UserType> {
        T::needed_user()
    }
}

#[diagnostic::do_not_recommend]
impl<T, P, S> FromGrantedRequest<P, S, ViaRequest> for T
where
    T: FromRequest<S>,
    P: HasPolicy,
    S: Sync,
{
    async fn from_granted_request(
        _: &Guard<P>,
        request: Request,
        state: &S,
    ) -> Result<Self, Response> {
        let last = T::from_request(request, state).await;
        last.map_err(IntoResponse::into_response)
    }
}

#[diagnostic::do_not_recommend]
impl<T, P, S, Via> FromGrantedRequest<P, S, ViaHead<Via>> for T
where
    T: FromGranted<P, S, Via>,
    P: HasPolicy,
    S: Sync,
{
    async fn from_granted_request(
        guard: &Guard<P>,
        request: Request,
        state: &S,
    ) -> Result<Self, Response> {
        let (mut head, _) = request.into_parts();
        T::from_granted(guard, &mut head, state).await
    }

    fn needed_user() -> Option<UserType> {
        T::needed_user()
    }
}
